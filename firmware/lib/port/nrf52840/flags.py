"""Flags for compiler and linker that platformio.ini cannot give (PlatformIO extra script)."""

Import("env")  # noqa: F821 (SCons puts it there)

MACHINE = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]

# The image must not depend on the folder it was built in, whose name may contain spaces.
NO_PATHS = "-ffile-prefix-map=" + env.subst("$PROJECT_DIR") + "=."  # noqa: F821

env.Append(  # noqa: F821
    CCFLAGS=[*MACHINE, NO_PATHS],
    LINKFLAGS=[*MACHINE, "-nostartfiles", "--specs=nano.specs"],
)
