"""Photoshop files (Adobe Photoshop File Formats Specification): the merged picture, and the metadata in resources."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import SEEK_CUR
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import color_models, ifd, iptc
from tinct.photo.color_models import ICC_LAB
from tinct.photo.file_metadata import FileMetadata, Limits
from tinct.photo.metadata import plausible_dpi
from tinct.photo.pillow_reading import split_alpha
from tinct.photo.profiles import srgb_icc

Pixels = NDArray[Any]

_BITMAP, _GRAY, _INDEXED, _RGB, _CMYK, _MULTICHANNEL, _DUOTONE, _LAB = 0, 1, 2, 3, 4, 7, 8, 9
_COLORS = {_BITMAP: 1, _GRAY: 1, _INDEXED: 1, _RGB: 3, _CMYK: 4, _MULTICHANNEL: 1, _DUOTONE: 1, _LAB: 3}
"""Channels of the color, by color mode."""

_NOTES = {
    _MULTICHANNEL: "it is multichannel; the first channel is used",
    _DUOTONE: "it is a duotone; its inks are left out",
}

_RESOLUTION, _ICC, _VERSION, _EXIF, _XMP = 1005, 1039, 1057, 1058, 1060
_CAPTIONS = frozenset((1028, 1034, 1035))
"""Resources: IPTC, the copyright flag, the address of the owner."""

_RAW, _PACKBITS = 0, 1
_MERGED_ALPHA = frozenset((b"Mtrn", b"Mt16", b"Mt32"))
_DEEP_LAYERS = frozenset((b"Lr16", b"Lr32", b"Layr"))
_MOST_BLOCKS = 1000


@dataclass(frozen=True, slots=True)
class _Header:
    """The header of a file.

    Attributes:
        channels, height, width, bits, mode: as the file states them.
    """

    channels: int
    height: int
    width: int
    bits: int
    mode: int

    @property
    def row(self) -> int:
        """Bytes of a row of one channel."""
        return -(-self.width * self.bits // 8)


def read(stream: BinaryIO, limits: Limits) -> tuple[Pixels, Pixels | None, FileMetadata]:
    """Read the merged picture.

    Returns:
        The pixels, shape (H, W) or (H, W, 3), uint8 or uint16; alpha, shape (H, W), or None; the metadata.
    Raises:
        PhotoError: if the picture is of a kind that is not read, was not saved, is damaged or incomplete.
        PhotoTooLargeError: if the picture exceeds the limits.
    """
    stream.seek(0)
    header = _Header(*struct.unpack(">12xHIIHH", _exactly(stream, 26)))
    colors = _COLORS.get(header.mode, 0)
    _check(header, colors)
    limits.check(header.width, header.height, colors + 1, header.bits)
    palette, resources = _section(stream), _section(stream)
    found = _metadata(resources)
    if note := _NOTES.get(header.mode):
        found.notes.append(note)
    has_alpha = _skips_layers(stream) and header.channels > colors
    planes = _planes(stream, header, colors + has_alpha)
    return *_interpreted(planes, header, palette, found), found


def _check(header: _Header, colors: int) -> None:
    if not colors or header.channels < colors:
        raise PhotoError(_not_read(f"of the color mode {header.mode} with {header.channels} channels"))
    deepest = 1 if header.mode == _BITMAP else 8 if header.mode in (_INDEXED, _LAB) else 16
    if header.bits not in (1, 8, 16) or header.bits > deepest or (header.bits == 1) != (deepest == 1):
        raise PhotoError(_not_read(f"of the color mode {header.mode} with {header.bits} bits a channel"))


def _not_read(form: str) -> str:
    return f"it is a PSD {form}, which is not read; save it as a TIFF of 8 or 16 bits."


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise PhotoError("the PSD ends in the middle; it is incomplete; copy or export it again.")
    return data


def _section(stream: BinaryIO) -> bytes:
    (size,) = struct.unpack(">I", _exactly(stream, 4))
    return _exactly(stream, size)


def _metadata(resources: bytes) -> FileMetadata:
    found, kept = FileMetadata(), []
    for code, name, body in iptc.resources(resources):
        if code == _VERSION and len(body) >= 5 and not body[4]:
            raise PhotoError(
                "it is a PSD without a merged picture; save it with maximized compatibility, or as TIFF."
            )
        if code == _ICC:
            found.icc = body
        elif code == _XMP:
            found.xmp = body
        elif code == _EXIF:
            found.exif = ifd.read_block(body)
        elif code == _RESOLUTION and len(body) >= 12:
            across, down = struct.unpack_from(">I4xI", body)
            found.dpi = plausible_dpi((across / 65536, down / 65536))
        elif code in _CAPTIONS:
            kept.append(iptc.resource(code, name, body))
    found.iptc = b"".join(kept) or None
    return found


def _skips_layers(stream: BinaryIO) -> bool:
    """Step over the layers.

    Returns:
        True if the first channel beyond the color is the merged picture's transparency, and not a saved selection.
    """
    (size,) = struct.unpack(">I", _exactly(stream, 4))
    start = stream.tell()
    transparent = size >= 4 and _is_transparent(stream, start + size)
    stream.seek(start + size)
    return transparent


def _is_transparent(stream: BinaryIO, end: int) -> bool:
    """True if a negative number of layers says so, or a block of a deep file, which has its layers in blocks."""
    (size,) = struct.unpack(">I", _exactly(stream, 4))
    if size >= 2:
        return struct.unpack(">h", _exactly(stream, 2))[0] < 0
    (mask,) = struct.unpack(">I", stream.read(4).rjust(4, b"\0"))
    stream.seek(mask, SEEK_CUR)
    for _ in range(_MOST_BLOCKS):
        # the count is that of layers, where the block holds some
        mark, key, size, count = struct.unpack(">4s4sIh", stream.read(14).ljust(14, b"\0"))
        if mark not in (b"8BIM", b"8B64") or stream.tell() > end + 2:
            return False
        if key in _MERGED_ALPHA or (key in _DEEP_LAYERS and count < 0):
            return True
        stream.seek(-(-size // 4) * 4 - 2, SEEK_CUR)
    return False


def _planes(stream: BinaryIO, header: _Header, count: int) -> Pixels:
    """The first channels' bytes, shape (count, H, bytes a row)."""
    (kind,) = struct.unpack(">H", _exactly(stream, 2))
    if kind == _RAW:
        data = _exactly(stream, count * header.height * header.row)
        return np.frombuffer(data, np.uint8).reshape(count, header.height, header.row)
    if kind != _PACKBITS:
        raise PhotoError(_not_read(f"with the compression {kind}"))
    lengths = np.frombuffer(_exactly(stream, 2 * header.channels * header.height), ">u2")
    planes = np.empty((count, header.height, header.row), np.uint8)
    for number, packed in enumerate(lengths.reshape(header.channels, -1)[:count]):
        _unpack(_exactly(stream, int(packed.sum(dtype=np.int64))), planes[number])
    return planes


def _unpack(packed: bytes, plane: NDArray[np.uint8]) -> None:
    """Unpack the rows of a channel into their place."""
    import imagecodecs

    try:
        unpacked = imagecodecs.packbits_decode(packed, out=plane.size)
    except imagecodecs.ImcdError:
        unpacked = b""
    if len(unpacked) != plane.size:
        raise PhotoError("a channel of the PSD is damaged or incomplete; copy or export it again.")
    plane[...] = np.frombuffer(unpacked, np.uint8).reshape(plane.shape)


def _interpreted(
    planes: Pixels, header: _Header, palette: bytes, found: FileMetadata
) -> tuple[Pixels, Pixels | None]:
    if header.mode == _BITMAP:
        return np.where(
            np.unpackbits(planes[0], axis=1, count=header.width), np.uint8(0), np.uint8(255)
        ), None
    if header.mode == _INDEXED:
        if len(palette) < 768:
            raise PhotoError("the PSD lacks its palette; it is damaged; copy or export it again.")
        return np.frombuffer(palette, np.uint8, 768).reshape(3, 256).T[planes[0]], None
    samples = planes if header.bits == 8 else planes.view(">u2").astype(np.uint16)
    array = np.ascontiguousarray(np.moveaxis(samples, 0, -1))
    color, alpha = _split(array, _COLORS[header.mode])
    if header.mode == _CMYK:
        color, note = color_models.cmyk_to_srgb(np.invert(color), found.icc)
    elif header.mode == _LAB:
        color, note = (
            color_models.lab_to_srgb(color, ICC_LAB),
            "it is CIE Lab; the pixels were converted to sRGB",
        )
    else:
        return color, alpha
    found.notes.append(note)
    found.icc = srgb_icc()
    return color, alpha


def _split(array: Pixels, colors: int) -> tuple[Pixels, Pixels | None]:
    """Color, shape (H, W) or (H, W, colors), and alpha, shape (H, W), or None."""
    if array.shape[2] <= 4 and colors != 4:
        return split_alpha(array)
    alpha = np.ascontiguousarray(array[..., -1]) if array.shape[2] > colors else None
    return np.ascontiguousarray(array[..., :colors]), alpha
