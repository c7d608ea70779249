"""Build steps of the platform: the Arduino core as a library, compile, link, size, upload."""

import os
import sys
from os.path import isdir, join

from SCons.Script import COMMAND_LINE_TARGETS, AlwaysBuild, Builder, Default, DefaultEnvironment

sys.path.insert(0, join(DefaultEnvironment().PioPlatform().get_dir(), "builder"))
from upload import upload_action

# The registry's package and Debian's arduino-core-avr hold the same folders: cores/ and variants/.
FRAMEWORK_PACKAGE = "framework-arduino-avr"
DEBIAN_FRAMEWORK = "/usr/share/arduino/hardware/arduino/avr"
# Without USB within the chip, which no board here has, and what nothing here calls.
LEFT_OUT = ("CDC", "PluggableUSB", "USBCore", "IPAddress", "Tone", "WString", "wiring_pulse")
CORE_SOURCES = ["+<*>", *(f"-<{name}.*>" for name in LEFT_OUT)]

env = DefaultEnvironment()
board = env.BoardConfig()

framework = DEBIAN_FRAMEWORK
if FRAMEWORK_PACKAGE in env.PioPlatform().packages:
    framework = env.PioPlatform().get_package_dir(FRAMEWORK_PACKAGE) or framework
if not isdir(join(framework, "cores", "arduino")):
    sys.stderr.write(f"error: no Arduino core in {framework}: sudo apt-get install arduino-core-avr\n")
    env.Exit(1)

env.Replace(
    AR="avr-gcc-ar",
    AS="avr-gcc",
    CC="avr-gcc",
    CXX="avr-g++",
    LINK="avr-gcc",
    OBJCOPY="avr-objcopy",
    RANLIB="avr-gcc-ranlib",
    SIZETOOL="avr-size",
    ARFLAGS=["rcs"],
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=r"^(?:\.vectors|\.progmem|\.hil_weights|\.text|\.data)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.stack|\.data|\.bss|\.noinit|\.hil_arena)\s+(\d+).*",
    SIZEPRINTCMD="$SIZETOOL -A -d $SOURCES",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
machine = ["-mmcu=" + board.get("build.mcu")]
env.Append(
    ASFLAGS=machine,
    CCFLAGS=machine,
    LINKFLAGS=machine,
    CPPDEFINES=[
        ("F_CPU", board.get("build.f_cpu")),
        ("ARDUINO", 10819),
        "ARDUINO_ARCH_AVR",
        board.get("build.define"),
    ],
    CPPPATH=[join(framework, "cores", "arduino"), join(framework, "variants", board.get("build.variant"))],
    BUILDERS={
        "ElfToHex": Builder(
            action=env.VerboseAction("$OBJCOPY -O ihex $SOURCES $TARGET", "Building $TARGET"), suffix=".hex"
        )
    },
)

if "nobuild" in COMMAND_LINE_TARGETS:
    # An image that was built before, to be uploaded as it is.
    elf = env.File(os.environ.get("HILNAS_UPLOAD_ELF") or join("$BUILD_DIR", "${PROGNAME}.elf"))
else:
    core = env.BuildLibrary(
        join("$BUILD_DIR", "ArduinoCore"), join(framework, "cores", "arduino"), CORE_SOURCES
    )
    env.Prepend(LIBS=[core])
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
