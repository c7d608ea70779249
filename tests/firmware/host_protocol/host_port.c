/*
 * hil_port.h on a computer, in lock step with a test: a packet of bytes comes in, the firmware works until it
 * has nothing left to read, and all that it wrote goes out as one packet.  So a test knows what silence is
 * without waiting for it.  A packet is a u32 length (of this machine's byte order) and the bytes.
 *
 * Time passes by calls of host_spend.  A reset really starts the program anew.
 */
#include "host_port.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hil_port.h"
#include "hil_runtime.h"

#define MAX_PACKET 65536u

static uint8_t incoming[MAX_PACKET];
static uint32_t incoming_size, incoming_taken;
static int packet_open;
static uint8_t outgoing[MAX_PACKET * 4u];
static uint32_t outgoing_size;
static uint32_t cycles;

static void read_all(void *data, size_t size) {
  uint8_t *to = data;
  while (size > 0) {
    const ssize_t count = read(STDIN_FILENO, to, size);
    if (count <= 0) {
      exit(count < 0); /* end of the test */
    }
    to += count;
    size -= (size_t)count;
  }
}

static void write_all(const void *data, size_t size) {
  const uint8_t *from = data;
  while (size > 0) {
    const ssize_t count = write(STDOUT_FILENO, from, size);
    if (count <= 0) {
      exit(1);
    }
    from += count;
    size -= (size_t)count;
  }
}

static void close_packet(void) {
  if (packet_open) {
    write_all(&outgoing_size, sizeof outgoing_size);
    write_all(outgoing, outgoing_size);
    outgoing_size = 0;
    packet_open = 0;
  }
}

static void open_packet(void) {
  read_all(&incoming_size, sizeof incoming_size);
  if (incoming_size > MAX_PACKET) {
    exit(2);
  }
  read_all(incoming, incoming_size);
  incoming_taken = 0;
  packet_open = 1;
}

void hil_port_init(void) {}

size_t hil_port_read(uint8_t *data, size_t capacity) {
  if (incoming_taken == incoming_size) {
    close_packet();
    open_packet();
  }
  const size_t waiting = incoming_size - incoming_taken;
  const size_t count = waiting < capacity ? waiting : capacity;
  memcpy(data, incoming + incoming_taken, count);
  incoming_taken += (uint32_t)count;
  return count;
}

void hil_port_write(const uint8_t *data, size_t size) {
  if (size > sizeof outgoing - outgoing_size) {
    exit(3);
  }
  memcpy(outgoing + outgoing_size, data, size);
  outgoing_size += (uint32_t)size;
}

uint32_t hil_port_cycles(void) { return cycles; }

void host_spend(uint32_t count) { cycles += count; }

uint32_t hil_port_clock_hz(void) { return 64000000u; }

int hil_port_instruction_cache(void) { return -1; }

/* The stack in use is what host_use_stack says between paint and count. */
static uint32_t stack_used;

void hil_port_stack_paint(void) { stack_used = 100; }

void host_use_stack(uint32_t bytes) { stack_used = bytes > stack_used ? bytes : stack_used; }

uint32_t hil_port_stack_used(void) { return stack_used; }

uint32_t hil_port_stack_size(void) { return 4096; }

#ifdef HOST_SPARE_BYTES
uint8_t *hil_port_spare_ram(size_t *size) {
  static uint8_t spare[HOST_SPARE_BYTES];
  *size = sizeof spare;
  return spare;
}
#endif

const char *hil_port_board(void) { return "host"; }

void hil_port_unit_id(uint8_t id[8]) { memcpy(id, "HOSTTEST", 8); }

void hil_port_reset(void) {
  close_packet();
  execl("/proc/self/exe", "restarted", (char *)NULL);
  exit(4);
}

/* As the fault handler of a board: report, wait for a byte, report again, restart. */
void host_fault(uint8_t kind, const uint32_t *registers) {
  hil_runtime_report_fault(kind, registers);
  do {
    close_packet();
    open_packet();
  } while (incoming_size == 0);
  hil_runtime_report_fault(kind, registers);
  hil_port_reset();
}
