"""Flags that differ between C and C++, which platformio.ini cannot give (PlatformIO extra script)."""

Import("env")  # noqa: F821 (SCons puts it there)

# The image must not depend on the folder it was built in, whose name may contain spaces.
NO_PATHS = "-ffile-prefix-map=" + env.subst("$PROJECT_DIR") + "=."  # noqa: F821

env.Append(  # noqa: F821
    CFLAGS=["-std=gnu99"],  # GNU C has address spaces
    CXXFLAGS=["-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics"],
)
