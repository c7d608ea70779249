/*
 * Frames: magic "HL", version u8, type u8, sequence u16, length u16, payload, CRC-32 over version .. payload.
 * Little-endian.  docs/PROTOCOL.md explains them; hil/protocol/frames.py does the same on the host, byte for
 * byte.
 *
 * Nothing here allocates or blocks, and nothing is kept but in the structures that the caller owns.
 */
#ifndef HIL_FRAME_H
#define HIL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hil_flash.h"

/* Largest payload that is received, and sent in OUTPUT and PROFILE.  This is most of the protocol's RAM: 64
 * does for an Uno. */
#ifndef HIL_MAX_PAYLOAD
#define HIL_MAX_PAYLOAD 1024
#endif

#if HIL_MAX_PAYLOAD < 16 || HIL_MAX_PAYLOAD > 4096
#error "HIL_MAX_PAYLOAD must be 16 to 4096: hosts take no longer frames, and shorter ones carry nothing"
#endif

/* Bytes that are handed to the sink at a time, on the stack meanwhile. */
#ifndef HIL_FRAME_STAGE
#define HIL_FRAME_STAGE 64
#endif

#define HIL_FRAME_HEADER   8
#define HIL_FRAME_OVERHEAD 12

/* CRC-32 of zlib.  Begin with `crc` 0, and go on with what was returned. */
uint32_t hil_crc32(uint32_t crc, const uint8_t *data, size_t size);

/* Where the bytes of a frame go; hil_port_write is one. */
typedef void (*hil_frame_sink)(const uint8_t *data, size_t size);

/* Writes one frame piece by piece, so that no buffer has to hold it whole.  What reaches the sink lies in the
 * writer itself, hence in RAM. */
typedef struct {
  hil_frame_sink sink;
  uint32_t crc;
  size_t staged;
  uint8_t stage[HIL_FRAME_STAGE];
} hil_frame_writer;

/* Begin a frame whose payload will have `length` bytes.  The bytes put until hil_frame_end must be that many:
 * the writer does not count them. */
void hil_frame_begin(hil_frame_writer *writer, hil_frame_sink sink, uint8_t type, uint16_t sequence,
                     uint16_t length);
void hil_frame_put(hil_frame_writer *writer, const uint8_t *data, size_t size);
/* The same for bytes in flash (hil_flash.h). */
#if defined(__AVR__)
void hil_frame_put_flash(hil_frame_writer *writer, const HIL_FLASH void *data, size_t size);
#else
#define hil_frame_put_flash(writer, data, size) hil_frame_put((writer), (const uint8_t *)(data), (size))
#endif
void hil_frame_put_u8(hil_frame_writer *writer, uint8_t value);
void hil_frame_put_u16(hil_frame_writer *writer, uint16_t value);
void hil_frame_put_u32(hil_frame_writer *writer, uint32_t value);
/* Append the CRC and hand everything to the sink. */
void hil_frame_end(hil_frame_writer *writer);

typedef struct {
  uint8_t version;
  uint8_t type;
  uint16_t sequence;
  uint16_t length;
  const uint8_t *payload; /* in the decoder, until its next call; not aligned */
} hil_frame;

/* Takes the bytes that belong to no frame; they are gone when it returns. */
typedef void (*hil_frame_listener)(void *context, const uint8_t *data, size_t size);

/* Finds the frames in a stream of bytes.  All zeros is a decoder that has seen nothing yet, and to which
 * nobody listens. */
typedef struct {
  hil_frame_listener listener; /* hears, in order, what is skipped; NULL: nobody */
  void *context;               /* of the listener */
  size_t count;                /* bytes held */
  size_t taken;                /* of these, the first `taken` were given out as a frame */
  uint8_t bytes[HIL_MAX_PAYLOAD + HIL_FRAME_OVERHEAD];
} hil_decoder;

/* Take bytes; returns how many.  Fewer than `size` means: call hil_decoder_next until it returns false, then
 * feed the rest.  After that, at least one byte is taken. */
size_t hil_decoder_feed(hil_decoder *decoder, const uint8_t *data, size_t size);

/* Give out the next frame; false when more bytes are needed.  What is no frame is skipped: after a bad CRC or
 * a length beyond HIL_MAX_PAYLOAD, the search goes on one byte behind the beginning of the magic that misled
 * it. */
bool hil_decoder_next(hil_decoder *decoder, hil_frame *frame);

/* Read little-endian values at any address. */
uint16_t hil_get_u16(const uint8_t *data);
uint32_t hil_get_u32(const uint8_t *data);

#endif
