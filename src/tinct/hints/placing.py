"""Bringing hints from the photograph's pixels to a method's working size.

No hint is lost on the way: whatever its size, it keeps at least the working pixel under its center. Where two
hints meet, the later one wins.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.color.hexcolor import color_to_ab
from tinct.color.lab import rgb_to_lab
from tinct.errors import HintError
from tinct.hints.field import HintField, PlacedHint
from tinct.hints.shapes import Box, Hint, HintImage, Rectangle, Stroke, Swatch, as_hints

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Size = tuple[int, int]

ITEM_CELL = 16
"""Long strokes and wide areas become one memory item in each cell of this many working pixels."""

_OPAQUE = 128
_PROPORTION_SLACK = 0.02


@dataclass(frozen=True, slots=True)
class _Scale:
    """From the photograph's pixels to working pixels; centers of pixels are whole numbers on both sides."""

    photo: Size
    working: Size

    @property
    def x(self) -> float:
        return self.working[0] / self.photo[0]

    @property
    def y(self) -> float:
        return self.working[1] / self.photo[1]

    def point(self, x: float, y: float) -> tuple[float, float]:
        return (x + 0.5) * self.x - 0.5, (y + 0.5) * self.y - 0.5

    def length(self, pixels: float) -> float:
        return pixels * math.sqrt(self.x * self.y)


def place_hints(
    hints: Iterable[Any] | None,
    photo_size: Size,
    working_size: Size,
    reference_sizes: Sequence[tuple[Size, Size]] = (),
) -> HintField:
    """Bring hints to the working size.

    Args:
        hints: hints, or plain `(x, y, "#rrggbb")`, in pixels of the photograph.
        photo_size: width and height of the photograph.
        working_size: width and height at which the method predicts.
        reference_sizes: for each reference its own (width, height) and its working one; swatches need them.
    Returns:
        The hints as maps and as items; the later of two hints wins where they meet.
    Raises:
        HintError: if one is outside the photograph, not a number, or names a reference that is not there.
        ColorError: if a color is not written as #rgb or #rrggbb.
    """
    scale = _Scale(photo_size, working_size)
    width, height = working_size
    field = HintField.empty(height, width)
    points: list[PlacedHint] = []
    swatches: list[Swatch] = []
    for hint in as_hints(hints):
        if isinstance(hint, Swatch):
            swatches.append(_place_swatch(hint, scale, reference_sizes))
            continue
        if isinstance(hint, HintImage):
            mask, ab = _image_map(hint, scale)
        else:
            mask, ab = _shape_mask(hint, scale), color_to_ab(hint.color)
        field.mask[mask] = 1
        field.ab[mask] = ab
        points += [_point_item(hint, scale, ab)] if isinstance(hint, Hint) else _items(mask, field.ab)
    return HintField(field.ab, field.mask, tuple(points), tuple(swatches))


def _shape_mask(hint: Hint | Stroke | Rectangle, scale: _Scale) -> Mask:
    match hint:
        case Hint():
            return _point_mask(hint, scale)
        case Stroke():
            return _stroke_mask(hint, scale)
        case Rectangle():
            return _rectangle_mask(hint, scale)


def _point_mask(hint: Hint, scale: _Scale) -> Mask:
    """A disk, and always the pixel under its center."""
    _check_numbers("hint", hint.x, hint.y, hint.radius)
    _check_width("hint", "radius", hint.radius)
    width, height = scale.photo
    if not (-0.5 <= hint.x < width - 0.5 and -0.5 <= hint.y < height - 0.5):
        raise HintError(
            f"a hint at ({hint.x:g}, {hint.y:g}) lies outside the photograph of {width}x{height} pixels; "
            f"x must be 0 to {width - 1} and y 0 to {height - 1}."
        )
    mask = _empty_mask(scale)
    x, y = scale.point(hint.x, hint.y)
    _fill_segment(mask, x, y, x, y, scale.length(hint.radius))
    _set_nearest(mask, x, y)
    return mask


def _stroke_mask(stroke: Stroke, scale: _Scale) -> Mask:
    """All pixels within half the width of the line, which stays connected however thin it becomes."""
    _check_numbers("stroke", stroke.width, *(value for point in stroke.points for value in point))
    _check_width("stroke", "width", stroke.width)
    if not stroke.points:
        raise HintError("a stroke has no points; give it at least one (x, y).")
    _check_overlap("stroke", _bounds(stroke.points, stroke.width / 2), scale)
    mask = _empty_mask(scale)
    placed = [scale.point(x, y) for x, y in stroke.points]
    reach = max(scale.length(stroke.width) / 2, 0.5)
    for (x0, y0), (x1, y1) in zip(placed, placed[1:] or placed, strict=False):
        _fill_segment(mask, x0, y0, x1, y1, reach)
    if not mask.any():
        _set_nearest(mask, *placed[0])
    return mask


def _rectangle_mask(rectangle: Rectangle, scale: _Scale) -> Mask:
    """The pixels whose centers lie inside, and always the one under its own center."""
    left, top, right, bottom = rectangle.box
    _check_box("rectangle", rectangle.box)
    _check_overlap("rectangle", rectangle.box, scale)
    mask = _empty_mask(scale)
    columns = np.arange(mask.shape[1]) + 0.5
    rows = np.arange(mask.shape[0]) + 0.5
    inside_x = (columns >= left * scale.x) & (columns < right * scale.x)
    inside_y = (rows >= top * scale.y) & (rows < bottom * scale.y)
    mask |= inside_y[:, None] & inside_x
    if not mask.any():
        _set_nearest(mask, (left + right) / 2 * scale.x - 0.5, (top + bottom) / 2 * scale.y - 0.5)
    return mask


def _fill_segment(mask: Mask, x0: float, y0: float, x1: float, y1: float, reach: float) -> None:
    """Set all pixels whose centers are within `reach` of the segment."""
    height, width = mask.shape
    left, right = max(math.floor(min(x0, x1) - reach), 0), min(math.ceil(max(x0, x1) + reach), width - 1)
    top, bottom = max(math.floor(min(y0, y1) - reach), 0), min(math.ceil(max(y0, y1) + reach), height - 1)
    if left > right or top > bottom:
        return
    y, x = np.mgrid[top : bottom + 1, left : right + 1].astype(np.float64)
    length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2
    along = 0.0 if not length2 else np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length2, 0, 1)
    distance = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
    mask[top : bottom + 1, left : right + 1] |= distance <= reach + 1e-9


def _image_map(image: HintImage, scale: _Scale) -> tuple[Mask, Array]:
    """Average painted pixels into working ones; a thin line keeps the pixels that hold most of it.

    Returns:
        The mask, shape (h, w), and a*, b* of its pixels in row order, shape (n, 2).
    """
    height, width = image.rgba.shape[:2]
    if abs(math.log(width * scale.photo[1] / (height * scale.photo[0]))) > _PROPORTION_SLACK + 1 / min(
        width, height
    ):
        raise HintError(
            f"a hint image is {width}x{height} but the photograph is {scale.photo[0]}x{scale.photo[1]}; "
            "paint on a picture of the same proportions."
        )
    sums = _painted_sums(image, _Scale((width, height), scale.working))
    coverage = sums[..., 0]
    if not coverage.any():
        raise HintError("a hint image is transparent everywhere; paint at least one opaque stroke.")
    mask = (coverage > 0) & (coverage >= 0.5 * _largest_around(coverage))
    return mask, (sums[mask, 1:] / coverage[mask, None]).astype(np.float32)


def _painted_sums(image: HintImage, scale: _Scale) -> NDArray[np.float64]:
    """How many painted pixels fall into each working pixel, and the sums of their a* and b*; (h, w, 3)."""
    width, height = scale.working
    sums = np.zeros((3, height * width))
    for top in range(0, image.rgba.shape[0], 512):
        rows = image.rgba[top : top + 512]
        y, x = np.nonzero(rows[..., 3] >= _OPAQUE)
        ab = rgb_to_lab(rows[y, x, :3])[:, 1:]
        cell = ((top + y) * height // scale.photo[1]) * width + x * width // scale.photo[0]
        for i, weights in enumerate((None, ab[:, 0], ab[:, 1])):
            sums[i] += np.bincount(cell, weights, minlength=height * width)
    return sums.T.reshape(height, width, 3)


def _largest_around(coverage: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = coverage.shape
    padded = np.pad(coverage, 1)
    windows = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    largest: NDArray[np.float64] = np.max(windows, axis=0)
    return largest


def _point_item(hint: Hint, scale: _Scale, ab: Array) -> PlacedHint:
    x, y = scale.point(hint.x, hint.y)
    return PlacedHint(x, y, (float(ab[0]), float(ab[1])), max(scale.length(hint.radius), 0.5))


def _items(mask: Mask, ab: Array) -> list[PlacedHint]:
    """One item for each cell that the mask touches, at the mean of its pixels."""
    y, x = np.nonzero(mask)
    cells, member, count = np.unique(
        (y // ITEM_CELL) * mask.shape[1] + x // ITEM_CELL, return_inverse=True, return_counts=True
    )
    means = [np.bincount(member, values, len(cells)) / count for values in (x, y, ab[y, x, 0], ab[y, x, 1])]
    return [
        PlacedHint(float(cx), float(cy), (float(a), float(b)), max(math.sqrt(n / math.pi), 0.5))
        for cx, cy, a, b, n in zip(*means, count, strict=True)
    ]


def _place_swatch(swatch: Swatch, scale: _Scale, reference_sizes: Sequence[tuple[Size, Size]]) -> Swatch:
    if not 0 <= swatch.reference < len(reference_sizes):
        raise HintError(
            f"a swatch names reference {swatch.reference}, but {len(reference_sizes)} were given; "
            "references count from 0."
        )
    boxes = (
        ("target", swatch.target_box, scale),
        ("reference", swatch.reference_box, _Scale(*reference_sizes[swatch.reference])),
    )
    target, reference = (_place_box(f"swatch's {side} box", box, its) for side, box, its in boxes)
    return Swatch(target, reference, swatch.reference)


def _place_box(name: str, box: Box, scale: _Scale) -> Box:
    """The box in working pixels, cut to the image and at least one pixel wide and high."""
    _check_box(name, box)
    _check_overlap(name, box, scale)
    width, height = scale.working
    left, right = _span(box[0] * scale.x, box[2] * scale.x, width)
    top, bottom = _span(box[1] * scale.y, box[3] * scale.y, height)
    return left, top, right, bottom


def _span(low: float, high: float, size: int) -> tuple[float, float]:
    start = min(max(round(low), 0), size - 1)
    return float(start), float(min(max(round(high), start + 1), size))


def _empty_mask(scale: _Scale) -> Mask:
    return np.zeros((scale.working[1], scale.working[0]), bool)


def _set_nearest(mask: Mask, x: float, y: float) -> None:
    height, width = mask.shape
    mask[min(max(math.floor(y + 0.5), 0), height - 1), min(max(math.floor(x + 0.5), 0), width - 1)] = True


def _bounds(points: Sequence[tuple[float, float]], reach: float) -> Box:
    """The box around a line, in edges of pixels: the pixel at x covers x - 0.5 to x + 0.5 of centers."""
    xs, ys = [x + 0.5 for x, _ in points], [y + 0.5 for _, y in points]
    return min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach


def _check_numbers(name: str, *values: float) -> None:
    if not all(math.isfinite(value) for value in values):
        raise HintError(f"a {name} has a coordinate that is not a number; give pixels of the photograph.")


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


def _check_overlap(name: str, box: Box, scale: _Scale) -> None:
    width, height = scale.photo
    left, top, right, bottom = box
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        raise HintError(
            f"a {name} from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) lies outside its picture of "
            f"{width}x{height} pixels; part of it must be inside."
        )
