"""A PlatformIO platform without packages: avr-gcc comes from PATH, the Arduino core from the system."""

from platformio.public import PlatformBase


class Hil_avrPlatform(PlatformBase):  # noqa: N801 (PlatformIO derives the class's name from the platform's)
    def is_embedded(self):
        return True
