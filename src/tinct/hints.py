"""What a user asked for: points, strokes, rectangles and swatches of color, in the photograph's own pixels.

Hints are kept in full-image coordinates (x to the right, y down, pixel centres at whole numbers) and brought to a
method's working size by `place_hints`. A grey hint is a hint like any other: it asks for neutral.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hint:
    """A point of color.

    Attributes:
        x, y: position in pixels of the photograph; centres of pixels are whole numbers.
        color: "#rrggbb" or "#rgb"; its hue and chroma are used, the lightness is the photograph's.
        radius: in pixels of the photograph; 0 is one pixel.
    """

    x: float
    y: float
    color: str
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line of color through points, `width` pixels wide."""

    points: tuple[tuple[float, float], ...]
    color: str
    width: float = 5.0


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A filled box of color: left, top, right, bottom in pixels, right and bottom exclusive."""

    box: tuple[float, float, float, float]
    color: str


@dataclass(frozen=True, slots=True)
class Swatch:
    """A box in the photograph that takes its colors from a box in a reference (Welsh 2002, section 3.2).

    Boxes are left, top, right, bottom in pixels of their own image, right and bottom exclusive.
    """

    target_box: tuple[float, float, float, float]
    reference_box: tuple[float, float, float, float]
    reference: int = 0


HintLike = Hint | Stroke | Rectangle | Swatch


@dataclass(frozen=True, slots=True)
class PlacedHint:
    """One connected hint at the working size, as a memory item for methods that attend to hints.

    Attributes:
        x, y: its centre in working pixels (float).
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

    def __bool__(self) -> bool:
        """True where at least one pixel is hinted (swatches alone do not count)."""
        return bool(self.mask.any())
