/*
 * The input between two inferences, and the `db` commands that load it.  An inference uses up the input in
 * the arena, so it is kept in spare RAM, as the model takes it, and copied in before each.  A port without
 * that much spare RAM has the arena alone: one inference to one load.
 */
#ifndef HIL_MLPERF_DB_H
#define HIL_MLPERF_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_mlperf_task.h"
#include "hil_runner.h"

/* Where it is kept. */
typedef struct {
  const hil_mlperf_task *task;
  uint8_t *input;      /* NULL: no room, it is written into the arena at once */
  uint8_t *floats;     /* the file, where it holds floats; NULL: no room, or another task */
  uint32_t file_bytes; /* that the task's file has */
} hil_mlperf_keep;

hil_mlperf_keep hil_mlperf_find_keep(void);

/* All zeros: nothing was loaded. */
typedef struct {
  uint32_t expected; /* bytes that `db load` announced */
  uint32_t loaded;   /* of these, how many have come */
  bool inferred;     /* the output is that of what is loaded */
} hil_mlperf_db;

/* Answer `db WHAT COUNT`; both may be NULL. */
void hil_mlperf_db_command(hil_mlperf_db *db, hil_runner *runner, const char *what, const char *count);

#endif
