"""Photorealistic stylization: a color photograph takes on another's look, by Xu 2020's transfer sub-net."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import OptionError, PhotoError, ShapeError
from tinct.options import WORKING_SIZE_RANGE
from tinct.photo import Photo, Provenance
from tinct.photo.sources import as_photo, made_of
from tinct.stylizing.local_affine import LocalAffine
from tinct.stylizing.manifold_ranking import smoothed

Array = NDArray[np.float32]
Labels = NDArray[np.integer[Any]]

WORKING_SIZE = 512
"""Longer side in pixels at which the network sees both photographs."""

SMOOTHINGS = ("none", "photowct")
"""What is done to the network's picture before its change is carried to the photograph."""

MOST_LABELS = 255
"""The most labels of a label map; a map with more is a picture, or a label map that was saved with loss."""


def stylize(
    photo: Any,
    reference: Any,
    labels: tuple[Any, Any] | None = None,
    *,
    match: str = "adain",
    cascade: bool = False,
    smoothing: str = "none",
    alpha: float = 1.0,
    size: int = WORKING_SIZE,
) -> Any:
    """Give a color photograph the look of another: its colors, light and mood; the content stays.

    The network works at a bounded size. Its change is carried to the full photograph as local affine maps of color
    (`tinct.stylizing.local_affine`), so that size, detail and metadata are the photograph's own.

    Args:
        photo, reference: as `tinct.colorize` takes them.
        labels: label maps of photograph and reference, to match like with like (sky with sky): paths or PIL images
            whose colors are the labels, or arrays of integers (H, W); each at any size.
        match: "adain", which matches each channel's mean and deviation, or "wct", which matches the covariance.
        cascade: True matches one level after the other, the deepest first, in a pass each (PhotoWCT).
        smoothing: "photowct" smooths the network's picture along the photograph (`tinct.stylizing.manifold_ranking`),
            which takes seconds; "none" leaves it.
        alpha: how far to go, 0..1.
        size: the working size, the longer side in pixels, 32..2048.
    Returns:
        The same kind as the photo, as `tinct.colorize` does; nothing is written.
    Raises:
        PhotoError, ShapeError: if a photograph or a label map cannot be read.
        OptionError: if an option is out of range.
        WeightsError: if the network is not installed.
    Source: Xu et al., Stylization-Based Architecture for Fast Deep Exemplar Colorization, CVPR 2020.
    """
    from tinct.methods.exported import sha256_of
    from tinct.networks.xu2020.transfer import NAME, WEIGHTS

    low, high = WORKING_SIZE_RANGE
    if isinstance(size, bool) or not isinstance(size, int) or not low <= size <= high:
        raise OptionError(f"size is {size!r}; it must be {low} to {high} pixels on the longer side.")
    if smoothing not in SMOOTHINGS:
        raise OptionError(f"smoothing is {smoothing!r}; choose {' or '.join(SMOOTHINGS)}.")
    content, style = as_photo(photo), as_photo(reference)
    maps = None if labels is None else (read_labels(labels[0]), read_labels(labels[1]))
    look = working_rgb(style, size)

    def styled(page: Photo) -> Photo:
        small = working_rgb(page, size)
        made = network_picture(small, look, maps, match, cascade, alpha)
        if smoothing == "photowct":
            made = np.clip(smoothed(made, small), 0, 1)
        carried = LocalAffine(small, made, (page.height, page.width))
        result = page.colored_by_rows(lambda top, bottom, _: carried.rows(top, bottom, page.rgb(top, bottom)))
        result.provenance = Provenance(NAME, sha256_of(WEIGHTS))
        return result

    return made_of(photo, content, styled)


def network_picture(
    content: Array,
    style: Array,
    labels: tuple[Labels, Labels] | None = None,
    match: str = "adain",
    cascade: bool = False,
    alpha: float = 1.0,
) -> Array:
    """The network's own picture at the working size: sRGB, shape (h, w, 3), 0..1.

    Args:
        content, style: sRGB, shape (h, w, 3), 0..1.
        labels: label maps of both, integers.
        match, cascade, alpha: see `stylize`.
    """
    from tinct.networks.xu2020.places import STYLIZATION
    from tinct.networks.xu2020.transfer import transferred
    from tinct.stylizing.cascade import cascaded

    if cascade:
        return cascaded(content, style, labels, match=match, alpha=alpha)
    return transferred(content, style, labels, match=match, places=STYLIZATION, alpha=alpha)


def working_rgb(photo: Photo, size: int) -> Array:
    """A photograph's sRGB with the longer side at most `size` pixels, shape (h, w, 3), 0..1."""
    from tinct.color.lab import lab_to_rgb

    return np.clip(lab_to_rgb(photo.working_lab(size)), 0, 1)


def read_labels(source: Any) -> Labels:
    """A label map as integers, shape (H, W).

    Args:
        source: an array of integers, or a path or PIL image, each color of which is a label.
    Raises:
        PhotoError: if the file cannot be read.
        ShapeError: if the source is no label map.
    """
    from PIL import Image

    if isinstance(source, str | PathLike | Image.Image):
        source = _labels_of(source)
    found = np.asarray(source)
    if found.ndim != 2 or found.dtype.kind not in "iu" or found.size == 0:
        raise ShapeError(f"labels are {found.dtype} of shape {found.shape}; integers (H, W) are wanted.")
    return found


def _labels_of(source: Any) -> Labels:
    """The labels of a picture: a number for each of its colors, the same in every picture of one depth.

    The picture is read as photographs are: upright, whole, and by no reader that starts a program.
    """
    try:
        photo = as_photo(source)
    except PhotoError as error:
        raise PhotoError(f"the map cannot be read as a label map: {error}") from None
    pixels = photo.to_array().astype(np.int64)
    gray = pixels if pixels.ndim == 2 else pixels[..., 0]
    rgb = (
        pixels[..., :3] if pixels.ndim == 3 and pixels.shape[2] > 2 else np.repeat(gray[..., None], 3, axis=2)
    )
    labels = rgb @ np.array([1 << 2 * photo.bit_depth, 1 << photo.bit_depth, 1])
    if (count := len(np.unique(labels))) > MOST_LABELS:
        name = photo.path or "the label map"
        raise ShapeError(f"{name} has {count} colors; a label map has few: save it without loss, as PNG.")
    return labels
