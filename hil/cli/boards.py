"""`hilnas boards`: what is known, what is attached."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from hil.cli import console

_WIDE = 110  # columns from which on the devices of a board fit into one line
_NARROW = 78  # columns below which names and cores are left out


def boards(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List the boards that are known, and the serial ports that are attached.

    A board of your own is one TOML file: docs/add-a-board.md; HILNAS_BOARDS names folders with more.
    """
    from rich import box
    from rich.table import Table

    from hil import units
    from hil.board import list_boards, load_board
    from hil.devices.choose import device_kinds
    from hil.devices.discover import attached

    known = [load_board(board_id) for board_id in list_boards()]
    ports = attached()
    if as_json:
        listing = {
            "boards": [
                {
                    "id": b.id,
                    "name": b.name,
                    "architecture": b.core.architecture,
                    "clock_hz": b.core.clock_hz,
                    "ram_bytes": b.ram.size_bytes,
                    "flash_bytes": b.flash.size_bytes,
                    "devices": device_kinds(b),
                }
                for b in known
            ],
            "ports": [
                {"port": p.port, "description": p.description, "boards": list(p.board_ids)} for p in ports
            ],
        }
        typer.echo(json.dumps(listing, indent=2))
        return
    out = console.output()
    table = Table(box=box.SIMPLE_HEAD, title="known boards", title_justify="left", title_style="bold")
    lesser = ("name", "core") if out.width >= _NARROW else ()
    for heading in ("id", *lesser, "clock", "RAM", "flash", "devices"):
        justify: Literal["left", "right"] = "right" if heading in ("clock", "RAM", "flash") else "left"
        # The name gives way on a narrow terminal, for all else is typed or compared.
        table.add_column(heading, justify=justify, no_wrap=heading != "name")
    for b in known:
        table.add_row(
            b.id,
            *((b.name, b.core.architecture) if lesser else ()),
            f"{b.core.clock_hz / 1e6:g} MHz",
            units.size(b.ram.size_bytes),
            units.size(b.flash.size_bytes),
            "\n".join(device_kinds(b)) if out.width < _WIDE else ", ".join(device_kinds(b)),
        )
    out.print(table)
    if not ports:
        out.print("attached: no serial port found\n")
        return
    table = Table(box=box.SIMPLE_HEAD, title="attached", title_justify="left", title_style="bold")
    for heading in ("device", "board", "what the port says of itself"):
        table.add_column(heading)
    for p in ports:
        says = "" if p.description == "n/a" else p.description  # pyserial's word for nothing
        table.add_row(f"serial:{p.port}", ", ".join(p.board_ids) or "not known", says)
    out.print(table)
