/*
 * A firmware that tries the port and nothing else: each first byte of what comes in is an order, all else is
 * echoed.
 */
#include "hil_port.h"
#include "hil_runtime.h"

int main(void);

static const uint8_t text_in_flash[] =
    "this text lies in flash and is longer than sixty-four bytes, so that it is sent in two pieces";

void hil_runtime_report_fault(uint8_t kind, const uint32_t registers[12]) {
  hil_port_write((const uint8_t *)"F", 1);
  hil_port_write(&kind, 1);
  hil_port_write((const uint8_t *)registers, 48);
}

static void send_word(uint32_t word) { hil_port_write((const uint8_t *)&word, sizeof word); }

/* Uses a little over 64 bytes of stack a level; not to be turned into a loop. */
static __attribute__((noinline)) uint32_t dive(volatile uint32_t *above, uint32_t levels) {
  volatile uint32_t room[16];
  room[0] = *above + levels;
  return levels == 0 ? room[0] : dive(room, levels - 1) + room[0];
}

static void measure_stack(uint32_t levels) {
  volatile uint32_t zero = 0;
  hil_port_stack_paint();
  (void)dive(&zero, levels);
  send_word(hil_port_stack_used());
}

static void tell_identity(void) {
  uint8_t id[8];
  hil_port_unit_id(id);
  hil_port_write(id, sizeof id);
  send_word((uint32_t)hil_port_instruction_cache());
  send_word(hil_port_clock_hz());
  send_word(hil_port_stack_size());
}

/* Longer than a cycle counter of 24 bits lasts. */
static void time_a_long_loop(void) {
  hil_port_trigger(1);
  const uint32_t start = hil_port_cycles();
  for (volatile uint32_t i = 0; i < 4000000; ++i) {
  }
  const uint32_t end = hil_port_cycles();
  hil_port_trigger(0);
  send_word(end - start);
}

static void obey(const uint8_t *data, size_t size) {
  volatile uint32_t zero = 0;
  const uint32_t start = hil_port_cycles();
  switch (data[0]) {
    case 't':
      hil_port_write(text_in_flash, sizeof text_in_flash - 1);
      break;
    case 'i':
      tell_identity();
      break;
    case 's':
      measure_stack(4);
      measure_stack(20);
      break;
    case 'c':
      for (volatile uint32_t i = 0; i < 1000; ++i) {
      }
      send_word(hil_port_cycles() - start);
      break;
    case 'g':
      time_a_long_loop();
      break;
    case 'o':
      (void)dive(&zero, 1000000);
      break;
    case 'w':
      *(volatile uint32_t *)(uintptr_t)0x1FFFFFF0u = 5;
      break;
    case 'j':
      ((void (*)(void))(uintptr_t)0x1F000001u)();
      break;
    case 'd':
      send_word(start / zero);
      break;
    case 'R':
      hil_port_reset();
      break;
    default:
      hil_port_write(data, size);
  }
}

int main(void) {
  hil_port_init();
  for (;;) {
    static uint8_t data[400];
    const size_t size = hil_port_read(data, sizeof data);
    if (size > 0) {
      obey(data, size);
    }
  }
}
