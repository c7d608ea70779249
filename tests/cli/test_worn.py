"""Flash wear at the command line: one line of warning, and a way to go on."""

import os
import warnings

import pytest

from hil.cli import console, worn
from hil.devices.wear import VARIABLE, FlashWearWarning, Wear, warn, worn_is_allowed
from hil.errors import DeviceTimeout


def test_warning_is_a_line_for_people(capsys):
    def command():
        warn(Wear(5_000, 10_000), unit="usb A1", device="serial:x")

    assert console.run(command, lambda error: None) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(
        "warning: serial:x: the flash of this board (usb A1) has taken 5,000 of 10,000"
    )
    assert ".py" not in shown.err


def test_warnings_of_others_stay_as_they_are():
    with pytest.warns(RuntimeWarning, match="something else"):
        console.run(lambda: warnings.warn("something else", RuntimeWarning, stacklevel=1), lambda error: None)


def test_warnings_are_shown_as_before_when_the_command_is_over():
    before = warnings.showwarning
    console.run(lambda: None, lambda error: None)
    assert warnings.showwarning is before
    assert issubclass(FlashWearWarning, UserWarning)


def test_attempts_are_shown_with_the_error(capsys):
    def command():
        error = DeviceTimeout("no answer", device="serial:x")
        error.add_note("after 3 attempts")
        raise error

    assert console.run(command, lambda error: None) == console.DEVICE
    assert "no answer (after 3 attempts)" in capsys.readouterr().err


def test_option_allows_what_the_variable_does(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    worn.accept(False)
    assert not worn_is_allowed()
    worn.accept(True)
    assert worn_is_allowed()
    assert os.environ[VARIABLE] == "1"
