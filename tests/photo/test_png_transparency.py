"""Laws of the gray that a PNG declares transparent (tRNS): the places of that gray are transparent, and no others."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tinct.photo import Photo


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def gray_png(array: NDArray[Any], bits: int, transparent: int) -> bytes:
    """A gray PNG of so many bits, whose rows fill whole bytes, with a transparent gray."""
    digits = (array[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(digits.reshape(len(array), -1).astype(np.uint8), axis=1)
    filtered = np.hstack([np.zeros((len(rows), 1), np.uint8), rows]).tobytes()
    header = struct.pack(">IIBBBBB", array.shape[1], len(array), bits, 0, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"tRNS", struct.pack(">H", transparent)),
        (b"IDAT", zlib.compress(filtered)),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks) + chunk(b"IEND", b"")


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_gray_is_found_at_every_depth(bits: int, opened: bool) -> None:
    top = (1 << bits) - 1
    array = np.random.default_rng(bits).integers(0, top + 1, (16, 32))
    for value in {0, 1, top, int(array[3, 5])}:
        array[0, 0] = value
        data = gray_png(array, bits, value)
        photo = Photo.from_image(Image.open(io.BytesIO(data))) if opened else Photo.read(data)
        whole = 65535 if bits == 16 else 255
        assert photo.alpha is not None
        np.testing.assert_array_equal(photo.alpha, np.where(array == value, 0, whole))
        np.testing.assert_array_equal(photo.to_array()[..., 0], array * (whole // top))


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_bits_above_the_depth_of_a_transparent_gray_do_not_count(bits: int) -> None:
    """PNG, 11.3.1.1: only as many bits as the samples have are used."""
    array = np.arange(16 * 32).reshape(16, 32) % (1 << bits)
    photo = Photo.read(gray_png(array, bits, 0xAB00 | 3))
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha == 0, array == 3)
