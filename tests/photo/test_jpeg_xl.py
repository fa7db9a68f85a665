"""JPEG XL: the color that a file states is read from its header, and applied, or the file is refused by name."""

from __future__ import annotations

import base64
import io
import struct
from itertools import pairwise
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data as pictures

from tinct.color.srgb import decode_srgb, encode_srgb
from tinct.errors import PhotoError
from tinct.photo import Photo
from tinct.photo.extra_formats import _code_stream
from tinct.photo.jpeg_xl_color import StatedColor, stated_color

FILES = {
    "P3": (
        "/wrFQEAmNwIIAgEAMAFLKDXGPqwKCqZAgfrixHgxxsGCMIYxBuswBo+8QIAAQXI3ANmFkM9TEMDPPyDw1C+A/P8DAk/+CAgA"
        "1CgrrrpKDV0NHX0VdyX8gOsQ"
    ),
    "LINEAR": (
        "/wrFQEDRIggCAQAwAUsoNcY+rAoKpkCB+uLEeDHGwYIwhjEG6zAGj7xAgABBcjcA2YWQz1MQwM8/IPDUL4D8/wMCT/4ICADU"
        "KCuuukoNXQ0dfRV3JfyA6xA="
    ),
    "SQUARED": (
        "/wrFQEAFWmKKCAIBADABSyg1xj6sCgqmQIH64sR4McbBgjCGMQbrMAaPvECAAEFyNwDZhZDPUxDAzz8g8NQvgPz/AwJP/ggI"
        "ANQoK666Sg1dDR19FXcl/IDrEA=="
    ),
    "SRGB": (
        "/wrFQEBxIQgCAQAwAUsoNcY+rAoKpkCB+uLEeDHGwYIwhjEG6zAGj7xAgABBcjcA2YWQz1MQwM8/IPDUL4D8/wMCT/4ICADU"
        "KCuuukoNXQ0dfRV3JfyA6xA="
    ),
    "ICC": (
        "/wrFQAgvCQMS5gHI0uXeK9Vt6TGQGJdXtAw1PJYUVfbSiDzQ7DKThk9qHaaicScOYjWq1cxC/gKmuOOJG/wYKlXxRNCUq4kG"
        "w7qVilTJR7Ny9cpVCbbbSnDwdBuYuRaUWMfFCnPAtv1cNDJQc+0gwk14WwMIAgEAMAFLKDXGPqwKCqZAgfrixHgxxsGCMIYx"
        "BuswBo+8QIAAQXI3ANmFkM9TEMDPPyDw1C+A/P8DAk/+CAgA1CgrrrpKDV0NHX0VdyX8gOsQ"
    ),
    "ICC_ALPHA": (
        "/wrFwBJeEgYkzAOQpcu9V6rb0mMgMS6vaBlqeCwpquylEXmg2WUmDZ/UOkxF404cxGpUq5mF/AVMcccTN/gxVKriiaApVxMN"
        "hnUrFamSj2bl6pWrEmy3leDg6TYwcy0osY6LFeaAbfu5aGSg5tpBhJvwtgYICBAAZAFLKDXGPqwKCqZAgZpxIhljHLoAETEG"
        "a8TgUV9AQIAgibIAChjIJygUAI5bERAsJ0DW+gGBiCcEBPIJREsDzoEAQnOAwHhH6L89EvTZfXlGliyBYleOKGgKAA=="
    ),
    "ICC_LOSSY": (
        "/wrFQAovCQMS5gHI0uXeK9Vt6TGQGJdXtAw1PJYUVfbSiDzQ7DKThk9qHaaicScOYjWq1cxC/gKmuOOJG/wYKlXxRNCUq4kG"
        "w7qVilTJR7Ny9cpVCbbbSnDwdBuYuRaUWMfFCnPAtv1cNDJQc+0gwk14WwMAEogAiAKP/CkBAFChMsq4wcu5ni8/dFhM27jO"
        "0FbbFpYkioxjk3QChySxFkQ3vLwqQvuw9bOsHowxv9ECtufY+9czpmtnZDLpx+u7f7ukd+u5SWzHP/eCdtSQJCWGKKNVNZOR"
        "AgAAVEiBtFaUGHl3F2NUjHd38TCExwAaluOAmmHwL6gEUoCpX5OefT5JRDjAGl5DgPOQHfH73wOH7RanmWiSc1oP8LM="
    ),
}
"""The same pixels in files of cjxl 0.7.0 (-q 100 -x color_space=..., one -d 0.3), in base64."""

PIXELS = np.zeros((24, 32, 3), np.uint8)
PIXELS[:] = np.linspace(0, 255, 32).astype(np.uint8)[None, :, None]
PIXELS[..., 0] = 200
WIDE = np.array([[1.2249, -0.2249, 0], [-0.0420, 1.0420, 0], [-0.0197, -0.0786, 1.0983]])
"""Display P3 to sRGB, linear."""


def file(name: str) -> bytes:
    return base64.b64decode(FILES[name])


def wanted(name: str) -> np.ndarray:
    values = PIXELS / 255
    linear = {"SRGB": decode_srgb, "P3": lambda v: decode_srgb(v) @ WIDE.T, "LINEAR": lambda v: v,
              "SQUARED": np.square}[name](values)  # fmt: skip
    return np.clip(encode_srgb(np.clip(linear, 0, 1).astype(np.float32)), 0, 1)


@pytest.mark.parametrize("name", ["SRGB", "P3", "LINEAR", "SQUARED"])
def test_the_stated_color_is_applied(name: str) -> None:
    photo = Photo.read(file(name))
    assert np.abs(photo.rgb() - wanted(name)).max() < 0.006
    assert photo.notes == (
        () if name == "SRGB" else ("its coded color was applied; the pixels are sRGB now",)
    )


@pytest.mark.parametrize("name", ["ICC", "ICC_ALPHA", "ICC_LOSSY"])
def test_a_profile_of_its_own_is_refused_by_name(name: str) -> None:
    """A decoder gives the profile's values, or those of linear light in 8 bits, and does not say which."""
    with pytest.raises(PhotoError, match="JPEG XL with an ICC profile, which is not read; save it as PNG"):
        Photo.read(file(name))


def test_the_header_says_what_the_encoder_was_told() -> None:
    assert stated_color(file("SRGB")) == StatedColor()
    assert stated_color(file("P3")) == StatedColor(primaries=11)
    assert stated_color(file("LINEAR")) == StatedColor(transfer=8)
    squared = stated_color(file("SQUARED"))
    assert squared.gamma == pytest.approx(0.5)
    assert [stated_color(file(name)).icc for name in ("ICC", "ICC_ALPHA", "ICC_LOSSY")] == [True] * 3


def test_a_header_that_is_cut_short_raises_nothing() -> None:
    for name in FILES:
        for length in range(2, 40):
            stated_color(file(name)[:length])


def test_what_the_pixels_are_is_what_was_encoded() -> None:
    photo = Photo.read(file("SRGB"))
    np.testing.assert_array_equal(np.asarray(photo.to_image()), PIXELS)
    assert isinstance(photo.to_image(), Image.Image)


def samples(bits: int, channels: int) -> NDArray[np.generic]:
    shape = (24, 32) if channels == 1 else (24, 32, channels)
    values = np.random.default_rng(bits).integers(0, 1 << bits, shape)
    values[0, :2] = [[0], [(1 << bits) - 1]] if channels > 1 else [0, (1 << bits) - 1]
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


def encoded(array: NDArray[np.generic], bits: int, **options: Any) -> bytes:
    return bytes(imagecodecs.jpegxl_encode(array, lossless=True, bitspersample=bits, **options))


@pytest.mark.parametrize("boxes", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", range(1, 17))
def test_samples_of_any_depth_have_the_whole_range(bits: int, channels: int, boxes: bool) -> None:
    """What the encoder is given is sRGB up to 8 bits, and linear light above; alpha is neither."""
    array = samples(bits, channels)
    values = array / ((1 << bits) - 1)
    photo = Photo.read(encoded(array, bits, usecontainer=boxes))
    assert photo.bit_depth == (8 if bits <= 8 else 16)
    if channels in (2, 4):
        assert photo.alpha is not None
        top = np.iinfo(photo.alpha.dtype).max
        np.testing.assert_array_equal(photo.alpha, np.rint(values[..., -1] * top))
        values = values[..., :-1]
    light = encode_srgb(values.astype(np.float32)) if bits > 8 else values
    wanted = np.broadcast_to(light.reshape(24, 32, -1), (24, 32, 3))
    np.testing.assert_allclose(photo.rgb(), wanted, atol=0.51 / 255 if bits <= 8 else 1e-4)


def jpeg(mode: str, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.fromarray(pictures.astronaut()[:40, 100:148]).convert(mode).save(
        stream, "JPEG", quality=95, exif=exif
    )
    return stream.getvalue()


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_xl_that_was_made_of_a_jpeg_is_that_photograph(mode: str, orientation: int) -> None:
    source = jpeg(mode, orientation)
    found = Photo.read(bytes(imagecodecs.jpegxl_encode_jpeg(source)))
    wanted = np.asarray(Photo.read(source).to_image()).astype(int)
    assert found.to_array().shape == wanted.shape
    assert np.abs(found.to_array() - wanted).mean() < 1
    assert found._metadata.turned == (orientation != 1)


def in_parts(stream: bytes, ends: list[int], order: list[int]) -> bytes:
    """A file whose code stream lies in several boxes (ISO/IEC 18181-2, 9.9), in an order of the file's own."""
    places = [0, *ends, len(stream)]
    parts = [stream[start:end] for start, end in pairwise(places)]
    last = len(parts) - 1
    bodies = [struct.pack(">I", number | (number == last) << 31) + parts[number] for number in order]
    head = (
        struct.pack(">I4s4s", 12, b"JXL ", b"\r\n\x87\n")
        + struct.pack(">I4s", 20, b"ftyp")
        + b"jxl \0\0\0\0jxl "
    )
    return head + b"".join(struct.pack(">I4s", 8 + len(body), b"jxlp") + body for body in bodies)


@pytest.mark.parametrize("ends", [[2], [3, 5], [7], [7, 7, 9], [1, 2, 3, 4, 5, 6]])
def test_a_code_stream_in_parts_is_the_whole_one(ends: list[int]) -> None:
    whole = file("P3")
    photo = Photo.read(in_parts(whole, ends, list(range(len(ends) + 1))))
    np.testing.assert_array_equal(photo.to_array(), Photo.read(whole).to_array())
    assert photo.notes == Photo.read(whole).notes


def test_parts_of_a_code_stream_are_joined_by_their_numbers() -> None:
    whole = file("P3")
    for order in ([1, 0, 2], [2, 1, 0]):
        assert _code_stream(in_parts(whole, [7, 30], order)) == whole
