"""Laws of JPEG 2000: black and white are those of the file at any depth, and in any color space that is read."""

from __future__ import annotations

import struct
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from tinct.errors import PhotoError
from tinct.photo import Photo

RANDOM = np.random.default_rng(29)


def random_samples(bits: int, channels: int) -> NDArray[np.uint8]:
    shape = (24, 16) if channels == 1 else (24, 16, channels)
    return RANDOM.integers(0, 1 << bits, shape, np.uint8)


def over_range(array: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Samples of so many bits over the whole range of 8."""
    return np.rint(array * (255 / ((1 << bits) - 1))).astype(np.uint8)


def encoded(array: NDArray[Any], bits: int, form: str = "jp2") -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(array, level=0, bitspersample=bits, codecformat=form, mct=False))


def with_space(data: bytes, number: int) -> bytes:
    """A file whose color specification box names another color space."""
    place = data.index(b"colr") + 7
    return data[:place] + struct.pack(">I", number) + data[place + 4 :]


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


@pytest.mark.parametrize("form", ["jp2", "j2k"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", range(1, 9))
def test_samples_below_8_bits_have_the_whole_range(bits: int, channels: int, form: str) -> None:
    array = random_samples(bits, channels)
    photo = Photo.read(encoded(array, bits, form))
    assert (photo.bit_depth, photo.alpha is not None) == (8, channels in (2, 4))
    np.testing.assert_array_equal(photo.to_array(), over_range(array, bits))


@pytest.mark.parametrize("bits", [1, 4])
def test_transparency_of_fewer_bits_than_the_colors_is_whole(bits: int) -> None:
    """The code stream of 8 bits around 128 is that of fewer bits around the middle of theirs (ITU-T T.800, G.1)."""
    alpha = RANDOM.integers(0, 1 << bits, (24, 16), np.uint8)
    color = random_samples(8, 3)
    data = bytearray(encoded(np.dstack([color, alpha + np.uint8(128 - (1 << bits - 1))]), 8, "j2k"))
    data[42 + 3 * 3] = bits - 1
    photo = Photo.read(bytes(data))
    np.testing.assert_array_equal(photo.to_array(), np.dstack([color, over_range(alpha, bits)]))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_of_a_jpeg_2000_is_looked_up(bits: int) -> None:
    indices, count = random_samples(bits, 1), 1 << bits
    table = RANDOM.integers(0, 256, (count, 3), np.uint8)
    mapped = b"".join(struct.pack(">HBB", 0, 1, column) for column in range(3))
    header = (
        box(b"ihdr", struct.pack(">IIHBBBB", 24, 16, 1, bits - 1, 7, 0, 0))
        + box(b"colr", struct.pack(">BBBI", 1, 0, 0, 16))
        + box(b"pclr", struct.pack(">HB3B", count, 3, 7, 7, 7) + table.tobytes())
        + box(b"cmap", mapped)
    )
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    data = start + box(b"jp2h", header) + box(b"jp2c", encoded(indices, bits, "j2k"))
    np.testing.assert_array_equal(Photo.read(data).to_array(), table[indices])


def test_white_is_where_the_color_space_says_that_it_is() -> None:
    """Bi-level pictures of space 0 have white as 0, those of space 15 as 1 (ISO/IEC 15444-2, M.11.7.3)."""
    array = random_samples(1, 1)
    data = encoded(array, 1)
    for space, wanted in ((15, array), (17, array), (0, 1 - array)):
        np.testing.assert_array_equal(Photo.read(with_space(data, space)).to_array(), wanted * 255)


@pytest.mark.parametrize("bits", [4, 8, 16])
@pytest.mark.parametrize(
    ("space", "name"), [(24, "e-sYCC"), (14, "CIE Lab"), (1, "YCbCr"), (9, "PhotoYCC"), (21, "ROMM RGB")]
)
def test_a_color_space_that_nobody_converts_is_refused_by_its_name(space: int, name: str, bits: int) -> None:
    array = np.full((24, 16, 3), 7, np.uint16 if bits > 8 else np.uint8)
    data = encoded(array, bits)
    assert Photo.read(with_space(data, 16)).width == 16
    with pytest.raises(PhotoError, match=f"in {name}") as caught:
        Photo.read(with_space(data, space))
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_sycc_is_converted_at_its_depth(bits: int) -> None:
    """Without chroma it is gray."""
    top, middle = (1 << bits) - 1, 1 << bits - 1
    luma = RANDOM.integers(0, top + 1, (24, 16))
    array = np.dstack([luma, np.full((24, 16, 2), middle)]).astype(np.uint16 if bits > 8 else np.uint8)
    found = Photo.read(with_space(encoded(array, bits), 18)).rgb()
    np.testing.assert_allclose(found, np.repeat(luma[..., None] / top, 3, axis=2), atol=0.6 / 255)
