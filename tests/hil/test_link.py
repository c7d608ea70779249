"""The host's end of the line: right results or an error that says why, always within the deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from hil.devices.endpoint import Endpoint, Inference
from hil.errors import (
    BadFrame,
    DeviceFault,
    DeviceRefused,
    DeviceTimeout,
    InputError,
    Outcome,
    PortMissing,
    VersionMismatch,
)
from hil.link import Link
from hil.protocol import (
    PROTOCOL_VERSION,
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
    Run,
    RunWindow,
    StartSensor,
    WriteInput,
    Written,
    encode,
    from_frame,
    to_frame,
)
from tests.support.faulty_line import Clock, FaultyLine, Trouble

SIZE = 150
INFO = Info(
    protocol=PROTOCOL_VERSION,
    instruction_cache=None,
    max_payload=64,
    clock_hz=64_000_000,
    arena_bytes=SIZE,
    input_bytes=SIZE,
    output_bytes=SIZE,
    stack_size=4096,
    operator_count=40,
    model_digest="cd" * 32,
    build_digest=bytes(8),
    unit_id=bytes(8),
    firmware_version="1",
    board="pretend",
)
DATA = bytes(range(SIZE))
CYCLES = tuple(range(100, 140))
FAULT = Fault(6, 0, 1, 2, 3, 12, 0x99, 0x1234, 0, 1 << 16, 0, 0, 0)
LOST = Trouble(lost=(0, 10_000))
FINE = Trouble()


class Reverses:
    """A firmware whose model turns its input round, and counts how often."""

    def __init__(self, info: Info = INFO) -> None:
        self.info = info
        self.runs = 0

    def infer(self, data: bytes) -> Inference:
        self.runs += 1
        return Inference(output=data[::-1], operator_cycles=CYCLES, stack_used=300)


class Pretend:
    """A board: answers as an Endpoint does, and keeps what it was asked.

    Attributes:
        instead: takes a request and its frame; what it returns is sent instead of the Endpoint's answer, None
            leaves it to the Endpoint.
        restart_before: positions in `asked` before which it restarts.
    """

    def __init__(self, instead: Callable[[Message, Frame], bytes | None] | None = None) -> None:
        self.firmware = Reverses()
        self.instead = instead
        self.restart_before: set[int] = set()
        self.asked: list[Message] = []
        self.frames: list[Frame] = []
        self._decoder = Decoder(INFO.max_payload)
        self._endpoint = Endpoint(self.firmware)

    def feed(self, data: bytes) -> bytes:
        return b"".join(self._answer(frame) for frame in self._decoder.feed(data))

    def _answer(self, frame: Frame) -> bytes:
        if len(self.asked) in self.restart_before:
            self._endpoint = Endpoint(self.firmware)
        request = from_frame(frame)
        self.asked.append(request)
        self.frames.append(frame)
        answer = self.instead(request, frame) if self.instead else None
        return self._endpoint.feed(encode(frame)) if answer is None else answer


class Talk:
    """A Link to a Pretend board over a FaultyLine."""

    def __init__(
        self,
        board: Pretend | None = None,
        *,
        there: Iterable[Trouble] = (),
        back: Iterable[Trouble] = (),
        first_sequence: int = 0,
    ) -> None:
        self.clock = Clock()
        self.board = board or Pretend()
        self.line = FaultyLine(self.board.feed, self.clock, there=there, back=back)
        self.link = Link(self.line, "test:pretend", clock=self.clock, first_sequence=first_sequence)

    def kinds(self) -> list[type[Message]]:
        return [type(request) for request in self.board.asked]


def answers(*messages: Message, to: type[Message], version: int = PROTOCOL_VERSION) -> Pretend:
    """A board that answers every request of type `to` with `messages`."""

    def instead(request: Message, frame: Frame) -> bytes | None:
        if not isinstance(request, to):
            return None
        return b"".join(encode(to_frame(message, frame.sequence, version=version)) for message in messages)

    return Pretend(instead)


class TestGoodLine:
    def test_whole_inference(self) -> None:
        talk = Talk()
        assert talk.link.hello() == INFO
        talk.link.write_input(DATA)
        cycles, stack_used = talk.link.run(profile=True)
        assert (cycles, stack_used) == (sum(CYCLES), 300)
        assert talk.link.read_output() == DATA[::-1]
        assert talk.link.read_profile() == CYCLES
        assert talk.link.read_output(100) == DATA[::-1][:100]
        assert talk.link.read_profile(3) == CYCLES[:3]
        assert talk.clock() == 0

    def test_says_hello_by_itself(self) -> None:
        talk = Talk()
        talk.link.write_input(DATA)
        assert talk.kinds()[0] is Hello

    def test_no_frame_is_longer_than_the_firmware_takes(self) -> None:
        talk = Talk()
        talk.link.write_input(DATA)
        talk.link.run(profile=True)
        talk.link.read_output()
        talk.link.read_profile()
        assert max(len(frame.payload) for frame in talk.board.frames) == INFO.max_payload
        asked = talk.board.asked
        assert max(one.count for one in asked if isinstance(one, ReadOutput)) == INFO.max_payload - 4
        assert max(one.count for one in asked if isinstance(one, ReadProfile)) == (INFO.max_payload - 2) // 4

    def test_each_question_has_a_number_of_its_own_and_none_that_of_faults(self) -> None:
        talk = Talk(first_sequence=UNASKED_SEQUENCE - 3)
        talk.link.write_input(DATA)
        numbers = [frame.sequence for frame in talk.board.frames]
        assert numbers == [UNASKED_SEQUENCE - 2, UNASKED_SEQUENCE - 1, 0, 1]

    def test_old_answers_in_the_buffer_are_dropped(self) -> None:
        old = encode(to_frame(replace(INFO, model_digest="00" * 32), 77))
        talk = Talk(first_sequence=500)
        answer = talk.board.feed
        talk.line._answer = lambda data: old + answer(data)
        assert talk.link.hello() == INFO


class TestWindow:
    def test_is_run_on_the_input(self) -> None:
        talk = Talk()
        talk.link.write_input(DATA)
        ran = talk.link.run_window(12, expected_s=1.0, timeout_s=60.0)
        assert ran == RanWindow(12, 12 * sum(CYCLES), 12 * sum(CYCLES), input_restored=1)
        assert talk.link.read_output() == DATA[::-1]

    def test_leaves_the_line_alone_for_as_long_as_it_is_expected_to_last(self) -> None:
        talk = Talk(there=[FINE] * 4, back=[FINE] * 4 + [Trouble(delay_s=29.0)])
        talk.link.write_input(DATA)
        before = len(talk.board.asked)
        talk.link.run_window(3, expected_s=28.0, timeout_s=200.0)
        assert [type(request) for request in talk.board.asked[before:]] == [RunWindow]

    def test_that_was_lost_is_run_again_on_the_input_written_again(self) -> None:
        talk = Talk(there=[FINE] * 4 + [LOST])
        talk.link.write_input(DATA)
        assert talk.link.run_window(3, expected_s=1.0, timeout_s=200.0).inferences == 3
        assert talk.link.read_output() == DATA[::-1]

    def test_needs_a_sensor_for_what_a_sensor_gives(self) -> None:
        for ask in (lambda link: link.start_sensor(StartSensor.INA226, 0x40), Link.read_sensor):
            with pytest.raises(DeviceRefused, match="NO_SENSOR") as caught:
                ask(Talk().link)
            assert "energy.md" in str(caught.value.remedy)


class TestInput:
    def test_of_wrong_size_is_refused_with_both_sizes(self) -> None:
        talk = Talk()
        with pytest.raises(InputError, match=r"149 bytes.* takes 150"):
            talk.link.write_input(DATA[1:])
        assert WriteInput not in talk.kinds()

    def test_missing_is_refused_by_the_firmware(self) -> None:
        talk = Talk()
        with pytest.raises(DeviceRefused, match="NO_INPUT") as caught:
            talk.link.run()
        assert caught.value.code == ErrorCode.NO_INPUT
        assert caught.value.remedy

    def test_is_used_up_by_a_run(self) -> None:
        talk = Talk()
        talk.link.write_input(DATA)
        talk.link.run()
        with pytest.raises(DeviceRefused, match="NO_INPUT"):
            talk.link.run()
        assert talk.board.firmware.runs == 1

    def test_is_written_from_the_start_again_when_the_board_restarts_meanwhile(self) -> None:
        board = Pretend()
        board.restart_before = {3}  # Hello, WriteInput, WriteInput, | WriteInput
        talk = Talk(board)
        talk.link.write_input(DATA)
        talk.link.run()
        assert talk.link.read_output() == DATA[::-1]

    def test_board_that_keeps_forgetting_it_is_told(self) -> None:
        board = Pretend()
        board.restart_before = set(range(3, 100, 2))
        with pytest.raises(DeviceRefused, match="INPUT_GAP"):
            Talk(board).link.write_input(DATA)


class TestSilence:
    def test_ends_with_the_attempts(self) -> None:
        talk = Talk(there=[LOST] * 50)
        with pytest.raises(DeviceTimeout, match="no answer to Hello") as caught:
            talk.link.hello()
        assert caught.value.outcome is Outcome.TRANSIENT
        assert talk.clock() == 8.0  # four attempts of 2 s

    @pytest.mark.parametrize("timeout_s", [0.5, 3.0, 7.0])
    def test_ends_with_the_deadline(self, timeout_s: float) -> None:
        talk = Talk(there=[FINE] * 4 + [LOST] * 500)
        talk.link.write_input(DATA)
        calls = [
            lambda: talk.link.hello(timeout_s=timeout_s),
            lambda: talk.link.run(timeout_s=timeout_s),
            lambda: talk.link.write_input(DATA, timeout_s=timeout_s),
            lambda: talk.link.read_output(timeout_s=timeout_s),
            lambda: talk.link.read_profile(timeout_s=timeout_s),
            lambda: talk.link.reset(timeout_s=timeout_s),
        ]
        for call in calls:
            start_s = talk.clock()
            with pytest.raises(DeviceTimeout):
                call()
            assert talk.clock() - start_s == pytest.approx(timeout_s)

    def test_babble_ends_with_the_deadline_too(self) -> None:
        clock = Clock()

        class Babble:
            def write(self, data: bytes) -> None:
                pass

            def read(self, timeout_s: float) -> bytes:
                clock.now_s += 0.01
                return b"HL no frame "

            def close(self) -> None:
                pass

        with pytest.raises(BadFrame, match="no valid frame") as caught:
            Link(Babble(), "test:babble", clock=clock).hello(timeout_s=5.0)
        assert clock() == pytest.approx(5.0, abs=0.02)
        assert "baud" in (caught.value.remedy or "")

    @pytest.mark.parametrize("way", ["there", "back"])
    def test_lost_frames_are_asked_again(self, way: str) -> None:
        troubles = {way: [LOST, FINE, FINE, FINE, FINE, FINE, FINE] * 5}
        talk = Talk(**troubles)
        talk.link.write_input(DATA)
        talk.link.run(profile=True)
        assert talk.link.read_output() == DATA[::-1]
        assert talk.link.read_profile() == CYCLES

    def test_question_is_heard_behind_half_a_frame(self) -> None:
        talk = Talk()
        talk.line.write(encode(to_frame(WriteInput(0, bytes(50)), 9))[:-20])
        assert talk.link.hello() == INFO

    def test_answer_is_found_behind_half_a_frame(self) -> None:
        half = encode(to_frame(Output(0, bytes(3000)), 9))[:-20]
        talk = Talk()
        answer = talk.board.feed
        talk.line._answer = lambda data: half + answer(data)
        assert talk.link.hello() == INFO
        assert talk.kinds() == [Hello]

    def test_slow_answers_are_taken_although_asked_again(self) -> None:
        # Each answer takes longer than the link waits; the answer to an earlier attempt is as good.
        talk = Talk(back=[Trouble(delay_s=3.0)] * 3)
        assert talk.link.hello() == INFO


class TestRun:
    def test_long_one_is_waited_for(self) -> None:
        talk = Talk(back=[FINE] * 4 + [Trouble(delay_s=25.0)])
        talk.link.write_input(DATA)
        talk.link.run(timeout_s=120.0)
        assert talk.clock() == 25.0
        assert talk.link.read_output() == DATA[::-1]
        assert talk.board.firmware.runs == 1

    def test_lost_answer_is_noticed_soon_and_the_input_written_again(self) -> None:
        talk = Talk(back=[FINE] * 4 + [LOST])
        talk.link.write_input(DATA)
        talk.link.run(timeout_s=120.0)
        assert talk.clock() < 5.0
        assert talk.link.read_output() == DATA[::-1]
        kinds = [kind for kind in talk.kinds() if kind is not Hello]
        assert kinds[:8] == [WriteInput] * 3 + [Run] + [WriteInput] * 3 + [Run]

    def test_lost_question_is_noticed_soon(self) -> None:
        talk = Talk(there=[FINE] * 4 + [LOST])
        talk.link.write_input(DATA)
        talk.link.run(timeout_s=120.0)
        assert talk.clock() < 5.0
        assert talk.board.firmware.runs == 1

    def test_question_that_became_the_beginning_of_a_longer_frame_is_flushed_out(self) -> None:
        longer = Trouble(flipped=((6, 5),))  # a payload of 33 bytes, it says
        talk = Talk(there=[FINE] * 4 + [longer])
        talk.link.write_input(DATA)
        talk.link.run(timeout_s=120.0)
        assert talk.clock() < 10.0
        assert talk.link.read_output() == DATA[::-1]

    def test_board_that_says_nothing_any_more_is_given_up_at_the_deadline_and_not_asked_again(self) -> None:
        talk = Talk(there=[FINE] * 4 + [LOST] * 500)
        talk.link.write_input(DATA)
        with pytest.raises(DeviceTimeout, match="it hangs"):
            talk.link.run(timeout_s=20.0)
        assert talk.clock() == 20.0
        assert talk.kinds().count(WriteInput) == 3

    def test_restart_before_it_is_mended(self) -> None:
        board = Pretend()
        board.restart_before = {4}
        talk = Talk(board)
        talk.link.write_input(DATA)
        talk.link.run()
        assert talk.link.read_output() == DATA[::-1]

    def test_output_lost_by_a_restart_is_told(self) -> None:
        board = Pretend()
        board.restart_before = {5}
        talk = Talk(board)
        talk.link.write_input(DATA)
        talk.link.run()
        with pytest.raises(DeviceRefused, match="NO_OUTPUT") as caught:
            talk.link.read_output()
        assert "restarted" in (caught.value.remedy or "")

    def test_profile_of_a_plain_run_is_refused(self) -> None:
        talk = Talk()
        talk.link.write_input(DATA)
        talk.link.run()
        with pytest.raises(DeviceRefused, match="NO_PROFILE"):
            talk.link.read_profile()


class TestWrongAnswers:
    @pytest.mark.parametrize(
        ("question", "answer"),
        [
            (Hello, Written(0, 0)),
            (WriteInput, Written(1, 60)),
            (WriteInput, Written(0, 59)),
            (WriteInput, Ran(1, 1)),
            (Run, Written(0, 0)),
            (ReadOutput, Output(1, bytes(60))),
            (ReadOutput, Output(0, bytes(59))),
            (ReadProfile, Profile(1, (0,) * 15)),
            (ReadProfile, Profile(0, ())),
        ],
        ids=str,
    )
    def test_are_never_taken(self, question: type[Message], answer: Message) -> None:
        link = Talk(answers(answer, to=question)).link
        with pytest.raises((BadFrame, DeviceTimeout)):
            self._all(link)

    def test_that_cannot_be_read_are_told(self) -> None:
        board = Pretend(lambda request, frame: encode(Frame(Info.TYPE, frame.sequence, b"\x01")))
        with pytest.raises(BadFrame, match=r"cannot be read: Info\.instruction_cache"):
            Talk(board).link.hello()

    def test_error_of_a_newer_firmware_is_shown(self) -> None:
        with pytest.raises(DeviceRefused, match=r"too hot \(code 99\)") as caught:
            Talk(answers(Error(99, "too hot"), to=Hello)).link.hello()
        assert caught.value.code == 99

    @staticmethod
    def _all(link: Link) -> None:
        link.write_input(DATA)
        link.run(profile=True)
        link.read_output()
        link.read_profile()

    def test_errors_of_the_transport_pass_through(self) -> None:
        class Unplugged:
            def write(self, data: bytes) -> None:
                raise PortMissing("the port is gone", device="serial:x")

            def read(self, timeout_s: float) -> bytes:
                return b""

            def close(self) -> None:
                pass

        with pytest.raises(PortMissing):
            Link(Unplugged(), "serial:x").hello()


class TestVersions:
    @pytest.mark.parametrize(
        ("version", "too_old", "remedy"),
        [
            (PROTOCOL_VERSION + 1, "host", "pip install -U hilnas"),
            (PROTOCOL_VERSION - 1, "firmware", "flash"),
        ],
    )
    @pytest.mark.parametrize("answer", [Error(ErrorCode.VERSION, "no"), INFO], ids=["refused", "told"])
    def test_side_that_is_too_old_is_named(
        self, version: int, too_old: str, remedy: str, answer: Message
    ) -> None:
        board = answers(answer, to=Hello, version=version)
        with pytest.raises(VersionMismatch, match=f"the {too_old} is too old") as caught:
            Talk(board).link.hello()
        assert remedy in (caught.value.remedy or "")
        assert caught.value.outcome is Outcome.FATAL

    def test_refusal_without_a_reason_that_the_host_sees(self) -> None:
        with pytest.raises(VersionMismatch, match="only on Sundays"):
            Talk(answers(Error(ErrorCode.VERSION, "only on Sundays"), to=Hello)).link.hello()


class TestFaults:
    def test_during_a_run_is_told_with_registers(self) -> None:
        board = Pretend(
            lambda request, frame: (
                encode(to_frame(FAULT, UNASKED_SEQUENCE)) if isinstance(request, Run) else None
            )
        )
        talk = Talk(board)
        talk.link.write_input(DATA)
        with pytest.raises(DeviceFault, match="undefined instruction at pc 0x00001234") as caught:
            talk.link.run()
        assert caught.value.registers == FAULT.registers
        assert talk.kinds().count(Run) == 1

    def test_in_the_middle_of_an_answer_is_found(self) -> None:
        def instead(request: Message, frame: Frame) -> bytes | None:
            if not isinstance(request, ReadOutput):
                return None
            broken = encode(to_frame(Output(0, bytes(60)), frame.sequence))[:30]
            return broken + encode(to_frame(FAULT, UNASKED_SEQUENCE))

        talk = Talk(Pretend(instead))
        talk.link.write_input(DATA)
        talk.link.run()
        with pytest.raises(DeviceFault):
            talk.link.read_output()

    def test_of_the_past_does_not_keep_a_board_from_answering(self) -> None:
        talk = Talk()
        answer = talk.board.feed
        stale = [encode(to_frame(FAULT, UNASKED_SEQUENCE))]
        talk.line._answer = lambda data: (stale.pop() if stale else b"") + answer(data)
        assert talk.link.hello() == INFO

    def test_at_every_start_is_told(self) -> None:
        board = Pretend(lambda request, frame: encode(to_frame(FAULT, UNASKED_SEQUENCE)))
        with pytest.raises(DeviceFault):
            Talk(board).link.hello()

    def test_report_that_cannot_be_read_is_told(self) -> None:
        board = Pretend(lambda request, frame: encode(Frame(Fault.TYPE, UNASKED_SEQUENCE, b"\x03")))
        with pytest.raises(BadFrame, match=r"Fault\.r0"):
            Talk(board).link.hello()
