/* Where the data of a generated model goes on a target, so that its bytes can be told from all others. */
#ifndef HIL_SECTIONS_H
#define HIL_SECTIONS_H

#if defined(HIL_HOST)
#define HIL_WEIGHTS
#define HIL_ARENA __attribute__((aligned(16)))
#elif defined(__AVR__)
/* Its memories are bytes: nothing is aligned.  avr-gcc chooses the section of what is HIL_FLASH by itself,
 * and names it by the constant, so that the linker script can tell. */
#define HIL_WEIGHTS
#define HIL_ARENA __attribute__((section(".hil_arena")))
#else
/* Constants of the model: weights, biases, factors, tables. */
#define HIL_WEIGHTS __attribute__((section(".hil_weights"), aligned(4)))
/* All activations and scratch. */
#if defined(ARDUINO)
/* The linker scripts of Arduino cores do not know it and would put its zeros into the image: the assembler is
 * told that it has none, and the rest of its line is made a comment. */
#define HIL_ARENA __attribute__((section(".hil_arena,\"aw\",%nobits @"), aligned(16)))
#else
#define HIL_ARENA __attribute__((section(".hil_arena"), aligned(16)))
#endif
#endif

#endif
