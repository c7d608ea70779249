"""A PlatformIO platform that takes compiler, Arduino core and avrdude from this computer, and from the
registry what this computer does not have.
"""

import os
import shutil
from pathlib import Path

from platformio.public import PlatformBase

# Of Debian's arduino-core-avr.
DEBIAN_FRAMEWORK = Path("/usr/share/arduino/hardware/arduino/avr")


class Hil_avrPlatform(PlatformBase):  # noqa: N801 (PlatformIO derives the class's name from the platform's)
    def is_embedded(self):
        return True

    def configure_default_packages(self, options, targets):
        super().configure_default_packages(options, targets)
        here = {
            "toolchain-atmelavr": shutil.which("avr-gcc"),
            "framework-arduino-avr": (DEBIAN_FRAMEWORK / "cores" / "arduino").is_dir(),
            # A command that stands in for it needs none.
            "tool-avrdude": shutil.which("avrdude") or os.environ.get("HILNAS_UPLOAD_COMMAND"),
        }
        for package in (name for name, found in here.items() if found):
            # Not merely optional: a package that is installed would come before PATH.
            self.packages.pop(package, None)
