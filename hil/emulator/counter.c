#include "counter.h"

#include <stddef.h>

uint32_t hil_counter_size(void) { return (uint32_t)sizeof(hil_counter); }

/* Looks `line` up and makes it the most recently used of its set; returns whether it was there. */
static int cache_lookup(const hil_cache *cache, uint32_t line) {
  uint32_t *tags = cache->tags + (line & (cache->sets - 1u)) * cache->ways;
  uint32_t way = 0;
  while (way < cache->ways - 1u && tags[way] != line) way++;
  const int hit = tags[way] == line;
  for (; way > 0; way--) tags[way] = tags[way - 1];
  tags[0] = line;
  return hit;
}

/* Charges the lines that `size_bytes` at `address` lie in: by `cache` where it is there and on, else by
 * `buffered`, the one line that is at hand. */
static void charge_lines(hil_counter *counter, const hil_cache *cache, uint32_t *buffered, uint64_t *fetched,
                         uint64_t *hits, uint32_t address, uint32_t size_bytes) {
  const int cached = cache != NULL && cache->on;
  const uint32_t shift = cached ? cache->line_shift : counter->line_shift;
  const uint32_t last = (address + size_bytes - 1u) >> shift;
  for (uint32_t line = address >> shift; line <= last; line++) {
    if (cached) {
      if (cache_lookup(cache, line)) {
        ++*hits;
      } else {
        ++*fetched;
        counter->cycles += cache->miss_cycles;
      }
    } else if (line != *buffered) {
      *buffered = line;
      ++*fetched;
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
    counter->cycles += counter->taken_cycles;
  } else {
    counter->cycles += counter->passed_cycles;
  }
  counter->taken_cycles = block->taken_cycles;
  counter->passed_cycles = block->passed_cycles;
  counter->instructions += block->instructions;
  counter->cycles += block->cycles;
  counter->block = address;
  counter->block_bytes = size_bytes;
  counter->expected = address + size_bytes;
  if (in_flash) {
    charge_lines(counter, counter->fetch_cache, &counter->fetch_line, &counter->fetch_lines,
                 &counter->fetch_hits, address, size_bytes);
  }
}

void hil_counter_on_flash_read(void *engine, int type, uint64_t address64, int size_bytes, int64_t value,
                               void *user) {
  hil_counter *counter = user;
  (void)engine;
  (void)type;
  (void)value;
  charge_lines(counter, counter->data_cache, &counter->data_line, &counter->data_lines, &counter->data_hits,
               (uint32_t)address64, (uint32_t)size_bytes);
}
