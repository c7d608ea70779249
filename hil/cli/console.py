"""What all commands share: where they print, and how an error reaches the user.

Results go to standard output, everything else (progress, notes, errors) to standard error, so that
`hilnas measure MODEL --json > file` is clean.  Rich heeds NO_COLOR and terminals without colour by itself.
"""

from __future__ import annotations

import datetime
import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hil import errors

if TYPE_CHECKING:
    from rich.console import Console

EXIT_CODES = """\
[bold]Exit codes[/bold]: 0 done · 1 done, but nothing meets the limits · 2 bad input · \
3 does not fit the board · 4 this computer (toolchain, disk, study folder) · \
5 the device · 70 a bug in hilnas · 130 interrupted (the same command continues)"""

NOTHING_MEETS_THE_LIMITS, BAD_INPUT, DOES_NOT_FIT, HOST, DEVICE, BUG, INTERRUPTED = 1, 2, 3, 4, 5, 70, 130


def output() -> Console:
    """Console for results."""
    from rich.console import Console

    return Console(highlight=False, emoji=False)


def messages() -> Console:
    """Console for all that is not a result."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def note(text: str) -> None:
    """One line to standard error."""
    messages().print(text, style="dim", markup=False, soft_wrap=True)


@contextmanager
def working(text: str) -> Iterator[None]:
    """A spinner while something takes a second or two; nothing where standard error is no terminal."""
    console = messages()
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield


def show_error(message: str, remedy: str | None) -> None:
    console = messages()
    console.print(f"[bold red]error:[/bold red] {_escape(message)}", soft_wrap=True)
    for line in (remedy or "").splitlines():
        console.print(f"  [bold]->[/bold] {_escape(line)}", soft_wrap=True)


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def exit_code(error: errors.HilError) -> int:
    """The exit code of an error, by where the fault lies."""
    if isinstance(error, errors.DoesNotFit):
        return DOES_NOT_FIT
    if isinstance(error, errors.DeviceError):
        return DEVICE
    return HOST if isinstance(error, errors.HostError) else BAD_INPUT


def run(command: Callable[[], object], show_foreign: Callable[[Exception], int | None]) -> int:
    """Run the command line and turn every error into a message and an exit code.

    Args:
        command: runs the typer application.
        show_foreign: shows an error of another package and returns its exit code; None for others.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning(warnings.showwarning)
        return _run(command, show_foreign)


def _show_warning(show: Callable[..., Any]) -> Callable[..., Any]:
    """Warnings of this package as a line for people; others as `show` would."""

    def shown(message: Warning | str, category: type[Warning], *where: Any, **named: Any) -> None:
        if issubclass(category, errors.HilWarning):
            messages().print(f"[bold yellow]warning:[/bold yellow] {_escape(str(message))}", soft_wrap=True)
        else:
            show(message, category, *where, **named)

    return shown


def _run(command: Callable[[], object], show_foreign: Callable[[Exception], int | None]) -> int:
    try:
        command()
    except SystemExit as leaving:
        # typer turns Ctrl-C, and a reader that went away, into exit codes without a word.
        if leaving.code == INTERRUPTED:
            return _interrupted()
        if isinstance(leaving.__context__, BrokenPipeError):
            return _reader_left()
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        return _reader_left()
    except errors.HilError as error:
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        show_error(error.message + notes, error.remedy)
        log = getattr(error, "log", "")
        if log:
            messages().print(log.rstrip()[-2000:], style="dim", markup=False, soft_wrap=True)
        return exit_code(error)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT):
            return _bug(error)
        show_error(
            f"{error.filename or 'a file'} cannot be written: {error.strerror}",
            "free some space or name another folder",
        )
        return HOST
    except Exception as error:
        code = show_foreign(error)
        return _bug(error) if code is None else code
    return 0


def _interrupted() -> int:
    messages().print("interrupted: the same command continues", style="yellow")
    return INTERRUPTED


def _reader_left() -> int:
    """`hilnas boards | head`: nothing is left to be said to it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _bug(error: Exception) -> int:
    """No traceback on the terminal: it goes to a file that can be sent in."""
    from hil.resources import cache_dir

    if os.environ.get("HILNAS_DEBUG"):
        raise error
    try:
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        path = cache_dir("crashes") / f"{stamp}.txt"
        path.write_text("".join(traceback.format_exception(error)))
        where = f"the traceback is in {path}"
    except Exception:
        where = "HILNAS_DEBUG=1 shows the traceback"
    show_error(f"this is a bug in hilnas: {type(error).__name__}: {error}", f"{where}; please report it")
    return BUG
