"""Laws of the color conversions; scikit-image is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import lab2rgb, rgb2lab

from tinct.color.gamut import TOLERANCE, fit_gamut, merge_lightness
from tinct.color.hexcolor import color_to_ab, format_color, parse_color
from tinct.color.lab import gray_to_lightness, lab_to_rgb, rgb_to_lab, rgb_to_lightness
from tinct.color.srgb import BLOCK, RGB_TO_XYZ, WHITE, decode_srgb, encode_srgb
from tinct.errors import ColorError, ShapeError

Array = NDArray[np.float32]


@pytest.fixture
def cube() -> Array:
    """Every color of a 17-step sRGB cube, corners and edges included."""
    steps = np.linspace(0, 1, 17, dtype=np.float32)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 17, 3)


@pytest.fixture
def wild() -> tuple[Array, Array]:
    """Lightness over its whole range under chroma that is mostly far outside of the gamut."""
    rng = np.random.default_rng(5)
    lightness = rng.random((150, 301), dtype=np.float32) * 100
    lightness[0, :3] = 0, 100, 50
    ab = rng.normal(0, 50, (150, 301, 2)).astype(np.float32)
    return lightness, ab


def test_matrix_is_the_standards() -> None:
    published = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    np.testing.assert_allclose(RGB_TO_XYZ, published, atol=6e-5)  # IEC 61966-2-1 prints four digits
    np.testing.assert_allclose(WHITE, [0.9505, 1.0, 1.0891], atol=5e-5)


def test_lab_agrees_with_scikit_image(cube: Array) -> None:
    # scikit-image's white point (0.95047, 1, 1.08883) is not its matrix's, hence the 0.02
    np.testing.assert_allclose(rgb_to_lab(cube), rgb2lab(cube), atol=0.02)


def test_rgb_of_lab_agrees_with_scikit_image(cube: Array) -> None:
    lab = rgb2lab(cube)
    np.testing.assert_allclose(
        np.clip(lab_to_rgb(lab), 0, 1), lab2rgb(lab), atol=1.5e-3
    )  # the same white point


def test_rgb_survives_the_round_trip(cube: Array) -> None:
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(cube)), cube, atol=2e-5)


def test_lab_survives_the_round_trip_outside_the_gamut(wild: tuple[Array, Array]) -> None:
    lightness, ab = wild
    lab = np.concatenate([lightness[..., None], np.clip(ab, -60, 60)], axis=-1)
    rgb = lab_to_rgb(lab)
    assert rgb.min() < -0.05
    assert rgb.max() > 1.05
    np.testing.assert_allclose(rgb_to_lab(rgb), lab, atol=0.02)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_gray_stays_exactly_neutral(dtype: type) -> None:
    top = 1 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    gray = np.linspace(0, top, 70_001).astype(dtype)
    lab = rgb_to_lab(np.repeat(gray[:, None], 3, axis=1))
    assert not lab[:, 1:].any()
    rgb = lab_to_rgb(lab)
    assert (rgb[:, 0] == rgb[:, 1]).all()
    assert (rgb[:, 0] == rgb[:, 2]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_read_as_the_fractions_they_stand_for(dtype: type) -> None:
    rng = np.random.default_rng(3)
    top = np.iinfo(dtype).max
    whole = rng.integers(0, top, (40, 50, 3), endpoint=True).astype(dtype)
    np.testing.assert_allclose(rgb_to_lab(whole), rgb_to_lab(whole / top), atol=1e-3)
    np.testing.assert_allclose(
        gray_to_lightness(whole[..., 0]), gray_to_lightness(whole[..., 0] / top), atol=1e-4
    )


def test_lightness_is_the_first_channel_of_lab(cube: Array) -> None:
    assert (rgb_to_lightness(cube) == rgb_to_lab(cube)[..., 0]).all()
    gray = cube[..., :1].repeat(3, axis=-1)
    assert (gray_to_lightness(cube[..., 0]) == rgb_to_lightness(gray)).all()


def test_white_is_100_and_black_is_0() -> None:
    ends = gray_to_lightness(np.array([0, 255], np.uint8))
    np.testing.assert_allclose(ends, [0, 100], atol=1e-5)


def test_transfer_function_agrees_with_its_definition() -> None:
    encoded = np.linspace(-0.2, 1.3, 4001)
    linear = np.where(
        encoded <= 0.04045, encoded / 12.92, (np.maximum(encoded, 0) + 0.055) ** 2.4 / 1.055**2.4
    )
    np.testing.assert_allclose(decode_srgb(encoded), linear, rtol=4e-6, atol=1e-8)
    np.testing.assert_allclose(encode_srgb(linear.astype(np.float32)), encoded, atol=3e-6)


@pytest.mark.parametrize("shape", [(0, 3), (3,), (1, 1, 3), (5, 0, 3), (2, 3, 4, 3)])
def test_any_leading_shape_is_kept(shape: tuple[int, ...]) -> None:
    rgb = np.full(shape, 0.25, np.float32)
    assert rgb_to_lab(rgb).shape == shape
    assert lab_to_rgb(rgb).shape == shape
    assert rgb_to_lightness(rgb).shape == shape[:-1]
    assert merge_lightness(rgb[..., 0], rgb[..., :2]).shape == shape
    assert fit_gamut(rgb[..., 0], rgb[..., :2]).shape == (*shape[:-1], 2)


def test_a_pixels_color_does_not_depend_on_its_neighbors(wild: tuple[Array, Array]) -> None:
    lightness, ab = (part.reshape(-1, *part.shape[2:]) for part in wild)
    assert len(lightness) > BLOCK  # so that a border between blocks is crossed
    whole = merge_lightness(lightness, ab)
    for start, stop in [(0, 1), (1, 18), (BLOCK - 5, BLOCK + 40), (len(whole) - 33, len(whole))]:
        assert (merge_lightness(lightness[start:stop], ab[start:stop]) == whole[start:stop]).all()
        assert (rgb_to_lab(whole[start:stop]) == rgb_to_lab(whole)[start:stop]).all()


def test_merged_lightness_is_untouched(wild: tuple[Array, Array]) -> None:
    lightness, ab = wild
    rgb = merge_lightness(lightness, ab)
    assert rgb.dtype == np.float32
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    assert np.abs(rgb_to_lightness(rgb) - lightness).max() < 0.01


def test_merged_chroma_is_the_fitted_one(wild: tuple[Array, Array]) -> None:
    lightness, ab = wild
    lab = rgb_to_lab(merge_lightness(lightness, ab))
    np.testing.assert_allclose(lab[..., 1:], fit_gamut(lightness, ab), atol=0.02)


def test_gamut_keeps_hue_and_never_adds_chroma(wild: tuple[Array, Array]) -> None:
    lightness, ab = wild
    fitted = fit_gamut(lightness, ab)
    cross = ab[..., 0] * fitted[..., 1] - ab[..., 1] * fitted[..., 0]
    chroma, fitted_chroma = np.hypot(*np.moveaxis(ab, -1, 0)), np.hypot(*np.moveaxis(fitted, -1, 0))
    assert np.abs(cross / chroma).max() < 1e-4
    assert ((ab * fitted).sum(-1) >= 0).all()
    assert (fitted_chroma <= chroma).all()


def test_gamut_leaves_inside_colors_as_they_are(cube: Array) -> None:
    lab = rgb_to_lab(cube * np.float32(0.98) + np.float32(0.01))
    assert (fit_gamut(lab[..., 0], lab[..., 1:]) == lab[..., 1:]).all()


@pytest.mark.parametrize(("darkest", "lightest", "spread"), [(2, 98, 60), (0.2, 10, 15)])
def test_gamut_takes_the_largest_scale_inside(darkest: float, lightest: float, spread: float) -> None:
    rng = np.random.default_rng(8)
    lightness = (rng.random(300) * (lightest - darkest) + darkest).astype(np.float32)
    ab = rng.normal(0, spread, (300, 2)).astype(np.float32)
    scales = np.linspace(0, 1, 2001, dtype=np.float32)
    rays = np.concatenate(
        [np.broadcast_to(lightness[:, None, None], (300, 2001, 1)), scales[:, None] * ab[:, None]], axis=-1
    )
    rgb = lab_to_rgb(rays)
    slack = 12.92 * TOLERANCE  # the sRGB curve at black
    inside = ((rgb > -slack) & (rgb < 1 + 1e-5)).all(-1)
    first_exit = np.where(inside.all(1), 2001, np.argmin(inside, axis=1)) - 1
    got = np.linalg.norm(fit_gamut(lightness, ab), axis=-1) / np.linalg.norm(ab, axis=-1)
    np.testing.assert_allclose(got, scales[first_exit], atol=1.5 / 2000)


def test_gamut_is_monotone_in_chroma() -> None:
    angles = np.radians(np.arange(0, 360, 3))
    hues = np.stack([np.cos(angles), np.sin(angles)], axis=-1)[:, None]
    ab = (hues * np.linspace(0, 180, 500)[:, None]).astype(np.float32)
    for lightness in (0.5, 20, 50, 80, 99.5):
        fitted = np.linalg.norm(fit_gamut(np.full(ab.shape[:2], lightness, np.float32), ab), axis=-1)
        assert (np.diff(fitted, axis=1) > -180 / 2**13).all()  # the step of the bisection


@pytest.mark.parametrize("lightness", [0.0, 100.0, -3.0, 104.0])
def test_black_and_white_have_no_chroma(lightness: float) -> None:
    ab = np.array([[40, -30], [-90, 5], [0, 0]], np.float32)
    light = np.full(3, lightness, np.float32)
    assert np.abs(fit_gamut(light, ab)).max() < 0.05
    np.testing.assert_allclose(
        merge_lightness(light, ab), np.full((3, 3), float(lightness >= 100)), atol=1e-4
    )


def test_zero_chroma_merges_to_gray() -> None:
    lightness = np.linspace(0, 100, 5001, dtype=np.float32)
    rgb = merge_lightness(lightness, np.zeros((5001, 2), np.float32))
    assert (rgb == rgb[:, :1]).all()


def test_misfit_shapes_are_refused_by_name() -> None:
    with pytest.raises(ShapeError, match=r"\(4, 4, 2\).*\(8, 8\).*upsample_chroma"):
        merge_lightness(np.zeros((8, 8)), np.zeros((4, 4, 2)))
    with pytest.raises(ShapeError, match=r"\(8, 8\)"):
        rgb_to_lab(np.zeros((8, 8)))


@pytest.mark.parametrize(
    ("text", "rgb"),
    [
        ("#000", (0, 0, 0)),
        ("#FFFFFF", (255, 255, 255)),
        ("#1e90ff", (30, 144, 255)),
        (" #a7C ", (170, 119, 204)),
    ],
)
def test_colors_are_read_as_css_writes_them(text: str, rgb: tuple[int, int, int]) -> None:
    np.testing.assert_allclose(parse_color(text) * 255, rgb, atol=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "red",
        "1e90ff",
        "#12",
        "#1234",
        "#12345",
        "#1e90ff00",
        "#1e90fg",
        "##12345",
        "#١٢٣",
        "#12 456",
    ],
)
def test_malformed_colors_are_refused_by_name(text: str) -> None:
    with pytest.raises(ColorError, match="#rrggbb"):
        parse_color(text)


def test_every_byte_survives_writing_and_reading() -> None:
    for value in range(256):
        text = f"#{value:02x}{255 - value:02x}{value ^ 85:02x}"
        assert format_color(parse_color(text)) == text


def test_a_gray_hint_asks_for_exact_neutral() -> None:
    assert not color_to_ab("#7f7f7f").any()
    np.testing.assert_allclose(color_to_ab("#ff0000"), [80.09, 67.20], atol=0.02)


@pytest.mark.parametrize("bad", [[0.1, 0.2], [0.1, 0.2, np.nan], [[0.1, 0.2, 0.3]]])
def test_only_three_finite_numbers_are_written(bad: list[float]) -> None:
    with pytest.raises(ShapeError):
        format_color(np.array(bad))
