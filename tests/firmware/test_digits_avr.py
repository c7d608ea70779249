"""Digits on an emulated Uno and Mega: from a Keras model to the answers of the board."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hil.api import compile_model
from hil.bench import BenchSettings, bench
from hil.devices import open_device
from hil.interpreter import truth
from hil.link import Link
from tests.support import digits
from tests.support.avr import needs_avr_toolchain
from tests.support.tflite_builder import truth as exact

pytestmark = needs_avr_toolchain

IMAGES = 24
NETWORKS = pytest.mark.parametrize(
    ("board_id", "network"),
    [("uno", digits.mlp), ("mega2560", digits.cnn)],
    ids=["mlp on uno", "cnn on mega2560"],
)


@NETWORKS
def test_each_image_gets_the_exact_output(board_id: str, network: Callable[[], bytes]) -> None:
    pytest.importorskip("tflite_micro", reason="the exact truth needs the tflite-micro wheel")
    pytest.importorskip("tensorflow")
    model = network()
    device = open_device(f"emulated:{board_id}")
    program = compile_model(model, board=device.board)
    image = device.build(program)
    measured = bench(image, device, BenchSettings(min_runs=3), truth(program.graph))
    assert measured.check.exact
    assert measured.latency_min_us == measured.latency_max_us  # nothing disturbs an inference
    assert measured.stack_bytes <= image.stack_reserved_bytes

    pixels, labels = digits.images(IMAGES)
    source = program.graph.input_tensor
    link = Link(device.connect(), device.name)
    link.hello()
    right = 0
    for x, label in zip(pixels, labels, strict=True):
        data = np.clip(np.round(x / source.scale) + source.zero_point, -128, 127).astype(np.int8)
        link.write_input(data.tobytes())
        link.run()
        found = np.frombuffer(link.read_output(10), np.int8)
        np.testing.assert_array_equal(found, exact(model, data[np.newaxis]).reshape(-1))
        right += int(found.argmax() == label)
    assert right >= 0.8 * IMAGES
    device.close()
