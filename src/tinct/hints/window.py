"""Places of hints among a method's working pixels: the scale, and windows that hold one hint each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinct.hints.shapes import Box, Hint, HintLike, Rectangle, Stroke, Swatch

Mask = NDArray[np.bool_]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scale:
    """The change of coordinates from one pixel grid to another; pixel centers are whole numbers in both.

    Attributes:
        photo, working: (width, height) of the grid that coordinates come from and of the one that they go to.
    """

    photo: Size
    working: Size

    @property
    def x(self) -> float:
        """Pixels of the second grid to a pixel of the first, across."""
        return self.working[0] / self.photo[0]

    @property
    def y(self) -> float:
        """Pixels of the second grid to a pixel of the first, down."""
        return self.working[1] / self.photo[1]

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point's coordinates in the second grid."""
        return (x + 0.5) * self.x - 0.5, (y + 0.5) * self.y - 0.5

    def length(self, pixels: float) -> float:
        """A length in pixels of the second grid: the geometric mean of the scales across and down."""
        return pixels * math.sqrt(self.x * self.y)

    def box(self, box: Box) -> Box:
        """A box (left, top, right, bottom) in pixels of the second grid."""
        left, top, right, bottom = box
        return left * self.x, top * self.y, right * self.x, bottom * self.y

    def hint(self, hint: HintLike) -> HintLike:
        """A hint at the same relative place; a painted image lies over the whole photograph as it is."""
        match hint:
            case Hint():
                x, y = self.point(hint.x, hint.y)
                return replace(hint, x=x, y=y, radius=self.length(hint.radius))
            case Stroke():
                points = tuple(self.point(x, y) for x, y in hint.points)
                return replace(hint, points=points, width=self.length(hint.width))
            case Rectangle():
                return replace(hint, box=self.box(hint.box))
            case Swatch():
                return replace(hint, target_box=self.box(hint.target_box))
        return hint


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of working pixels around one hint, so that the cost follows the hint's size; at least one pixel.

    Attributes:
        top, left: the rectangle's first row and column.
        mask: the pixels that the hint covers, shape (height, width) of the rectangle.
    """

    top: int
    left: int
    mask: Mask

    @classmethod
    def around(cls, points: Sequence[tuple[float, float]], reach: float, scale: Scale) -> Window:
        """A window that holds all pixels within `reach` of the points, with an empty mask."""
        width, height = scale.working
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, right = _clip(math.floor(min(xs) - reach), width), _clip(math.ceil(max(xs) + reach), width)
        top, bottom = _clip(math.floor(min(ys) - reach), height), _clip(math.ceil(max(ys) + reach), height)
        return cls(top, left, np.zeros((bottom + 1 - top, right + 1 - left), bool))

    @property
    def region(self) -> tuple[slice, slice]:
        """The rectangle among the working pixels."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def pixels(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the covered pixels, in row order."""
        y, x = np.nonzero(self.mask)
        return y + self.top, x + self.left

    def set_nearest(self, x: float, y: float, scale: Scale) -> None:
        """Set the pixel that is nearest to a point, which lies in the window.

        Args:
            x, y: in working pixels.
            scale: whose working grid the point is clamped to.
        """
        row, column = (
            _clip(math.floor(v + 0.5), side) for v, side in zip((y, x), scale.working[::-1], strict=True)
        )
        self.mask[row - self.top, column - self.left] = True

    def fill_segment(self, x0: float, y0: float, x1: float, y1: float, reach: float) -> None:
        """Set all pixels whose centers are within `reach` of the segment."""
        height, width = self.mask.shape
        x0, y0, x1, y1 = x0 - self.left, y0 - self.top, x1 - self.left, y1 - self.top
        left, right = max(math.floor(min(x0, x1) - reach), 0), min(math.ceil(max(x0, x1) + reach), width - 1)
        top, bottom = max(math.floor(min(y0, y1) - reach), 0), min(math.ceil(max(y0, y1) + reach), height - 1)
        if left > right or top > bottom:
            return
        part = self.mask[top : bottom + 1, left : right + 1]
        if part.all():
            return  # of a line that is wider than the photograph the first piece covers all
        x, y = np.arange(left, right + 1) - x0, np.arange(top, bottom + 1)[:, None] - y0
        across, down = x1 - x0, y1 - y0
        if across or down:
            along = np.clip((x * across + y * down) / (across**2 + down**2), 0, 1)
            part |= np.hypot(x - along * across, y - along * down) <= reach + 1e-9
        else:
            part |= x * x + y * y <= (reach + 1e-9) ** 2


def _clip(value: int, side: int) -> int:
    return min(max(value, 0), side - 1)
