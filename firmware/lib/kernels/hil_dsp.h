/*
 * The instructions of the DSP extension (Armv7E-M) that the *_dsp_s8 kernels are made of, and C that computes
 * the same on any other core, so that those kernels can be tested on the host.
 *
 * A "pair" is a word of two int16 values, the first one in the low half.
 */
#ifndef HIL_DSP_H
#define HIL_DSP_H

#include <stdint.h>
#include <string.h>

/* Four bytes from anywhere; one LDR on a core that reads unaligned words. */
static inline uint32_t hil_load_word(const void *address) {
  uint32_t word;
  memcpy(&word, address, sizeof word);
  return word;
}

static inline void hil_store_word(void *address, uint32_t word) { memcpy(address, &word, sizeof word); }

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>

/* sum + a.low * b.low + a.high * b.high */
static inline int32_t hil_smlad(uint32_t a, uint32_t b, int32_t sum) {
  return __smlad((int16x2_t)a, (int16x2_t)b, sum);
}

/* sum + a.low * b.low, and sum + a.high * b.high */
static inline int32_t hil_smlabb(uint32_t a, uint32_t b, int32_t sum) {
  return __smlabb((int32_t)a, (int32_t)b, sum);
}
static inline int32_t hil_smlatt(uint32_t a, uint32_t b, int32_t sum) {
  return __smlatt((int32_t)a, (int32_t)b, sum);
}

/* Bytes 0 and 2 as a pair. */
static inline uint32_t hil_sxtb16(uint32_t bytes) { return (uint32_t)__sxtb16((int8x4_t)bytes); }

/* Bytes 1 and 3 as a pair. */
static inline uint32_t hil_sxtb16_odd(uint32_t bytes) {
  uint32_t pair;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
  return pair;
}

/* pair + bytes 0 and 2 */
static inline uint32_t hil_sxtab16(uint32_t pair, uint32_t bytes) {
  return (uint32_t)__sxtab16((int16x2_t)pair, (int8x4_t)bytes);
}

/* pair + bytes 1 and 3 */
static inline uint32_t hil_sxtab16_odd(uint32_t pair, uint32_t bytes) {
  uint32_t sums;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sums) : "r"(pair), "r"(bytes));
  return sums;
}

/* The larger of each two int8 values. */
static inline uint32_t hil_max_bytes(uint32_t a, uint32_t b) {
  uint32_t bytes;
  __asm__(
      "ssub8 %0, %1, %2\n"
      "sel %0, %1, %2"
      : "=&r"(bytes)
      : "r"(a), "r"(b));
  return bytes;
}

/* The smaller of each two int8 values. */
static inline uint32_t hil_min_bytes(uint32_t a, uint32_t b) {
  uint32_t bytes;
  __asm__(
      "ssub8 %0, %1, %2\n"
      "sel %0, %2, %1"
      : "=&r"(bytes)
      : "r"(a), "r"(b));
  return bytes;
}

/* a.low, then b.low */
static inline uint32_t hil_pack_low(uint32_t a, uint32_t b) {
  uint32_t pair;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(a), "r"(b));
  return pair;
}

/* a.high, then b.high */
static inline uint32_t hil_pack_high(uint32_t a, uint32_t b) {
  uint32_t pair;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(b), "r"(a));
  return pair;
}

/* a.low + b.low, a.high + b.high */
static inline uint32_t hil_sadd16(uint32_t a, uint32_t b) {
  return (uint32_t)__sadd16((int16x2_t)a, (int16x2_t)b);
}

/* a.low - b.low, a.high - b.high */
static inline uint32_t hil_ssub16(uint32_t a, uint32_t b) {
  return (uint32_t)__ssub16((int16x2_t)a, (int16x2_t)b);
}

/* sum + the high word of a * b */
static inline int32_t hil_smmla(int32_t a, int32_t b, int32_t sum) {
  int32_t result;
  __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
}

/* the high word of a * b, rounded with ties upwards */
static inline int32_t hil_smmulr(int32_t a, int32_t b) {
  int32_t result;
  __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

/* The same, plus sum. */
static inline int32_t hil_smmlar(int32_t a, int32_t b, int32_t sum) {
  int32_t result;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
}

#else

static inline int32_t hil_low(uint32_t pair) { return (int16_t)(pair & 0xffffu); }
static inline int32_t hil_high(uint32_t pair) { return (int16_t)(pair >> 16); }
static inline uint32_t hil_pair(int32_t low, int32_t high) {
  return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}

static inline int32_t hil_smlad(uint32_t a, uint32_t b, int32_t sum) {
  return (int32_t)((uint32_t)sum + (uint32_t)(hil_low(a) * hil_low(b)) +
                   (uint32_t)(hil_high(a) * hil_high(b)));
}

static inline int32_t hil_smlabb(uint32_t a, uint32_t b, int32_t sum) {
  return (int32_t)((uint32_t)sum + (uint32_t)(hil_low(a) * hil_low(b)));
}

static inline int32_t hil_smlatt(uint32_t a, uint32_t b, int32_t sum) {
  return (int32_t)((uint32_t)sum + (uint32_t)(hil_high(a) * hil_high(b)));
}

static inline uint32_t hil_sxtb16(uint32_t bytes) {
  return hil_pair((int8_t)(bytes & 0xffu), (int8_t)((bytes >> 16) & 0xffu));
}

static inline uint32_t hil_sxtb16_odd(uint32_t bytes) { return hil_sxtb16(bytes >> 8); }

static inline uint32_t hil_sxtab16(uint32_t pair, uint32_t bytes) {
  return hil_pair(hil_low(pair) + (int8_t)(bytes & 0xffu), hil_high(pair) + (int8_t)((bytes >> 16) & 0xffu));
}

static inline uint32_t hil_sxtab16_odd(uint32_t pair, uint32_t bytes) {
  return hil_sxtab16(pair, bytes >> 8);
}

static inline uint32_t hil_max_bytes(uint32_t a, uint32_t b) {
  uint32_t bytes = 0;
  for (int i = 0; i < 32; i += 8) {
    bytes |= ((int8_t)(a >> i) > (int8_t)(b >> i) ? (a >> i) & 0xffu : (b >> i) & 0xffu) << i;
  }
  return bytes;
}

static inline uint32_t hil_min_bytes(uint32_t a, uint32_t b) { return ~hil_max_bytes(~a, ~b); }

static inline uint32_t hil_pack_low(uint32_t a, uint32_t b) { return (a & 0xffffu) | (b << 16); }
static inline uint32_t hil_pack_high(uint32_t a, uint32_t b) { return (a >> 16) | (b & 0xffff0000u); }

static inline uint32_t hil_sadd16(uint32_t a, uint32_t b) {
  return hil_pair(hil_low(a) + hil_low(b), hil_high(a) + hil_high(b));
}

static inline uint32_t hil_ssub16(uint32_t a, uint32_t b) {
  return hil_pair(hil_low(a) - hil_low(b), hil_high(a) - hil_high(b));
}

static inline int32_t hil_smmla(int32_t a, int32_t b, int32_t sum) {
  return (int32_t)((uint32_t)sum + (uint32_t)(int32_t)(((int64_t)a * b) >> 32));
}

static inline int32_t hil_smmulr(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

static inline int32_t hil_smmlar(int32_t a, int32_t b, int32_t sum) {
  return (int32_t)((uint32_t)sum + (uint32_t)hil_smmulr(a, b));
}

#endif

/* value clamped to int8; one SSAT */
static inline int32_t hil_saturate_s8(int32_t value) {
#if defined(__ARM_FEATURE_DSP)
  return __ssat(value, 8);
#else
  return value < -128 ? -128 : value > 127 ? 127 : value;
#endif
}

#endif
