"""Chroma from the working size to the photograph's own, along the photograph's edges.

Around each working pixel a*, b* are fitted as linear in L*: the local model of the guided filter (He, Sun,
Tang, TPAMI 2013), at low resolution as in Fast Guided Filter (He, Sun, 2015). The guided filter also replaces
chroma by the model's local mean, which blurs; here the predicted chroma stays as it is, and only the detail
that the working size lost is carried over:

    ab(p) = up(ab)(p) + up(slope)(p) * (L(p) - up(mean L)(p))

with `up` bilinear, and the result kept between the extremes of the working pixels around p: no color appears
that the prediction does not have nearby. Why this one: docs/experiments.md, "Upsampling".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError

Array = NDArray[np.float32]
LightnessRows = Callable[[int, int], Array]

RADIUS = 1
"""Of the window in which chroma is fitted to lightness, in working pixels: 3 x 3."""

REGULARIZATION = 25.0
"""Lightness variance (L* squared) at which the fitted slope is halved: below 5 L* a difference is texture."""

_READ_ROWS = 256

_BLOCK = 1 << 15
"""Pixels that are computed at once: their planes stay in the processor's cache."""

_MAX_SIDE = 1 << 14
"""Rows that OpenCV is given at once: it counts some sides in 16 bits."""


class ChromaUpsampler:
    """Predicted chroma, ready to be asked for any rows of the photograph.

    Several predictions with the same lightness, one after the other on the last axis, come out as each would by itself,
    and cost less. A row comes out the same whatever portion it is asked for in: strips equal the whole picture bit for
    bit.
    """

    def __init__(self, ab: Array, working_lightness: Array, shape: tuple[int, int]) -> None:
        """Fit chroma to lightness at the working size.

        Args:
            ab: CIE a*, b* at the working size, shape (h, w, 2), or C planes of chroma, shape (h, w, C).
            working_lightness: CIE L* of the photograph averaged down to the same size, shape (h, w).
            shape: height and width of the photograph.
        Raises:
            ShapeError: if the two differ in size, are empty or not finite, or shape is not positive.
        """
        _check(ab, shape)
        self.channels = ab.shape[2]
        if working_lightness.shape != ab.shape[:2]:
            raise ShapeError(
                f"working_lightness is {working_lightness.shape} but ab is {ab.shape}; "
                f"average it to {ab.shape[:2]}."
            )
        size = min(ab.shape[0], shape[0]), min(ab.shape[1], shape[1])
        lightness = _shrunk(np.asarray(working_lightness, np.float32), size)
        chroma = _shrunk(np.asarray(ab, np.float32), size)
        self.shape = shape
        self._same = chroma if size == shape else None
        self._planes = np.empty(0, np.float32) if self._same is not None else _model(chroma, lightness)
        self._first_row, self._row_part = _positions(size[0], shape[0])
        self._last_row = size[0] - 1

    def rows(self, top: int, bottom: int, lightness: Array) -> Array:
        """Chroma of some rows.

        Args:
            top, bottom: the first row and the one after the last, 0..H.
            lightness: CIE L* of these rows, shape (bottom - top, W).
        Returns:
            CIE a*, b*, shape (bottom - top, W, C), float32.
        Raises:
            ShapeError: if lightness is not of these rows.
        """
        return np.ascontiguousarray(np.moveaxis(self.planes(top, bottom, lightness), 0, -1))

    def planes(self, top: int, bottom: int, lightness: Array) -> Array:
        """Chroma of some rows as `rows` gives it, plane by plane: shape (C, bottom - top, W)."""
        if not 0 <= top <= bottom <= self.shape[0] or lightness.shape != (bottom - top, self.shape[1]):
            raise ShapeError(
                f"lightness is {lightness.shape} for rows {top} to {bottom} of a {self.shape} photograph; "
                f"pass L* of exactly these rows, whole width."
            )
        if self._same is not None:
            return np.ascontiguousarray(np.moveaxis(self._same[top:bottom], -1, 0))
        ab = np.empty((self.channels, *lightness.shape), np.float32)
        count = max(1, _BLOCK // self.shape[1])
        model = np.empty((1 + 4 * self.channels, count, self.shape[1]), np.float32)
        for start in range(top, bottom, count):
            stop = min(start + count, bottom)
            here = slice(start - top, stop - top)
            self._interpolate(start, stop, model)
            _apply(model[:, : stop - start], lightness[here], ab[:, here])
        return ab

    def _interpolate(self, start: int, stop: int, model: Array) -> None:
        """Fill the model, shape (1 + 4 * C, rows or more, W), at rows of the photograph, each between two others."""
        import cv2

        first = int(self._first_row[start])
        last = min(int(self._first_row[stop - 1]) + 1, self._last_row)
        wide = self._widened(first, last + 1)
        ahead = np.empty_like(wide)
        np.subtract(wide[1:], wide[:-1], out=ahead[:-1])
        ahead[-1] = 0
        uppers, parts = self._first_row[start:stop] - first, self._row_part[start:stop]
        for row, (upper, part) in enumerate(zip(uppers.tolist(), parts.tolist(), strict=True)):
            cv2.scaleAdd(ahead[upper], part, wide[upper], dst=model[:, row])

    def _widened(self, first: int, last: int) -> Array:
        """Rows of the model at the photograph's width, shape (rows, 1 + 4 * C, W)."""
        import cv2

        planes = self._planes[first:last]
        count, width = len(planes) * planes.shape[1], planes.shape[2]
        flat = planes.reshape(count, width)
        if width != self.shape[1]:
            wide = np.empty((count, self.shape[1]), np.float32)
            for part in range(0, count, _MAX_SIDE):
                given, taken = flat[part : part + _MAX_SIDE], wide[part : part + _MAX_SIDE]
                cv2.resize(given, taken.shape[::-1], dst=taken, interpolation=cv2.INTER_LINEAR)
            flat = wide
        return flat.reshape(last - first, planes.shape[1], self.shape[1])


def upsample_chroma(ab: Array, guide: Array) -> Array:
    """Bring predicted chroma to the photograph's size, along the edges of its lightness.

    Args:
        ab: CIE a*, b* at the working size, shape (h, w, 2); of the same picture as the guide.
        guide: CIE L* of the photograph, shape (H, W), 0..100.
    Returns:
        CIE a*, b*, shape (H, W, 2), float32. Exactly 0 where ab is 0 all around; ab itself where sizes agree.
    Raises:
        ShapeError: if ab is not (h, w, 2), guide not (H, W), or one is empty or not finite.
    """
    if guide.ndim != 2:
        raise ShapeError(f"guide is {guide.shape}; it must be (H, W); pass the photograph's lightness alone.")
    _check(ab, guide.shape, channels=2)
    upsampler = ChromaUpsampler(ab, average_lightness(guide, guide.shape, ab.shape[:2]), guide.shape)
    return upsampler.rows(0, guide.shape[0], np.asarray(guide, np.float32))


@dataclass(frozen=True)
class EdgeGuide:
    """The edges of a photograph of the working size, along which several predictions of it are enlarged.

    All that is interpolated is held at once: 20 bytes for each pixel and plane of chroma.

    Attributes:
        slopes: of the photograph's lightness at the size of the predictions.
        detail: lightness less that, enlarged, shape (H, W).
    """

    slopes: _Slopes
    detail: Array

    @classmethod
    def of(cls, working_lightness: Array, lightness: Array) -> EdgeGuide:
        """The edges of a photograph.

        Args:
            working_lightness: CIE L* averaged down to the size of the predictions, shape (h, w).
            lightness: CIE L*, shape (H, W), of h * w pixels or more.
        """
        enlarged = _enlarged(working_lightness, lightness.shape)
        return cls(_Slopes.of(working_lightness), np.asarray(lightness - enlarged, np.float32))

    def along_edges(self, chroma: Array) -> Array:
        """What `ChromaUpsampler` gives of all rows, to rounding, in half of its time.

        Args:
            chroma: C planes of chroma, shape (h, w, C).
        Returns:
            Shape (H, W, C), float32.
        """
        import cv2

        size = self.detail.shape
        value, slope, low, high = (_enlarged(part, size) for part in _fitted(chroma, self.slopes))
        found = cv2.multiply(slope, cv2.merge([self.detail] * chroma.shape[2]), dst=slope)
        cv2.add(found, value, dst=found)
        cv2.max(found, low, dst=found)
        cv2.min(found, high, dst=found)
        return np.asarray(found, np.float32).reshape(*size, -1)


def _enlarged(image: Array, size: tuple[int, ...]) -> Array:
    import cv2

    return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def average_lightness(guide: LightnessRows | Array, shape: tuple[int, int], size: tuple[int, int]) -> Array:
    """The photograph's lightness at the working size, each value the mean over the area it stands for.

    Args:
        guide: CIE L*: an array of shape (H, W), or a function from (top, bottom) to these rows.
        shape: height and width of the photograph.
        size: height and width to bring it to; an axis that would grow is interpolated.
    Returns:
        L*, shape `size`, float32.
    """
    import cv2

    height, width = size
    read = _reader(guide)
    shrunk = min(height, shape[0]), min(width, shape[1])
    total = np.zeros(shrunk, np.float64)
    for top in range(0, shape[0], _READ_ROWS):
        bottom = min(top + _READ_ROWS, shape[0])
        strip = np.ascontiguousarray(read(top, bottom), np.float32)
        if strip.shape != (bottom - top, shape[1]):
            raise ShapeError(f"guide gave {strip.shape} for rows {top} to {bottom}; it must be whole rows.")
        if shrunk[1] != shape[1]:
            strip = np.asarray(
                cv2.resize(strip, (shrunk[1], bottom - top), interpolation=cv2.INTER_AREA), np.float32
            )
        first, cover = _row_cover(top, bottom, shape[0], shrunk[0])
        total[first : first + len(cover)] += cover @ strip
    if shrunk != size:
        total = np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR), np.float64)
    return total.astype(np.float32)


def _row_cover(top: int, bottom: int, height: int, size: int) -> tuple[int, NDArray[np.float64]]:
    """How much of each working row the rows top..bottom make up: the first one's number, (k, rows)."""
    scale = size / height
    start, stop = np.arange(top, bottom) * scale, np.arange(top + 1, bottom + 1) * scale
    first, last = int(start[0]), min(size, int(np.ceil(stop[-1] - 1e-9)))
    lower = np.arange(first, last)[:, None]
    cover: NDArray[np.float64] = np.minimum(stop, lower + 1) - np.maximum(start, lower)
    return first, np.maximum(cover, 0)


class _Fit(NamedTuple):
    """Chroma as linear in lightness around each working pixel, each of shape (h, w, C).

    Attributes:
        value: the chroma itself.
        slope: units of chroma to a unit of L*.
        low, high: the extremes of the pixels around.
    """

    value: Array
    slope: Array
    low: Array
    high: Array


class _Slopes(NamedTuple):
    """What slopes of any chroma against lightness need of that lightness, each of shape (h, w, 1).

    Attributes:
        centered: lightness less 50, so that squares keep their digits.
        mean: the local mean of that.
        spread: the local variance, with `REGULARIZATION`.
    """

    centered: Array
    mean: Array
    spread: Array

    @classmethod
    def of(cls, lightness: Array) -> _Slopes:
        """Of lightness, shape (h, w)."""
        centered = (lightness - np.float32(50))[..., None]
        mean = _local_mean(centered)
        spread = np.maximum(_local_mean(centered * centered) - mean**2, 0) + np.float32(REGULARIZATION)
        return cls(centered, mean, spread)


def _local_mean(image: Array) -> Array:
    import cv2

    side = 2 * RADIUS + 1
    blurred = cv2.blur(image, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32).reshape(image.shape)


def _fitted(chroma: Array, slopes: _Slopes) -> _Fit:
    """Fit chroma, shape (h, w, C), to lightness."""
    import cv2

    around = np.ones((3, 3), np.uint8)
    value = np.ascontiguousarray(chroma, np.float32)
    both = _local_mean(slopes.centered * value) - slopes.mean * _local_mean(value)
    slope = np.asarray(both / slopes.spread, np.float32)
    low, high = (
        np.asarray(f(value, around), np.float32).reshape(value.shape) for f in (cv2.erode, cv2.dilate)
    )
    return _Fit(value, _local_mean(slope), low, high)


def _model(chroma: Array, lightness: Array) -> Array:
    """What is interpolated, shape (h, 1 + 4 * C, w): mean L*, then value, slope, least and greatest of each plane."""
    height, width, channels = chroma.shape
    planes = np.empty((height, 1 + 4 * channels, width), np.float32)
    planes[:, 0] = lightness
    for index, part in enumerate(_fitted(chroma, _Slopes.of(lightness))):
        planes[:, 1 + index :: 4] = part.transpose(0, 2, 1)
    return planes


def _apply(model: Array, lightness: Array, ab: Array) -> None:
    """Fill the planes of ab, shape (C, rows, W), from the model at the same rows, shape (1 + 4 * C, rows, W)."""
    detail = lightness - model[0]
    for channel in range(len(ab)):
        value, slope, low, high = model[1 + 4 * channel : 5 + 4 * channel]
        slope *= detail
        slope += value
        np.maximum(slope, low, out=slope)
        np.minimum(slope, high, out=ab[channel])


def _positions(size: int, target: int) -> tuple[NDArray[np.intp], Array]:
    """Where `target` pixel centers fall among `size`: the one before, and the part of the way to the next."""
    center = np.clip((np.arange(target) + 0.5) * (size / target) - 0.5, 0, size - 1)
    first = center.astype(np.intp)
    return first, (center - first).astype(np.float32)


def _shrunk(image: Array, size: tuple[int, int]) -> Array:
    if image.shape[:2] == size:
        return image
    import cv2

    return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA))


def _reader(guide: LightnessRows | Array) -> LightnessRows:
    if callable(guide):
        return guide
    return lambda top, bottom: np.asarray(guide[top:bottom], np.float32)


def _check(ab: Array, shape: tuple[int, ...], channels: int | None = None) -> None:
    if ab.ndim != 3 or ab.shape[2] != (channels or ab.shape[2]) or not ab.size:
        raise ShapeError(
            f"ab is {ab.shape}; it must be (h, w, 2) and not empty; put a*, b* on the last axis."
        )
    if not np.isfinite(ab).all():
        raise ShapeError(
            "ab holds NaN or infinity; it must be finite; the method that predicted it is at fault."
        )
    if len(shape) != 2 or min(shape) < 1:
        raise ShapeError(f"the photograph's shape is {shape}; it must be (height, width), 1 or more each.")
