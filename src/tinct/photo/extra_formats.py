"""HEIC through pi-heif, which the extra `formats` installs, and JPEG XL through imagecodecs."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import MissingExtraError, PhotoError
from tinct.photo import color_models, headers, ifd
from tinct.photo.coded_color import jpeg_xl_profile, nclx_profile
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.jpeg_xl_color import stated_bits, stated_color, stated_orientation
from tinct.photo.metadata import ORIENTATION
from tinct.photo.profiles import ColorProfile

Pixels = NDArray[Any]

_HEADER = 4096
"""Bytes of a JPEG XL code stream in which its header is looked for."""


def read_heic(stream: BinaryIO, limits: Limits) -> tuple[Pixels, FileMetadata, ColorProfile | None]:
    """Read the primary picture of a HEIC, upright, of 8 or 16 bits.

    Returns:
        The pixels, the metadata, and the color profile that its code points state, if the file has no ICC profile.
    Raises:
        MissingExtraError: if the decoder is not installed.
        PhotoTooLargeError: if the picture exceeds the limits.
    """
    try:
        import pi_heif
    except ImportError:
        raise MissingExtraError(
            'it is HEIC, for which a decoder must be installed (pip install "tinct[formats]"); '
            "or convert it to PNG or TIFF."
        ) from None
    file = pi_heif.open_heif(stream, convert_hdr_to_8bit=False)
    width, height = file.size
    limits.check(width, height, 4, 16)
    found = FileMetadata(exif=ifd.read_block(file.info.get("exif")), icc=file.info.get("icc_profile"))
    found.exif.entries.pop(0x0112, None)  # libheif turns the pixels itself
    xmp = file.info.get("xmp")
    found.xmp = xmp if isinstance(xmp, bytes) else None
    if len(file) > 1:
        found.notes.append(f"it holds {len(file)} pictures; the first is used")
    coded = file.info.get("nclx_profile") if found.icc is None else None
    profile = None if coded is None else nclx_profile(coded, found.notes)
    return np.array(file), found, profile  # a copy: the file's memory goes when it is closed


def read_jpeg_xl(stream: BinaryIO, limits: Limits) -> tuple[Pixels, FileMetadata, ColorProfile | None]:
    """Read the first frame of a JPEG XL, upright, of 8 or 16 bits."""
    import imagecodecs

    data = stream.read()
    code = _code_stream(data)
    found = _jpeg_xl_metadata(data, stated_orientation(code))
    limits.check(*headers.jpeg_xl_size(code), 16)
    array = np.asarray(imagecodecs.jpegxl_decode(data, index=0, numthreads=1))
    if array.ndim not in (2, 3):
        raise PhotoError("it is a JPEG XL of several layers, which is not read; save it as PNG.")
    profile = jpeg_xl_profile(stated_color(code), found.notes)
    return _whole_range(array, stated_bits(code), found.notes), found, profile


def _whole_range(array: Pixels, stated: int, notes: list[str]) -> Pixels:
    """Samples over the whole range of 8 or 16 bits; libjxl gives integers in the range of the bits that are stated."""
    held = array.dtype.itemsize * 8
    if array.dtype.kind == "f":
        return color_models.unsigned(array, held, color_models.FLOAT, notes)
    return color_models.unsigned(array, min(stated, held), color_models.UNSIGNED, notes)


def _jpeg_xl_metadata(data: bytes, orientation: int) -> FileMetadata:
    """The metadata of a JPEG XL; EXIF's orientation gives way to the one by which libjxl turns the pixels itself."""
    found = FileMetadata()
    for kind, body in _boxes(data):
        if kind == b"Exif" and len(body) > 4:
            found.exif = ifd.read_block(body[4 + int.from_bytes(body[:4], "big") :])
        elif kind == b"xml ":
            found.xmp = body
        elif kind == b"brob":
            found.notes.append("metadata of the JPEG XL is packed with Brotli and was left out")
    found.exif.entries.pop(ORIENTATION, None)
    if orientation > 1:
        found.exif.set_numbers(ORIENTATION, ifd.SHORT, (orientation,))
    return found


def _code_stream(data: bytes) -> bytes:
    """The start of the code stream, whose parts lie in boxes of their own where the file was made of a JPEG."""
    if data.startswith(b"\xff\x0a"):
        return data[:_HEADER]
    parts: dict[int, bytes] = {}
    for kind, body in _boxes(data):
        if kind == b"jxlc":
            return body[:_HEADER]
        if kind == b"jxlp" and len(body) > 4:  # the highest bit of the number marks the last part
            parts.setdefault(int.from_bytes(body[:4], "big") & 0x7FFFFFFF, body[4 : 4 + _HEADER])
    return b"".join(parts[number] for number in sorted(parts)[:_HEADER])[:_HEADER]


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of a JPEG XL and their bodies; none of a bare code stream."""
    found = headers.boxes(BytesIO(data)) if data[4:8] == b"JXL " else iter(())
    return ((kind, data[place : place + size]) for kind, place, size in found)
