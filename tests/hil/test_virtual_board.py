"""The parts of a virtual board: faults strike as planned, the line keeps its order, the tally adds up."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil import toolchain
from hil.board import load_board
from hil.codegen import generate
from hil.firmware import build
from hil.graph import read
from hil.protocol import Decoder, Frame, Hello, Ran, Run, WriteInput, encode, from_frame, to_frame
from hil.testing.virtual_board.chip import Chip
from hil.testing.virtual_board.injector import PLAN, Injector, write_whole
from hil.testing.virtual_board.kinds import DURING_A_FLASH, ON_THE_LINE, Kind, Operation, possible
from hil.testing.virtual_board.line import Splitter, Way, damaged
from hil.testing.virtual_board.plan import FaultPlan
from hil.testing.virtual_board.tally import Tally
from tests.hil.frame_streams import frames, split, streams
from tests.hil.small_models import small_cnn
from tests.support.faulty_line import Clock


class TestPlan:
    def test_strikes_at_its_rate_and_with_all_that_is_possible(self) -> None:
        plan = FaultPlan(seed=1, rate=0.05)
        for operation in Operation:
            fates = [fate for k in range(4_000) if (fate := plan.fate(operation, k)) is not None]
            assert len(fates) == pytest.approx(200, rel=0.3)
            assert {fate.kind for fate in fates} == possible(operation)

    def test_every_kind_can_befall_something(self) -> None:
        assert frozenset().union(*map(possible, Operation)) == set(Kind)

    def test_is_the_same_when_played_again_and_another_with_another_seed(self) -> None:
        def story(seed: int) -> list[Kind | None]:
            fates = (FaultPlan(seed=seed, rate=0.3).fate(Operation.RUN, k) for k in range(200))
            return [fate and fate.kind for fate in fates]

        assert story(1) == story(1)
        assert story(1) != story(2)

    def test_travels_as_text(self) -> None:
        plan = FaultPlan(seed=3, rate=0.2, kinds=(Kind.HANG, Kind.OLD_IMAGE), limit=7, delay_s=(0.1, 0.2))
        assert FaultPlan.from_json(plan.to_json()) == plan

    def test_rate_is_a_share(self) -> None:
        with pytest.raises(ValueError, match="expected 0 to 1"):
            FaultPlan(rate=5)


class TestLine:
    @given(st.data())
    def test_splitter_loses_no_byte_and_no_frame(self, data: st.DataObject) -> None:
        stream = data.draw(streams())
        splitter = Splitter()
        found = [piece for part in data.draw(split(stream)) for piece in splitter.split(part)]
        decoder = Decoder()
        assert [frame for _, frame in found if frame is not None] == decoder.feed(stream)
        assert b"".join(raw for raw, _ in found) + splitter.flush() == stream

    @given(frames(), st.sampled_from(sorted(ON_THE_LINE, key=str)), st.integers(0, 1000))
    def test_damage_is_never_another_frame(self, frame: Frame, kind: Kind, seed: int) -> None:
        found = Decoder().feed(damaged(encode(frame), kind, random.Random(seed)) + bytes(5000))
        assert [one for one in found if one != frame] == []

    def test_what_is_held_back_holds_back_what_follows(self) -> None:
        clock = Clock()
        way = Way(clock)
        way.put(b"late", delay_s=1.0)
        way.put(b" later")
        assert way.take() == b""
        assert way.wait_s() == 1.0
        clock.now_s = 1.0
        assert way.take() == b"late later"
        assert way.wait_s() is None


class TestTally:
    def test_recovers_with_the_next_success_of_the_same_sort_and_image(self) -> None:
        tally = Tally()
        tally.image("a")
        for operation, kind in (
            (Operation.RUN, Kind.HANG),
            (Operation.RUN, Kind.RESET),
            (Operation.WRITE, Kind.GARBAGE),
        ):
            tally.attempted(operation)
            tally.struck(operation, kind)
        tally.succeeded(Operation.RUN)
        assert (tally.injected, tally.recoveries) == (3, 2)
        tally.image("b")  # the image was given up, and with it the write
        tally.succeeded(Operation.WRITE)
        assert tally.recoveries == 2
        assert Tally.from_json(tally.to_json()).faults == tally.faults

    def test_new_plan_begins_a_new_one(self, tmp_path: Path) -> None:
        injector = Injector(tmp_path)
        assert injector.fate(Operation.FLASH) is None
        write_whole(tmp_path / PLAN, FaultPlan(rate=1.0, limit=1).to_json())
        struck = [injector.fate(Operation.FLASH) for _ in range(3)]
        assert struck[0] is not None
        assert struck[0].kind in DURING_A_FLASH
        assert struck[1:] == [None, None]


@pytest.fixture(scope="module")
def elf() -> bytes:
    image = build(generate(read(small_cnn())), load_board("nrf52840_dk"))
    assert image.elf is not None
    return image.elf.read_bytes()


@pytest.mark.skipif(not toolchain.available(), reason="no ARM toolchain is installed (`hilnas doctor`)")
class TestChip:
    def test_is_hit_in_the_middle_of_an_inference(self, elf: bytes) -> None:
        chip = Chip(load_board("nrf52840_dk"))
        assert chip.flash(elf) is None
        chip.receive(encode(to_frame(WriteInput(0, bytes(128)), 1)))
        self._settled(chip)
        for seed in range(10):
            chip.receive(encode(to_frame(WriteInput(0, bytes(128)), 1)))
            self._settled(chip)
            chip.receive(encode(to_frame(Run(0), 2)))
            chip.run_into_inference(random.Random(seed))
            (done,) = Decoder().feed(self._settled(chip))
            assert isinstance(from_frame(done), Ran)  # it was still under way

    def test_reset_in_the_middle_leaves_a_firmware_that_answers(self, elf: bytes) -> None:
        chip = Chip(load_board("nrf52840_dk"))
        chip.flash(elf)
        for strike in (chip.reset, chip.cut_power):
            chip.receive(encode(to_frame(WriteInput(0, bytes(128)), 1)) + encode(to_frame(Run(0), 2)))
            chip.run_into_inference(random.Random(2))
            strike()
            assert not any(frame.type == Ran.TYPE for frame in Decoder().feed(self._settled(chip)))
            chip.receive(encode(to_frame(Hello(0, 255), 3)))
            assert len(Decoder().feed(self._settled(chip))) == 1

    def _settled(self, chip: Chip) -> bytes:
        said = chip.step()
        while chip.wait_s() is not None:
            said += chip.step()
        return said
