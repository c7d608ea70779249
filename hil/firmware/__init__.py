"""Program + Board -> Image, by PlatformIO; Image -> board; Program + Board -> a project of its own."""

from __future__ import annotations

from hil.firmware.build import build
from hil.firmware.export import write_project
from hil.firmware.upload import upload

__all__ = ["build", "upload", "write_project"]
