"""A PlatformIO platform that takes the cross compiler from PATH, or from the registry where PATH has none."""

import shutil

from platformio.public import PlatformBase

COMPILER, PACKAGE = "arm-none-eabi-gcc", "toolchain-gccarmnoneeabi"


class Hil_armPlatform(PlatformBase):  # noqa: N801 (PlatformIO derives the class's name from the platform's)
    def is_embedded(self):
        return True

    def configure_default_packages(self, options, targets):
        super().configure_default_packages(options, targets)
        if shutil.which(COMPILER):
            # Not merely optional: a package that is installed would come before PATH.
            self.packages.pop(PACKAGE, None)
