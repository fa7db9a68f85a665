"""Building a published convolutional network from its state dict as an OpenVINO graph, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinct.weights.state_dict import StateDict

Node = Any


def picture_input(name: str) -> Node:
    """A batch of pictures as people hold them: (N, H, W, 3), float32, sRGB 0..1, any size."""
    from tinct.inference.openvino_runtime import opset13 as ops

    return ops.parameter([-1, -1, -1, 3], np.float32, name=name)


def channels_first(pictures: Node, shift: Sequence[float], scale: Sequence[float]) -> Node:
    """(N, H, W, 3) to (N, 3, H, W), each channel (x - shift) / scale."""
    from tinct.inference.openvino_runtime import opset13 as ops

    normalized = ops.divide(ops.subtract(pictures, np.array(shift, np.float32)), np.array(scale, np.float32))
    return ops.transpose(normalized, np.array([0, 3, 1, 2]))


def conv(
    x: Node,
    weight: np.ndarray[Any, Any],
    bias: np.ndarray[Any, Any],
    stride: int = 1,
    padding: tuple[int, int] = (0, 0),
) -> Node:
    """Convolution, bias and ReLU; weight is (out, in, height, width), padding (rows, columns)."""
    from tinct.inference.openvino_runtime import opset13 as ops

    pads = list(padding)
    y = ops.convolution(x, ops.constant(weight), [stride, stride], pads, pads, [1, 1])
    return ops.relu(ops.add(y, ops.constant(bias.reshape(1, -1, 1, 1))))


def named_conv(x: Node, state: StateDict, name: str, stride: int = 1, padding: int = 0) -> Node:
    """`conv` with `{name}.weight` and `{name}.bias`."""
    return conv(x, state[f"{name}.weight"], state[f"{name}.bias"], stride, (padding, padding))


def max_pool(x: Node, *, size: int = 3, stride: int = 2, padding: int = 0, ceil: bool = False) -> Node:
    """The largest value in each window; `ceil` keeps a last window that is not whole."""
    from tinct.inference.openvino_runtime import opset13 as ops

    pads = [padding, padding]
    rounding = "ceil" if ceil else "floor"
    return ops.max_pool(x, [stride, stride], [1, 1], pads, pads, [size, size], rounding).output(0)


def spatial_mean(x: Node) -> Node:
    """(N, C, H, W) to (N, C)."""
    from tinct.inference.openvino_runtime import opset13 as ops

    return ops.reduce_mean(x, np.array([2, 3]), keep_dims=False)


def compile_f32(outputs: Sequence[Node], inputs: Sequence[Node]) -> Any:
    """Compile for the CPU in float32: published figures do not survive the bfloat16 of newer processors."""
    from tinct.inference.openvino_engine import engine
    from tinct.inference.openvino_runtime import openvino

    return engine().compile_model(
        openvino.Model(list(outputs), list(inputs)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
