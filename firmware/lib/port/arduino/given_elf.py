"""Uploads the ELF file that HILNAS_UPLOAD_ELF names, as if it had just been built (PlatformIO extra script).

With `-t nobuild` the platforms of the registry upload what an earlier build left behind, converted; this has
them convert and upload the very image that is asked for.  HILNAS_UPLOAD_COMMAND replaces their way of
uploading: it is run with the ELF file and the port as its last arguments.
"""
# ruff: noqa: F821 (SCons puts Import and env there)

import os

Import("env")

ELF = os.environ.get("HILNAS_UPLOAD_ELF")
COMMAND = os.environ.get("HILNAS_UPLOAD_COMMAND")


def given_program(env):
    env.ProcessProgramDeps()  # the framework says what the image is to be converted to
    program = env.File(ELF)
    env.Replace(PIOMAINPROG=program)
    env.Alias("checkprogsize", program)
    return [program]


if ELF:
    env.AddMethod(given_program, "BuildProgram")
    if COMMAND:
        env.Replace(UPLOAD_PROTOCOL="custom", UPLOADCMD=f'{COMMAND} "{ELF}" "$UPLOAD_PORT"')
