"""Bringing hints from the photograph's pixels to a method's working size.

No hint is lost on the way: whatever its size, it keeps at least the working pixel under its center. Where two
hints meet, the later one wins: of the earlier one only what still shows is an item, and one that is covered is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.color.hexcolor import color_to_ab
from tinct.color.lab import rgb_to_lab
from tinct.hints.checking import OPAQUE, check_hint
from tinct.hints.field import HintField, PlacedHint
from tinct.hints.shapes import Box, Hint, HintImage, Rectangle, Stroke, Swatch, as_hints
from tinct.hints.window import Scale, Size, Window

Array = NDArray[np.float32]

ITEM_CELL = 16
"""Long strokes and wide areas become one memory item in each cell of this many working pixels."""


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
        The hints as maps and as items, from the same pixels; the later of two hints wins where they meet.
    Raises:
        HintError: if a hint is outside the photograph, not a number, or names a reference that is missing.
        ColorError: if a color is not written as #rgb or #rrggbb.
    """
    own = [size for size, _ in reference_sizes]
    scale = Scale(photo_size, working_size)
    width, height = working_size
    field = HintField.empty(height, width)
    given = list(as_hints(hints))
    for hint in given:
        check_hint(hint, photo_size, own)
    swatches = [_place_swatch(hint, scale, reference_sizes) for hint in given if isinstance(hint, Swatch)]
    items: list[list[PlacedHint]] = []
    free = height * width
    # The last one first: what a hint covers of the picture is then what is still free.
    for hint in reversed(given):
        if isinstance(hint, Swatch) or not free:
            continue
        window, ab = _image_map(hint, scale) if isinstance(hint, HintImage) else _shape_map(hint, scale)
        shown = window.mask & (field.mask[window.region] == 0)
        y, x = replace(window, mask=shown).pixels()
        free -= len(y)
        field.mask[y, x] = 1
        field.ab[y, x] = ab if ab.ndim == 1 else ab[shown[window.mask]]
        whole = len(y) == np.count_nonzero(window.mask)
        items.append(
            [_point_item(hint, scale)] if isinstance(hint, Hint) and whole else _items(y, x, field.ab)
        )
    points = tuple(item for each in reversed(items) for item in each)
    return HintField(field.ab, field.mask, points, tuple(swatches))


def _shape_map(hint: Hint | Stroke | Rectangle, scale: Scale) -> tuple[Window, Array]:
    return _shape_window(hint, scale), color_to_ab(hint.color)


def _shape_window(hint: Hint | Stroke | Rectangle, scale: Scale) -> Window:
    match hint:
        case Hint():
            return _point_window(hint, scale)
        case Stroke():
            return _stroke_window(hint, scale)
        case Rectangle():
            return _rectangle_window(hint, scale)


def _point_window(hint: Hint, scale: Scale) -> Window:
    """A disk, and always the pixel under its center."""
    small = scale.length(hint.radius) <= ITEM_CELL
    return _kept_disk(hint, scale) if small else _disk(hint, scale)


@lru_cache(maxsize=1024)
def _kept_disk(hint: Hint, scale: Scale) -> Window:
    """A small disk is kept, a kilobyte or less, as all of a photograph's points are placed for one more."""
    return _disk(hint, scale)


def _disk(hint: Hint, scale: Scale) -> Window:
    x, y = scale.point(hint.x, hint.y)
    reach = scale.length(hint.radius)
    window = Window.around([(x, y)], reach, scale)
    window.fill_segment(x, y, x, y, reach)
    window.set_nearest(x, y, scale)
    return window


def _stroke_window(stroke: Stroke, scale: Scale) -> Window:
    """All pixels within half the width of the line, which stays connected however thin it becomes."""
    placed = [scale.point(x, y) for x, y in stroke.points]
    reach = max(scale.length(stroke.width) / 2, 0.5)
    window = Window.around(placed, reach, scale)
    for (x0, y0), (x1, y1) in zip(placed, placed[1:] or placed, strict=False):
        window.fill_segment(x0, y0, x1, y1, reach)
    if not window.mask.any():
        window.set_nearest(*placed[0], scale)
    return window


def _rectangle_window(rectangle: Rectangle, scale: Scale) -> Window:
    """The pixels whose centers lie inside, and always the one under its own center."""
    left, top, right, bottom = rectangle.box
    left, right = left * scale.x, right * scale.x
    top, bottom = top * scale.y, bottom * scale.y
    # A pixel's center lies half a pixel past its edge.
    window = Window.around([(left - 0.5, top - 0.5), (right - 0.5, bottom - 0.5)], 0, scale)
    rows, columns = (
        np.arange(first, first + count) + 0.5
        for first, count in zip((window.top, window.left), window.mask.shape, strict=True)
    )
    inside_x = (columns >= left) & (columns < right)
    inside_y = (rows >= top) & (rows < bottom)
    window.mask[:] = inside_y[:, None] & inside_x
    if not window.mask.any():
        window.set_nearest((left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5, scale)
    return window


def _image_map(image: HintImage, scale: Scale) -> tuple[Window, Array]:
    """Average painted pixels into working ones; a thin line keeps the pixels that hold most of it.

    Returns:
        The mask, of all working pixels, and a*, b* of its pixels in row order, shape (n, 2).
    """
    rgba = _at_least(image.rgba, scale.working)
    sums = _painted_sums(rgba, Scale((rgba.shape[1], rgba.shape[0]), scale.working))
    coverage = sums[..., 0]
    mask = (coverage > 0) & (coverage >= 0.5 * _largest_around(coverage))
    return Window(0, 0, mask), (sums[mask, 1:] / coverage[mask, None]).astype(np.float32)


def _at_least(rgba: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """A painted image with pixels repeated along sides that are shorter than (width, height): no gaps are between."""
    for axis, side in enumerate(reversed(size)):
        if rgba.shape[axis] < side:
            nearest = ((np.arange(side) + 0.5) * (rgba.shape[axis] / side)).astype(int)
            rgba = rgba.take(nearest, axis)
    return rgba


def _painted_sums(rgba: NDArray[np.uint8], scale: Scale) -> NDArray[np.float64]:
    """How many painted pixels fall into each working pixel, and the sums of their a* and b*; (h, w, 3)."""
    width, height = scale.working
    sums = np.zeros((3, height * width))
    for top in range(0, rgba.shape[0], 512):
        rows = rgba[top : top + 512]
        y, x = np.nonzero(rows[..., 3] >= OPAQUE)
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


def _point_item(hint: Hint, scale: Scale) -> PlacedHint:
    x, y = scale.point(hint.x, hint.y)
    ab = color_to_ab(hint.color)
    return PlacedHint(x, y, (float(ab[0]), float(ab[1])), max(scale.length(hint.radius), 0.5))


def _items(y: NDArray[np.intp], x: NDArray[np.intp], ab: Array) -> list[PlacedHint]:
    """One item for each cell that pixels lie in, at the mean of these pixels; none for no pixels."""
    cells, member, count = np.unique(
        (y // ITEM_CELL) * ab.shape[1] + x // ITEM_CELL, return_inverse=True, return_counts=True
    )
    means = [np.bincount(member, values, len(cells)) / count for values in (x, y, ab[y, x, 0], ab[y, x, 1])]
    return [
        PlacedHint(float(cx), float(cy), (float(a), float(b)), max(math.sqrt(n / math.pi), 0.5))
        for cx, cy, a, b, n in zip(*means, count, strict=True)
    ]


def _place_swatch(swatch: Swatch, scale: Scale, reference_sizes: Sequence[tuple[Size, Size]]) -> Swatch:
    target = _place_box(swatch.target_box, scale)
    reference = _place_box(swatch.reference_box, Scale(*reference_sizes[swatch.reference]))
    return Swatch(target, reference, swatch.reference)


def _place_box(box: Box, scale: Scale) -> Box:
    """The box in working pixels, cut to the image and at least one pixel wide and high."""
    width, height = scale.working
    left, right = _span(box[0] * scale.x, box[2] * scale.x, width)
    top, bottom = _span(box[1] * scale.y, box[3] * scale.y, height)
    return left, top, right, bottom


def _span(low: float, high: float, size: int) -> tuple[float, float]:
    start = min(max(round(low), 0), size - 1)
    return float(start), float(min(max(round(high), start + 1), size))
