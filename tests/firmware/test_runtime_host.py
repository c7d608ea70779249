"""The firmware's command loop, compiled for the host with sanitizers: its answers, and what it survives."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import DeviceError, DeviceFault, DeviceRefused
from hil.link import Link, RunResult
from hil.protocol import (
    MAX_PAYLOAD,
    OVERHEAD_BYTES,
    PROTOCOL_VERSION,
    REPLIES,
    REQUESTS,
    UNASKED_SEQUENCE,
    Decoder,
    Error,
    ErrorCode,
    Fault,
    Frame,
    Hello,
    Info,
    Message,
    Output,
    Profile,
    Ran,
    RanWindow,
    ReadOutput,
    ReadProfile,
    ReadSensor,
    Reset,
    Resetting,
    Run,
    RunWindow,
    StartSensor,
    WriteInput,
    Written,
    encode,
    from_frame,
    to_frame,
)
from tests.firmware.host_protocol import RuntimeProcess, build_runtime
from tests.hil.frame_streams import streams
from tests.hil.golden_frames import golden_frames
from tests.support.faulty_line import Clock, FaultyLine, Trouble

V = PROTOCOL_VERSION
SIZE = 200  # TINY_BYTES of host_protocol/tiny_model.c
SMALL = 64
DATA = bytes((7 * k + 3) % 120 for k in range(SIZE))
FAULTS = bytes([0x7F]) + DATA[1:]
CYCLES = 3000
STACK = 301

Ask = Callable[..., Message]


def plus_one(data: bytes) -> bytes:
    """What the tiny model computes."""
    return bytes((byte + 1) % 256 for byte in data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runtime")


@pytest.fixture(scope="module")
def program(folder: Path) -> Path:
    """As built for a board."""
    return build_runtime(folder)


@pytest.fixture(scope="module")
def small_program(folder: Path) -> Path:
    """As built for a board with little RAM: the input takes several frames, the profile has no room."""
    return build_runtime(folder, HIL_MAX_PAYLOAD=SMALL, HIL_PROFILE_MAX=1)


@pytest.fixture
def process(program: Path) -> Iterator[RuntimeProcess]:
    with RuntimeProcess(program) as process:
        yield process


def asking(process: RuntimeProcess) -> Ask:
    """A function that sends one request and returns the only answer."""

    def ask(request: Message, *, sequence: int = 5, version: int = V) -> Message:
        (frame,) = Decoder().feed(process.feed(encode(to_frame(request, sequence, version=version))))
        assert frame.sequence == sequence
        return from_frame(frame)

    return ask


@pytest.fixture
def ask(process: RuntimeProcess) -> Ask:
    return asking(process)


def code(message: Message) -> int:
    """The code of an ERROR."""
    assert isinstance(message, Error)
    assert message.text
    return message.code


class TestHello:
    def test_is_answered_with_the_golden_info(self, process: RuntimeProcess) -> None:
        goldens = {type(golden.message): golden.frame for golden in golden_frames()}
        assert process.feed(goldens[Hello]) == goldens[Info]

    def test_ranges_that_hold_the_version(self, ask: Ask) -> None:
        for oldest, newest in ((V, V), (0, V), (V, 255)):
            assert isinstance(ask(Hello(oldest, newest)), Info)

    def test_ranges_that_do_not(self, ask: Ask) -> None:
        for oldest, newest in ((V + 1, V + 2), (0, V - 1), (V + 1, V)):
            assert code(ask(Hello(oldest, newest))) == ErrorCode.VERSION

    def test_of_a_later_version_is_understood(self, process: RuntimeProcess) -> None:
        (frame,) = Decoder().feed(
            process.feed(encode(Frame(Hello.TYPE, 5, bytes([V, V + 8]) + b"more", version=V + 8)))
        )
        assert isinstance(from_frame(frame), Info)
        assert frame.version == V

    def test_info_may_be_longer_than_what_is_taken(self, small_program: Path) -> None:
        with RuntimeProcess(small_program) as process:
            info = asking(process)(Hello(V, V))
        assert isinstance(info, Info)
        assert info.max_payload == SMALL


class TestInference:
    def test_whole(self, ask: Ask) -> None:
        assert ask(WriteInput(0, DATA)) == Written(0, SIZE)
        assert ask(Run(Run.PROFILE)) == Ran(CYCLES, STACK)
        assert ask(ReadOutput(0, SIZE)) == Output(0, plus_one(DATA))
        assert ask(ReadOutput(150, 50)) == Output(150, plus_one(DATA)[150:])
        assert ask(ReadProfile(0, 2)) == Profile(0, (1000, 2000))
        assert ask(ReadProfile(1, 1)) == Profile(1, (2000,))

    def test_cycles_without_profile(self, ask: Ask) -> None:
        ask(WriteInput(0, DATA))
        assert ask(Run(0)) == Ran(CYCLES, STACK)
        assert code(ask(ReadProfile(0, 2))) == ErrorCode.NO_PROFILE

    def test_run_uses_the_input_up(self, ask: Ask) -> None:
        assert code(ask(Run(0))) == ErrorCode.NO_INPUT
        ask(WriteInput(0, DATA))
        ask(Run(0))
        assert code(ask(Run(0))) == ErrorCode.NO_INPUT
        assert ask(ReadOutput(0, SIZE)) == Output(0, plus_one(DATA))

    def test_input_in_pieces_some_of_them_twice(self, ask: Ask) -> None:
        for start, end in ((0, 60), (60, 120), (60, 120), (100, SIZE), (100, SIZE)):
            assert ask(WriteInput(start, DATA[start:end])) == Written(start, end - start)
        assert isinstance(ask(Run(0)), Ran)
        assert ask(ReadOutput(0, SIZE)) == Output(0, plus_one(DATA))

    def test_repeated_piece_takes_back_what_followed(self, ask: Ask) -> None:
        ask(WriteInput(0, DATA))
        ask(WriteInput(0, DATA[:60]))
        assert code(ask(Run(0))) == ErrorCode.NO_INPUT

    def test_gap_is_refused(self, ask: Ask) -> None:
        assert code(ask(WriteInput(1, DATA[1:]))) == ErrorCode.INPUT_GAP
        ask(WriteInput(0, DATA[:50]))
        assert code(ask(WriteInput(51, DATA[51:]))) == ErrorCode.INPUT_GAP

    def test_output_is_gone_with_the_next_input(self, ask: Ask) -> None:
        assert code(ask(ReadOutput(0, 1))) == ErrorCode.NO_OUTPUT
        ask(WriteInput(0, DATA))
        ask(Run(0))
        ask(WriteInput(0, DATA[:1]))
        assert code(ask(ReadOutput(0, 1))) == ErrorCode.NO_OUTPUT

    @pytest.mark.parametrize(
        "request_",
        [
            WriteInput(0, DATA + b"x"),
            WriteInput(SIZE, b"x"),
            WriteInput(0xFFFF_FFFF, b"xx"),
            ReadOutput(0, SIZE + 1),
            ReadOutput(SIZE + 1, 0),
            ReadOutput(0xFFFF_FFFF, 1),
            ReadProfile(0, 3),
            ReadProfile(3, 0),
            ReadProfile(0xFFFF, 0xFFFF),
            Run(2),
        ],
        ids=str,
    )
    def test_beyond_the_end_is_refused(self, ask: Ask, request_: Message) -> None:
        ask(WriteInput(0, DATA))
        ask(Run(Run.PROFILE))
        assert code(ask(request_)) == ErrorCode.BAD_PAYLOAD

    def test_more_than_a_frame_takes_is_refused(self, small_program: Path) -> None:
        with RuntimeProcess(small_program) as process:
            ask = asking(process)
            for start in range(0, SIZE, 50):
                ask(WriteInput(start, DATA[start : start + 50]))
            ask(Run(0))
            assert ask(ReadOutput(0, SMALL - 4)) == Output(0, plus_one(DATA)[: SMALL - 4])
            assert code(ask(ReadOutput(0, SMALL - 3))) == ErrorCode.BAD_PAYLOAD

    def test_profile_without_room_is_refused_and_costs_nothing(self, small_program: Path) -> None:
        with RuntimeProcess(small_program) as process:
            ask = asking(process)
            for start in range(0, SIZE, 50):
                ask(WriteInput(start, DATA[start : start + 50]))
            assert code(ask(Run(Run.PROFILE))) == ErrorCode.NO_PROFILE
            assert ask(Run(0)) == Ran(CYCLES, STACK)


class TestWindow:
    def test_counts_all_inferences_and_leaves_the_output_of_the_last(self, ask: Ask) -> None:
        ask(WriteInput(0, DATA))
        assert ask(RunWindow(3)) == RanWindow(3, 3 * CYCLES, 3 * CYCLES, input_restored=0)
        # The port of this test has no RAM to spare, and the model works in place: each adds one.
        assert ask(ReadOutput(0, SIZE)) == Output(0, plus_one(plus_one(plus_one(DATA))))

    def test_with_room_for_a_copy_each_inference_has_the_input(self, folder: Path) -> None:
        with RuntimeProcess(build_runtime(folder, HOST_SPARE_BYTES=SIZE)) as process:
            ask = asking(process)
            ask(WriteInput(0, DATA))
            assert ask(RunWindow(3)) == RanWindow(3, 3 * CYCLES, 3 * CYCLES, input_restored=1)
            assert ask(ReadOutput(0, SIZE)) == Output(0, plus_one(DATA))

    def test_of_one_needs_no_copy(self, ask: Ask) -> None:
        ask(WriteInput(0, DATA))
        assert ask(RunWindow(1)) == RanWindow(1, CYCLES, CYCLES, input_restored=1)

    def test_may_be_longer_than_the_counter(self, folder: Path) -> None:
        cycles = 3_000_000_000
        with RuntimeProcess(build_runtime(folder, TINY_CYCLES=cycles // 3)) as process:
            ask = asking(process)
            ask(WriteInput(0, DATA))
            assert ask(RunWindow(5)) == RanWindow(5, 5 * cycles, 5 * cycles, input_restored=0)

    def test_uses_the_input_up_and_is_not_profiled(self, ask: Ask) -> None:
        assert code(ask(RunWindow(2))) == ErrorCode.NO_INPUT
        ask(WriteInput(0, DATA))
        ask(RunWindow(2))
        assert code(ask(RunWindow(2))) == ErrorCode.NO_INPUT
        assert code(ask(ReadProfile(0, 1))) == ErrorCode.NO_PROFILE

    def test_of_nothing_is_refused(self, ask: Ask) -> None:
        ask(WriteInput(0, DATA))
        assert code(ask(RunWindow(0))) == ErrorCode.BAD_PAYLOAD

    def test_sensor_is_refused_where_the_build_has_no_driver(self, ask: Ask) -> None:
        assert code(ask(StartSensor(StartSensor.INA226, 0x40))) == ErrorCode.NO_SENSOR
        assert code(ask(ReadSensor())) == ErrorCode.NO_SENSOR


class TestOtherRequests:
    @pytest.mark.parametrize("request_", REQUESTS, ids=lambda message: message.__name__)
    def test_wrong_length_is_refused(self, process: RuntimeProcess, request_: type[Message]) -> None:
        payload = b"\x00" if request_ in (Reset, ReadSensor) else b""
        (frame,) = Decoder().feed(process.feed(encode(Frame(request_.TYPE, 1, payload))))
        assert code(from_frame(frame)) == ErrorCode.BAD_PAYLOAD

    @pytest.mark.parametrize("kind", [0x00, 0x0A, 0x7F, *(message.TYPE for message in REPLIES)])
    def test_unknown_type_is_refused(self, process: RuntimeProcess, kind: int) -> None:
        (frame,) = Decoder().feed(process.feed(encode(Frame(kind, 1, b""))))
        assert code(from_frame(frame)) == ErrorCode.UNKNOWN_TYPE

    def test_other_version_is_refused(self, ask: Ask) -> None:
        assert code(ask(Run(0), version=V + 1)) == ErrorCode.VERSION

    def test_reset_forgets_everything(self, ask: Ask) -> None:
        ask(WriteInput(0, DATA))
        assert ask(Reset()) == Resetting()
        assert code(ask(Run(0))) == ErrorCode.NO_INPUT

    def test_fault_is_reported_and_then_the_firmware_starts_again(self, process: RuntimeProcess) -> None:
        ask = asking(process)
        ask(WriteInput(0, FAULTS))
        for request in (Run(0), Hello(V, V)):
            (frame,) = Decoder().feed(process.feed(encode(to_frame(request, 8))))
            fault = from_frame(frame)
            assert isinstance(fault, Fault)
            assert (frame.sequence, fault.kind, fault.pc, fault.cfsr) == (
                UNASKED_SEQUENCE,
                6,
                0x4242,
                1 << 25,
            )
        assert isinstance(ask(Hello(V, V)), Info)
        assert code(ask(ReadOutput(0, 1))) == ErrorCode.NO_OUTPUT


EDGES = st.sampled_from([0, 1, 2, 3, 49, 50, 60, 150, SIZE - 1, SIZE, SIZE + 1, 0xFFFF])
FAR = st.one_of(EDGES, st.sampled_from([0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]))


def written(data: bytes) -> list[Message]:
    """A whole input, in pieces that the small firmware takes."""
    return [WriteInput(start, data[start : start + 50]) for start in range(0, SIZE, 50)]


def moves() -> st.SearchStrategy[bytes]:
    """What a host may do next, mostly nearly right, so that all states are reached and all edges touched."""
    sizes = st.sampled_from([0, 1, 2, 49, 50, 51, 60])
    writes = st.builds(lambda start, size: [WriteInput(start, b"\x7e" * size)], FAR, sizes)
    reads = st.builds(lambda start, size: [ReadOutput(start, size)], FAR, EDGES)
    profiles = st.builds(lambda first, count: [ReadProfile(first, count)], EDGES, EDGES)
    others = st.sampled_from([[Run(0)], [Run(1)], [Run(255)], [Reset()], [Hello(V, V)], written(FAULTS)])
    whole = st.sampled_from([written(DATA), [*written(DATA), Run(1)]])
    good = st.one_of(writes, reads, profiles, others, whole, whole).map(
        lambda messages: b"".join(encode(to_frame(message, 4)) for message in messages)
    )
    return st.one_of(good, good, good, good, streams(max_payload=SMALL + 4))


@pytest.fixture(scope="module")
def exact_program(folder: Path) -> Path:
    """With just the room that the model needs, so that one step beyond it is seen."""
    return build_runtime(folder, HIL_MAX_PAYLOAD=SMALL, HIL_PROFILE_MAX=2)


@settings(max_examples=60, deadline=None)
@given(sent=st.lists(moves(), min_size=15, max_size=40))
def test_nothing_breaks_it(exact_program: Path, sent: list[bytes]) -> None:
    """A sanitizer's finding ends the process, which RuntimeProcess tells."""
    with RuntimeProcess(exact_program) as process:
        decoder = Decoder()
        for data in sent:
            for frame in decoder.feed(process.feed(data)):
                assert isinstance(from_frame(frame), REPLIES)
        # Twice: the first may find the fault handler waiting, which restarts the firmware.
        for _ in range(2):
            process.feed(bytes(SMALL + OVERHEAD_BYTES))
        (frame,) = Decoder().feed(process.feed(encode(to_frame(Hello(V, V), 77))))
        assert isinstance(from_frame(frame), Info)
    assert decoder.skipped_bytes == 0
    assert decoder.pending_bytes == 0


@settings(max_examples=15, deadline=None)
@given(kind=st.integers(0, 255), payload=st.binary(max_size=SMALL), version=st.integers(0, V + 1))
def test_every_frame_gets_one_answer(small_program: Path, kind: int, payload: bytes, version: int) -> None:
    with RuntimeProcess(small_program) as process:
        answers = Decoder().feed(process.feed(encode(Frame(kind, 3, payload, version))))
    assert [answer.sequence for answer in answers] == [3]


def infer(link: Link, data: bytes) -> tuple[RunResult, bytes, tuple[int, ...]]:
    """One whole inference."""
    link.write_input(data)
    ran = link.run(profile=True)
    return ran, link.read_output(), link.read_profile()


EXPECTED = RunResult(CYCLES, STACK), plus_one(DATA), (1000, 2000)


class TestLink:
    def test_over_a_good_line(self, process: RuntimeProcess) -> None:
        clock = Clock()
        link = Link(FaultyLine(process.feed, clock), "host", clock=clock)
        info = link.hello()
        assert (info.board, info.input_bytes, info.unit_id) == ("host", SIZE, b"HOSTTEST")
        for _ in range(3):
            assert infer(link, DATA) == EXPECTED
        assert clock() == 0

    def test_in_small_pieces(self, small_program: Path) -> None:
        with RuntimeProcess(small_program) as process:
            clock = Clock()
            link = Link(FaultyLine(process.feed, clock), "host", clock=clock)
            link.write_input(DATA)
            with pytest.raises(DeviceRefused, match="HIL_PROFILE_MAX = 1"):
                link.run(profile=True)
            link.write_input(DATA)
            assert link.run() == RunResult(CYCLES, STACK)
            assert link.read_output() == plus_one(DATA)
            assert link.read_output(70) == plus_one(DATA)[:70]

    def test_fault_and_after(self, process: RuntimeProcess) -> None:
        clock = Clock()
        link = Link(FaultyLine(process.feed, clock), "host", clock=clock)
        link.write_input(FAULTS)
        with pytest.raises(DeviceFault, match="usage fault: division by zero at pc 0x00004242") as caught:
            link.run()
        assert caught.value.registers["lr"] == 0x1235
        assert link.hello().board == "host"
        assert infer(link, DATA) == EXPECTED

    def test_reset(self, process: RuntimeProcess) -> None:
        clock = Clock()
        link = Link(FaultyLine(process.feed, clock), "host", clock=clock)
        link.write_input(DATA)
        link.reset()
        with pytest.raises(DeviceRefused) as caught:
            link.run()
        assert caught.value.code == ErrorCode.NO_INPUT

    def test_behind_half_a_frame(self, process: RuntimeProcess) -> None:
        clock = Clock()
        line = FaultyLine(process.feed, clock)
        line.write(struct.pack("<2sBBHH", b"HL", 1, WriteInput.TYPE, 0, 1000))
        assert infer(Link(line, "host", clock=clock), DATA) == EXPECTED


def troubles() -> st.SearchStrategy[Trouble]:
    """What may happen to one piece on its way."""
    position = st.integers(0, 2000)
    return st.one_of(
        st.just(Trouble()),
        st.builds(Trouble, lost=st.tuples(position, st.sampled_from([1, 2, 20, MAX_PAYLOAD]))),
        st.just(Trouble(lost=(0, 2 * MAX_PAYLOAD))),
        st.builds(
            Trouble,
            flipped=st.lists(st.tuples(position, st.integers(0, 7)), min_size=1, max_size=3).map(tuple),
        ),
        st.builds(Trouble, doubled=st.just(True)),
        st.builds(Trouble, delay_s=st.sampled_from([0.5, 1.9, 2.0, 2.1, 5.0, 40.0]), doubled=st.booleans()),
    )


@settings(max_examples=60, deadline=None)
@given(there=st.lists(troubles(), max_size=16), back=st.lists(troubles(), max_size=16))
def test_bad_line_gives_right_results_or_an_error(
    small_program: Path, there: list[Trouble], back: list[Trouble]
) -> None:
    with RuntimeProcess(small_program) as process:
        clock = Clock()
        line = FaultyLine(process.feed, clock, there=there, back=back)
        link = Link(line, "host", clock=clock)
        for shift in range(3):
            data = bytes((byte + shift) % 127 for byte in DATA)
            try:
                link.hello()
                link.write_input(data)
                ran = link.run()
                output = link.read_output()
            except DeviceError:
                continue
            assert ran == RunResult(CYCLES, STACK)
            assert output == plus_one(data)
        # Once the line is good again, so is the conversation, be it with the same link or a new one.
        for again in (link, Link(line, "host", clock=clock)):
            line.heal()
            again.hello()
            again.write_input(DATA)
            assert again.run() == RunResult(CYCLES, STACK)
            assert again.read_output() == plus_one(DATA)
