"""`simulated:BOARD`: no toolchain, no board.  An analytic model of its time answers in milliseconds.

Cycles come from hil.analytic and the profile's coefficients, the arena from the planner, code, static data
and stack from the profile.  The outputs are real: the interpreter that is the reference for all devices
computes them (so comparing them with it shows nothing).  All of it goes through the same frames as with any
other device.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from hil import interpreter
from hil.analytic import model_cycles
from hil.board import Board
from hil.device import Transport
from hil.devices.endpoint import Endpoint, EndpointTransport, Inference
from hil.errors import DeviceError
from hil.firmware.images import BUILD_DIGEST_BYTES
from hil.fit import arena_peak, check_fit
from hil.image import Image
from hil.measurement import Provenance
from hil.program import Program
from hil.protocol import MAX_PAYLOAD, PROTOCOL_VERSION, Info

FIRMWARE_VERSION = "simulated"
_UNIT_ID = b"SIMULATE"


class SimulatedFirmware:
    """A Firmware whose time is computed and whose output comes from an interpreter on the host."""

    def __init__(self, board: Board, program: Program, build_digest: bytes) -> None:
        self._board = board
        self._build_digest = build_digest
        self._program = program
        self._cycles = model_cycles(board, program)
        # The exact kernels where they are installed: a board computes what they do, not what fast ones do.
        self._reference = interpreter.truth(program.graph)
        self._known: dict[bytes, bytes] = {}

    @property
    def info(self) -> Info:
        """Who it is."""
        board, graph = self._board, self._program.graph
        return Info(
            protocol=PROTOCOL_VERSION,
            instruction_cache=board.instruction_cache.enabled if board.instruction_cache else None,
            max_payload=MAX_PAYLOAD,
            clock_hz=board.core.clock_hz,
            arena_bytes=self._program.plan.arena_bytes,
            input_bytes=graph.input_tensor.size_bytes,
            output_bytes=graph.output_tensor.size_bytes,
            stack_size=board.build.stack_bytes,
            operator_count=len(graph.operators),
            model_digest=self._program.digest,
            build_digest=self._build_digest,
            unit_id=_UNIT_ID,
            firmware_version=FIRMWARE_VERSION,
            board=board.id,
        )

    def infer(self, data: bytes) -> Inference:
        """Run the model on `data`.  The last output is kept: a bench asks for the same one repeatedly."""
        if data not in self._known:
            self._known = {data: self._reference.run(data)}
        return Inference(self._known[data], self._cycles, self._board.simulator.stack_bytes)


@dataclass
class SimulatedDevice:
    """See the module.  `name` is what the user typed, e.g. "simulated:nrf52840_dk"."""

    name: str
    board: Board
    provenance: Provenance = field(default=Provenance.SIMULATED, init=False)
    _firmware: SimulatedFirmware | None = field(default=None, init=False, repr=False)

    def build(self, program: Program) -> Image:
        """Estimate the image; nothing is compiled.

        Raises:
            DoesNotFit: as for any other device of this board.
        """
        simulator = self.board.simulator
        check_fit(
            self.board,
            arena_bytes=program.plan.arena_bytes,
            static_bytes=simulator.static_bytes,
            stack_bytes=self.board.build.stack_bytes,
            code_bytes=simulator.code_bytes,
            weight_bytes=program.weight_bytes,
            peak=arena_peak(program),
        )
        digest = _digest(program, self.board)
        return Image(
            program=program,
            board_id=self.board.id,
            digest=digest,
            build_digest=bytes.fromhex(digest)[:BUILD_DIGEST_BYTES],
            elf=None,
            code_bytes=simulator.code_bytes,
            weight_bytes=program.weight_bytes,
            static_bytes=simulator.static_bytes,
            arena_bytes=program.plan.arena_bytes,
            stack_reserved_bytes=self.board.build.stack_bytes,
        )

    def flash(self, image: Image, *, timeout_s: float) -> None:
        """Take the image; at once, so `timeout_s` is never reached.

        Raises:
            DeviceError: the image is of another board.
            BadModel: the model's file is not in the graph, so nothing could compute outputs.
        """
        if image.board_id != self.board.id:
            raise DeviceError(
                f"the image was built for '{image.board_id}', this is a '{self.board.id}'", device=self.name
            )
        self._firmware = SimulatedFirmware(self.board, image.program, image.build_digest)

    def connect(self) -> Transport:
        """The way to the firmware that was flashed last.

        Raises:
            DeviceError: nothing was flashed.
        """
        if self._firmware is None:
            raise DeviceError("nothing was flashed yet", device=self.name)
        return EndpointTransport(Endpoint(self._firmware))

    def instructions(self) -> int | None:
        """None: an analytic model executes nothing."""
        return None

    def close(self) -> None:
        """Forget the image."""
        self._firmware = None


def _digest(program: Program, board: Board) -> str:
    """SHA-256 over all that decides what a simulated board answers: model, plan and profile."""
    plan = program.plan
    parts = [
        program.digest,
        plan.arena_bytes,
        sorted(plan.offsets.items()),
        sorted(plan.scratch.items()),
        program.weight_bytes,
        board.digest,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
