"""`hilnas doctor`: what is missing on this computer, and the command that mends it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hil.cli import console


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Check toolchain, PlatformIO, serial permissions and interpreters.

    Each thing that is missing comes with the command that mends it.  Exit code 4 when something is
    missing that measuring on real or emulated boards needs.
    """
    from hil.doctor import examine

    findings = examine()
    if as_json:
        listing = [
            {"name": f.name, "ok": f.ok, "needed": f.needed, "found": f.found, "remedy": f.remedy}
            for f in findings
        ]
        typer.echo(json.dumps(listing, indent=2))
    else:
        from rich import box
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        for heading in ("", "check", "found"):
            table.add_column(heading, overflow="fold")
        for f in findings:
            lacking = "[red]missing[/red]" if f.needed else "[yellow]absent[/yellow]"
            table.add_row("[green]ok[/green]" if f.ok else lacking, f.name, escape(f.found))
        out = console.output()
        out.print(table)
        # Below the table, not in it: a command that is broken over the lines of a cell cannot be copied.
        for f in findings:
            if f.remedy and not f.ok:
                out.print(f"[bold]{escape(f.name)}[/bold]\n  -> {escape(f.remedy)}", soft_wrap=True)
    if any(f.needed and not f.ok for f in findings):
        raise typer.Exit(console.HOST)
