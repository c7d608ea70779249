"""Known energies, and what each meter makes of them: `make bench-energy`.

The instruments are those of the tests (tests/support/pretend_*.py): the bytes of a PPK2 through its real
driver, messages in the form of the Joulescope's, and the waveforms that they hide.  So the error shown is
that of decoding, trigger and integration; what a real instrument adds is in the last column, as stated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.table import Table

from hil.errors import MeterError
from hil.meters import joulescope
from hil.meters.joulescope import JoulescopeRecorder
from hil.meters.ppk2 import Ppk2Recorder
from hil.meters.streaming import StreamingMeter
from hil.meters.types import EnergyMeter
from hil.testing.meter_suite import PretendBoard, Scene
from tests.support.pretend_joulescope import PretendDriver
from tests.support.pretend_ppk2 import PretendPpk2

INFERENCES = 20
SCENES = {
    "steady 5 mA": Scene(active_a=(0.005,)),
    "6 and 4 mA": Scene(),
    "five ranges": Scene(active_a=(0.030, 0.0001, 0.004, 0.300, 0.9), idle_a=2e-6),
    "40 samples lost": Scene(lost=40),
    "5,000 samples lost": Scene(lost=5000),
    "trigger not wired": Scene(trigger_wired=False),
}


@contextmanager
def ppk2(scene: Scene) -> Iterator[EnergyMeter]:
    instrument = PretendPpk2(scene)
    yield StreamingMeter(Ppk2Recorder(instrument.port, lead_s=0.0))
    instrument.close()


@contextmanager
def joulescope_js220(scene: Scene) -> Iterator[EnergyMeter]:
    joulescope._make_driver = lambda: PretendDriver(scene)
    yield StreamingMeter(JoulescopeRecorder(lead_s=0.0))


def main() -> None:
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"known energy of one inference, metered over {INFERENCES}; instruments pretended",
        title_justify="left",
    )
    for heading in ("meter", "waveform", "known", "found", "error", "lost", "stated"):
        table.add_column(
            heading, justify="left" if heading in ("meter", "waveform") else "right", no_wrap=True
        )
    for name, make in (("ppk2", ppk2), ("joulescope", joulescope_js220)):
        for waveform, template in SCENES.items():
            scene = Scene(
                template.active_a, template.idle_a, trigger_wired=template.trigger_wired, lost=template.lost
            )
            known = f"{scene.energy_uj:,.2f} uJ"
            board = PretendBoard(scene)
            with make(scene) as meter:
                meter.open(board)
                try:
                    energy = meter.measure(board, INFERENCES, subtract_idle=False)
                except MeterError as error:
                    table.add_row(name, waveform, known, "refused", "", "", type(error).__name__)
                    continue
                finally:
                    meter.close()
            error = energy.energy_uj / scene.energy_uj - 1
            stated = (energy.uncertainty_uj or 0.0) / energy.energy_uj
            table.add_row(
                name, waveform, known, f"{energy.energy_uj:,.2f} uJ", f"{error:+.3%}",
                str(energy.lost_samples), f"± {stated:.1%}",
            )  # fmt: skip
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
