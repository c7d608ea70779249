"""From a Graph to C: which kernels are chosen, what they are called with, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hil.codegen import Call, generate, lower
from hil.codegen.fuse_pad import fuse_pad
from hil.codegen.literals import array_definition
from hil.codegen.registry import VARIANTS
from hil.codegen.stage import channel_pairs
from hil.errors import UnsupportedOperator
from hil.graph import Graph, read
from hil.graph.types import Operator, Options, Pad, Quantization, Tensor
from hil.memory import Overlap
from hil.resources import firmware_dir
from tests.support.network_cases import fixed_networks
from tests.support.operator_cases import fixed_cases
from tests.support.operator_models import Case, Scale, conv2d, depthwise_conv2d
from tests.support.tflite_builder import Builder

X = Scale(0.05, 3)


def graph_of(case: Case) -> Graph:
    return read(case.model)


def only_call(case: Case) -> Call:
    (call,) = lower(graph_of(case))
    return call


def conv_case(kernel: tuple[int, int], stride: int, padding: str) -> Case:
    return conv2d(1, (8, 8), (4, 6), kernel, (stride, stride), (1, 1), padding, "RELU", X, -128)


def test_every_kind_of_operator_has_a_generic_variant() -> None:
    kinds = set(Options.__args__)
    assert set(VARIANTS) == kinds
    assert all(variants for variants in VARIANTS.values())


def test_every_variant_has_a_kernel_file_of_its_name() -> None:
    kernels = firmware_dir() / "lib" / "kernels"
    functions = {variant.function for variants in VARIANTS.values() for variant in variants} - {""}
    assert all((kernels / f"{function}.c").is_file() for function in functions)


def test_pointwise_convolution_needs_no_scratch() -> None:
    call = only_call(conv_case((1, 1), 2, "SAME"))
    assert call.variant == "conv2d_s8/1x1"
    assert call.needs.scratch_bytes == 0


def test_convolution_asks_for_two_patches() -> None:
    call = only_call(conv_case((3, 3), 1, "SAME"))
    assert call.variant == "conv2d_s8/generic"
    assert call.needs.scratch_bytes == 2 * 3 * 3 * 4


@pytest.mark.parametrize(("padding", "scratch"), [("SAME", 3 * 3 * 5), ("VALID", 0)])
def test_depthwise_convolution_asks_for_a_patch_where_padding_is(padding: str, scratch: int) -> None:
    case = depthwise_conv2d(1, (8, 8), 5, 1, (3, 3), (1, 1), (1, 1), padding, "NONE", X, 0)
    assert only_call(case).needs.scratch_bytes == scratch


def test_needs_follow_the_calls() -> None:
    calls = lower(graph_of(fixed_networks()[0]))
    shares = [call.needs.overlap for call in calls if not call.function]
    assert all(overlap == Overlap(0) for overlap in shares), "RESHAPE shares its input's bytes"


def test_in_place_operand_is_as_large_as_the_output() -> None:
    """In a broadcast sum only the full operand may be overwritten, and never a constant."""
    for case in fixed_cases():
        graph = graph_of(case)
        for call in lower(graph):
            overlap = call.needs.overlap
            if overlap is not None:
                operator = graph.operators[call.operator]
                source = graph.tensors[operator.inputs[overlap.input]]
                assert not source.is_constant
                assert source.elements == graph.tensors[operator.output].elements


def test_weight_bytes_count_every_constant() -> None:
    call = only_call(conv_case((3, 3), 1, "SAME"))
    weights, bias, multipliers, shifts = 6 * 3 * 3 * 4, 6 * 4, 6 * 4, 6
    assert call.weight_bytes == weights + bias + multipliers + shifts


@pytest.mark.parametrize(
    ("rows", "packed"),
    [(["abc"], "abc"), (["abc", "012"], "a0b1c2"), (["abc", "012", "xyz"], "a0b1c2xyz")],
)
def test_weights_come_in_pairs_of_channels(rows: list[str], packed: str) -> None:
    weights = np.array([[ord(letter) for letter in row] for row in rows], dtype=np.int8)
    assert "".join(map(chr, channel_pairs(weights))) == packed


def test_generated_text_is_the_same_every_time() -> None:
    case = fixed_networks()[0]
    assert generate(graph_of(case)).sources == generate(graph_of(case)).sources


def test_program_tells_variants_weights_and_digest() -> None:
    graph = graph_of(fixed_networks()[0])
    program = generate(graph)
    calls = lower(fuse_pad(graph))
    assert program.variants == tuple(call.variant for call in calls)
    constants = [constant.data for call in calls for constant in call.constants]
    distinct = {(data.dtype.str, data.tobytes()): data.nbytes for data in constants}
    assert program.weight_bytes == sum(distinct.values())
    assert program.digest == graph.digest
    text = program.sources["model.c"]
    assert ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(graph.digest)) in text


def test_model_has_one_case_and_one_call_per_operator() -> None:
    graph = graph_of(fixed_networks()[1])
    body = generate(graph).sources["model.c"].split("void hil_model_run_operator", 1)[1]
    cases = re.findall(r"case (\d+): /\*.*?\*/\n(.*?)      break;", body, flags=re.DOTALL)
    assert [int(index) for index, _ in cases] == [operator.index for operator in graph.operators]
    for (_, code), call in zip(cases, lower(graph), strict=True):
        assert code.count(";") == (1 if call.function else 0)
        assert code.strip().startswith(call.function)


def test_equal_constants_are_stored_once() -> None:
    graph = graph_of(conv_case((3, 3), 1, "SAME"))
    only = graph.operators[0]
    output = replace(graph.output_tensor, index=len(graph.tensors))
    twice = replace(
        graph,
        tensors=(*graph.tensors, output),
        operators=(only, replace(only, index=1, output=output.index)),
        output=output.index,
    )
    once, program = generate(graph), generate(twice)
    assert program.weight_bytes == once.weight_bytes
    text = program.sources["model.c"]
    assert text.count("] HIL_WEIGHTS") == once.sources["model.c"].count("] HIL_WEIGHTS")
    assert text.count(".weights = op0_weights,") == 1
    assert text.count("&op0, ") == 2
    assert "op1_weights" not in text


def test_layer_name_cannot_leave_its_comment() -> None:
    graph = graph_of(conv_case((3, 3), 1, "SAME"))
    hostile = '*/ #error "\\\n\xe9 ??/'
    operators = (replace(graph.operators[0], layer=hostile),)
    text = generate(replace(graph, operators=operators)).sources["model.c"]
    assert "#error" not in text
    assert text.isascii()
    assert text.count("/*") == text.count("*/")


@pytest.mark.parametrize("dtype", [np.int8, np.int32])
def test_numbers_are_written_as_they_are(dtype: type[np.signedinteger]) -> None:
    limits = np.iinfo(dtype)
    data = np.random.default_rng(1).integers(limits.min, limits.max, 1000, dtype=dtype, endpoint=True)
    data[:2] = limits.min, limits.max
    text = array_definition("op0_weights", data.reshape(10, 100))
    written = re.search(r"\{(.*)\}", text, flags=re.DOTALL)
    assert written is not None
    np.testing.assert_array_equal(np.array(eval(f"[{written[1]}]")), data)
    assert f"{np.dtype(dtype).name}_t op0_weights[1000]" in text
    assert max(map(len, text.splitlines())) <= 130


def test_form_that_no_kernel_takes_is_refused_by_name() -> None:
    graph = graph_of(fixed_cases()[0])
    scale = Quantization((0.1,), (0,))
    tensors = tuple(Tensor(i, f"t{i}", (2,) * 5, "int8", scale) for i in range(2))
    pad = Operator(0, "PAD", "border", (0,), 1, Pad(((0, 0),) * 5, 0))
    with pytest.raises(UnsupportedOperator, match=r"PAD .*border.*\(2, 2, 2, 2, 2\)"):
        lower(replace(graph, tensors=tensors, operators=(pad,), input=0, output=1))


def test_scales_without_room_for_their_factor_are_refused() -> None:
    b = Builder()
    x = b.input((1, 4), scale=1000.0)
    y = b.add(x, x, out_scale=1e-4, out_zero_point=0, name="wild")
    with pytest.raises(UnsupportedOperator, match=r"ADD .*factor"):
        lower(read(b.finish(y)))


@pytest.mark.parametrize(("scale", "fits"), [(2.0**-27, False), (2.0**-26, False), (2.0**-25, True)])
def test_softmax_of_all_but_equal_values_is_refused_where_tflm_would_abort(scale: float, fits: bool) -> None:
    b = Builder()
    logits = b.quantize(b.input((1, 4), scale=0.1), out_scale=scale, out_zero_point=0)
    graph = read(b.finish(b.softmax(logits)))
    if fits:
        lower(graph)
    else:
        with pytest.raises(UnsupportedOperator, match=r"SOFTMAX .*factor"):
            lower(graph)


@pytest.mark.parametrize(("exponent", "fits"), [(-19, False), (-18, True)])
def test_add_to_a_small_scale_is_refused_where_tflm_would_abort(exponent: int, fits: bool) -> None:
    b = Builder()
    x = b.input((1, 4), scale=0.5)
    graph = read(b.finish(b.add(x, x, out_scale=0.5 * 2.0**exponent, out_zero_point=0)))
    if fits:
        lower(graph)
    else:
        with pytest.raises(UnsupportedOperator, match=r"ADD .*factor"):
            lower(graph)
