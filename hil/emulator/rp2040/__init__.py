"""The RP2040, as far as the firmware uses it: one file per peripheral, or few that belong together."""
