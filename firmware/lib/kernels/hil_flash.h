/*
 * Constants that stay in flash.
 *
 * An AVR reads flash by instructions of its own: what a plain pointer reaches is RAM, and a plain constant is
 * copied there when the firmware starts.  HIL_FLASH on a definition keeps a constant in flash, and on a
 * pointer's target says that it is read from there.  Such a pointer has 16 bits and reaches the first 64 kB.
 * Everywhere else flash and RAM share one address space, and all of this is empty.
 */
#ifndef HIL_FLASH_H
#define HIL_FLASH_H

#if defined(__AVR__)
#include <avr/pgmspace.h>
#else
#include <string.h>
#endif

#if defined(__AVR__) && !defined(__cplusplus)

#define HIL_FLASH __flash

/* A text that is written where it is used. */
#define HIL_FLASH_TEXT(text)                            \
  (__extension__({                                      \
    static const HIL_FLASH char text_in_flash[] = text; \
    &text_in_flash[0];                                  \
  }))
#define hil_flash_length(text)                strlen_P((const char *)(text))
#define hil_flash_copy(target, source, bytes) memcpy_P((target), (const void *)(source), (bytes))

#else

/* C++ has no address spaces: there, a pointer to HIL_FLASH is one for pgm_read_byte(). */
#define HIL_FLASH
#define HIL_FLASH_TEXT(text)                  (text)
#define hil_flash_length(text)                strlen(text)
#define hil_flash_copy(target, source, bytes) memcpy((target), (source), (bytes))

#endif

#endif
