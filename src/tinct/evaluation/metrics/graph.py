"""Building blocks of published convolutional networks as OpenVINO graphs, from state dicts and without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinct.weights.state_dict import StateDict

Node = Any
"""A node of an OpenVINO graph, or one of its outputs."""

FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}
"""Property of a compiled network that computes in float32."""


def picture_input(name: str) -> Node:
    """The input of a batch of pictures, (N, H, W, 3), float32, sRGB 0..1, any size."""
    from tinct.inference.openvino_runtime import opset13 as ops

    return ops.parameter([-1, -1, -1, 3], np.float32, name=name)


def normalized(pictures: Node, shift: Sequence[float], scale: Sequence[float]) -> Node:
    """Pictures, (N, H, W, 3), as (N, 3, H, W) with each channel (x - shift) / scale."""
    from tinct.inference.openvino_runtime import opset13 as ops

    scaled = ops.divide(ops.subtract(pictures, np.array(shift, np.float32)), np.array(scale, np.float32))
    return ops.transpose(scaled, np.array([0, 3, 1, 2]))


def conv(
    x: Node,
    weight: np.ndarray[Any, Any],
    bias: np.ndarray[Any, Any],
    stride: int = 1,
    padding: tuple[int, int] = (0, 0),
) -> Node:
    """Convolution, bias and ReLU.

    Args:
        x: (N, C, H, W).
        weight: (out, in, height, width).
        bias: (out,).
        stride: of rows and of columns, in pixels.
        padding: (rows, columns) of zeros on each side.
    """
    from tinct.inference.openvino_runtime import opset13 as ops

    pads = list(padding)
    y = ops.convolution(x, ops.constant(weight), [stride, stride], pads, pads, [1, 1])
    return ops.relu(ops.add(y, ops.constant(bias.reshape(1, -1, 1, 1))))


def named_conv(x: Node, state: StateDict, name: str, stride: int = 1, padding: int = 0) -> Node:
    """`conv` with the arrays `{name}.weight` and `{name}.bias` of a state dict."""
    return conv(x, state[f"{name}.weight"], state[f"{name}.bias"], stride, (padding, padding))


def max_pool(x: Node, *, size: int = 3, stride: int = 2, padding: int = 0, ceil: bool = False) -> Node:
    """The largest value in each window; with `ceil` a last window that is not whole counts as well."""
    from tinct.inference.openvino_runtime import opset13 as ops

    pads = [padding, padding]
    rounding = "ceil" if ceil else "floor"
    return ops.max_pool(x, [stride, stride], [1, 1], pads, pads, [size, size], rounding).output(0)


def spatial_mean(x: Node) -> Node:
    """The mean over all places, (N, C, H, W) to (N, C)."""
    from tinct.inference.openvino_runtime import opset13 as ops

    return ops.reduce_mean(x, np.array([2, 3]), keep_dims=False)


def compile_f32(outputs: Sequence[Node], inputs: Sequence[Node]) -> Any:
    """Compile a graph for the CPU in float32: in the bfloat16 of newer processors published values do not come out."""
    from tinct.inference.openvino_engine import engine
    from tinct.inference.openvino_runtime import openvino

    return engine().compile_model(openvino.Model(list(outputs), list(inputs)), "CPU", FLOAT32)
