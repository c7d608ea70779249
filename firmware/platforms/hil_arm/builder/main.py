"""Build steps of the platform: compile, link, size, upload.  The flags stand in platformio.ini."""

import os
import sys
from os.path import join

from SCons.Script import COMMAND_LINE_TARGETS, AlwaysBuild, Builder, Default, DefaultEnvironment

sys.path.insert(0, join(DefaultEnvironment().PioPlatform().get_dir(), "builder"))
from upload import upload_action

env = DefaultEnvironment()

env.Replace(
    AR="arm-none-eabi-gcc-ar",
    AS="arm-none-eabi-gcc",
    CC="arm-none-eabi-gcc",
    CXX="arm-none-eabi-g++",
    OBJCOPY="arm-none-eabi-objcopy",
    RANLIB="arm-none-eabi-gcc-ranlib",
    SIZETOOL="arm-none-eabi-size",
    ARFLAGS=["rcs"],
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=r"^(?:\.boot2|\.vectors|\.text|\.rodata|\.hil_weights|\.data)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.stack|\.data|\.bss|\.hil_arena)\s+(\d+).*",
    SIZEPRINTCMD="$SIZETOOL -A -d $SOURCES",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
env.Append(
    BUILDERS={
        "ElfToHex": Builder(
            action=env.VerboseAction("$OBJCOPY -O ihex $SOURCES $TARGET", "Building $TARGET"), suffix=".hex"
        )
    }
)

if "nobuild" in COMMAND_LINE_TARGETS:
    # An image that was built before, to be uploaded as it is.
    elf = env.File(os.environ.get("HILNAS_UPLOAD_ELF") or join("$BUILD_DIR", "${PROGNAME}.elf"))
else:
    elf = env.BuildProgram()
hex_file = env.ElfToHex(join("$BUILD_DIR", "${PROGNAME}.hex"), elf)

AlwaysBuild(env.Alias("nobuild", elf))
env.AddPlatformTarget(
    "size",
    elf,
    env.VerboseAction("$SIZEPRINTCMD", "Sections of $SOURCE"),
    "Program size",
    "Print section sizes",
)
env.AddPlatformTarget("hex", hex_file, None, "Intel HEX", "Write firmware.hex for flashing tools")
env.AddPlatformTarget("upload", elf, [env.VerboseAction(upload_action, "Uploading $SOURCE")], "Upload")

Default([elf])
