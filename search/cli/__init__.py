"""The command line of `hilnas`: `main` is what the installed script calls."""

from __future__ import annotations

import signal
import sys

from hil.cli import console
from search.errors import BadConfig, BadData, SearchError


def _show_search_error(error: Exception) -> int | None:
    if not isinstance(error, SearchError):
        return None
    console.show_error(error.message, error.remedy)
    return console.BAD_INPUT if isinstance(error, BadConfig | BadData) else console.HOST


def main() -> None:
    """Run `hilnas` and leave with its exit code."""
    # A service manager's end is as orderly as Ctrl-C: temporary files go, a study notes where it stands.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from search.cli.app import app

    sys.exit(console.run(lambda: app(prog_name="hilnas"), _show_search_error))
