"""LPIPS: distance of two pictures in the features of a network calibrated on people's judgements (Zhang et al. 2018).

LPIPS alone says little about color: the mean over photographs is 0.197 for gray against the truth, and only 0.227 for
hues turned by 120 degrees. Read it beside an error in the ab plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError
from tinct.evaluation.metrics.graph import (
    Node,
    compile_f32,
    max_pool,
    named_conv,
    normalized,
    picture_input,
    spatial_mean,
)
from tinct.evaluation.photographs.rgb import Picture, check_pair, to_8bit
from tinct.weights.frozen import locate
from tinct.weights.state_dict import StateDict, read_state_dict

SMALLEST_SIDE = 25
"""Least side in pixels of which the last pooling of SqueezeNet has a whole window."""

_SHIFT = tuple((1 + mean) / 2 for mean in (-0.030, -0.088, -0.188))
"""LPIPS's means of R, G, B in -1..1, converted to 0..1."""

_SCALE = tuple(deviation / 2 for deviation in (0.458, 0.448, 0.450))
"""LPIPS's deviations of R, G, B in -1..1, converted to 0..1."""

LAYERS = 7
"""Layers of SqueezeNet that LPIPS compares."""

LayerFeatures = tuple[NDArray[np.float32], ...]
"""The features of LAYERS layers, each (1, C, H, W) with unit norm at each place."""


class Lpips:
    """LPIPS version 0.1, squeeze variant, in float32 without torch.

    The value of the example that torchmetrics documents for `net_type="squeeze"`, 0.1008, is reproduced.
    """

    def __init__(self, folder: Path | None = None, *, download: bool = False) -> None:
        """Load backbone and heads.

        Args:
            folder, download: as `tinct.weights.frozen.locate`.
        Raises:
            WeightsError: if a file is missing or damaged.
        """
        backbone = read_state_dict(locate("squeezenet", folder, download=download))
        heads = read_state_dict(locate("lpips-heads", folder, download=download))
        picture = picture_input("picture")
        layers = squeezenet_layers(normalized(picture, _SHIFT, _SCALE), backbone)
        self._features = compile_f32([_unit(layer) for layer in layers], [picture])
        result, truth = ([_layer_input(layer) for layer in layers] for _ in range(2))
        self._distance = compile_f32([_distance(result, truth, heads)], [*result, *truth])

    def __call__(self, result: Picture, truth: Picture) -> float:
        """LPIPS of one pair.

        Args:
            result, truth: sRGB, shape (H, W, 3), at least 25x25, uint8, or float in 0..1.
        Returns:
            >= 0; 0 for equal pictures, seldom above 0.8.
        Raises:
            ShapeError: if the pictures cannot be compared or are too small.
        """
        check_pair(result, truth)
        return self.distance(result, self.features(truth))

    def features(self, rgb: Picture) -> LayerFeatures:
        """The features of one picture that LPIPS compares.

        Raises:
            ShapeError: if `rgb` is no picture or too small.
        """
        check_pair(rgb, rgb)
        if min(rgb.shape[:2]) < SMALLEST_SIDE:
            raise ShapeError(
                f"the pictures are {rgb.shape[1]}x{rgb.shape[0]}; LPIPS needs 25x25 or more; enlarge."
            )
        found = self._features([as_batch(rgb)])
        return tuple(np.array(found[index]) for index in range(LAYERS))

    def distance(self, result: Picture, truth: LayerFeatures) -> float:
        """LPIPS of a picture and of another one of the same size, given by its features.

        Raises:
            ShapeError: as `features`, and if the two pictures differ in size.
        """
        found = self.features(result)
        if found[0].shape != truth[0].shape:
            raise ShapeError("the two pictures differ in size; resize one of them first.")
        return float(self._distance([*found, *truth])[0][0])


class SqueezeNetFeatures:
    """The 512 last features of SqueezeNet 1.1, averaged over the picture.

    Their Fréchet distance is quick to compute and has no published scale; FID is defined on
    `tinct.evaluation.metrics.inception.InceptionFeatures`.
    """

    def __init__(self, folder: Path | None = None, *, download: bool = False) -> None:
        state = read_state_dict(locate("squeezenet", folder, download=download))
        pictures = picture_input("pictures")
        # torchvision's normalization, with which the classifier was trained
        x = normalized(pictures, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        self._network = compile_f32([spatial_mean(squeezenet_layers(x, state)[-1])], [pictures])

    def __call__(self, rgb: Picture) -> NDArray[np.float32]:
        """Features of one picture, sRGB (H, W, 3), uint8 or float 0..1: shape (512,)."""
        return np.array(self._network([as_batch(rgb)])[0][0])


def as_batch(rgb: Picture) -> NDArray[np.float32]:
    """A picture, (H, W, 3), uint8 or float 0..1, as a batch, (1, H, W, 3), float32 0..1.

    Raises:
        ShapeError: if the array has another type, or a value is not finite.
    """
    scaled = rgb.astype(np.float32) / 255 if rgb.dtype == np.uint8 else rgb.astype(np.float32)
    if rgb.dtype.kind not in "uf" or not np.isfinite(scaled).all():
        to_8bit(rgb)  # raises the error
    return np.ascontiguousarray(scaled[None])


def squeezenet_layers(x: Node, state: StateDict) -> list[Node]:
    """The seven layers of SqueezeNet 1.1 that LPIPS reads (Iandola et al. 2016)."""
    layers = [named_conv(x, state, "features.0", stride=2)]
    for first, *others in ((3, 4), (6, 7), (9,)):
        x = _fire(max_pool(layers[-1], ceil=True), state, first)
        for index in others:
            x = _fire(x, state, index)
        layers.append(x)
    for index in (10, 11, 12):
        layers.append(_fire(layers[-1], state, index))
    return layers


def _fire(x: Node, state: StateDict, index: int) -> Node:
    from tinct.inference.openvino_runtime import opset13 as ops

    squeezed = named_conv(x, state, f"features.{index}.squeeze")
    small = named_conv(squeezed, state, f"features.{index}.expand1x1")
    large = named_conv(squeezed, state, f"features.{index}.expand3x3", padding=1)
    return ops.concat([small, large], 1)


def _layer_input(layer: Node) -> Node:
    """The input of the features of one layer, (N, C, H, W)."""
    from tinct.inference.openvino_runtime import opset13 as ops

    channels = layer.get_output_partial_shape(0)[1].get_length()
    return ops.parameter([-1, channels, -1, -1], np.float32)


def _distance(result: Sequence[Node], truth: Sequence[Node], heads: StateDict) -> Node:
    from tinct.inference.openvino_runtime import opset13 as ops

    total: Any = None
    for index, (a, b) in enumerate(zip(result, truth, strict=True)):
        head = ops.constant(heads[f"lin{index}.model.1.weight"].reshape(1, -1))
        squared = ops.power(ops.subtract(a, b), np.float32(2))
        # The mean over places may come before the head, which is linear.
        part = ops.reduce_sum(ops.multiply(spatial_mean(squared), head), np.array([1]), keep_dims=False)
        total = part if total is None else ops.add(total, part)
    return total


def _unit(features: Node) -> Node:
    """Features, (N, C, H, W), divided by the norm over C at each place."""
    from tinct.inference.openvino_runtime import opset13 as ops

    squared = ops.reduce_sum(ops.power(features, np.float32(2)), np.array([1]), keep_dims=True)
    return ops.divide(features, ops.add(ops.sqrt(squared), np.float32(1e-10)))
