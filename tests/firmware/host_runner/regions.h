/* Which bytes of the arena an operator may touch. */
#ifndef HOST_REGIONS_H
#define HOST_REGIONS_H

#include <stdint.h>

typedef struct {
  int32_t operator_index; /* ascending; -1 ends the table */
  uint32_t offset;
  uint32_t bytes;
} host_region;

extern const host_region host_regions[];

#endif
