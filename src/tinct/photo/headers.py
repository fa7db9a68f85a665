"""Sizes of pictures read from their headers, for decoders that allocate memory when they open a file."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tinct.errors import PhotoError

Size = tuple[int, int, int]
"""Width, height, samples a pixel."""

_ITEMS = 1 << 16
"""Bytes at the head of a HEIC or AVIF in which its items' properties are."""

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


def jpeg2000_icc(data: bytes) -> bytes | None:
    """The ICC profile in a JPEG 2000's color specification box (ISO/IEC 15444-1, I.5.3.3); None if it has none."""
    place = data.find(b"colr", 0, data.find(b"\xff\x4f\xff\x51"))
    if place < 4 or data[place + 4 : place + 5] not in (b"\2", b"\3"):
        return None
    return data[place + 7 : place - 4 + int.from_bytes(data[place - 4 : place], "big")] or None


def coded_color(data: bytes) -> dict[str, int] | None:
    """The code points of color (ITU-T H.273) at the head of an AVIF (ISO/IEC 23008-12, 6.5.5); None without any."""
    place = data.find(b"colrnclx", 0, _ITEMS)
    if place < 0 or len(data) < place + 14:
        return None
    primaries, transfer, _ = struct.unpack_from(">3H", data, place + 8)
    return {"color_primaries": primaries, "transfer_characteristics": transfer}


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
