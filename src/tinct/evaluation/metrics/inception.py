"""The Inception v3 that defines FID, as an OpenVINO graph of the officially published weights.

The weights are TensorFlow's of 2015-12-05 in PyTorch's layout (mseitzer/pytorch-fid). TensorFlow's network differs from
the Inception v3 of Szegedy et al. 2016 in its pooling: averages leave padding out, and the last block takes a maximum.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import WeightsError
from tinct.evaluation.metrics.graph import (
    Node,
    compile_f32,
    conv,
    max_pool,
    normalized,
    picture_input,
    spatial_mean,
)
from tinct.evaluation.metrics.perceptual import as_batch
from tinct.evaluation.photographs.rgb import Picture
from tinct.weights.frozen import locate
from tinct.weights.state_dict import StateDict, read_state_dict

INCEPTION_SIZE = 299
"""Side in pixels to which pictures are resized."""

BATCH_NORM_EPSILON = 1e-3
"""Added to the variances of batch normalization."""


class InceptionFeatures:
    """The 2048 features before Inception's classifier ("pool3"), which FID compares."""

    def __init__(self, folder: Path | None = None, *, download: bool = False) -> None:
        """Load the official weights.

        Args:
            folder, download: as `tinct.weights.frozen.locate`.
        Raises:
            WeightsError: if the weights are missing or damaged.
        """
        self._network = inception_network(read_state_dict(locate("inception", folder, download=download)))

    def __call__(self, rgb: Picture) -> NDArray[np.float32]:
        """Features of one picture, sRGB (H, W, 3), uint8 or float 0..1, any size: shape (2048,), float32."""
        return np.array(self._network([as_batch(rgb)])[0][0])


def inception_network(state: StateDict) -> Any:
    """Compile the network from pictures, (N, H, W, 3), sRGB 0..1, to features (N, 2048).

    Raises:
        WeightsError: if the state dict lacks an array of the network.
    """
    pictures = picture_input("pictures")
    try:
        features = _Blocks(state).features(_resized(pictures))
    except KeyError as error:
        raise WeightsError(
            f"the Inception weights lack {error}; use the file that the manifest names."
        ) from None
    return compile_f32([features], [pictures])


def _resized(pictures: Node) -> Node:
    """Pictures at 299x299, bilinear without antialiasing, in -1..1, as pytorch-fid resizes them."""
    from tinct.inference.openvino_runtime import opset13 as ops

    x = normalized(pictures, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    size = np.array([INCEPTION_SIZE, INCEPTION_SIZE], np.int64)
    return ops.interpolate(
        x,
        size,
        "linear_onnx",
        "sizes",
        coordinate_transformation_mode="half_pixel",
        axes=np.array([2, 3], np.int64),
    )


class _Blocks:
    """The blocks of Inception, each with its arrays' name in the state dict."""

    def __init__(self, state: StateDict) -> None:
        self._state = state

    def features(self, x: Node) -> Node:
        """The pooled features of resized pictures."""
        x = self.unit(x, "Conv2d_1a_3x3", stride=2)
        x = self.unit(x, "Conv2d_2a_3x3")
        x = max_pool(self.unit(x, "Conv2d_2b_3x3", padding=(1, 1)))
        x = self.unit(x, "Conv2d_3b_1x1")
        x = max_pool(self.unit(x, "Conv2d_4a_3x3"))
        for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            x = self.block_a(x, name)
        x = self.block_b(x, "Mixed_6a")
        for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            x = self.block_c(x, name)
        x = self.block_d(x, "Mixed_7a")
        x = self.block_e(x, "Mixed_7b", _average_pool)
        x = self.block_e(x, "Mixed_7c", lambda y: max_pool(y, stride=1, padding=1))
        return spatial_mean(x)

    def unit(self, x: Node, name: str, stride: int = 1, padding: tuple[int, int] = (0, 0)) -> Node:
        """Convolution without bias, batch norm and ReLU, folded into one convolution."""
        gamma, beta, mean, variance = (
            self._state[f"{name}.bn.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        weight = self._state[f"{name}.conv.weight"] * scale.reshape(-1, 1, 1, 1)
        return conv(x, weight, beta - mean * scale, stride, padding)

    def chain(self, x: Node, block: str, *units: tuple[str, tuple[int, int]]) -> Node:
        for name, padding in units:
            x = self.unit(x, f"{block}.{name}", padding=padding)
        return x

    def block_a(self, x: Node, name: str) -> Node:
        return _joined(
            self.chain(x, name, ("branch1x1", (0, 0))),
            self.chain(x, name, ("branch5x5_1", (0, 0)), ("branch5x5_2", (2, 2))),
            self.chain(
                x, name, ("branch3x3dbl_1", (0, 0)), ("branch3x3dbl_2", (1, 1)), ("branch3x3dbl_3", (1, 1))
            ),
            self.chain(_average_pool(x), name, ("branch_pool", (0, 0))),
        )

    def block_b(self, x: Node, name: str) -> Node:
        double = self.chain(x, name, ("branch3x3dbl_1", (0, 0)), ("branch3x3dbl_2", (1, 1)))
        return _joined(
            self.unit(x, f"{name}.branch3x3", stride=2),
            self.unit(double, f"{name}.branch3x3dbl_3", stride=2),
            max_pool(x),
        )

    def block_c(self, x: Node, name: str) -> Node:
        return _joined(
            self.chain(x, name, ("branch1x1", (0, 0))),
            self.chain(x, name, ("branch7x7_1", (0, 0)), ("branch7x7_2", (0, 3)), ("branch7x7_3", (3, 0))),
            self.chain(
                x,
                name,
                ("branch7x7dbl_1", (0, 0)),
                ("branch7x7dbl_2", (3, 0)),
                ("branch7x7dbl_3", (0, 3)),
                ("branch7x7dbl_4", (3, 0)),
                ("branch7x7dbl_5", (0, 3)),
            ),
            self.chain(_average_pool(x), name, ("branch_pool", (0, 0))),
        )

    def block_d(self, x: Node, name: str) -> Node:
        small = self.chain(x, name, ("branch3x3_1", (0, 0)))
        large = self.chain(
            x, name, ("branch7x7x3_1", (0, 0)), ("branch7x7x3_2", (0, 3)), ("branch7x7x3_3", (3, 0))
        )
        return _joined(
            self.unit(small, f"{name}.branch3x3_2", stride=2),
            self.unit(large, f"{name}.branch7x7x3_4", stride=2),
            max_pool(x),
        )

    def block_e(self, x: Node, name: str, pool: Any) -> Node:
        small = self.chain(x, name, ("branch3x3_1", (0, 0)))
        double = self.chain(x, name, ("branch3x3dbl_1", (0, 0)), ("branch3x3dbl_2", (1, 1)))
        return _joined(
            self.chain(x, name, ("branch1x1", (0, 0))),
            self.chain(small, name, ("branch3x3_2a", (0, 1))),
            self.chain(small, name, ("branch3x3_2b", (1, 0))),
            self.chain(double, name, ("branch3x3dbl_3a", (0, 1))),
            self.chain(double, name, ("branch3x3dbl_3b", (1, 0))),
            self.chain(pool(x), name, ("branch_pool", (0, 0))),
        )


def _average_pool(x: Node) -> Node:
    """3x3 averages without the padding."""
    from tinct.inference.openvino_runtime import opset13 as ops

    return ops.avg_pool(x, [1, 1], [1, 1], [1, 1], [3, 3], exclude_pad=True)


def _joined(*branches: Node) -> Node:
    from tinct.inference.openvino_runtime import opset13 as ops

    return ops.concat(list(branches), 1)
