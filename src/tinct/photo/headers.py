"""Sizes of pictures read from their headers, for decoders that allocate memory when they open a file."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO

from tinct.errors import PhotoError

Size = tuple[int, int, int]
"""Width, height, samples a pixel."""

_ITEMS = 1 << 16
"""Bytes at the head of a HEIC or AVIF in which its items' properties are."""

_LARGEST_PROFILE = 16 << 20
"""Bytes of a profile that is read."""

_MOST_BOXES = 100_000
"""Boxes of a file that are looked at."""

_GIF_XMP, _GIF_XMP_TAIL = b"\x21\xff\x0bXMP DataXMP", bytes((1, *range(255, -1, -1)))
_LARGEST_GIF = 64 << 20
"""Bytes of a GIF in which its XMP is looked for."""

_JXL_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def webp_size(data: bytes) -> Size:
    """The size that a WebP's first chunk states: VP8X, VP8L or VP8 (RFC 9649)."""
    head = data[:32].ljust(32, b"\0")
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little"), 4
    if head[12:16] == b"VP8L":
        packed = int.from_bytes(head[21:25], "little")
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF), 4
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF, 4


def jpeg2000_size(data: bytes) -> Size:
    """The size that a JPEG 2000 code stream states in its SIZ segment, which comes first (ITU-T T.800, A.5.1).

    Raises:
        PhotoError: if there is no such segment.
    """
    place = data.find(b"\xff\x4f\xff\x51", 0, 1 << 20)
    if place < 0 or len(data) < place + 42:
        raise PhotoError("it has no JPEG 2000 code stream; it is damaged; copy or export it again.")
    right, bottom, left, top = struct.unpack_from(">4I", data, place + 8)
    (components,) = struct.unpack_from(">H", data, place + 40)
    return max(right - left, 1), max(bottom - top, 1), components


@dataclass(frozen=True, slots=True)
class Component:
    """A component of a JPEG 2000.

    Attributes:
        bits: of a sample.
        signed: True for signed samples.
        across, down: pixels that one sample stands for.
    """

    bits: int
    signed: bool
    across: int
    down: int


def jpeg2000_components(data: bytes) -> list[Component]:
    """The components that a JPEG 2000 code stream states in its SIZ segment (ITU-T T.800, A.5.1).

    Raises:
        PhotoError: if the segment is missing or incomplete.
    """
    _, _, count = jpeg2000_size(data)
    place = data.find(b"\xff\x4f\xff\x51", 0, 1 << 20) + 42
    stated = data[place : place + 3 * count]
    if not count or len(stated) < 3 * count:
        raise PhotoError("its JPEG 2000 code stream is damaged or incomplete; copy or export it again.")
    return [
        Component((depth & 0x7F) + 1, bool(depth & 0x80), across, down)
        for depth, across, down in struct.iter_unpack("3B", stated)
    ]


def jpeg2000_icc(data: bytes) -> bytes | None:
    """The ICC profile in a JPEG 2000's color specification box (ISO/IEC 15444-1, I.5.3.3); None if it has none."""
    method, body = _jpeg2000_color(data)
    return body or None if method in (2, 3) else None


def jpeg2000_space(data: bytes) -> int | None:
    """The number of a JPEG 2000's color space (ISO/IEC 15444-1, I.5.3.3; 15444-2, M.11.7.3); None if none is named."""
    method, body = _jpeg2000_color(data)
    return int.from_bytes(body[:4], "big") if method == 1 and len(body) >= 4 else None


def _jpeg2000_color(data: bytes) -> tuple[int, bytes]:
    """The method of the color specification box at the head of a JPEG 2000, 0 without one, and what it states."""
    place = data.find(b"colr", 0, data.find(b"\xff\x4f\xff\x51"))
    if place < 4 or len(data) < place + 7:
        return 0, b""
    return data[place + 4], data[place + 7 : place - 4 + int.from_bytes(data[place - 4 : place], "big")]


def coded_color(data: bytes) -> dict[str, int] | None:
    """The code points of color (ITU-T H.273) at the head of an AVIF (ISO/IEC 23008-12, 6.5.5); None without any."""
    place = data.find(b"colrnclx", 0, _ITEMS)
    if place < 0 or len(data) < place + 14:
        return None
    primaries, transfer, _ = struct.unpack_from(">3H", data, place + 8)
    return {"color_primaries": primaries, "transfer_characteristics": transfer}


def av1_bits(data: bytes) -> int:
    """Bits a channel of the first picture of an AVIF (AV1-ISOBMFF, 2.3.3); 8 where the file does not say so."""
    place = data.find(b"av1C", 0, _ITEMS)
    if place < 0 or len(data) < place + 7:
        return 8
    high, twelve = data[place + 6] & 0x40, data[place + 6] & 0x20
    return 8 if not high else 12 if twelve else 10


def bmp_icc(stream: BinaryIO) -> bytes | None:
    """The ICC profile that a BMP's header of version 5 embeds; None if it embeds none."""
    stream.seek(0)
    head = stream.read(138).ljust(138, b"\0")
    size, space = struct.unpack_from("<I", head, 14)[0], head[70:74]
    if size != 124 or space != b"DEBM":
        return None
    offset, length = struct.unpack_from("<2I", head, 126)
    stream.seek(14 + offset)
    return stream.read(min(length, _LARGEST_PROFILE)) or None


def gif_xmp(stream: BinaryIO) -> bytes | None:
    """The XMP packet of a GIF (XMP part 3, 1.1.2), which a tail of 257 bytes readers step over; None if missing."""
    stream.seek(0)
    data = stream.read(_LARGEST_GIF)
    place = data.find(_GIF_XMP)
    end = data.find(_GIF_XMP_TAIL, place) if place >= 0 else -1
    return data[place + len(_GIF_XMP) : end] or None if end >= 0 else None


def boxes(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of an ISO base media file or a JPEG 2000, without those inside of others.

    Yields:
        The kind of each, where its body begins, and the body's bytes.
    """
    place, end = 0, stream.seek(0, SEEK_END)
    for _ in range(_MOST_BOXES):
        if place + 8 > end:
            return
        stream.seek(place)
        start = stream.read(16)
        size, kind, head = int.from_bytes(start[:4], "big"), start[4:8], 8
        if size == 1:
            size, head = int.from_bytes(start[8:], "big"), 16
        elif size == 0:
            size = end - place
        if size < head:
            return
        yield kind, place + head, min(size, end - place) - head
        place += size


def jpeg_xl_size(stream: bytes) -> Size:
    """The size that a JPEG XL code stream states (ISO/IEC 18181-1, D.2), taken as RGB with alpha.

    Raises:
        PhotoError: if the bytes are no such code stream.
    """
    if stream[:2] != b"\xff\x0a" or len(stream) < 16:
        raise PhotoError("it has no JPEG XL code stream; it is damaged; copy or export it again.")
    return (*take_jpeg_xl_size(Bits(stream[2:16])), 4)


def take_jpeg_xl_size(bits: Bits) -> tuple[int, int]:
    """Width and height, as JPEG XL headers write them."""
    small = bits.take(1)
    height = _jxl_side(bits, small)
    ratio = bits.take(3)
    if ratio == 0:
        return _jxl_side(bits, small), height
    across, down = _JXL_RATIOS[ratio]
    return height * across // down, height


def _jxl_side(bits: Bits, small: int) -> int:
    return (bits.take(5) + 1) * 8 if small else bits.take((9, 13, 18, 30)[bits.take(2)]) + 1


class Bits:
    """Reads whole numbers from a byte string, the least significant bit first."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        """The next number of so many bits; 0 behind the end."""
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value

    def choose(self, choices: Sequence[tuple[int, int]]) -> int:
        """The next number of JPEG XL's U32 fields: two bits choose one of four pairs (bits, offset)."""
        count, offset = choices[self.take(2)]
        return self.take(count) + offset
