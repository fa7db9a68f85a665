"""Strips and tiles of TIFF that are pictures of their own: how large they say they are, before they are decoded."""

from __future__ import annotations

from tinct.errors import PhotoError
from tinct.photo import headers, jpeg
from tinct.photo.file_metadata import Limits

_JPEG, _JPEG2000, _WEBP = 7, 34712, 50001


def check_segment(
    compression: int, data: bytes, rows: int, columns: int, samples: int, limits: Limits
) -> None:
    """Refuse a segment that is larger than its part of the image.

    Args:
        compression: TIFF's number; only those that hold pictures are looked at.
        rows, columns, samples: what the segment should hold.
    Raises:
        PhotoError: if it holds far more, or its size cannot be read.
    """
    if compression == _JPEG:
        _, _, height, width, channels = jpeg.frame(data, limits)
    elif compression == _JPEG2000:
        width, height, channels = headers.jpeg2000_size(data)
    elif compression == _WEBP:
        width, height, channels = headers.webp_size(data)
    else:
        return
    if width * height * channels > 2 * rows * columns * max(samples, 4) + (1 << 16):
        raise PhotoError(f"a part of the TIFF is {width}x{height}, far more than its place; it is damaged.")
