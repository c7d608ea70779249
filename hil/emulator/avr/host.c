/*
 * One AVR on libsimavr: its flash, its serial line, its trigger pin, and the cycles that it runs.
 *
 * simavr executes instruction by instruction and counts cycles; its timers, UART and watchdog follow that
 * count.  This file puts bytes on the line at the pace of the baud rate, collects what comes back, and says
 * why the core has stopped.
 */
#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_interrupts.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of hil_port_unit_id in firmware/lib/port/arduino: a reset clears these registers in a real chip. */
#define GPIOR0 0x3E
#define GPIOR1 0x4A
#define GPIOR2 0x4B

#define BITS_PER_BYTE 10
#define SETTLE_CYCLES 100 /* until a byte that has come is an interrupt */

enum { RUNNING, OUTPUT, ASLEEP, STOPPED };

typedef struct {
  uint64_t cycle;
  uint64_t level;
} hil_avr_edge;

typedef struct {
  char *bytes;
  size_t count;
  size_t room;
} hil_avr_buffer;

typedef struct {
  avr_t *avr;
  avr_uart_t *uart;
  avr_irq_t *to_uart;
  void (*reset_core)(avr_t *avr);
  hil_avr_buffer input, output, edges;
  size_t delivered;     /* bytes of the input */
  uint64_t byte_cycles; /* of the line */
  uint64_t quiet_at;    /* cycle from which nothing is on its way to the firmware */
  uint32_t trigger_level;
  char message[256]; /* the last complaint of simavr */
} hil_avr;

/* simavr has one logger for all cores, and complains in the middle of a run: this is whose run it is, in this
 * thread. */
static __thread hil_avr *running;

static int append(hil_avr_buffer *buffer, const void *bytes, size_t size) {
  if (buffer->count + size > buffer->room) {
    const size_t room = 2 * (buffer->count + size);
    char *const larger = realloc(buffer->bytes, room);
    if (!larger) {
      return 0;
    }
    buffer->bytes = larger;
    buffer->room = room;
  }
  memcpy(buffer->bytes + buffer->count, bytes, size);
  buffer->count += size;
  return 1;
}

static size_t take(hil_avr_buffer *buffer, void *target, size_t size) {
  const size_t count = size < buffer->count ? size : buffer->count;
  memcpy(target, buffer->bytes, count);
  buffer->count -= count;
  memmove(buffer->bytes, buffer->bytes + count, buffer->count);
  return count;
}

static void log_message(avr_t *avr, const int level, const char *format, va_list arguments) {
  (void)avr;
  if (level == LOG_ERROR && running) {
    vsnprintf(running->message, sizeof running->message, format, arguments);
  }
}

static void on_trigger(avr_irq_t *irq, uint32_t value, void *context) {
  hil_avr *const host = context;
  (void)irq;
  if ((value != 0) != host->trigger_level) {
    const hil_avr_edge edge = {host->avr->cycle, value != 0};
    host->trigger_level = value != 0;
    append(&host->edges, &edge, sizeof edge);
  }
}

/* simavr charges nothing for the way into an interrupt: 4 cycles, 5 where the program counter has three bytes
 * (ATmega328P data sheet, "Interrupt Response Time"; the same chapter of the ATmega2560's). */
static void on_interrupt(avr_irq_t *irq, uint32_t runs, void *context) {
  avr_t *const avr = ((hil_avr *)context)->avr;
  (void)irq;
  if (runs) {
    avr->cycle += 2 + avr->address_size;
  }
}

/* The clock does not wait for that of this computer. */
static void do_not_sleep(avr_t *avr, avr_cycle_count_t cycles) {
  (void)avr;
  (void)cycles;
}

/* simavr counts 11 bits to a byte; 8N1 has 10.  The divider counts eighths of a bit with U2X, else
 * sixteenths. */
static uint64_t uart_byte_cycles(const hil_avr *host) {
  avr_t *const avr = host->avr;
  const avr_uart_t *const uart = host->uart;
  const uint32_t divider =
      (avr_regbit_get(avr, uart->ubrrl) | (uint32_t)avr_regbit_get(avr, uart->ubrrh) << 8) + 1;
  return (uint64_t)divider * (avr_regbit_get(avr, uart->u2x) ? 8 : 16) * BITS_PER_BYTE;
}

static void on_output(avr_irq_t *irq, uint32_t value, void *context) {
  hil_avr *const host = context;
  const char byte = (char)value;
  (void)irq;
  host->uart->cycles_per_byte = uart_byte_cycles(host);
  append(&host->output, &byte, 1);
}

static int uart_has_byte(const hil_avr *host) { return host->uart->input.read != host->uart->input.write; }

/* One byte has come over the line; the next one takes its time.  simavr would hand it on a byte's time later,
 * and forgets to interrupt where a second one comes meanwhile, so it gets one at a time and no time for it.
 */
static avr_cycle_count_t deliver(avr_t *avr, avr_cycle_count_t when, void *context) {
  hil_avr *const host = context;
  if (!avr_regbit_get(avr, host->uart->rxen)) {
    return when + host->byte_cycles; /* nobody listens yet: whoever sends waits */
  }
  if (host->delivered < host->input.count) {
    const char byte = host->input.bytes[host->delivered++];
    if (!uart_has_byte(host)) { /* else the firmware is late, and the byte is lost, as on the chip */
      host->uart->cycles_per_byte = 1;
      avr_raise_irq(host->to_uart, (uint8_t)byte);
      host->uart->cycles_per_byte = uart_byte_cycles(host);
    }
    host->quiet_at = when + SETTLE_CYCLES;
  }
  if (host->delivered == host->input.count) {
    host->delivered = host->input.count = 0;
    return 0;
  }
  return when + host->byte_cycles;
}

static void start_delivery(hil_avr *host) {
  if (host->input.count && !avr_cycle_timer_status(host->avr, deliver, host)) {
    avr_cycle_timer_register(host->avr, host->byte_cycles, deliver, host);
  }
}

static void on_reset(avr_t *avr) {
  hil_avr *const host = avr->custom.data;
  if (host->reset_core) {
    host->reset_core(avr);
  }
  avr->data[GPIOR0] = 'E';
  avr->data[GPIOR1] = 'M';
  avr->data[GPIOR2] = 'U';
  /* The reset has stopped all timers, and what was on the line is lost. */
  host->input.count = host->delivered = 0;
}

void hil_avr_close(hil_avr *host) {
  if (host) {
    if (host->avr) {
      avr_terminate(host->avr);
      free(host->avr);
    }
    free(host->input.bytes);
    free(host->output.bytes);
    free(host->edges.bytes);
    free(host);
  }
}

/* simavr links an avr_io_t at the head of each peripheral; this is UART 0. */
static avr_uart_t *find_uart(avr_t *avr) {
  for (avr_io_t *io = avr->io_port; io; io = io->next) {
    if (!strcmp(io->kind, "uart") && ((avr_uart_t *)io)->name == '0') {
      return (avr_uart_t *)io;
    }
  }
  return NULL;
}

/* NULL where simavr has no such chip. */
hil_avr *hil_avr_open(const char *chip, uint32_t clock_hz, uint32_t byte_cycles, char port, int pin) {
  hil_avr *const host = calloc(1, sizeof *host);
  uint32_t flags = 0;
  if (!host) {
    return NULL;
  }
  avr_global_logger_set(log_message);
  host->avr = avr_make_mcu_by_name(chip);
  if (!host->avr) {
    free(host);
    return NULL;
  }
  host->avr->custom.data = host;
  host->reset_core = host->avr->reset;
  host->avr->reset = on_reset;
  avr_init(host->avr);
  host->avr->frequency = clock_hz;
  host->avr->log = LOG_ERROR;
  host->avr->sleep = do_not_sleep;
  host->byte_cycles = byte_cycles;
  host->uart = find_uart(host->avr);
  avr_ioctl(host->avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  host->to_uart = avr_io_getirq(host->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  avr_irq_register_notify(avr_io_getirq(host->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_output,
                          host);
  avr_irq_register_notify(avr_io_getirq(host->avr, AVR_IOCTL_IOPORT_GETIRQ(port), pin), on_trigger, host);
  for (int i = 0; i < host->avr->interrupts.vector_count; ++i) {
    avr_irq_register_notify(host->avr->interrupts.vector[i]->irq + AVR_INT_IRQ_RUNNING, on_interrupt, host);
  }
  return host;
}

uint32_t hil_avr_flash_bytes(const hil_avr *host) { return host->avr->flashend + 1; }

void hil_avr_write_flash(hil_avr *host, const uint8_t *data, uint32_t size, uint32_t address) {
  memcpy(host->avr->flash + address, data, size);
  if (address + size > host->avr->codeend) {
    host->avr->codeend = address + size;
  }
}

void hil_avr_reset(hil_avr *host) {
  avr_reset(host->avr);
  host->message[0] = '\0';
}

/* 0 where memory ran out. */
int hil_avr_send(hil_avr *host, const char *data, size_t size) {
  if (!append(&host->input, data, size)) {
    return 0;
  }
  start_delivery(host);
  return 1;
}

/* Runs for `cycles`, or until the core sleeps and nothing is on its way to it, or until it stops. */
int hil_avr_run(hil_avr *host, uint64_t cycles) {
  avr_t *const avr = host->avr;
  const uint64_t end = avr->cycle + cycles;
  int why = RUNNING;
  running = host;
  while (avr->cycle < end && why == RUNNING) {
    const int state = avr_run(avr);
    if (state == cpu_Done || state == cpu_Crashed) {
      why = STOPPED;
    } else if (state == cpu_Sleeping && host->input.count == 0 && avr->cycle >= host->quiet_at &&
               !avr_has_pending_interrupts(avr)) {
      why = ASLEEP;
    }
  }
  running = NULL;
  return why != STOPPED && host->output.count ? OUTPUT : why;
}

size_t hil_avr_take_output(hil_avr *host, char *target, size_t size) {
  return take(&host->output, target, size);
}

/* Returns how many. */
size_t hil_avr_take_edges(hil_avr *host, hil_avr_edge *target, size_t count) {
  return take(&host->edges, target, count * sizeof *target) / sizeof *target;
}

uint64_t hil_avr_cycle(const hil_avr *host) { return host->avr->cycle; }

uint32_t hil_avr_pc(const hil_avr *host) { return host->avr->pc; }

/* Whether the core sleeps for ever: with interrupts off. */
int hil_avr_is_done(const hil_avr *host) { return host->avr->state == cpu_Done; }

const char *hil_avr_message(const hil_avr *host) { return host->message; }
