"""`hilnas boards` on the terminal and as JSON: the boards that are known, and those that are attached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from hil import units
from hil.board import Board
from hil.devices.choose import device_kinds

if TYPE_CHECKING:
    from hil.devices.survey import Attached

# Columns of the terminal from which on a column of the table has room; ids and figures always have.
_ROOM_FOR_CLOCK, _ROOM_FOR_CORE, _ROOM_FOR_NAME = 68, 78, 110
_DIGEST_LETTERS = 12


def known_table(boards: Sequence[Board], width: int) -> Table:
    """One line per board."""
    table = Table(box=box.SIMPLE_HEAD, title="known boards", title_justify="left", title_style="bold")
    clock, core, name = (width >= room for room in (_ROOM_FOR_CLOCK, _ROOM_FOR_CORE, _ROOM_FOR_NAME))
    table.add_column("id", no_wrap=True)
    if name:
        table.add_column("name")
    if core:
        table.add_column("core", no_wrap=True)
    for heading in (*(("clock",) if clock else ()), "RAM", "flash"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("beside simulated")
    for b in boards:
        others = [kind for kind in device_kinds(b) if kind != "simulated"]
        table.add_row(
            b.id,
            *((b.name,) if name else ()),
            *((_core(b.core.architecture),) if core else ()),
            *((f"{b.core.clock_hz / 1e6:g} MHz",) if clock else ()),
            units.size(b.ram.size_bytes),
            units.size(b.flash.size_bytes),
            ", ".join(others) or "[dim]no compiler[/dim]",
        )
    return table


def _core(architecture: str) -> str:
    """cortex-m0plus -> M0+, avr -> AVR."""
    return architecture.removeprefix("cortex-").upper().replace("PLUS", "+")


def attached_table(found: Attached) -> Table:
    """All that is known of one board, a line each; its first column is what to type."""
    if len(found.boards) == 1:
        names = f"{found.boards[0].name} ({found.boards[0].id})"
    else:
        names = f"{' or '.join(board.id for board in found.boards)}: --board tells which"
    table = Table(
        box=None,
        show_header=False,
        padding=(0, 2, 0, 1),
        title=Text.assemble((f" serial:{found.port.port}", "bold cyan"), "  ", names),
        title_justify="left",
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if found.port.serial_number:
        table.add_row("serial number", Text(found.port.serial_number))
    table.add_row("firmware", Text(_firmware(found)))
    table.add_row("in use", Text(_use(found)))
    if found.wear is not None:
        table.add_row("flash wear", Text(str(found.wear)))
    return table


def _firmware(found: Attached) -> str:
    info = found.firmware
    if info is None:
        return found.note
    return (
        f"hilnas {info.firmware_version}, model {info.model_digest[:_DIGEST_LETTERS]}, "
        f"build {info.build_digest.hex()}"
    )


def _use(found: Attached) -> str:
    if not found.busy:
        return "free"
    return "by another program" if found.owner is None else f"by {found.owner}"


def to_dict(boards: Sequence[Board], attached: Sequence[Attached]) -> dict[str, Any]:
    """What both tables say, and more, for programs."""
    return {
        "boards": [
            {
                "id": b.id,
                "name": b.name,
                "architecture": b.core.architecture,
                "clock_hz": b.core.clock_hz,
                "clocks_hz": list(b.clocks_hz),
                "ram_bytes": b.ram.size_bytes,
                "flash_bytes": b.flash.size_bytes,
                "devices": device_kinds(b),
            }
            for b in boards
        ],
        "ports": [_port(found) for found in attached],
    }


def _port(found: Attached) -> dict[str, Any]:
    port, info, wear = found.port, found.firmware, found.wear
    return {
        "device": f"serial:{port.port}",
        "port": port.port,
        "description": port.description,
        "boards": [board.id for board in found.boards],
        "usb_id": port.usb_id,
        "serial_number": port.serial_number,
        "location": port.location,
        "bootloader": port.bootloader,
        "busy": found.busy,
        "owner": None if found.owner is None else asdict(found.owner),
        "firmware": None
        if info is None
        else {
            "version": info.firmware_version,
            "protocol": info.protocol,
            "board": info.board,
            "model_digest": info.model_digest,
            "build_digest": info.build_digest.hex(),
            "unit_id": info.unit_id.hex(),
        },
        "note": found.note,
        "wear": None
        if wear is None
        else {"cycles": wear.cycles, "endurance_cycles": wear.endurance_cycles, "share": wear.share},
    }
