"""Photoshop files for tests, written after Adobe's specification and not after our reader."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]


def resource(code: int, body: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", code, 0, len(body)) + body + bytes(len(body) % 2)


def photoshop_file(
    mode: int,
    planes: Sequence[Plane],
    *,
    bits: int = 8,
    resources: bytes = b"",
    layers: bytes = b"",
    palette: bytes = b"",
    packed: bool = False,
) -> bytes:
    """A PSD of planes of shape (H, W), of the type that has `bits`; of 1 bit, True is ink."""
    height, width = planes[0].shape
    rows = [[_row(row, bits) for row in plane] for plane in planes]
    file = b"8BPS" + struct.pack(">H6xHIIHH", 1, len(planes), height, width, bits, mode)
    file += b"".join(struct.pack(">I", len(part)) + part for part in (palette, resources, layers))
    if not packed:
        return file + struct.pack(">H", 0) + b"".join(row for plane in rows for row in plane)
    codes = [imagecodecs.packbits_encode(row) for plane in rows for row in plane]
    return file + struct.pack(f">H{len(codes)}H", 1, *map(len, codes)) + b"".join(codes)


def _row(row: Plane, bits: int) -> bytes:
    if bits == 1:
        return np.packbits(row).tobytes()
    return row.astype(f">u{bits // 8}").tobytes()
