"""JPEG XL: the color that a file states is read from its header, and applied, or the file is refused by name."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from PIL import Image

from tinct.color.srgb import decode_srgb, encode_srgb
from tinct.errors import PhotoError
from tinct.photo import Photo
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
