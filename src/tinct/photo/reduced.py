"""Reading a photograph for a look at it alone: large JPEG files are decoded at a fraction of their size."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO

from tinct.photo.file_metadata import Limits
from tinct.photo.photo import DEFAULT_MAX_PIXELS, Photo

_JPEG = b"\xff\xd8\xff"


def read_reduced(content: bytes, least: int, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Read a photograph whose detail does not count.

    A JPEG is decoded at the smallest of 1/1, 1/2, 1/4 and 1/8 of its size that leaves both sides `least` pixels (the
    cosine transform's own scaling), which spares most of the time. Other formats are read whole.

    Args:
        content: a file of any format that is read.
        least: pixels that the shorter side keeps, where the photograph has them.
        max_pixels: as in `Photo.read`.
    Raises:
        PhotoError, PhotoTooLargeError: as `Photo.read`.
    """
    if content.startswith(_JPEG):
        with suppress(Exception):  # what Pillow cannot read so, `Photo.read` reads or refuses
            return _reduced_jpeg(content, least, max_pixels)
    return Photo.read(content, max_pixels=max_pixels)


def _reduced_jpeg(content: bytes, least: int, max_pixels: int) -> Photo:
    from PIL.JpegImagePlugin import JpegImageFile

    image = JpegImageFile(BytesIO(content))
    Limits(max_pixels).check(*image.size)
    image.draft(image.mode, (least, least))
    return Photo.from_image(image)
