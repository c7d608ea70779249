/*
 * Types of messages and error codes; their payloads are in docs/PROTOCOL.md, their twins in
 * hil/protocol/messages.py.
 */
#ifndef HIL_MESSAGES_H
#define HIL_MESSAGES_H

#define HIL_PROTOCOL_VERSION 2

enum {
  /* from the host */
  HIL_HELLO = 0x01,        /* oldest u8, newest u8 */
  HIL_WRITE_INPUT = 0x02,  /* offset u32, bytes */
  HIL_RUN = 0x03,          /* flags u8 */
  HIL_READ_OUTPUT = 0x04,  /* offset u32, count u16 */
  HIL_READ_PROFILE = 0x05, /* first u16, count u16 */
  HIL_RESET = 0x06,        /* nothing */
  HIL_RUN_WINDOW = 0x07,   /* inferences u32 */
  HIL_START_SENSOR = 0x08, /* kind u8, address u8 */
  HIL_READ_SENSOR = 0x09,  /* nothing */
  /* from the device */
  HIL_INFO = 0x81,
  HIL_WRITTEN = 0x82,    /* offset u32, count u16 */
  HIL_RAN = 0x83,        /* cycles u32, stack_used u32 */
  HIL_OUTPUT = 0x84,     /* offset u32, bytes */
  HIL_PROFILE = 0x85,    /* first u16, cycles u32 * n */
  HIL_RESETTING = 0x86,  /* nothing */
  HIL_RAN_WINDOW = 0x87, /* inferences u32, cycles u64, window_cycles u64, input_restored u8 */
  HIL_SENSOR = 0x88,     /* samples u32, shunt_sum i64, bus u16 */
  HIL_ERROR = 0xE0,      /* code u8, text */
  HIL_FAULT = 0xE1       /* kind u8, registers u32 * HIL_FAULT_REGISTERS */
};

/* Kinds of HIL_START_SENSOR. */
#define HIL_SENSOR_INA219 1u
#define HIL_SENSOR_INA226 2u

/* Flags of HIL_RUN. */
#define HIL_RUN_PROFILE 0x01u

/* r0 r1 r2 r3 r12 lr pc psr cfsr hfsr mmfar bfar */
#define HIL_FAULT_REGISTERS 12

/* Sequence number of a frame that answers no question. */
#define HIL_UNASKED 0xFFFFu

typedef enum {
  HIL_ERROR_VERSION = 1,      /* the versions of host and firmware do not overlap */
  HIL_ERROR_UNKNOWN_TYPE = 2, /* no such request */
  HIL_ERROR_BAD_PAYLOAD = 3,  /* wrong length, or a value out of range */
  HIL_ERROR_NO_INPUT = 4,     /* RUN without a complete input written since the last RUN */
  HIL_ERROR_NO_OUTPUT = 5,    /* READ_OUTPUT without a RUN since the last WRITE_INPUT */
  HIL_ERROR_NO_PROFILE = 6, /* the last RUN was not profiled, or has more operators than there is room for */
  HIL_ERROR_INPUT_GAP = 7,  /* WRITE_INPUT beyond what has been written so far */
  HIL_ERROR_NO_SENSOR = 8   /* no power sensor in this build, none started, or it does not answer */
} hil_error;

#endif
