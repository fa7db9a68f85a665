"""Sources: photographs from paths, bytes, images and arrays, as all front doors take them; references among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from tinct.errors import OptionError, PhotoError, ReferencePhotoError, shown
from tinct.photo import Photo


def as_photo(source: Any) -> Photo:
    """A photograph of any kind: a path, bytes, a PIL image, an array, or a `Photo`, which is returned as it is.

    Raises:
        PhotoError, ShapeError: if the photograph cannot be read.
    """
    from PIL import Image

    if isinstance(source, Photo):
        return source
    if isinstance(source, np.ndarray):
        return Photo.from_array(source)
    if isinstance(source, Image.Image):
        return Photo.from_image(source)
    if isinstance(source, str | PathLike | bytes | bytearray) or hasattr(source, "read"):
        return Photo.read(bytes(source) if isinstance(source, bytearray) else source)
    raise PhotoError(
        f"a {type(source).__name__} is not a photograph; give a path, a file's bytes, an image or an array."
    )


def as_source_kind(result: Photo, source: Any) -> Any:
    """A result as the same kind of object as its source; see `tinct.colorize`."""
    if isinstance(source, bytes | bytearray):
        return result.encode()
    if isinstance(source, np.ndarray):
        return result.to_array()
    if isinstance(source, str | PathLike | Photo):
        return result
    return result.to_image()


def made_of(source: Any, first: Photo, work: Callable[[Photo], Photo]) -> Any:
    """What is made of a photograph, as the same kind of object as its source; of the bytes of a TIFF, all pages.

    Args:
        source: as `as_photo` takes it.
        first: the photograph that `as_photo` gave for it.
        work: makes a photograph of a page.
    Raises:
        TinctError: as reading or working raised it; of a file of several pages it names the page.
    """
    if first.pages == 1 or not isinstance(source, bytes | bytearray):
        return as_source_kind(work(first), source)
    from tinct.photo.pages import each_page, encode_pages

    content = bytes(source)
    return encode_pages(each_page(first, lambda number: Photo.read(content, page=number), work))[0]


def reference_photo(source: Any, number: int) -> Photo:
    """A reference of any kind; its errors give its number.

    Args:
        source: as `as_photo` takes it.
        number: from 0.
    Raises:
        PhotoError, ShapeError: if the photograph cannot be read.
        ReferencePhotoError: if the photograph has no color to give.
    """
    photo = as_photo(source).without_hidden_colors()
    if not photo.gives_color():
        name = photo.path or f"reference {number + 1}"
        raise ReferencePhotoError(
            f"{name} is gray or of a single tint; a reference must be a color photograph."
        )
    return photo


def reference_weights(weights: Sequence[float] | None, count: int) -> tuple[float, ...]:
    """One weight for each of `count` references; None is 1 for all.

    Raises:
        OptionError: if there are not as many weights as references, or a weight is no number or outside 0..1.
    """
    found = (1.0,) * count if weights is None else _numbers(weights)
    if len(found) != count:
        raise OptionError(f"there are {len(found)} weights for {count} references; give one for each.")
    if wrong := [weight for weight in found if not 0 <= weight <= 1]:
        raise OptionError(f"a reference's weight is {wrong[0]:g}; it must be 0 (not at all) to 1.")
    return found


def _numbers(weights: Any) -> tuple[float, ...]:
    """Weights as numbers; texts and mappings, whose elements are something else, are refused."""
    try:
        given = tuple(weights)  # once: they may be generated
        if isinstance(weights, str | bytes | Mapping) or any(isinstance(each, str | bytes) for each in given):
            raise TypeError
        return tuple(float(each) for each in given)
    except (TypeError, ValueError, OverflowError):
        raise OptionError(
            f"the references' weights are {shown(weights)}; give a number 0 to 1 for each, in a list."
        ) from None
