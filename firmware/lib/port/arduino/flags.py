"""Flags that differ between C and C++, which platformio.ini cannot give (PlatformIO extra script)."""
# ruff: noqa: F821 (SCons puts Import and env there)

Import("env")

# The image must not depend on the folder it was built in, whose name may contain spaces.
NO_PATHS = "-ffile-prefix-map=" + env.subst("$PROJECT_DIR") + "=."

env.Append(
    CFLAGS=["-std=gnu99"],  # GNU C has address spaces
    CXXFLAGS=["-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics"],
)
