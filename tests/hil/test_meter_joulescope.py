"""The Joulescope's recorder, fed with messages in the form of the real driver's."""

from __future__ import annotations

import sys

import pytest

from hil.errors import MeterError, ToolMissing
from hil.meters import joulescope
from hil.meters.joulescope import CURRENT, RATE_HZ, TRIGGER, VOLTAGE, JoulescopeRecorder, assemble
from hil.meters.streaming import StreamingMeter
from hil.testing.meter_suite import MeterOf, MeterSuite, PretendBoard, Scene
from tests.support.pretend_joulescope import PretendDriver


class TestJoulescope(MeterSuite):
    @pytest.fixture
    def meter_of(self, monkeypatch: pytest.MonkeyPatch) -> MeterOf:
        def make(scene: Scene) -> StreamingMeter:
            monkeypatch.setattr(joulescope, "_make_driver", lambda: PretendDriver(scene))
            return StreamingMeter(JoulescopeRecorder(lead_s=0.0))

        return make


def open_with(driver: PretendDriver, monkeypatch: pytest.MonkeyPatch, serial_number: str = "") -> None:
    monkeypatch.setattr(joulescope, "_make_driver", lambda: driver)
    JoulescopeRecorder(serial_number).open(PretendBoard(Scene()))


@pytest.mark.parametrize(
    ("path", "ranges"),
    [
        ("u/js110/001234", [("s/i/range/select", "auto"), ("s/v/range/select", "15 V")]),
        ("u/js220/000415", [("s/i/range/mode", "auto"), ("s/v/range/mode", "auto")]),
    ],
)
def test_each_model_is_set_up_in_its_own_way(
    path: str, ranges: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = PretendDriver(Scene(), paths=(path,))
    open_with(driver, monkeypatch)
    assert driver.published == [
        (f"{path}/h/fs", RATE_HZ),
        *((f"{path}/{topic}", value) for topic, value in ranges),
    ]


@pytest.mark.parametrize(
    ("paths", "named"), [((), ""), (("u/js220/1", "u/js220/2"), ""), (("u/js220/1",), "7")]
)
def test_none_or_several_instruments_are_told(
    paths: tuple[str, ...], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MeterError, match="expected one"):
        open_with(PretendDriver(Scene(), paths=paths), monkeypatch, named)


def test_a_named_one_is_found_among_several(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = PretendDriver(Scene(), paths=("u/js220/000415", "u/js110/001234"))
    open_with(driver, monkeypatch, "001234")
    assert driver.published[0][0] == "u/js110/001234/h/fs"


def test_a_signal_that_does_not_come_is_told() -> None:
    message = {"sample_id": 0, "decimate_factor": 1, "sample_rate": 1000, "data": [1.0, 2.0]}
    with pytest.raises(MeterError, match=TRIGGER):
        assemble({CURRENT: [message], VOLTAGE: [message], TRIGGER: []}, "joulescope")


def test_an_instrument_that_goes_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = PretendDriver(Scene())
    monkeypatch.setattr(joulescope, "_make_driver", lambda: driver)
    recorder = JoulescopeRecorder()
    recorder.open(PretendBoard(Scene()))
    recorder.start()
    driver.finalize()  # forgets its subscriptions
    monkeypatch.setattr(driver, "publish", lambda *_, **__: (_ for _ in ()).throw(TimeoutError("gone")))
    with pytest.raises(MeterError, match="went away: gone"):
        recorder.stop()


def test_without_its_driver_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyjoulescope_driver", None)
    with pytest.raises(ToolMissing) as caught:
        JoulescopeRecorder().open(PretendBoard(Scene()))
    assert caught.value.remedy == "pip install 'hilnas[joulescope]'"


def test_the_real_driver_has_what_is_asked_of_it() -> None:
    driver = pytest.importorskip(
        "pyjoulescope_driver", reason="needs pip install 'hilnas[joulescope]'"
    ).Driver
    for name in ("device_paths", "open", "close", "finalize", "publish", "subscribe", "unsubscribe"):
        assert callable(getattr(driver, name))
