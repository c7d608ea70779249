/* Size before speed: what a window measures is the operators. */
#pragma GCC optimize("Os")

#include "hil_mlperf_db.h"

#include <string.h>

#include "hil_mlperf_text.h"
#include "hil_model.h"
#include "hil_port.h"

#define PRINT_BYTES 8u /* in a line of `db print` */

hil_mlperf_keep hil_mlperf_find_keep(void) {
  hil_mlperf_keep kept = {hil_mlperf_task_of_model(), NULL, NULL, hil_model.input_bytes};
  size_t room;
  uint8_t *spare = hil_port_spare_ram(&room);
  if (room >= hil_model.input_bytes) {
    kept.input = spare;
  }
  if (kept.task->floats) {
    kept.file_bytes *= 4u;
    if (room >= kept.file_bytes + hil_model.input_bytes) {
      kept.floats = spare + hil_model.input_bytes;
    }
  }
  return kept;
}

static uint32_t capacity(const hil_mlperf_keep *kept) {
  return kept->task->floats && kept->floats == NULL ? 0 : kept->file_bytes;
}

static void load(hil_mlperf_db *db, const char *count) {
  if (count == NULL) {
    hil_mlperf_say("e-[Command 'db load' requires the # of bytes]");
    return;
  }
  const int32_t size = hil_mlperf_number(count);
  const hil_mlperf_keep kept = hil_mlperf_find_keep();
  if (size <= 0) {
    hil_mlperf_say("e-[Command 'db load' must be >0 bytes]");
  } else if ((uint32_t)size > capacity(&kept)) {
    hil_mlperf_put("e-[Supplied buffer size ");
    hil_mlperf_put_unsigned((uint32_t)size);
    hil_mlperf_say_number(" exceeds maximum of ", capacity(&kept), "]");
  } else {
    db->expected = (uint32_t)size;
    db->loaded = 0;
    db->inferred = false;
    hil_mlperf_say_number("m-[Expecting ", db->expected, " bytes]");
  }
}

static void store(hil_mlperf_db *db, hil_runner *runner, const hil_mlperf_keep *kept, uint8_t byte) {
  const uint8_t own = byte ^ kept->task->flip;
  if (kept->task->floats) {
    kept->floats[db->loaded] = byte;
  } else if (kept->input != NULL) {
    kept->input[db->loaded] = own;
  } else {
    (void)hil_runner_write(runner, db->loaded, &own, 1);
  }
  ++db->loaded;
}

static void take_bytes(hil_mlperf_db *db, hil_runner *runner, const char *digits) {
  if (strlen(digits) % 2u != 0) {
    hil_mlperf_say("e-[Insufficent number of hex digits]");
    return;
  }
  const hil_mlperf_keep kept = hil_mlperf_find_keep();
  for (; *digits != '\0'; digits += 2) {
    const int high = hil_mlperf_hex_digit(digits[0]);
    const int low = hil_mlperf_hex_digit(digits[1]);
    if (high < 0 || low < 0) {
      const char pair[3] = {digits[0], digits[1], '\0'};
      hil_mlperf_put("e-[Invalid hex digit '");
      hil_mlperf_put(pair);
      hil_mlperf_say("']");
      return;
    }
    if (db->loaded == db->expected) {
      hil_mlperf_say("e-[No bytes expected: begin with 'db load']");
      return;
    }
    store(db, runner, &kept, (uint8_t)(high << 4 | low));
    if (db->loaded == db->expected) {
      hil_mlperf_say("m-load-done"); /* further digits are disregarded */
      return;
    }
  }
}

static void print(const hil_mlperf_db *db) {
  const hil_mlperf_keep kept = hil_mlperf_find_keep();
  const uint8_t *from = kept.task->floats    ? kept.floats
                        : kept.input != NULL ? kept.input
                                             : (const uint8_t *)hil_arena + hil_model.input_offset;
  for (uint32_t i = 0; i < db->loaded; ++i) {
    hil_mlperf_put(i % PRINT_BYTES == 0 ? "m-buffer-" : "-");
    hil_mlperf_put_hex(from[i] ^ kept.task->flip);
    if (i % PRINT_BYTES == PRINT_BYTES - 1u || i + 1u == db->loaded) {
      hil_mlperf_say("");
    }
  }
  if (db->loaded % PRINT_BYTES != 0) {
    hil_mlperf_say("");
  }
}

void hil_mlperf_db_command(hil_mlperf_db *db, hil_runner *runner, const char *what, const char *count) {
  if (what == NULL) {
    hil_mlperf_say("e-[Command 'db' requires a subcommand]");
  } else if (hil_mlperf_equal(what, "load")) {
    load(db, count);
  } else if (hil_mlperf_equal(what, "print")) {
    print(db);
  } else {
    take_bytes(db, runner, what);
  }
}
