"""An emulated board: the very ELF that would be flashed runs on Unicorn, with a model of the core's time.

`open.open_machine` makes one for a board (`types.Emulator`).  `machine.Machine` is a Cortex-M core, memory
and peripherals: `chips` and `cores` say which there are, `timing` charges instructions, `nrf52840` holds one
file per peripheral.  `serve` puts a machine on a pseudo-terminal.

What the figures are worth: docs/emulator.md.  Nothing is imported here, so naming the package costs nothing.
"""
