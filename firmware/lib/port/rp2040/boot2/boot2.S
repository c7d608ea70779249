/*
 * The second boot stage of the RP2040: maps the Pico's serial flash into memory.
 *
 * The boot ROM copies the first 256 bytes of flash to RAM and runs them there, if their last four bytes are the
 * CRC-32 (MPEG-2) of the others (DS = "RP2040 Datasheet" 2.8.1.3.1).  Flash answers plain SPI commands then.
 * This program
 *
 *   1. reads the unique number of the flash chip (command 0x4B: four bytes to wait, eight of number) into the
 *      watchdog's first two scratch registers, where the port finds it: later, with code running from flash,
 *      that would take code in RAM;
 *   2. has the flash interface read by "fast read quad I/O" (0xEB) in continuous mode: 8 clocks of address and
 *      mode bits, 4 to wait, 8 for a word, at half the clock of the core;
 *   3. starts the firmware by the vector table behind these 256 bytes.
 *
 * Flash: W25Q16JV (its data sheet, 8.2), whose variants with suffix IQ have the quad pins always enabled; the
 * Pico has that one.  Another one would need its bit QE set here.
 *
 * Registers: DS 4.10 (SSI), 2.19.6.4 (PADS_QSPI), 4.7 (WATCHDOG), 2.4.8 (VTOR).
 * make.py turns this into ../boot2_image.c.
 */
  .syntax unified
  .cpu cortex-m0plus
  .thumb

  .equ PADS_QSPI, 0x40020000
  .equ PAD_SCLK, 0x04
  .equ PAD_SD0, 0x08
  .equ SSI, 0x18000000
  .equ CTRLR0, 0x00
  .equ CTRLR1, 0x04
  .equ SSIENR, 0x08
  .equ SER, 0x10
  .equ BAUDR, 0x14
  .equ SR, 0x28
  .equ DR0, 0x60
  .equ RX_SAMPLE_DLY, 0xF0
  .equ SPI_CTRLR0, 0xF4
  .equ WATCHDOG, 0x40058000
  .equ SCRATCH0, 0x0C
  .equ SCRATCH1, 0x10
  .equ VTOR, 0xE000ED08
  .equ FIRMWARE, 0x10000100

  .equ FRAMES_OF_8, 7 << 16             @ CTRLR0: both directions at once
  .equ QUAD_READS_OF_32, 2 << 21 | 31 << 16 | 3 << 8
  .equ ADDRESS, 8 << 2 | 4 << 11        @ SPI_CTRLR0: 32 bits of address and mode, 4 clocks to wait
  .equ WITH_COMMAND, ADDRESS | 2 << 8 | 1     @ 8 bits of command by one line, the address by four
  .equ CONTINUOUS, 0xA0 << 24 | ADDRESS | 2   @ no command; mode bits 0xA0 behind each address

  .equ READ_UNIQUE_NUMBER, 0x4B
  .equ READ_QUAD, 0xEB
  .equ NUMBER_BYTES, 1 + 4 + 8

  .section .text
  .global boot2
  .thumb_func
boot2:
  ldr   r3, =SSI

  @ 1. The number, slowly.
  movs  r1, #0
  str   r1, [r3, #SSIENR]
  movs  r1, #64
  str   r1, [r3, #BAUDR]
  ldr   r1, =FRAMES_OF_8
  str   r1, [r3, #CTRLR0]
  movs  r1, #1
  str   r1, [r3, #SER]
  str   r1, [r3, #SSIENR]
  movs  r1, #READ_UNIQUE_NUMBER
  movs  r0, #NUMBER_BYTES               @ all fit into the FIFO
send:
  str   r1, [r3, #DR0]
  movs  r1, #0
  subs  r0, #1
  bne   send
  movs  r0, #NUMBER_BYTES
receive:
  ldr   r1, [r3, #SR]
  lsrs  r1, #4                          @ receive FIFO not empty: bit 3
  bcc   receive
  ldr   r1, [r3, #DR0]
  lsrs  r4, #8                          @ r4 and r5 end up with the last eight bytes
  lsls  r2, r5, #24
  orrs  r4, r2
  lsrs  r5, #8
  lsls  r1, #24
  orrs  r5, r1
  subs  r0, #1
  bne   receive
  ldr   r2, =WATCHDOG
  str   r4, [r2, #SCRATCH0]
  str   r5, [r2, #SCRATCH1]

  @ 2. Pads for 62.5 MHz: clock at 8 mA and fast, data without hysteresis.
  ldr   r2, =PADS_QSPI
  movs  r1, #0x21
  str   r1, [r2, #PAD_SCLK]
  ldr   r1, [r2, #PAD_SD0]
  movs  r0, #2
  bics  r1, r0
  str   r1, [r2, #PAD_SD0]
  str   r1, [r2, #PAD_SD0 + 4]
  str   r1, [r2, #PAD_SD0 + 8]
  str   r1, [r2, #PAD_SD0 + 12]

  movs  r1, #0
  str   r1, [r3, #SSIENR]
  str   r1, [r3, #CTRLR1]               @ one word a read
  movs  r1, #2
  str   r1, [r3, #BAUDR]
  movs  r1, #1
  movs  r2, #RX_SAMPLE_DLY
  str   r1, [r3, r2]
  ldr   r1, =QUAD_READS_OF_32
  str   r1, [r3, #CTRLR0]
  movs  r2, #SPI_CTRLR0
  ldr   r1, =WITH_COMMAND
  str   r1, [r3, r2]
  movs  r0, #1
  str   r0, [r3, #SSIENR]
  movs  r1, #READ_QUAD                  @ one read, with the mode bits that spare the command from now on
  str   r1, [r3, #DR0]
  movs  r1, #0xA0
  str   r1, [r3, #DR0]
busy:
  ldr   r1, [r3, #SR]
  lsrs  r1, #1                          @ busy: bit 0
  bcs   busy
  lsrs  r1, #2                          @ transmit FIFO empty: bit 2
  bcc   busy
  movs  r1, #0
  str   r1, [r3, #SSIENR]
  ldr   r1, =CONTINUOUS
  str   r1, [r3, r2]
  str   r0, [r3, #SSIENR]

  @ 3. The firmware.
  ldr   r0, =FIRMWARE
  ldr   r1, =VTOR
  str   r0, [r1]
  ldmia r0!, {r1, r2}
  msr   msp, r1
  bx    r2
  .ltorg
