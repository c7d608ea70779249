/* hil_mlperf_text.c at the command line of a test.  In: floats of this machine; out: a line for each. */
#include <stdio.h>

#include "hil_mlperf_text.h"
#include "hil_port.h"

void hil_port_write(const uint8_t *data, size_t size) { fwrite(data, 1, size, stdout); }

int main(void) {
  float value;
  while (fread(&value, sizeof value, 1, stdin) == 1) {
    hil_mlperf_put_thousandths(value);
    hil_mlperf_put("\n");
  }
  return 0;
}
