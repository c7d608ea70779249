/* Size before speed: what a window measures is the operators. */
#pragma GCC optimize("Os")

#include "hil_mlperf.h"

#include <string.h>

#include "hil_mlperf_text.h"
#include "hil_model.h"
#include "hil_port.h"

#define FIRMWARE   "ULPMark for tinyML Firmware V0.0.1" /* runners look for this very name */
#define TERMINATOR '%'
#define WARMUPS    10 /* of an `infer` that does not say */

/* Microseconds since the first reading.  The counter wraps, so it must be read once per turn while time
 * matters: after each inference.  Its clock is a whole number of MHz on every port. */
static uint32_t read_clock(hil_mlperf *mlperf) {
  const uint32_t cycles_per_us = hil_port_clock_hz() / 1000000u;
  const uint32_t elapsed_us = (hil_port_cycles() - mlperf->cycles) / cycles_per_us;
  mlperf->time_us += elapsed_us;
  mlperf->cycles += elapsed_us * cycles_per_us;
  return mlperf->time_us;
}

static void timestamp(hil_mlperf *mlperf) { hil_mlperf_say_number("m-lap-us-", read_clock(mlperf), ""); }

static void name(void) {
  hil_mlperf_put("m-name-dut-[");
  hil_mlperf_put(hil_port_board());
  hil_mlperf_say("]");
}

static void profile(void) {
  const hil_mlperf_task *task = hil_mlperf_task_of_model();
  hil_mlperf_say("m-profile-[" FIRMWARE "]");
  hil_mlperf_put("m-model-[");
  if (task->name != NULL) {
    hil_mlperf_put(task->name);
  } else {
    for (uint32_t i = 0; i < 4u; ++i) {
      hil_mlperf_put_hex(hil_model.digest[i]);
    }
  }
  hil_mlperf_say("]");
}

static void help(void) {
  hil_mlperf_say(FIRMWARE);
  hil_mlperf_say("");
  hil_mlperf_say("name, profile, timestamp, results");
  hil_mlperf_say("db load N, db HH[HH]*, db print");
  hil_mlperf_say("infer N [W=10]");
}

static void results(const hil_mlperf *mlperf) {
  const uint8_t *output;
  if (!mlperf->db.inferred ||
      hil_runner_output(mlperf->runner, 0, hil_model.output_bytes, &output) != HIL_RUNNER_DONE) {
    hil_mlperf_say("e-[No inference since the input was loaded]");
    return;
  }
  const hil_mlperf_keep kept = hil_mlperf_find_keep();
  hil_mlperf_put("m-results-[");
  if (kept.task->floats) {
    hil_mlperf_put_thousandths(
        hil_mlperf_mean_square(kept.floats, (const int8_t *)output, hil_model.output_bytes));
  } else {
    for (uint32_t i = 0; i < hil_model.output_bytes; ++i) {
      hil_mlperf_put(i > 0 ? "," : "");
      hil_mlperf_put_thousandths(hil_mlperf_real((int8_t)output[i]));
    }
  }
  hil_mlperf_say("]");
}

/* One inference on the input that is kept. */
static void infer_once(hil_mlperf *mlperf, const hil_mlperf_keep *kept) {
  if (kept->input != NULL) {
    (void)hil_runner_write(mlperf->runner, 0, kept->input, hil_model.input_bytes);
  }
  (void)hil_runner_infer(mlperf->runner);
  (void)read_clock(mlperf);
}

static void infer(hil_mlperf *mlperf, const char *iterations, const char *warmups) {
  const int32_t n = iterations == NULL ? 1 : hil_mlperf_number(iterations);
  const int32_t w = warmups == NULL ? WARMUPS : hil_mlperf_number(warmups);
  const hil_mlperf_keep kept = hil_mlperf_find_keep();
  if (n <= 0) {
    hil_mlperf_say("e-[Inference iterations must be >0]");
    return;
  }
  if (w < 0) {
    hil_mlperf_say("e-[Inference warmup must be >=0]");
    return;
  }
  if (mlperf->db.loaded != kept.file_bytes || mlperf->db.expected != kept.file_bytes) {
    hil_mlperf_put("e-[Input db has ");
    hil_mlperf_put_unsigned(mlperf->db.loaded);
    hil_mlperf_say_number(" bytes, expected ", kept.file_bytes, "]");
    return;
  }
  if (kept.input == NULL && (n != 1 || w != 0)) {
    hil_mlperf_say("e-[No RAM to keep the input: load it and infer 1 0 each time]");
    return;
  }
  if (kept.task->floats) {
    hil_mlperf_quantize(kept.floats, (int8_t *)kept.input, hil_model.input_bytes);
  }
  hil_mlperf_say_number("m-warmup-start-", (uint32_t)w, "");
  for (int32_t i = 0; i < w; ++i) {
    infer_once(mlperf, &kept);
  }
  hil_mlperf_say("m-warmup-done");
  hil_mlperf_say_number("m-infer-start-", (uint32_t)n, "");
  timestamp(mlperf);
  for (int32_t i = 0; i < n; ++i) {
    infer_once(mlperf, &kept);
  }
  timestamp(mlperf);
  hil_mlperf_say("m-infer-done");
  mlperf->db.inferred = true;
  if (kept.input == NULL) {
    mlperf->db.expected = mlperf->db.loaded = 0;
  }
  results(mlperf);
}

/* Commands that change nothing, and that noise may therefore be taken for. */
static bool answer_query(hil_mlperf *mlperf, const char *command) {
  if (hil_mlperf_equal(command, "name")) {
    name();
  } else if (hil_mlperf_equal(command, "profile")) {
    profile();
  } else if (hil_mlperf_equal(command, "help")) {
    help();
  } else if (hil_mlperf_equal(command, "timestamp")) {
    timestamp(mlperf);
  } else if (hil_mlperf_equal(command, "results")) {
    results(mlperf);
  } else {
    return false;
  }
  return true;
}

static void answer_command(hil_mlperf *mlperf, const char *command, const char *first, const char *second) {
  if (hil_mlperf_equal(command, "db")) {
    hil_mlperf_db_command(&mlperf->db, mlperf->runner, first, second);
  } else if (hil_mlperf_equal(command, "infer")) {
    infer(mlperf, first, second);
  } else {
    hil_mlperf_put("e-[Unknown command: ");
    hil_mlperf_put(command);
    hil_mlperf_say("]");
  }
}

/* The next word of `*rest`, which is moved behind it; NULL when there is none. */
static char *next_word(char **rest) {
  char *word = *rest;
  while (*word == ' ') {
    ++word;
  }
  char *end = word;
  while (*end != ' ' && *end != '\0') {
    ++end;
  }
  *rest = end;
  if (*end != '\0') {
    *(*rest)++ = '\0';
  }
  return end > word ? word : NULL;
}

static void take_line(hil_mlperf *mlperf) {
  char *rest = mlperf->line;
  const char *command = NULL;
  const char *first = NULL;
  const char *second = NULL;
  if (mlperf->length <= HIL_MLPERF_LINE) {
    mlperf->line[mlperf->length] = '\0';
    command = next_word(&rest);
    first = command != NULL ? next_word(&rest) : NULL;
    second = first != NULL ? next_word(&rest) : NULL;
  }
  if (command != NULL && answer_query(mlperf, command)) {
    mlperf->talking = true;
  } else if (!mlperf->talking) {
    return;
  } else if (mlperf->length > HIL_MLPERF_LINE) {
    hil_mlperf_say("e-[Command is too long]");
  } else if (command != NULL) {
    answer_command(mlperf, command, first, second);
  }
  hil_mlperf_say("m-ready");
}

void hil_mlperf_init(hil_mlperf *mlperf, hil_runner *runner) {
  memset(mlperf, 0, sizeof *mlperf);
  mlperf->runner = runner;
}

void hil_mlperf_feed(void *listener, const uint8_t *data, size_t size) {
  hil_mlperf *mlperf = listener;
  for (size_t i = 0; i < size; ++i) {
    const char byte = (char)data[i];
    if (byte == TERMINATOR) {
      take_line(mlperf);
      mlperf->length = 0;
    } else if (byte == '\r' || byte == '\n') { /* typed at a terminal */
    } else if (byte < ' ' || byte > '~') {
      mlperf->talking = false;
      mlperf->length = 0;
    } else if (mlperf->length < HIL_MLPERF_LINE) {
      mlperf->line[mlperf->length++] = byte;
    } else {
      mlperf->length = HIL_MLPERF_LINE + 1;
    }
  }
}

void hil_mlperf_forget(hil_mlperf *mlperf) { memset(&mlperf->db, 0, sizeof mlperf->db); }
