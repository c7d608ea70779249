/*
 * Runs compiled models on the host, under the address and undefined-behaviour sanitizers.
 *
 * The kernels are linked into this program.  Each line of stdin names a shared object made of one model.c and
 * its table of regions (tests/firmware/host.py); the model's input bytes follow, its output bytes go to
 * stdout.  While an operator runs, only the bytes of its own inputs, output and scratch are accessible: a
 * kernel that strays into another tensor dies here, although it stays inside the arena.
 */
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hil_model.h"
#include "regions.h"

static void *symbol(void *library, const char *name) {
  void *const address = dlsym(library, name);
  if (!address) {
    fprintf(stderr, "no symbol %s: %s\n", name, dlerror());
    exit(2);
  }
  return address;
}

static void transfer(size_t done, size_t wanted, const char *what) {
  if (done != wanted) {
    fprintf(stderr, "%s: %zu bytes of %zu\n", what, done, wanted);
    exit(2);
  }
}

static void run(const char *path) {
  void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
  const hil_model_info *const model = symbol(library, "hil_model");
  const host_region *region = symbol(library, "host_regions");
  int8_t *const arena = symbol(library, "hil_arena");
  void (*run_operator)(uint16_t);
  *(void **)&run_operator = symbol(library, "hil_model_run_operator");

  memset(arena, 0x5a, model->arena_bytes);
  transfer(fread(arena + model->input_offset, 1, model->input_bytes, stdin), model->input_bytes, "input");
  for (uint16_t index = 0; index < model->operator_count; ++index) {
    __asan_poison_memory_region(arena, model->arena_bytes);
    for (; region->operator_index == index; ++region) {
      __asan_unpoison_memory_region(arena + region->offset, region->bytes);
    }
    run_operator(index);
  }
  __asan_unpoison_memory_region(arena, model->arena_bytes);
  transfer(fwrite(arena + model->output_offset, 1, model->output_bytes, stdout), model->output_bytes,
           "output");
  fflush(stdout);
  /* Left open: after a dlclose, AddressSanitizer crashes while it reports a fault in a later library. */
}

int main(void) {
  char path[4096];
  while (fgets(path, sizeof path, stdin)) {
    path[strcspn(path, "\n")] = '\0';
    run(path);
  }
  return 0;
}
