/*
 * The counter: counts instructions and charges cycles while Unicorn runs, one call per basic block and one
 * per read of flash data.  The same arithmetic in Python is hil/emulator/counter.py; a test holds both equal.
 *
 * Memory belongs to the caller.  The layout of hil_counter is mirrored by ctypes; hil_counter_size() guards
 * it.
 */
#ifndef HIL_COUNTER_H
#define HIL_COUNTER_H

#include <stdint.h>

#define HIL_NO_LINE 0xFFFFFFFFu

/* One basic block in flash; size_bytes 0 where it has not been decoded. */
typedef struct {
  uint16_t cycles; /* without wait states, and without what leaving it costs */
  uint16_t instructions;
  uint16_t size_bytes;
  uint8_t taken_cycles;  /* more where the branch at its end is taken */
  uint8_t passed_cycles; /* more where it is not */
} hil_block;

/* A cache of sets x ways lines, tags most recently used first. */
typedef struct {
  uint32_t on;
  uint32_t sets;
  uint32_t ways;
  uint32_t line_shift; /* log2 of the bytes of a line */
  uint32_t miss_cycles;
  uint32_t *tags;
} hil_cache;

typedef struct {
  /* Totals. */
  uint64_t cycles;
  uint64_t instructions;
  uint64_t taken;       /* branches taken */
  uint64_t data_lines;  /* lines of flash fetched for data; misses where a cache is on */
  uint64_t data_hits;   /* lines found in that cache */
  uint64_t fetch_lines; /* lines of flash fetched for instructions; misses where a cache is on */
  uint64_t fetch_hits;  /* lines found in that cache */
  /* Limits. */
  uint64_t cycle_limit; /* stop before the first block that starts at or after it */
  uint32_t stop;        /* asked to stop before the next block */
  uint32_t stopped;     /* did stop, for either reason */
  uint32_t resume;      /* run the next block whatever the limits say */
  /* Where it is. */
  uint32_t block; /* address of the current block */
  uint32_t block_bytes;
  uint32_t expected;      /* address behind the last block: another one means a branch was taken */
  uint32_t taken_cycles;  /* of the last block */
  uint32_t passed_cycles; /* likewise */
  uint32_t data_line;     /* line in the buffer for data, where no cache is on */
  uint32_t fetch_line;    /* line in the buffer for instructions, likewise */
  /* The core and its flash. */
  uint32_t flash_base;
  uint32_t flash_bytes;
  uint32_t line_shift; /* log2 of the bytes that one fetch brings */
  uint32_t wait_states;
  /* Between core and flash: each may be NULL, and both may be the same cache. */
  hil_cache *fetch_cache;
  hil_cache *data_cache;
  hil_block *blocks; /* one per halfword of flash */
  hil_block unknown; /* filled by on_unknown for the block at hand */
  /* Asks for a block that is not in the table; may also set `stop`, which then takes effect before that
   * block. */
  void (*on_unknown)(uint32_t address, uint32_t size_bytes);
  int (*emu_stop)(void *engine);
} hil_counter;

uint32_t hil_counter_size(void);

/* UC_HOOK_BLOCK; `user` is the hil_counter. */
void hil_counter_on_block(void *engine, uint64_t address, uint32_t size_bytes, void *user);

/* UC_HOOK_MEM_READ on flash; `user` is the hil_counter. */
void hil_counter_on_flash_read(void *engine, int type, uint64_t address, int size_bytes, int64_t value,
                               void *user);

#endif
