"""A PlatformIO platform without packages: the cross compiler comes from PATH."""

from platformio.public import PlatformBase


class Hil_armPlatform(PlatformBase):  # noqa: N801 (PlatformIO derives the class's name from the platform's)
    def is_embedded(self):
        return True
