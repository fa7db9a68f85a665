"""Rendering: chroma at the working size is upsampled, fitted to the gamut and put under lightness, strip by strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.color.hexcolor import color_to_ab
from tinct.hints import Hint, HintLike
from tinct.hints.covering import covered_points
from tinct.options import Options

if TYPE_CHECKING:
    from tinct.color.upsampling import ChromaUpsampler
    from tinct.photo import Photo

Array = NDArray[np.float32]

COLOR_LAYER_LIGHTNESS = 50.0
"""L* of `chroma_only`: the middle of the scale, where the sRGB gamut is widest."""

CHROMA_STEP = 1 / 16
"""Step of a* and b* at the working size in every result. Half a step is a thirtieth of a just noticeable difference;
whole steps let a chroma file of some tens of kilobytes give the same bytes as a whole run."""

_ENGINE_PIXELS = 1 << 18
"""From here on colors are converted on the engine; compiling that, once a process, costs what two megapixels gain."""

_PREVIEW_ROWS = 64
"""Rows of a preview that are colored at once: their planes stay in the processor's cache."""

_STAMP_LIGHTNESS_SIGMA = 10.0
"""How far from a point's own L* its exact color still reaches; about the contrast of an edge."""


def rounded_chroma(ab: Array) -> Array:
    """a* and b* of any shape, rounded to whole steps of `CHROMA_STEP`."""
    rounded = np.asarray(ab * np.float32(1 / CHROMA_STEP), np.float32)
    np.rint(rounded, out=rounded)
    rounded *= np.float32(CHROMA_STEP)
    return rounded


def render(
    photo: Photo,
    ab: Array,
    working_lightness: Array,
    hints: Sequence[HintLike],
    options: Options,
    *,
    on_engine: bool = False,
    last: bool = False,
) -> Photo:
    """Put predicted chroma under the photograph's own lightness, at full resolution.

    Args:
        photo: the photograph; its lightness is read by strips, its metadata is kept.
        ab: CIE a*, b* at the working size, shape (h, w, 2).
        working_lightness: the photograph's L* averaged to that size, shape (h, w).
        hints: the user's hints; points are met exactly at their own pixel, which may be much smaller than a working
            pixel.
        options: strength and chroma_only are used.
        on_engine: True where the inference engine is loaded anyway: the engine converts colors in a sixth of the time,
            and its channels differ by less than a hundred thousandth.
        last: True gives the result the memory of the photograph's pixels: the photograph must not be used again.
    """
    from tinct.color.upsampling import ChromaUpsampler

    merged: Callable[[Array, Array], NDArray[Any]] = _merged
    if on_engine and photo.height * photo.width >= _ENGINE_PIXELS:
        merged = partial(_merged_on_engine, dtype=np.uint8 if photo.eight_bit_srgb else np.float32)
    upsampler = ChromaUpsampler(ab, working_lightness, (photo.height, photo.width))
    stamps = _stamps(hints, photo, ab.shape[1] / photo.width)

    def colored(top: int, bottom: int, lightness: Array) -> NDArray[Any]:
        lightness, chroma = _layers(upsampler, stamps, options, top, lightness)
        return merged(lightness, chroma)

    return photo.colored_by_rows(colored, last=last)


def _layers(
    upsampler: ChromaUpsampler, stamps: Sequence[_Stamp], options: Options, top: int, lightness: Array
) -> tuple[Array, Array]:
    """The planes of some rows: L*, shape (rows, W), and a* and b*, shape (2, rows, W)."""
    chroma = upsampler.planes(top, top + len(lightness), lightness)
    for stamp in stamps:
        stamp.blend(np.moveaxis(chroma, 0, -1), lightness, top)
    if options.strength != 1:
        chroma *= np.float32(options.strength)
    return np.full_like(lightness, COLOR_LAYER_LIGHTNESS) if options.chroma_only else lightness, chroma


def _merged(lightness: Array, chroma: Array) -> Array:
    """Color under lightness: sRGB, shape (rows, W, 3), of planes of a* and b*."""
    from tinct.color.gamut import merge_lightness

    return merge_lightness(lightness, np.moveaxis(chroma, 0, -1))


def _merged_on_engine(
    lightness: Array, chroma: Array, dtype: type[np.uint8] | type[np.float32]
) -> NDArray[Any]:
    """`_merged` on the inference engine, as float32 or rounded to uint8."""
    import cv2

    from tinct.color.lab_openvino import merged_planes

    return np.asarray(cv2.merge(list(merged_planes(lightness, chroma, dtype))))


def render_preview(
    photo: Photo, ab: Array, working_lightness: Array, hints: Sequence[HintLike], options: Options
) -> NDArray[np.uint8]:
    """The picture that `render` gives, for previews: in a third of the time, and not quite exact.

    Colors are fitted to the gamut at the working size and clipped after; OpenCV converts them. Of a megapixel with
    five saturated hints the channels differ by 0.5 of 255 steps in the mean and by 7 at the 99th percentile.

    Args:
        photo, ab, working_lightness, hints, options: as in `render`; the photograph is small.
    Returns:
        sRGB, shape (H, W, 3).
    """
    import cv2

    from tinct.color.gamut import fit_gamut
    from tinct.color.upsampling import ChromaUpsampler

    fitted = fit_gamut(working_lightness, ab)
    upsampler = ChromaUpsampler(fitted, working_lightness, (photo.height, photo.width))
    stamps = _stamps(hints, photo, ab.shape[1] / photo.width)
    pixels = np.empty((photo.height, photo.width, 3), np.uint8)

    for top in range(0, photo.height, _PREVIEW_ROWS):
        bottom = min(top + _PREVIEW_ROWS, photo.height)
        lightness, chroma = _layers(upsampler, stamps, options, top, photo.lightness(top, bottom))
        rgb = cv2.cvtColor(cv2.merge([lightness, *chroma]), cv2.COLOR_Lab2RGB)
        pixels[top:bottom] = cv2.convertScaleAbs(rgb, alpha=255)
    return pixels


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A point's color at full resolution: exact at its pixel, fading within about one working pixel.

    Upsampling mixes a working pixel with its neighbors; this puts back what was asked for, without an edge:
    the weight falls with the distance and with the difference in lightness.
    """

    x: int
    y: int
    ab: Array
    lightness: float
    sigma: float

    def blend(self, chroma: Array, lightness: Array, top: int) -> None:
        """Blend into rows of chroma, shape (rows, W, 2), that begin at `top`."""
        reach = math.ceil(3 * self.sigma)
        y0, y1 = max(self.y - reach - top, 0), min(self.y + reach + 1 - top, len(chroma))
        x0, x1 = max(self.x - reach, 0), min(self.x + reach + 1, chroma.shape[1])
        if y0 >= y1:
            return
        y = np.arange(y0 + top - self.y, y1 + top - self.y)[:, None]
        x = np.arange(x0 - self.x, x1 - self.x)
        contrast = (lightness[y0:y1, x0:x1] - self.lightness) / _STAMP_LIGHTNESS_SIGMA
        weight = np.exp(-0.5 * ((x * x + y * y) / self.sigma**2 + contrast**2)).astype(np.float32)[..., None]
        window = chroma[y0:y1, x0:x1]
        window += weight * (self.ab - window)


def _stamps(hints: Sequence[HintLike], photo: Photo, scale: float) -> list[_Stamp]:
    """One stamp for each point that shows, narrow enough to leave its neighbors their color."""
    points = {pixel_of(hint, photo): hint for hint in uncovered(hints, photo)}
    places = list(points)
    stamps = []
    for i, ((x, y), lightness) in enumerate(zip(places, photo.lightness_at(places).tolist(), strict=True)):
        apart = min((math.dist((x, y), other) for j, other in enumerate(places) if j != i), default=math.inf)
        sigma = max(min(0.5 / scale, apart / 4), 0.25)
        stamps.append(_Stamp(x, y, color_to_ab(points[x, y].color), lightness, sigma))
    return stamps


def uncovered(hints: Sequence[HintLike], photo: Photo) -> list[Hint]:
    """The points among the hints whose pixels no later hint is painted over."""
    points = [hint for hint in hints if isinstance(hint, Hint)]
    size = photo.width, photo.height
    covered = covered_points(hints, [pixel_of(hint, photo) for hint in points], size)
    return [hint for hint, hidden in zip(points, covered.tolist(), strict=True) if not hidden]


def pixel_of(hint: Hint, photo: Photo) -> tuple[int, int]:
    """Column and row of the pixel that a hint names, within the photograph."""
    x, y = math.floor(hint.x + 0.5), math.floor(hint.y + 0.5)
    return min(max(x, 0), photo.width - 1), min(max(y, 0), photo.height - 1)
