"""Flags for compiler and linker that platformio.ini cannot give (PlatformIO extra script)."""
# ruff: noqa: F821 (SCons puts Import and env there)

Import("env")

FLOAT_UNITS = {"cortex-m4": "fpv4-sp-d16", "cortex-m7": "fpv5-sp-d16", "cortex-m33": "fpv5-sp-d16"}

CORE = env.BoardConfig().get("build.cpu")
FLOAT = ["-mfloat-abi=hard", f"-mfpu={FLOAT_UNITS[CORE]}"] if CORE in FLOAT_UNITS else ["-mfloat-abi=soft"]
MACHINE = [f"-mcpu={CORE}", "-mthumb", *FLOAT]

# The image must not depend on the folder it was built in, whose name may contain spaces.
NO_PATHS = "-ffile-prefix-map=" + env.subst("$PROJECT_DIR") + "=."

env.Append(
    CCFLAGS=[*MACHINE, NO_PATHS],
    LINKFLAGS=[*MACHINE, "-nostartfiles", "--specs=nano.specs"],
)
