#include "hil_frame.h"

#include <string.h>

#include "hil_messages.h"

#define MAGIC_0     0x48u /* 'H' */
#define MAGIC_1     0x4Cu /* 'L' */
#define MAGIC_BYTES 2u
#define CRC_BYTES   4u

/* One entry per nibble, polynomial 0xEDB88320: 64 bytes of flash instead of 1024 for one entry per byte. */
uint32_t hil_crc32(uint32_t crc, const uint8_t *data, size_t size) {
  static const HIL_FLASH uint32_t table[16] = {
      0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
      0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  crc = ~crc;
  for (size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    crc = (crc >> 4) ^ table[crc & 15u];
    crc = (crc >> 4) ^ table[crc & 15u];
  }
  return ~crc;
}

static void flush(hil_frame_writer *writer) {
  if (writer->staged > 0) {
    writer->sink(writer->stage, writer->staged);
    writer->staged = 0;
  }
}

static void stage(hil_frame_writer *writer, uint8_t byte) {
  if (writer->staged == sizeof writer->stage) {
    flush(writer);
  }
  writer->stage[writer->staged++] = byte;
}

void hil_frame_begin(hil_frame_writer *writer, hil_frame_sink sink, uint8_t type, uint16_t sequence,
                     uint16_t length) {
  writer->sink = sink;
  writer->crc = 0;
  writer->staged = 0;
  stage(writer, MAGIC_0);
  stage(writer, MAGIC_1);
  hil_frame_put_u8(writer, HIL_PROTOCOL_VERSION);
  hil_frame_put_u8(writer, type);
  hil_frame_put_u16(writer, sequence);
  hil_frame_put_u16(writer, length);
}

void hil_frame_put(hil_frame_writer *writer, const uint8_t *data, size_t size) {
  writer->crc = hil_crc32(writer->crc, data, size);
  for (size_t i = 0; i < size; ++i) {
    stage(writer, data[i]);
  }
}

#if defined(__AVR__)
void hil_frame_put_flash(hil_frame_writer *writer, const HIL_FLASH void *data, size_t size) {
  const HIL_FLASH uint8_t *byte = data;
  for (; size > 0; --size) {
    hil_frame_put_u8(writer, *byte++);
  }
}
#endif

void hil_frame_put_u8(hil_frame_writer *writer, uint8_t value) { hil_frame_put(writer, &value, 1); }

void hil_frame_put_u16(hil_frame_writer *writer, uint16_t value) {
  const uint8_t bytes[2] = {(uint8_t)(value & 0xFFu), (uint8_t)(value >> 8)};
  hil_frame_put(writer, bytes, sizeof bytes);
}

void hil_frame_put_u32(hil_frame_writer *writer, uint32_t value) {
  hil_frame_put_u16(writer, (uint16_t)(value & 0xFFFFu));
  hil_frame_put_u16(writer, (uint16_t)(value >> 16));
}

void hil_frame_end(hil_frame_writer *writer) {
  hil_frame_put_u32(writer, writer->crc);
  flush(writer);
}

uint16_t hil_get_u16(const uint8_t *data) { return (uint16_t)(data[0] | ((unsigned)data[1] << 8)); }

uint32_t hil_get_u32(const uint8_t *data) {
  return hil_get_u16(data) | ((uint32_t)hil_get_u16(data + 2) << 16);
}

static void drop(hil_decoder *decoder, size_t count) {
  if (count > 0) {
    decoder->count -= count;
    memmove(decoder->bytes, decoder->bytes + count, decoder->count);
  }
}

static void drop_taken(hil_decoder *decoder) {
  drop(decoder, decoder->taken);
  decoder->taken = 0;
}

size_t hil_decoder_feed(hil_decoder *decoder, const uint8_t *data, size_t size) {
  drop_taken(decoder);
  const size_t room = sizeof decoder->bytes - decoder->count;
  const size_t count = size < room ? size : room;
  if (count > 0) {
    memcpy(decoder->bytes + decoder->count, data, count);
    decoder->count += count;
  }
  return count;
}

/* Drop what is no part of a frame. */
static void skip(hil_decoder *decoder, size_t count) {
  if (count > 0 && decoder->listener != NULL) {
    decoder->listener(decoder->context, decoder->bytes, count);
  }
  drop(decoder, count);
}

/* Skip what precedes the first magic, or the first half of one at the very end. */
static void seek_magic(hil_decoder *decoder) {
  const uint8_t *bytes = decoder->bytes;
  size_t at = 0;
  while (at < decoder->count &&
         !(bytes[at] == MAGIC_0 && (at + 1 == decoder->count || bytes[at + 1] == MAGIC_1))) {
    ++at;
  }
  skip(decoder, at);
}

bool hil_decoder_next(hil_decoder *decoder, hil_frame *frame) {
  const uint8_t *bytes = decoder->bytes;
  drop_taken(decoder);
  for (;;) {
    seek_magic(decoder);
    if (decoder->count < HIL_FRAME_HEADER) {
      return false;
    }
    const uint16_t length = hil_get_u16(bytes + 6);
    if (length <= HIL_MAX_PAYLOAD) {
      const size_t end = HIL_FRAME_HEADER + (size_t)length;
      if (decoder->count < end + CRC_BYTES) {
        return false;
      }
      if (hil_get_u32(bytes + end) == hil_crc32(0, bytes + MAGIC_BYTES, end - MAGIC_BYTES)) {
        frame->version = bytes[2];
        frame->type = bytes[3];
        frame->sequence = hil_get_u16(bytes + 4);
        frame->length = length;
        frame->payload = bytes + HIL_FRAME_HEADER;
        decoder->taken = end + CRC_BYTES;
        return true;
      }
    }
    skip(decoder, 1);
  }
}
