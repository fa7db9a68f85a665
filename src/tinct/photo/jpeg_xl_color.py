"""Color, depth and orientation that a JPEG XL code stream states (ISO/IEC 18181-1, D.3) and decoders do not tell."""

from __future__ import annotations

from dataclasses import dataclass

from tinct.photo.headers import Bits, take_jpeg_xl_size

_ENUM = ((0, 0), (0, 1), (4, 2), (6, 18))
_SAMPLE_BITS, _FLOAT_BITS = ((0, 8), (0, 10), (0, 12), (6, 1)), ((0, 32), (0, 16), (0, 24), (6, 1))
_CHANNELS, _SHIFT = ((0, 0), (0, 1), (4, 2), (12, 1)), ((0, 0), (0, 3), (0, 4), (3, 1))
_NAME, _CFA = ((0, 0), (4, 0), (5, 16), (10, 48)), ((0, 1), (2, 0), (4, 3), (8, 19))
_COORDINATE = ((19, 0), (19, 524288), (20, 1048576), (21, 2097152))
_PREVIEW_EIGHTHS, _PREVIEW = ((0, 16), (0, 32), (5, 1), (9, 33)), ((6, 1), (8, 65), (10, 321), (12, 1345))
_TICKS, _PARTS = ((0, 100), (0, 1000), (10, 1), (30, 1)), ((0, 1), (0, 1001), (8, 1), (10, 1))
_LOOPS = ((0, 0), (3, 0), (16, 0), (32, 0))
"""Numbers of the header: four choices each, as (bits, offset)."""

_ALPHA, _SPOT, _FILTERS = 0, 2, 5
_GRAY, _XYB = 1, 2
CUSTOM = 2
"""The code point of a white point or of primaries that the header states as numbers."""


@dataclass(frozen=True, slots=True)
class StatedColor:
    """The color of a JPEG XL.

    Attributes:
        icc: True if it is stated by an ICC profile.
        white, primaries, transfer: code points; primaries and transfer as in ITU-T H.273, but 11 for Display P3.
        gamma: the exponent from light to values, where one is stated in place of a transfer function; else None.
    """

    icc: bool = False
    white: int = 1
    primaries: int = 1
    transfer: int = 13
    gamma: float | None = None


def stated_color(stream: bytes) -> StatedColor:
    """The color that the start of a code stream states; bits behind its end count as 0."""
    bits = Bits(stream[2:])
    take_jpeg_xl_size(bits)
    if bits.take(1):
        return StatedColor()
    if bits.take(1):
        _skip_extra_fields(bits)
    _take_depth(bits)
    bits.take(1)
    for _ in range(bits.choose(_CHANNELS)):
        _skip_channel(bits)
    bits.take(1)
    return StatedColor() if bits.take(1) else _encoding(bits)


def stated_bits(stream: bytes) -> int:
    """Bits of a sample that the start of a code stream states: 1..31 of integers, 16..32 of floating point."""
    bits = Bits(stream[2:])
    take_jpeg_xl_size(bits)
    if bits.take(1):
        return 8
    if bits.take(1):
        _skip_extra_fields(bits)
    return _take_depth(bits)


def stated_orientation(stream: bytes) -> int:
    """The orientation that the start of a code stream states, 1..8 as in EXIF; decoders turn the pixels by it."""
    bits = Bits(stream[2:])
    take_jpeg_xl_size(bits)
    return 1 + bits.take(3) if not bits.take(1) and bits.take(1) else 1


def _encoding(bits: Bits) -> StatedColor:
    if bits.take(1):
        return StatedColor(icc=True)
    space = bits.choose(_ENUM)
    white = 1 if space == _XYB else bits.choose(_ENUM)
    if white == CUSTOM:
        _skip_points(bits, 1)
    primaries = 1 if space in (_GRAY, _XYB) else bits.choose(_ENUM)
    if primaries == CUSTOM:
        _skip_points(bits, 3)
    if space != _XYB and bits.take(1):
        return StatedColor(False, white, primaries, 2, bits.take(24) * 1e-7)
    return StatedColor(False, white, primaries, 13 if space == _XYB else bits.choose(_ENUM))


def _skip_points(bits: Bits, count: int) -> None:
    for _ in range(2 * count):
        bits.choose(_COORDINATE)


def _skip_extra_fields(bits: Bits) -> None:
    bits.take(3)
    if bits.take(1):
        take_jpeg_xl_size(bits)
    if bits.take(1):
        choices = _PREVIEW_EIGHTHS if bits.take(1) else _PREVIEW
        bits.choose(choices)
        if bits.take(3) == 0:
            bits.choose(choices)
    if bits.take(1):
        for choices in (_TICKS, _PARTS, _LOOPS):
            bits.choose(choices)
        bits.take(1)


def _take_depth(bits: Bits) -> int:
    """Bits of a sample."""
    if not bits.take(1):
        return bits.choose(_SAMPLE_BITS)
    depth = bits.choose(_FLOAT_BITS)
    bits.take(4)
    return depth


def _skip_channel(bits: Bits) -> None:
    if bits.take(1):
        return
    kind = bits.choose(_ENUM)
    _take_depth(bits)
    bits.choose(_SHIFT)
    bits.take(8 * bits.choose(_NAME))
    if kind == _ALPHA:
        bits.take(1)
    elif kind == _SPOT:
        bits.take(64)
    elif kind == _FILTERS:
        bits.choose(_CFA)
