"""The kinds of hints that a user gives, in the photograph's own pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import HintError, shown


@dataclass(frozen=True, slots=True)
class Hint:
    """A point of color.

    Attributes:
        x, y: position in pixels of the photograph; centers of pixels are whole numbers.
        color: "#rrggbb" or "#rgb"; its hue and chroma are used, the lightness is the photograph's.
        radius: in pixels of the photograph; 0 is one pixel.
    """

    x: float
    y: float
    color: str
    radius: float = 0.0

    def __post_init__(self) -> None:
        for name in ("x", "y", "radius"):
            _set(self, name, _number("hint", name, getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line of color through points, `width` pixels wide."""

    points: tuple[tuple[float, float], ...]
    color: str
    width: float = 5.0

    def __post_init__(self) -> None:
        try:
            points = tuple(_numbers("stroke", "point", point, 2) for point in self.points)
        except TypeError:
            raise HintError(f"a stroke's points are {shown(self.points)}; give (x, y) for each.") from None
        _set(self, "points", points)
        _set(self, "width", _number("stroke", "width", self.width))


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A filled box of color: left, top, right, bottom in pixels, right and bottom exclusive."""

    box: tuple[float, float, float, float]
    color: str

    def __post_init__(self) -> None:
        _set(self, "box", _numbers("rectangle", "box", self.box, 4))


@dataclass(frozen=True, slots=True)
class Swatch:
    """A box in the photograph that takes its colors from a box in a reference (Welsh 2002, section 3.2).

    Boxes are left, top, right, bottom in pixels of their own image, right and bottom exclusive.
    """

    target_box: tuple[float, float, float, float]
    reference_box: tuple[float, float, float, float]
    reference: int = 0

    def __post_init__(self) -> None:
        for name in ("target_box", "reference_box"):
            _set(self, name, _numbers("swatch", name, getattr(self, name), 4))
        if isinstance(self.reference, bool) or not isinstance(self.reference, Integral):
            raise HintError(
                f"a swatch names reference {shown(self.reference)}; give its number, counted from 0."
            )
        _set(self, "reference", int(self.reference))


@dataclass(frozen=True, slots=True, eq=False)
class HintImage:
    """Strokes painted over the photograph: opaque where a color is asked for, transparent elsewhere.

    Attributes:
        rgba: shape (H, W, 4), uint8, sRGB with straight alpha; a pixel counts where alpha is at least 128.
            It may be smaller or larger than the photograph, of the same proportions. The array is copied: one that is
            painted on later is another hint.
    """

    rgba: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if not isinstance(self.rgba, np.ndarray):
            raise HintError(f"a hint image is {shown(self.rgba)}; an array (H, W, 4) of uint8 was wanted.")
        shape, dtype = self.rgba.shape, self.rgba.dtype
        if len(shape) != 3 or shape[2] != 4 or dtype != np.uint8 or not self.rgba.size:
            raise HintError(
                f"a hint image has shape {shape} and type {dtype}; it must be (H, W, 4) of uint8, "
                "transparent where nothing is asked for."
            )
        own = self.rgba.copy()
        own.flags.writeable = False
        _set(self, "rgba", own)


HintLike = Hint | Stroke | Rectangle | Swatch | HintImage
Box = tuple[float, float, float, float]


def _set(shape: object, name: str, value: object) -> None:
    """Set a field of a frozen shape while it is made."""
    object.__setattr__(shape, name, value)


def _number(kind: str, name: str, value: Any) -> float:
    """A whole number or a float as it is, any other kind of number as a float.

    Raises:
        HintError: if the value is no number that a float can hold; the number may be infinite or NaN.
    """
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise HintError(f"a {kind} has the {name} {shown(value)}; give pixels of the photograph.") from None
    return value if type(value) in (int, float) else number


def _numbers(kind: str, name: str, values: Any, count: int) -> tuple[Any, ...]:
    """So many numbers as a tuple, which can be hashed and does not change.

    Raises:
        HintError: if there are not so many, or one is no number.
    """
    try:
        numbers = () if isinstance(values, str | bytes) else tuple(values)
    except TypeError:
        numbers = ()
    if len(numbers) != count:
        raise HintError(f"a {kind} has the {name} {shown(values)}; {count} numbers were wanted.")
    return tuple(_number(kind, name, number) for number in numbers)


def as_hint(value: Any) -> HintLike:
    """Take a hint as it is, or build a point from a plain `(x, y, "#rrggbb")` or `(x, y, "#rrggbb", radius)`.

    Raises:
        HintError: if the value is neither.
    """
    if isinstance(value, HintLike):
        return value
    if isinstance(value, tuple | list) and len(value) in (3, 4) and isinstance(value[2], str):
        try:
            return Hint(float(value[0]), float(value[1]), value[2], *(float(r) for r in value[3:]))
        except (TypeError, ValueError, OverflowError):
            pass
    raise HintError(
        f'{shown(value)} is not a hint; give (x, y, "#rrggbb") in pixels, or a Hint, Stroke, Rectangle or Swatch.'
    )


def as_hints(values: Iterable[Any] | HintLike | None) -> tuple[HintLike, ...]:
    """All hints of one call: None is none, a single hint is itself, anything else is gone through.

    Raises:
        HintError: if a value is not a hint.
    """
    if values is None:
        return ()
    if isinstance(values, HintLike):
        return (values,)
    if isinstance(values, tuple | list) and len(values) in (3, 4) and isinstance(values[2], str):
        return (as_hint(values),)
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise HintError(
            f"{shown(values)} is not a list of hints; read a file of them with tinct.read_hints first."
        )
    return tuple(as_hint(value) for value in values)
