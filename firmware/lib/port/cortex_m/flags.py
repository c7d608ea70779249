"""Flags for compiler and linker that platformio.ini cannot give (PlatformIO extra script)."""

Import("env")  # noqa: F821 (SCons puts it there)

FLOAT_UNITS = {"cortex-m4": "fpv4-sp-d16", "cortex-m7": "fpv5-sp-d16", "cortex-m33": "fpv5-sp-d16"}

CORE = env.BoardConfig().get("build.cpu")  # noqa: F821
FLOAT = ["-mfloat-abi=hard", f"-mfpu={FLOAT_UNITS[CORE]}"] if CORE in FLOAT_UNITS else ["-mfloat-abi=soft"]
MACHINE = [f"-mcpu={CORE}", "-mthumb", *FLOAT]

# The image must not depend on the folder it was built in, whose name may contain spaces.
NO_PATHS = "-ffile-prefix-map=" + env.subst("$PROJECT_DIR") + "=."  # noqa: F821

env.Append(  # noqa: F821
    CCFLAGS=[*MACHINE, NO_PATHS],
    LINKFLAGS=[*MACHINE, "-nostartfiles", "--specs=nano.specs"],
)
