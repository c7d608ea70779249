"""The peripherals of the nRF52840 that the firmware uses, one file each; `soc` puts them together."""
