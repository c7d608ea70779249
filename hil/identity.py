"""Whether the firmware that answers is the one that was just flashed."""

from __future__ import annotations

from hil.device import Device
from hil.errors import VersionMismatch, WrongImage
from hil.image import Image
from hil.link import Link
from hil.protocol import Info


def identify(link: Link, image: Image, device: Device) -> Info:
    """Who answers behind `link`; `image` was flashed a moment ago.

    Raises:
        WrongImage: another model, another build, another board or another protocol answers.
        DeviceError: nobody does.
    """
    info = _hello(link, image, device)
    _check(info, image, device)
    return info


def _hello(link: Link, image: Image, device: Device) -> Info:
    """Who answers.  Whatever it is, it was flashed as `image` a moment ago."""
    try:
        return link.hello()
    except VersionMismatch as error:
        raise WrongImage(
            "firmware of another protocol version answers, flashed was model "
            f"{image.program.digest[:12]}: the upload was reported as done, but the old image is still there",
            device=device.name,
            remedy="reset the board; if it stays, check that the upload goes to the board behind this port",
        ) from error


def _check(info: Info, image: Image, device: Device) -> None:
    if info.model_digest != image.program.digest:
        raise WrongImage(
            f"model {info.model_digest[:12]} answers, flashed was {image.program.digest[:12]}",
            device=device.name,
            remedy="reset the board; if it stays, check that the upload goes to the board behind this port",
        )
    if info.build_digest != image.build_digest:
        raise WrongImage(
            f"another build of this model answers ({info.build_digest.hex()}, flashed was "
            f"{image.build_digest.hex()}): the upload was reported as done, but the old image is still there",
            device=device.name,
            remedy="reset the board, then flash again; if it stays, check which board the upload goes to",
        )
    if info.board != image.board_id:
        raise WrongImage(
            f"firmware of board '{info.board}' answers, expected '{image.board_id}'",
            device=device.name,
            remedy="name the board that is attached (`hilnas boards`)",
        )
