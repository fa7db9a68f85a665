"""Strips and tiles of a TIFF: each is checked before it is decoded, and put into its place."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import headers, jpeg
from tinct.photo.file_metadata import Limits
from tinct.photo.tiff_forms import DEFLATE, JPEG, LZW, bits_of

Pixels = NDArray[Any]

_JPEG2000, _WEBP = 34712, 50001

_SLACK = 1 << 16
"""Bytes by which strips may exceed the file that they lie in, as encoders pad them."""

_PIECE = 1 << 18
"""Bytes that are inflated at once where they are only counted."""


def check_storage(page: Any, limits: Limits, size: int) -> None:
    """Refuse tiles far beyond the picture, and strips that share bytes, whose work no file's size bounds.

    Args:
        page: a tifffile page.
        size: bytes of the file.
    Raises:
        PhotoError: if the strips hold more bytes than the file.
        PhotoTooLargeError: if a tile is too large.
    """
    if page.is_tiled:
        limits.check(page.tilewidth, page.tilelength, page.samplesperpixel, bits_of(page))
    if sum(page.databytecounts) > size + _SLACK:
        raise PhotoError(
            "its strips hold more bytes than the file; it is damaged or incomplete; copy or export it again."
        )


def decoded(page: Any, limits: Limits, notes: list[str]) -> Pixels:
    """Decode a page that `tiff_forms` lists.

    Args:
        page: a tifffile page.
        limits: of the sizes of its parts.
        notes: takes a note of parts that have no bytes.
    Returns:
        The samples as stored, shape (H, W, samples).
    Raises:
        PhotoError: if strips are missing, incomplete, or larger than their place, or none has any bytes.
    """
    shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
    planar = page.planarconfig == 2 and shape[2] > 1
    if page.compression == 1 and page.is_contiguous and not planar:
        whole: Pixels = page.asarray(maxworkers=1).reshape(shape)
        return whole
    _check_any_bytes(page)
    array = np.empty(shape, page.dtype)
    # as tifffile counts: separate planes, depth, height, width, samples side by side
    empty = _fill(
        page, np.moveaxis(array, -1, 0)[:, None, ..., None] if planar else array[None, None], limits
    )
    if empty:
        notes.append(
            f"{empty} of its {len(page.databytecounts)} strips or tiles have no bytes, and are blank"
        )
    return array


def _check_any_bytes(page: Any) -> None:
    """Refuse a page of which no strip or tile has any bytes: all of it would be blank."""
    if not any(page.databytecounts):
        count = len(page.databytecounts)
        parts = f"its {count} strips or tiles have" if count > 1 else "its only strip has"
        raise PhotoError(f"{parts} no bytes; it is incomplete; copy or export it again.")


def _fill(page: Any, array: Pixels, limits: Limits) -> int:
    """Decode strips or tiles one after the other into an array of shape `page.shaped`.

    Returns:
        How many have no bytes.
    """
    tables = (
        {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader} if page.compression == JPEG else {}
    )
    handle, filled, empty, lzw = page.parent.filehandle, 0, 0, page.compression == LZW
    reverse = lzw and page.fillorder == 2
    if lzw:  # tifffile is given what libtiff has unpacked, and does the rest
        page.compression, page.fillorder = 1, 1
    for index, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=False)):
        handle.seek(offset)
        packed = handle.read(count) if count else None
        if packed is not None and len(packed) < count:
            raise PhotoError(
                "a strip of the TIFF ends in the middle; it is incomplete; copy or export it again."
            )
        if packed is not None:
            packed = _bounded(page, index, packed, limits, lzw, reverse)
        segment, (plane, depth, top, left, _), shape = page.decode(packed, index, **tables)
        if plane >= array.shape[0] or top >= array.shape[2]:
            break
        place = array[plane, depth, top : top + shape[1], left : left + shape[2]]
        place[...] = page.nodata if segment is None else segment[0, : place.shape[0], : place.shape[1]]
        filled += place.size
        empty += segment is None
    if filled < array.size:
        raise PhotoError("strips of the TIFF are missing; it is incomplete; copy or export it again.")
    return empty


def _bounded(page: Any, index: int, packed: bytes, limits: Limits, lzw: bool, reverse: bool) -> bytes:
    """A segment that decodes to no more than its part of the image; one in LZW is unpacked."""
    rows, columns = (
        (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    )
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    if not page.is_tiled:
        strips = -(-page.imagelength // rows)
        rows = min(rows, page.imagelength - index % strips * rows)
    _check_segment(int(page.compression), packed, rows, columns, samples, limits)
    row = -(-columns * samples * bits_of(page) // 8)
    if lzw:
        return _unpacked_lzw(packed, rows, row, reverse)
    if page.compression not in DEFLATE:
        return packed
    most = rows * row
    try:
        if _inflates_within(packed, most):
            return packed
        return zlib.compress(
            zlib.decompressobj().decompress(packed, most), 0
        )  # an encoder padded the last strip
    except zlib.error:
        return packed  # the decoder says what is wrong with it


def _unpacked_lzw(packed: bytes, rows: int, row: int, reverse: bool) -> bytes:
    """The bytes of a segment in LZW, unpacked by libtiff.

    The decoder of LZW in imagecodecs follows codes of damaged streams to memory that is not the stream's, and may end
    the process; libtiff's refuses them.

    Args:
        packed: the segment.
        rows, row: its rows, and the bytes of each.
        reverse: True if the lowest bit of each byte is the first (FillOrder 2).
    Raises:
        ValueError: if the stream is damaged, or ends too early.
    """
    import imagecodecs

    tags = {256: row, 257: rows, 258: 8, 259: LZW, 262: 1, 266: 2 if reverse else 1, 277: 1, 278: rows}
    place = 8 + 2 + 12 * (len(tags) + 2) + 4
    tags |= {273: place, 279: len(packed)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    try:
        return np.asarray(imagecodecs.tiff_decode(head + packed)).tobytes()
    except imagecodecs.TiffError as error:
        raise ValueError(str(error)) from None


def _inflates_within(packed: bytes, most: int) -> bool:
    """True if a zlib stream ends within a number of bytes; they are counted piece by piece, and not kept.

    Raises:
        zlib.error: if the stream is damaged.
    """
    inflater, left = zlib.decompressobj(), most
    for start in range(0, len(packed), _PIECE):
        piece = packed[start : start + _PIECE]
        while piece and not inflater.eof:
            left -= len(inflater.decompress(piece, _PIECE))
            piece = inflater.unconsumed_tail
            if left < 0:
                return False
    return inflater.eof


def _check_segment(
    compression: int, data: bytes, rows: int, columns: int, samples: int, limits: Limits
) -> None:
    """Refuse a segment that is larger than its part of the image.

    Args:
        compression: TIFF's number; only those that hold pictures are looked at.
        rows, columns, samples: what the segment should hold.
    Raises:
        PhotoError: if it holds far more, or its size cannot be read.
    """
    if compression == JPEG:
        _, _, height, width, channels = jpeg.frame(data, limits)
    elif compression == _JPEG2000:
        width, height, channels = headers.jpeg2000_size(data)
    elif compression == _WEBP:
        width, height, channels = headers.webp_size(data)
    else:
        return
    if width * height * channels > 2 * rows * columns * max(samples, 4) + (1 << 16):
        raise PhotoError(f"a part of the TIFF is {width}x{height}, far more than its place; it is damaged.")
