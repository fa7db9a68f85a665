"""Laws of chroma upsampling; the oracle is its definition, written out pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from tinct.color.lab import rgb_to_lab
from tinct.color.upsampling import (
    RADIUS,
    REGULARIZATION,
    ChromaUpsampler,
    EdgeGuide,
    average_lightness,
    upsample_chroma,
)
from tinct.errors import ShapeError
from tinct.evaluation.metrics.bleeding import bleeding

Array = NDArray[np.float32]


def picture(shape: tuple[int, int], size: tuple[int, int], seed: int = 0) -> tuple[Array, Array]:
    """Random chroma at the working size and random lightness at the photograph's."""
    rng = np.random.default_rng(seed)
    ab = rng.normal(0, 40, (*size, 2)).astype(np.float32)
    return ab, (rng.random(shape) * 100).astype(np.float32)


def shrink(image: NDArray[np.floating], factor: int) -> Array:
    """Means of blocks of factor x factor."""
    height, width = image.shape[0] // factor, image.shape[1] // factor
    blocks = image.reshape(height, factor, width, factor, *image.shape[2:])
    return blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)


def clamped(plane: NDArray[np.float64], y: int, x: int, radius: int) -> NDArray[np.float64]:
    """The window around a pixel, the border repeated."""
    rows = np.clip(np.arange(y - radius, y + radius + 1), 0, plane.shape[0] - 1)
    columns = np.clip(np.arange(x - radius, x + radius + 1), 0, plane.shape[1] - 1)
    return plane[np.ix_(rows, columns)]


def interpolate(plane: NDArray[np.float64], y: float, x: float) -> float:
    """Bilinear between pixel centers, the border repeated."""
    y, x = min(max(y, 0), plane.shape[0] - 1), min(max(x, 0), plane.shape[1] - 1)
    y0, x0 = int(y), int(x)
    y1, x1 = min(y0 + 1, plane.shape[0] - 1), min(x0 + 1, plane.shape[1] - 1)
    above = plane[y0, x0] * (1 - x + x0) + plane[y0, x1] * (x - x0)
    below = plane[y1, x0] * (1 - x + x0) + plane[y1, x1] * (x - x0)
    return float(above * (1 - y + y0) + below * (y - y0))


def by_definition(ab: Array, lightness: Array, guide: Array) -> NDArray[np.float64]:
    """The module's formula with loops over pixels and nothing shared with its code but the two constants."""
    (h, w), (height, width) = ab.shape[:2], guide.shape
    small = lightness.astype(np.float64)
    out = np.empty((height, width, 2))
    for channel in range(2):
        value = ab[..., channel].astype(np.float64)
        slope, low, high = np.empty((h, w)), np.empty((h, w)), np.empty((h, w))
        for y in range(h):
            for x in range(w):
                light, chroma = clamped(small, y, x, RADIUS), clamped(value, y, x, RADIUS)
                covariance = ((light - light.mean()) * (chroma - chroma.mean())).mean()
                slope[y, x] = covariance / (light.var() + REGULARIZATION)
                low[y, x], high[y, x] = clamped(value, y, x, 1).min(), clamped(value, y, x, 1).max()
        smooth = np.array([[clamped(slope, y, x, RADIUS).mean() for x in range(w)] for y in range(h)])
        for y in range(height):
            for x in range(width):
                at = (y + 0.5) * h / height - 0.5, (x + 0.5) * w / width - 0.5
                detail = guide[y, x] - interpolate(small, *at)
                color = interpolate(value, *at) + interpolate(smooth, *at) * detail
                out[y, x, channel] = min(max(color, interpolate(low, *at)), interpolate(high, *at))
    return out


@pytest.mark.parametrize(
    ("shape", "size"), [((24, 36), (6, 9)), ((29, 17), (7, 5)), ((1, 20), (1, 6)), ((15, 15), (15, 15))]
)
def test_upsampling_agrees_with_its_definition(shape: tuple[int, int], size: tuple[int, int]) -> None:
    ab, guide = picture(shape, size)
    small = average_lightness(guide, shape, size)
    np.testing.assert_allclose(upsample_chroma(ab, guide), by_definition(ab, small, guide), atol=2e-3)


@pytest.mark.parametrize(("shape", "size"), [((40, 60), (10, 15)), ((31, 53), (7, 12)), ((9, 1), (4, 1))])
def test_average_lightness_is_the_mean_over_areas(shape: tuple[int, int], size: tuple[int, int]) -> None:
    _, guide = picture(shape, size)
    fine = guide.repeat(size[0], axis=0).repeat(
        size[1], axis=1
    )  # exact: each area is a whole number of these
    expected = fine.reshape(size[0], shape[0], size[1], shape[1]).mean(axis=(1, 3), dtype=np.float64)
    np.testing.assert_allclose(average_lightness(guide, shape, size), expected, atol=1e-3)


@pytest.mark.parametrize("rows", [1, 7, 64, 300, 5000])
@pytest.mark.parametrize(("shape", "size"), [((601, 83), (19, 5)), ((300, 40), (300, 40)), ((5, 7), (9, 3))])
def test_strips_equal_the_whole_bit_for_bit(rows: int, shape: tuple[int, int], size: tuple[int, int]) -> None:
    ab, guide = picture(shape, size)
    whole = upsample_chroma(ab, guide)
    upsampler = ChromaUpsampler(ab, average_lightness(guide, shape, size), shape)
    tops = range(0, shape[0], rows)
    strips = [upsampler.rows(top, min(top + rows, shape[0]), guide[top : top + rows]) for top in tops]
    assert (np.concatenate(strips) == whole).all()


@pytest.mark.parametrize("planes", [1, 2, 4])
@pytest.mark.parametrize(
    ("shape", "size"), [((64, 96), (8, 12)), ((31, 53), (7, 12)), ((1, 20), (1, 6)), ((4, 1), (2, 1))]
)
def test_the_whole_at_once_is_what_strips_give(
    planes: int, shape: tuple[int, int], size: tuple[int, int]
) -> None:
    ab, guide = picture(shape, size)
    chroma, small = np.tile(ab, 2)[..., :planes], average_lightness(guide, shape, size)
    expected = ChromaUpsampler(chroma, small, shape).rows(0, shape[0], guide)
    found = EdgeGuide.of(small, guide).along_edges(chroma)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert found.shape == expected.shape


def test_rows_are_the_same_in_any_order_and_portion() -> None:
    ab, guide = picture((97, 61), (11, 8))
    upsampler = ChromaUpsampler(ab, average_lightness(guide, guide.shape, (11, 8)), guide.shape)
    whole = upsample_chroma(ab, guide)
    for top, bottom in [(90, 97), (0, 1), (40, 77), (5, 5)]:
        assert (upsampler.rows(top, bottom, guide[top:bottom]) == whole[top:bottom]).all()


def test_the_photograph_is_never_asked_for_more_than_a_strip() -> None:
    _, guide = picture((1500, 30), (20, 4))
    asked: list[int] = []

    def read(top: int, bottom: int) -> Array:
        asked.append(bottom - top)
        return guide[top:bottom]

    average_lightness(read, guide.shape, (20, 4))
    assert max(asked) <= 256
    assert sum(asked) == 1500


def test_gray_stays_exactly_neutral() -> None:
    _, guide = picture((50, 70), (5, 7))
    assert not upsample_chroma(np.zeros((5, 7, 2), np.float32), guide).any()


def test_one_color_stays_one_color() -> None:
    _, guide = picture((50, 70), (5, 7))
    ab = np.broadcast_to(np.array([23.5, -41.25], np.float32), (5, 7, 2))
    np.testing.assert_allclose(upsample_chroma(ab, guide), np.broadcast_to(ab[0, 0], (50, 70, 2)), atol=1e-5)


def test_equal_sizes_change_nothing() -> None:
    ab, guide = picture((33, 47), (33, 47))
    assert (upsample_chroma(ab, guide) == ab).all()


def test_no_color_appears_that_is_not_nearby() -> None:
    ab, guide = picture((120, 90), (8, 6), seed=3)
    result = upsample_chroma(ab, guide)
    assert (result.max((0, 1)) <= ab.max((0, 1)) + 1e-4).all()
    assert (result.min((0, 1)) >= ab.min((0, 1)) - 1e-4).all()


def test_flat_lightness_gives_bilinear() -> None:
    from cv2 import INTER_LINEAR, resize

    ab, _ = picture((64, 96), (8, 12))
    result = upsample_chroma(ab, np.full((64, 96), 50, np.float32))
    np.testing.assert_allclose(result, resize(ab, (96, 64), interpolation=INTER_LINEAR), atol=1e-3)


@pytest.mark.parametrize("factor", [8, 16])
def test_a_step_edge_stays_sharp(factor: int) -> None:
    height, width, edge = 64, 160, 75  # the edge falls inside a working pixel
    lightness = np.full((height, width), 25, np.float32)
    lightness[:, edge:] = 75
    ab = np.zeros((height, width, 2), np.float32)
    ab[:, :edge] = 50, 20
    ab[:, edge:] = -10, -40
    small = shrink(ab, factor)
    error = np.abs(upsample_chroma(small, lightness) - ab)
    bilinear = np.abs(upsample_chroma(small, np.full_like(lightness, 50)) - ab)
    assert error.mean() < 0.5 * bilinear.mean()


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
@pytest.mark.parametrize("factor", [4, 8, 16])
def test_photographs_bleed_less_and_err_less_than_bilinear(name: str, factor: int) -> None:
    from cv2 import INTER_LINEAR, resize

    rgb = getattr(data, name)()
    lab = rgb_to_lab(rgb[: rgb.shape[0] // 16 * 16, : rgb.shape[1] // 16 * 16])
    lightness, truth = np.ascontiguousarray(lab[..., 0]), lab[..., 1:]
    small = shrink(truth, factor)
    ours = upsample_chroma(small, lightness)
    bilinear = resize(small, lightness.shape[::-1], interpolation=INTER_LINEAR)
    assert bleeding(ours, lightness) < 0.95 * bleeding(bilinear, lightness)
    assert np.square(ours - truth).mean() < np.square(bilinear - truth).mean()


@pytest.mark.parametrize(
    ("shape", "size"), [((1, 1), (1, 1)), ((1, 900), (1, 3)), ((700, 2), (40, 1)), ((3, 3), (8, 8))]
)
def test_extreme_shapes_come_out_finite(shape: tuple[int, int], size: tuple[int, int]) -> None:
    ab, guide = picture(shape, size)
    result = upsample_chroma(ab, guide)
    assert result.shape == (*shape, 2)
    assert result.dtype == np.float32
    assert np.isfinite(result).all()


def test_misfits_are_refused_by_name() -> None:
    ab, guide = picture((20, 30), (4, 6))
    with pytest.raises(ShapeError, match=r"\(h, w, 2\)"):
        upsample_chroma(ab[..., 0], guide)
    with pytest.raises(ShapeError, match=r"\(H, W\)"):
        upsample_chroma(ab, guide[..., None])
    with pytest.raises(ShapeError, match="NaN"):
        upsample_chroma(ab * np.float32(np.nan), guide)
    with pytest.raises(ShapeError, match="working_lightness"):
        ChromaUpsampler(ab, guide, guide.shape)
    with pytest.raises(ShapeError, match="exactly these rows"):
        ChromaUpsampler(ab, guide[:4, :6], guide.shape).rows(0, 5, guide[:4])
    with pytest.raises(ShapeError, match="whole rows"):
        average_lightness(lambda top, bottom: guide[:3], guide.shape, (5, 5))
