"""An emulated board: the very ELF that would be flashed runs on Unicorn, with a model of the core's time.

`machine.Machine` is core, memory and peripherals; `timing` charges instructions; `nrf52840` holds one file
per peripheral; `serve` puts the machine on a pseudo-terminal.  What the figures are worth: docs/emulator.md.
Nothing is imported here, so that naming the package costs nothing.
"""
