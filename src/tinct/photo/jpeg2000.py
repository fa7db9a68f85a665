"""JPEG 2000 (ITU-T T.800): pixels at their own depth, and the metadata in its boxes.

Pillow says what the channels mean. It decodes 8 bits; channels of other depths are decoded by imagecodecs, as Pillow
rounds deeper ones of several channels to 8 bits, by which white becomes black, and shifts shallower ones, whose white
becomes gray.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import color_models, headers, ifd, iptc
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.headers import Component
from tinct.photo.pillow_reading import image_metadata, image_pixels, open_image, own_alpha_split
from tinct.photo.profiles import srgb_icc

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[Any]

_HEAD = 1 << 20
"""Bytes at the start of a file in which its color is looked for."""

_STREAM_HEAD = 1 << 16
"""Bytes of a code stream in which its header is."""

_LARGEST_BOX = 64 << 20
"""Bytes of a box of metadata that is read."""

_TILE_PART, _END = 0xFF90, 0xFFD9
"""Markers of a code stream."""

_MOST_SEGMENTS = 1 << 20
"""Segments and parts of tiles of a code stream that are counted."""

_WHITE_IS_ZERO = 0
"""The color space (ISO/IEC 15444-2, M.11.7.3) of bi-level pictures in which 1 is black."""

_NOT_READ = {1: "YCbCr (1)", 3: "YCbCr (2)", 4: "YCbCr (3)", 9: "PhotoYCC", 11: "CMY", 13: "YCCK", 14: "CIE Lab",
             19: "CIE Jab", 20: "e-sRGB", 21: "ROMM RGB", 22: "YPbPr (1125/60)", 23: "YPbPr (1250/50)",
             24: "e-sYCC"}  # fmt: skip
"""Color spaces that decoders leave as they are, by their numbers."""

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_EXIF = b"JpgTiffExif->JP2"
"""UUIDs of boxes with metadata, as Adobe, exiftool and Kakadu write them."""


def read(stream: BinaryIO, limits: Limits) -> tuple[Pixels, Pixels | None, FileMetadata]:
    """Read a JPEG 2000, not yet turned upright.

    Returns:
        The pixels, shape (H, W) or (H, W, 3), uint8 or uint16; alpha, shape (H, W), or None; the metadata.
    Raises:
        PhotoError: if the file has no code stream, or channels of a kind that is not read.
        PhotoTooLargeError: if the picture exceeds the limits.
    """
    image = open_image(stream, "JPEG2000", limits)
    start = _code_stream(stream)
    stream.seek(start)
    code = stream.read(_STREAM_HEAD)
    components = headers.jpeg2000_components(code)
    bits = max(each.bits for each in components)
    limits.check(*headers.jpeg2000_size(code), bits)
    _check_tiles(stream, start, code)
    found = image_metadata(image)
    stream.seek(0)
    head = stream.read(_HEAD)
    found.icc = found.icc or headers.jpeg2000_icc(head)
    space = headers.jpeg2000_space(head)
    if space in _NOT_READ:
        raise PhotoError(
            f"it is a JPEG 2000 in {_NOT_READ[space]}, which is not read; save it as sRGB, or as TIFF."
        )
    _add_boxes(stream, found)
    pixels, alpha = _decoded(stream, image, components, found)
    if space == _WHITE_IS_ZERO and pixels.ndim == 2:
        pixels = np.invert(pixels)
    return pixels, alpha, found


def _decoded(
    stream: BinaryIO, image: Image.Image, components: list[Component], found: FileMetadata
) -> tuple[Pixels, Pixels | None]:
    """Pixels over the whole range of 8 or 16 bits, and alpha."""
    depths = {each.bits for each in components}
    bits = max(depths)
    if depths == {8}:
        return image_pixels(image, found)
    if bits <= 8 and len(depths) > 1:
        return image_pixels(_unshifted(image, [each.bits for each in components]), found)
    if len(set(components)) > 1:
        raise PhotoError(
            "it is a JPEG 2000 whose channels differ in depth or size, which is not read; save it as TIFF."
        )
    samples = _samples(stream)
    if image.mode in ("P", "PA"):  # the colors of the palette, which is of 8 bits
        return own_alpha_split(samples)
    kind = color_models.SIGNED if components[0].signed else color_models.UNSIGNED
    whole = color_models.unsigned(samples, bits, kind, found.notes)
    if image.mode == "CMYK":
        pixels, note = color_models.cmyk_to_srgb(whole, found.icc)
        found.notes.append(note)
        found.icc = srgb_icc()
        return pixels, None
    return own_alpha_split(whole)


def _unshifted(image: Image.Image, depths: list[int]) -> Image.Image:
    """An image whose bands have the whole range of 8 bits, of one whose bands Pillow shifted to their upper bits."""
    if len(depths) != len(image.getbands()) or image.mode == "PA":
        raise PhotoError(
            "it is a JPEG 2000 whose channels differ in depth, which is not read; save it as TIFF."
        )
    tables = [
        round((value >> (8 - bits)) * 255 / ((1 << bits) - 1)) for bits in depths for value in range(256)
    ]
    return image.point(tables)


def _code_stream(stream: BinaryIO) -> int:
    """Where the code stream begins that is decoded; other boxes may hold what looks like one."""
    stream.seek(0)
    if stream.read(4) == b"\xff\x4f\xff\x51":
        return 0
    return next((start for kind, start, _ in headers.boxes(stream) if kind == b"jp2c"), 0)


def _check_tiles(stream: BinaryIO, start: int, code: bytes) -> None:
    """Refuse a code stream without some of its tiles (ITU-T T.800, A.4.2), which decoders leave black.

    Args:
        stream: the file.
        start: where its code stream begins.
        code: the head of the code stream.
    Raises:
        PhotoError: if a tile is missing.
    """
    right, bottom, *_, across, down, left, top = struct.unpack_from(">8I", code, 8)
    if not across or not down:
        raise PhotoError("its JPEG 2000 code stream has tiles of no size; it is damaged; copy it again.")
    wanted, found = -(-(right - left) // across) * -(-(bottom - top) // down), set[int]()
    place = start + 2
    for _ in range(_MOST_SEGMENTS):
        stream.seek(place)
        marker, size, tile, length = struct.unpack(">3HI", stream.read(10).ljust(10, b"\0"))
        if marker == _TILE_PART:
            found.add(tile)
        if (
            len(found) >= wanted
            or marker >> 8 != 0xFF
            or marker == _END
            or (marker == _TILE_PART and not length)
        ):
            break
        place += length if marker == _TILE_PART else 2 + size
    if len(found) < wanted:
        raise PhotoError(
            f"{wanted - len(found)} of the {wanted} tiles of the JPEG 2000 are missing; it is damaged; copy it again."
        )


def _samples(stream: BinaryIO) -> Pixels:
    import imagecodecs

    stream.seek(0)
    return np.asarray(imagecodecs.jpeg2k_decode(stream.read(), numthreads=1))


def _add_boxes(stream: BinaryIO, found: FileMetadata) -> None:
    """Add EXIF, XMP and IPTC, which Pillow does not tell, from the first UUID box of each."""
    for kind, place, size in headers.boxes(stream):
        if kind != b"uuid" or not 16 < size <= _LARGEST_BOX:
            continue
        stream.seek(place)
        mark = stream.read(16)
        if mark in (_XMP, _IPTC, _EXIF):
            _add_box(mark, stream.read(size - 16), found)


def _add_box(mark: bytes, body: bytes, found: FileMetadata) -> None:
    if mark == _XMP:
        found.xmp = found.xmp or body
    elif mark == _IPTC:
        found.iptc = found.iptc or iptc.as_resources(body)
    elif not found.exif.entries:
        found.exif = ifd.read_block(body)
