#include "hil_port.h"
#include "hil_runtime.h"

int main(void) {
  static hil_runtime runtime;
  hil_port_init();
  hil_runtime_init(&runtime);
  for (;;) {
    hil_runtime_poll(&runtime);
  }
}
