/*
 * What the build says of itself: src/build.c, generated beside model.c.  It tells this image from every
 * other, of the same model too, so that the host sees whether the board runs what it flashed.
 */
#ifndef HIL_BUILD_H
#define HIL_BUILD_H

#include <stdint.h>

#include "hil_flash.h"

#define HIL_BUILD_DIGEST_BYTES 8

extern const HIL_FLASH uint8_t hil_build_digest[HIL_BUILD_DIGEST_BYTES];

#endif
