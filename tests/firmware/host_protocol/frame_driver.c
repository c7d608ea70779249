/*
 * The C frames at the command line of a test.  All numbers little-endian.
 *   decode  in: pieces of a stream, each u16 size and the bytes; out: version u8, type u8, sequence u16,
 * length u16 and payload of every frame encode  in: type u8, sequence u16, length u16 and payload of each
 * frame; out: the frames crc     in: bytes; out: their CRC-32, u32
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hil_frame.h"

static void put(const uint8_t *data, size_t size) {
  if (fwrite(data, 1, size, stdout) != size) {
    exit(1);
  }
}

static bool get(uint8_t *data, size_t size) { return fread(data, 1, size, stdin) == size; }

static void put_u16(uint16_t value) {
  const uint8_t bytes[2] = {(uint8_t)(value & 0xFFu), (uint8_t)(value >> 8)};
  put(bytes, sizeof bytes);
}

static void decode(void) {
  static hil_decoder decoder;
  uint8_t size[2];
  while (get(size, sizeof size)) {
    const size_t count = hil_get_u16(size);
    /* Of exactly that size, so that the sanitizer sees a read beyond it. */
    uint8_t *piece = malloc(count > 0 ? count : 1);
    if (piece == NULL || !get(piece, count)) {
      exit(2);
    }
    size_t fed = 0;
    hil_frame frame;
    do {
      const size_t taken = hil_decoder_feed(&decoder, piece + fed, count - fed);
      if (taken == 0 && fed < count) {
        exit(3); /* no progress */
      }
      fed += taken;
      while (hil_decoder_next(&decoder, &frame)) {
        put(&frame.version, 1);
        put(&frame.type, 1);
        put_u16(frame.sequence);
        put_u16(frame.length);
        put(frame.payload, frame.length);
      }
    } while (fed < count);
    free(piece);
  }
}

static void encode(void) {
  static uint8_t payload[0x10000];
  uint8_t head[5];
  while (get(head, sizeof head)) {
    const uint16_t length = hil_get_u16(head + 3);
    if (!get(payload, length)) {
      exit(2);
    }
    hil_frame_writer writer;
    hil_frame_begin(&writer, put, head[0], hil_get_u16(head + 1), length);
    hil_frame_put(&writer, payload, length);
    hil_frame_end(&writer);
  }
}

static void crc(void) {
  uint32_t value = 0;
  uint8_t byte;
  while (get(&byte, 1)) {
    value = hil_crc32(value, &byte, 1);
  }
  put_u16((uint16_t)(value & 0xFFFFu));
  put_u16((uint16_t)(value >> 16));
}

int main(int argc, char **argv) {
  const char *mode = argc == 2 ? argv[1] : "";
  if (strcmp(mode, "decode") == 0) {
    decode();
  } else if (strcmp(mode, "encode") == 0) {
    encode();
  } else if (strcmp(mode, "crc") == 0) {
    crc();
  } else {
    return 4;
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
