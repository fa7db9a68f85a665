"""Checks of hints: whether a hint can be placed on a photograph of some size."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinct.color.hexcolor import color_to_ab
from tinct.errors import HintError, shown
from tinct.hints.shapes import Box, Hint, HintImage, HintLike, Rectangle, Stroke, Swatch
from tinct.hints.window import Size

OPAQUE = 128
"""The alpha, 0..255, from which a pixel of a hint image counts as painted."""

_FARTHEST = 1e9
"""The largest coordinate in pixels; beyond it lies no photograph, and its square may be infinite."""

_PROPORTION_SLACK = 0.02
"""How far the logarithms of a hint image's and a photograph's proportions may differ, beside a pixel of the image."""


def check_hint(hint: HintLike, photo_size: Size, reference_sizes: Sequence[Size] = ()) -> None:
    """Refuse a hint that cannot be placed.

    Args:
        hint: in pixels of the photograph.
        photo_size: width and height of the photograph.
        reference_sizes: width and height of each reference; swatches need them.
    Raises:
        HintError: if the hint is outside the photograph, has no finite coordinates, covers nothing, or names a
            reference that is not there.
        ColorError: if a color is not written as #rgb or #rrggbb.
    """
    match hint:
        case Hint():
            _check_point(hint, photo_size)
        case Stroke():
            _check_stroke(hint, photo_size)
        case Rectangle():
            _check_box("rectangle", hint.box)
            _check_overlap("rectangle", hint.box, photo_size)
        case HintImage():
            _check_image(hint, photo_size)
        case Swatch():
            _check_swatch(hint, photo_size, reference_sizes)
    if isinstance(hint, Hint | Stroke | Rectangle):
        color_to_ab(hint.color)


def _check_point(hint: Hint, photo_size: Size) -> None:
    _check_numbers("hint", hint.x, hint.y, hint.radius)
    _check_width("hint", "radius", hint.radius)
    width, height = photo_size
    if not (-0.5 <= hint.x < width - 0.5 and -0.5 <= hint.y < height - 0.5):
        raise HintError(
            f"a hint at ({hint.x:g}, {hint.y:g}) lies outside the photograph of {width}x{height} pixels; "
            f"x must be 0 to {width - 1} and y 0 to {height - 1}."
        )


def _check_stroke(stroke: Stroke, photo_size: Size) -> None:
    _check_numbers("stroke", stroke.width, *(value for point in stroke.points for value in point))
    _check_width("stroke", "width", stroke.width)
    if not stroke.points:
        raise HintError("a stroke has no points; give it at least one (x, y).")
    _check_overlap("stroke", _bounds(stroke.points, stroke.width / 2), photo_size)


def _check_image(image: HintImage, photo_size: Size) -> None:
    height, width = image.rgba.shape[:2]
    apart = abs(math.log(width * photo_size[1] / (height * photo_size[0])))
    if apart > _PROPORTION_SLACK + 1 / min(width, height):
        raise HintError(
            f"a hint image is {width}x{height} but the photograph is {photo_size[0]}x{photo_size[1]}; "
            "paint on a picture of the same proportions."
        )
    if not (image.rgba[..., 3] >= OPAQUE).any():
        raise HintError("a hint image is transparent everywhere; paint at least one opaque stroke.")


def _check_swatch(swatch: Swatch, photo_size: Size, reference_sizes: Sequence[Size]) -> None:
    if not 0 <= swatch.reference < len(reference_sizes):
        raise HintError(
            f"a swatch names reference {shown(swatch.reference)}, but {len(reference_sizes)} were given; "
            "references count from 0."
        )
    boxes = (
        ("target", swatch.target_box, photo_size),
        ("reference", swatch.reference_box, reference_sizes[swatch.reference]),
    )
    for side, box, size in boxes:
        _check_box(f"swatch's {side} box", box)
        _check_overlap(f"swatch's {side} box", box, size)


def _bounds(points: Sequence[tuple[float, float]], reach: float) -> Box:
    """The box around a line, in edges of pixels: the pixel at x covers x - 0.5 to x + 0.5 of centers."""
    xs, ys = [x + 0.5 for x, _ in points], [y + 0.5 for _, y in points]
    return min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach


def _check_numbers(name: str, *values: float) -> None:
    if not all(math.isfinite(value) for value in values):
        raise HintError(f"a {name} has a coordinate that is not a number; give pixels of the photograph.")
    if far := [value for value in values if abs(value) > _FARTHEST]:
        raise HintError(f"a {name} has the coordinate {far[0]:g}, which no photograph has; give its pixels.")


def _check_width(name: str, what: str, pixels: float) -> None:
    if pixels < 0:
        raise HintError(f"a {name} has a {what} of {pixels:g}; give pixels of the photograph, 0 or more.")


def _check_box(name: str, box: Box) -> None:
    _check_numbers(name, *box)
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        raise HintError(
            f"a {name} {box} is empty; give left < right and top < bottom, as left, top, right, bottom."
        )


def _check_overlap(name: str, box: Box, size: Size) -> None:
    width, height = size
    left, top, right, bottom = box
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        raise HintError(
            f"a {name} from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) lies outside its picture of "
            f"{width}x{height} pixels; part of it must be inside."
        )
