"""Convolutions in 8 bits: a third of the time of f32 with VNNI, half of it with AVX2 alone, three fifths of bf16's.

The weights of each output channel are scaled to integers -127..127 by their largest value, as a file that holds
bytes has them already. Inputs are scaled to
0..255, for which their largest value must be known beforehand: `tinct.networks.tinct.training.ranges` measures that
value on training photographs, and the manifest keeps it beside the file (Jacob et al., Quantization and Training of
Neural Networks for Efficient Integer-Arithmetic-Only Inference, CVPR 2018). The file itself stays as it is. Only
convolutions behind a rectifier are computed in 8 bits, as non-negative activations lose least precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tinct.inference.interface import BYTES, HALF

if TYPE_CHECKING:
    from openvino import Model, Node

Ranges = Mapping[str, float]
"""The largest input of convolutions, by the names of their weights."""

AVX2 = frozenset(("AVX2", "X86_V3"))
"""Names of the instructions, as NumPy up to 2.3 and from 2.4 on has them."""

_INPUT_LEVELS, _WEIGHT_LEVELS = 256, 255


@cache
def multiplies_bytes() -> bool:
    """True if the engine multiplies bytes faster than it does anything else: on processors with AVX2.

    Those without VNNI add two products in 16 bits; the engine halves weights there, so that no sum overflows.
    """
    known = np.show_config(mode="dicts")["SIMD Extensions"]  # type: ignore[index]
    return not AVX2.isdisjoint((*known.get("baseline", []), *known.get("found", [])))


def convolutions(model: Model) -> Iterator[tuple[str, Node]]:
    """The convolutions of a model that have trained weights, each with the name of its weights."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Convolution":
            name = _constant(node).get_friendly_name().removesuffix(HALF).removesuffix(BYTES)
            if name.endswith(".weight"):
                yield name, node


def to_eight_bits(model: Model, ranges: Ranges) -> None:
    """Change a model in place, so that the engine computes in 8 bits the convolutions whose largest input is known.

    All consumers of such an input receive the rounded values, so that the input passes through memory once, as bytes.
    """
    rounded: set[str] = set()
    for name, node in list(convolutions(model)):
        if name not in ranges:
            continue
        source = node.input_value(0)
        if (key := source.get_node().get_friendly_name()) not in rounded:
            rounded.add(key)
            readers = list(source.get_target_inputs())
            whole = _rounded(source, 0.0, ranges[name], _INPUT_LEVELS)
            for reader in readers:
                reader.replace_source_output(whole.output(0))
        largest = np.abs(_weights(node)).max(axis=(1, 2, 3), keepdims=True)
        largest = np.maximum(largest, np.float32(1e-8))
        scaled = _rounded(node.input_value(1), -largest, largest, _WEIGHT_LEVELS)
        node.input(1).replace_source_output(scaled.output(0))
    model.validate_nodes_and_infer_types()


def _constant(convolution: Node) -> Any:
    """The constant that a convolution multiplies with, behind what makes single precision of it."""
    node = convolution.input_value(1).get_node()
    while node.get_type_name() in ("Convert", "Multiply"):
        node = node.input_value(0).get_node()
    return node


def _weights(convolution: Node) -> Any:
    """The weights of a convolution in single precision, (outputs, inputs, kernel, kernel)."""
    weights = np.asarray(_constant(convolution).data, np.float32)
    node = convolution.input_value(1).get_node()
    if node.get_type_name() != "Multiply":
        return weights
    scale = node.input_value(1).get_node()
    while scale.get_type_name() != "Constant":
        scale = scale.input_value(0).get_node()
    return weights * np.asarray(scale.data, np.float32).reshape(-1, 1, 1, 1)


def _rounded(value: Any, low: Any, high: Any, levels: int) -> Any:
    """Rounded to so many levels from low to high, both included."""
    from tinct.inference.openvino_runtime import opset13 as op

    ends = [op.constant(np.asarray(end, np.float32)) for end in (low, high, low, high)]
    return op.fake_quantize(value, *ends, levels)
