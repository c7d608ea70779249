"""A firmware that speaks an older protocol: it answers every question with the version that it speaks."""

from __future__ import annotations

from hil.devices.endpoint import Inference
from hil.protocol import PROTOCOL_VERSION, Info


class OldFirmware:
    """A firmware of `hil.devices.endpoint.Endpoint`."""

    info = Info(
        protocol=PROTOCOL_VERSION - 1,
        instruction_cache=None,
        max_payload=1024,
        clock_hz=64_000_000,
        arena_bytes=0,
        input_bytes=0,
        output_bytes=0,
        stack_size=0,
        operator_count=0,
        model_digest="00" * 32,
        build_digest=bytes(8),
        unit_id=b"EMULATED",
        firmware_version="0.0.1",
        board="",
    )

    def infer(self, data: bytes) -> Inference:
        """Never asked for: no host of today shares its protocol."""
        raise NotImplementedError
