"""Area means: a photograph at a smaller size, each value the mean over the area that it stands for, read by strips."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

STRIP_PIXELS = 1 << 20
"""Pixels that are read at once."""


def strips(height: int, width: int, pixels: int = STRIP_PIXELS) -> Iterator[tuple[int, int]]:
    """The strips of a photograph, from above.

    Args:
        height, width: of the photograph, in pixels.
        pixels: about how many a strip has; a strip has one row at least.
    Yields:
        The first row of a strip, and the row after its last.
    """
    rows = max(1, pixels // width)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def area_mean(strip: Callable[[int, int], Array], shape: tuple[int, int], size: tuple[int, int]) -> Array:
    """A photograph at a smaller size, by the mean over the area of each smaller pixel.

    Strips are averaged across as they come, and down at the end.

    Args:
        strip: a function from (top, bottom) to these rows, shape (bottom - top, W) or (bottom - top, W, channels).
        shape: height and width of the photograph.
        size: height and width of the result, neither larger than the photograph's.
    Returns:
        Shape `size`, with the channels of the strips, float32.
    """
    import cv2

    if size == shape:
        return np.concatenate([strip(top, bottom) for top, bottom in strips(*shape)])
    height, width = size
    narrow = np.empty(0, np.float32)
    for top, bottom in strips(*shape):
        rows = strip(top, bottom)
        if top == 0:
            narrow = np.empty((shape[0], width, *rows.shape[2:]), np.float32)
        resized = cv2.resize(rows, (width, bottom - top), interpolation=cv2.INTER_AREA)
        narrow[top:bottom] = resized.reshape(bottom - top, *narrow.shape[1:])
    whole = cv2.resize(narrow, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(whole, np.float32).reshape(height, width, *narrow.shape[2:])
