"""AVIF: pixels at their own depth. Pillow reads metadata and 8 bits; imagecodecs decodes 10 and 12 bits."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import color_models, headers
from tinct.photo.coded_color import nclx_profile, through_profile
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.pillow_reading import image_metadata, image_pixels, open_image, own_alpha_split

Pixels = NDArray[Any]

_HEAD = 1 << 16
"""Bytes at the start of a file in which the properties of its pictures are."""


def read(stream: BinaryIO, limits: Limits) -> tuple[Pixels, Pixels | None, FileMetadata]:
    """Read the first picture of an AVIF, not yet turned upright.

    Returns:
        The pixels, shape (H, W) or (H, W, 3), uint8 or uint16; alpha, shape (H, W), or None; the metadata.
    Raises:
        PhotoTooLargeError: if the picture exceeds the limits.
    """
    stream.seek(0)
    head = stream.read(_HEAD)
    bits = headers.av1_bits(head)
    image = open_image(stream, "AVIF", limits)
    found = image_metadata(image)
    if bits > 8:
        limits.check(*image.size, 4, 16)
        pixels, alpha = _deep(stream, bits, found)
    else:
        pixels, alpha = image_pixels(image, found)
    coded = headers.coded_color(head) if found.icc is None else None
    profile = None if coded is None else nclx_profile(coded, found.notes)
    return through_profile(profile, pixels), alpha, found


def _deep(stream: BinaryIO, bits: int, found: FileMetadata) -> tuple[Pixels, Pixels | None]:
    import imagecodecs

    stream.seek(0)
    array = np.asarray(imagecodecs.avif_decode(stream.read(), index=0, numthreads=1))
    if array.dtype != np.uint16 or array.ndim not in (2, 3):
        raise PhotoError(f"it is an AVIF that does not hold the {bits} bits it states; save it as PNG.")
    return own_alpha_split(color_models.unsigned(array, bits, color_models.UNSIGNED, found.notes))
