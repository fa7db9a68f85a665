"""Transparent places of a picture, whose hidden colors must not count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]


def without_hidden_colors(pixels: Pixels, alpha: Pixels) -> Pixels:
    """Pixels with the colors of visible places continued into transparent places.

    A pyramid of means weighted by opacity: each pixel keeps its color as far as it is opaque, and takes the rest from
    the next coarser mean (pull-push; Gortler et al., The Lumigraph, 1996).

    Args:
        pixels: shape (H, W) or (H, W, 3), uint8, uint16 or float.
        alpha: shape (H, W), of the same type.
    Returns:
        The same shape and type; the pixels themselves if all places are transparent.
    """
    import cv2

    top = 1.0 if alpha.dtype.kind == "f" else float(np.iinfo(alpha.dtype).max)
    weight = alpha.astype(np.float32) / np.float32(top)
    if not weight.any():
        return pixels
    color = pixels.astype(np.float32).reshape(*pixels.shape[:2], -1)
    levels: list[tuple[Pixels, Pixels]] = [(color * weight[..., None], weight)]
    while max(levels[-1][1].shape) > 1:
        size = tuple(-(-side // 2) for side in levels[-1][1].shape[::-1])
        weighted, opacity = levels[-1]
        levels.append((_at(weighted, size, cv2.INTER_AREA), _at(opacity, size, cv2.INTER_AREA)))
    filled = levels[-1][0] / np.maximum(levels[-1][1], 1e-12)[..., None]
    for weighted, opacity in levels[-2::-1]:
        wider = _at(filled, opacity.shape[::-1], cv2.INTER_LINEAR).reshape(weighted.shape)
        filled = weighted + wider * (1 - opacity)[..., None]
    whole = filled if pixels.dtype.kind == "f" else np.clip(np.rint(filled), 0, top)
    return whole.astype(pixels.dtype).reshape(pixels.shape)


def _at(plane: Pixels, size: tuple[int, ...], interpolation: int) -> Pixels:
    import cv2

    resized: Pixels = cv2.resize(plane, size, interpolation=interpolation)
    return resized.reshape(size[1], size[0], *plane.shape[2:])
