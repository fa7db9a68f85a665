"""Hints as methods see them: maps and items at the working size."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tinct.hints.shapes import Swatch

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlacedHint:
    """One connected hint at the working size, as a memory item for methods that attend to hints.

    Attributes:
        x, y: its center in working pixels (float).
        ab: its color, CIE a*, b*, shape (2,).
        radius: half its size in working pixels, at least 0.5.
    """

    x: float
    y: float
    ab: tuple[float, float]
    radius: float = 0.5


@dataclass(frozen=True, slots=True)
class HintField:
    """All hints of one photograph, brought to a method's working size.

    Attributes:
        ab: CIE a*, b* where hinted, 0 elsewhere; shape (H, W, 2), float32.
        mask: 1 where hinted, 0 elsewhere; shape (H, W), float32.
        points: the same hints as separate items (long strokes are cut into several).
        swatches: boxes paired with a reference's boxes, both in working pixels of their own image.
    """

    ab: Array
    mask: Array
    points: tuple[PlacedHint, ...] = ()
    swatches: tuple[Swatch, ...] = field(default=())

    @classmethod
    def empty(cls, height: int, width: int) -> HintField:
        """A field that asks for nothing."""
        return cls(np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32))

    def cropped(self, rows: slice, columns: slice) -> HintField:
        """The hints in a part of the image that has all of them, in its own pixels; swatches are left out."""
        left, top = columns.start, rows.start
        points = tuple(replace(point, x=point.x - left, y=point.y - top) for point in self.points)
        return HintField(self.ab[rows, columns], self.mask[rows, columns], points)

    def pixels(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the hinted pixels, in row order."""
        return np.divmod(np.flatnonzero(self.mask > 0), self.mask.shape[1])

    def __bool__(self) -> bool:
        """True where at least one pixel is hinted (swatches alone do not count)."""
        return bool(self.mask.any())
