"""The picture within a photograph's borders (`tinct.photo.borders`): where it lies on grids of any size."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

LOOKED_AT = 256
"""Pixels on the longer side at which borders are looked for."""

INEXACT = 1.5
"""How exactly edges are known, in such pixels."""

STEP = 4
"""Pixels in whose steps borders are cut off, as networks answer for cells of so many."""

Region = tuple[slice, slice]
"""Rows and columns of a grid."""


Line = tuple[float, float]
"""Where an edge lies at both ends of the photograph's side along which it runs, in shares of the other side, 0..1."""


WHOLE: tuple[Line, Line] = ((0.0, 0.0), (1.0, 1.0))
"""Where edges lie on sides without a border."""


class Picture(NamedTuple):
    """What is left of a photograph without borders.

    Attributes:
        top, bottom: heights of the picture's upper and lower edge, at the photograph's left and at its right side.
        left, right: where its left and right edge lie, at the photograph's top and at its bottom.
    """

    top: Line = (0.0, 0.0)
    bottom: Line = (1.0, 1.0)
    left: Line = (0.0, 0.0)
    right: Line = (1.0, 1.0)

    @property
    def rows(self) -> tuple[float, float]:
        """The first and the last height that the picture reaches."""
        return min(self.top), max(self.bottom)

    @property
    def columns(self) -> tuple[float, float]:
        """The same from left to right."""
        return min(self.left), max(self.right)

    def longer_side_of_whole(self, size: int, whole: tuple[int, int]) -> int:
        """The longer side at which a photograph of this height and width has a picture of `size` pixels."""
        height, width = (
            (last - first) * side
            for (first, last), side in zip((self.rows, self.columns), whole, strict=True)
        )
        return round(size * max(whole) / max(height, width))

    def region(self, size: tuple[int, int]) -> Region:
        """Rows and columns of the picture on a grid of that height and width; the first ones are multiples of `STEP`.

        No line of the picture is lost; some of the border's are left.
        """
        rows, columns = (
            slice(max(0, int(first * side - 0.5)) // STEP * STEP, min(side, math.ceil(last * side + 0.5)))
            for (first, last), side in zip((self.rows, self.columns), size, strict=True)
        )
        return rows, columns

    def inner(self, size: tuple[int, int]) -> Region:
        """Rows and columns of that grid that have nothing of a border, nor of lines where the two mix."""
        margin = INEXACT * max(size) / LOOKED_AT
        sides = ((self.top, self.bottom), size[0]), ((self.left, self.right), size[1])
        found = []
        for (before, after), side in sides:
            first = math.ceil(max(before) * side + margin) if max(before) > 0 else 0
            last = math.floor(min(after) * side - margin) if min(after) < 1 else side
            found.append(slice(first, max(last, first + 1)))
        return found[0], found[1]

    def continued(self, lightness: Array) -> Array:
        """The photograph's lightness, shape (h, w), with the nearest of the picture's tones in place of its borders."""
        import cv2

        kept = self.mask(lightness.shape, -INEXACT * max(lightness.shape) / LOOKED_AT)
        _, nearest = cv2.distanceTransformWithLabels(
            (~kept).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
        )
        tones = np.zeros(int(nearest.max()) + 1, np.float32)
        tones[nearest[kept]] = lightness[kept]
        return np.asarray(tones[nearest], np.float32)

    def mask(self, size: tuple[int, int], beyond: float = 0.0) -> NDArray[np.bool_]:
        """Which cells of a grid of that height and width have their middle within the picture.

        Args:
            size: the grid's height and width.
            beyond: how many cells around the picture count as well; below 0, how many at its edges do not.
        """
        height, width = size
        y, x = ((np.arange(n) + 0.5) / n for n in size)
        inside = np.ones(size, np.bool_)
        horizontal = (self.top, 1, height), (self.bottom, -1, height)
        vertical = (self.left, 1, width), (self.right, -1, width)
        for (first, last), sign, side in horizontal:
            if (first, last) not in WHOLE:
                inside &= sign * (y[:, None] - first - (last - first) * x) * side >= -beyond
        for (first, last), sign, side in vertical:
            if (first, last) not in WHOLE:
                inside &= sign * (x - first - (last - first) * y[:, None]) * side >= -beyond
        return inside
