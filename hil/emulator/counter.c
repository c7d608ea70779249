#include "counter.h"

uint32_t hil_counter_size(void) { return (uint32_t)sizeof(hil_counter); }

/* Looks `line` up and makes it the most recently used of its set; returns whether it was there. */
static int cache_lookup(hil_counter *counter, uint32_t line) {
  uint32_t *tags = counter->tags + (line & (counter->cache_sets - 1u)) * counter->cache_ways;
  uint32_t way = 0;
  while (way < counter->cache_ways - 1u && tags[way] != line) way++;
  const int hit = tags[way] == line;
  for (; way > 0; way--) tags[way] = tags[way - 1];
  tags[0] = line;
  return hit;
}

static void charge_fetch(hil_counter *counter, uint32_t address, uint32_t size_bytes) {
  const uint32_t shift = counter->cache_on ? counter->cache_line_shift : counter->line_shift;
  const uint32_t last = (address + size_bytes - 1u) >> shift;
  for (uint32_t line = address >> shift; line <= last; line++) {
    if (counter->cache_on) {
      if (cache_lookup(counter, line)) {
        counter->fetch_hits++;
      } else {
        counter->fetch_lines++;
        counter->cycles += counter->miss_cycles;
      }
    } else if (line != counter->fetch_line) {
      counter->fetch_line = line;
      counter->fetch_lines++;
      counter->cycles += counter->wait_states;
    }
  }
}

void hil_counter_on_block(void *engine, uint64_t address64, uint32_t size_bytes, void *user) {
  hil_counter *counter = user;
  const uint32_t address = (uint32_t)address64;
  if ((counter->stop || counter->cycles >= counter->cycle_limit) && !counter->resume) {
    counter->stopped = 1;
    counter->emu_stop(engine);
    return;
  }
  const uint32_t offset = address - counter->flash_base;
  const int in_flash = offset < counter->flash_bytes;
  const hil_block *block = in_flash ? &counter->blocks[offset >> 1] : &counter->unknown;
  if (!in_flash || block->size_bytes != size_bytes) {
    counter->on_unknown(address, size_bytes);
    if (counter->stop && !counter->resume) {
      counter->stopped = 1;
      counter->emu_stop(engine);
      return;
    }
    block = &counter->unknown;
  }
  counter->resume = 0;
  if (address != counter->expected) {
    counter->taken++;
    counter->cycles += counter->refill;
  }
  counter->instructions += block->instructions;
  counter->cycles += block->cycles;
  counter->block = address;
  counter->block_bytes = size_bytes;
  counter->expected = address + size_bytes;
  if (in_flash) charge_fetch(counter, address, size_bytes);
}

void hil_counter_on_flash_read(void *engine, int type, uint64_t address64, int size_bytes, int64_t value,
                               void *user) {
  hil_counter *counter = user;
  const uint32_t first = (uint32_t)address64 >> counter->line_shift;
  const uint32_t last = ((uint32_t)address64 + (uint32_t)size_bytes - 1u) >> counter->line_shift;
  (void)engine;
  (void)type;
  (void)value;
  for (uint32_t line = first; line <= last; line++) {
    if (line == counter->data_line) continue;
    counter->data_line = line;
    counter->data_lines++;
    counter->cycles += counter->wait_states;
  }
}
