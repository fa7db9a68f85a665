"""The laws that hold for every photograph and every method."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from installed_methods import EVERY_METHOD
from tinct.color.lab import rgb_to_lightness
from tinct.colorizing.colorizer import Colorizer, colorize
from tinct.errors import PhotoError
from tinct.hints import Stroke
from tinct.methods import get_method
from tinct.photo import Photo

SHAPES = st.one_of(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([(1, 1), (1, 300), (300, 1), (2, 257), (513, 3), (64, 64), (33, 1), (7, 700)]),
)
HALF_STEP = 0.5 * 100 / 255
"""Half an 8-bit step of L*."""


def reference() -> np.ndarray:
    """A small color photograph: smooth, and of every hue."""
    y, x = np.mgrid[0:24, 0:40] / 40
    waves = [np.sin(7 * x + 3 * y), np.sin(5 * y - 4 * x + 2), np.sin(9 * x * y + 4)]
    return np.rint(127.5 + 120 * np.stack(waves, axis=-1)).astype(np.uint8)


def picture(shape: tuple[int, int], dtype: str, color: bool, seed: int) -> np.ndarray:
    """Smooth shades with noise and flat parts, over the whole range."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / max(shape)
    values = np.sin(random.uniform(0, 9) * x + random.uniform(0, 9) * y + random.uniform(0, 6)) / 2 + 0.5
    values = np.clip(values + random.normal(0, 0.1, shape) * (random.random(shape) < 0.3), 0, 1)
    values[: shape[0] // 4] = random.random()
    if color:  # a toned print, or a color photograph to be colorized anew
        values = values[..., None] ** random.uniform(0.5, 2, 3)
    if dtype == "float32":
        return values.astype(np.float32)
    top = np.iinfo(dtype).max
    return np.rint(values * top).astype(dtype)


def allowed_difference(result: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """Half an 8-bit step of L*, shape (H, W).

    A result that is exactly gray can only take the lightness of one of 256 grays, which lie further apart in the
    shadows than 100 / 255: there half the distance between two neighboring grays is allowed.
    """
    grays = rgb_to_lightness(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))[0]
    above = np.clip(np.searchsorted(grays, lightness), 1, 255)
    half_distance = (grays[above] - grays[above - 1]) / 2 + np.float32(1e-3)
    neutral = (result == result[..., :1]).all(-1)
    return np.where(neutral, np.maximum(half_distance, HALF_STEP), HALF_STEP)


def colorized(method: str, photo: np.ndarray, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed + 1)
    hint = (int(random.integers(photo.shape[1])), int(random.integers(photo.shape[0])), "#2864d2")
    chosen = get_method(method)
    return colorize(
        photo,
        reference() if chosen.needs_reference else None,
        [hint] if chosen.needs_hints or random.random() < 0.5 else None,
        method=method,
        size=32,
        seed=seed,
    )


@pytest.mark.parametrize("method", EVERY_METHOD)
@given(
    shape=SHAPES,
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    color=st.booleans(),
    seed=st.integers(0, 2**16),
)
@example(shape=(1, 1), dtype="uint8", color=False, seed=0)
@example(shape=(1, 300), dtype="uint16", color=True, seed=1)
@example(shape=(300, 1), dtype="uint8", color=True, seed=2)
@example(shape=(1, 300), dtype="uint8", color=True, seed=0)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_lightness_is_untouched(method, shape, dtype, color, seed):
    photo = picture(shape, dtype, color, seed)
    out = colorized(method, photo, seed)
    assert out.dtype == photo.dtype
    assert out.shape == (*shape, 3)
    before, after = Photo.from_array(photo).lightness(), rgb_to_lightness(out)
    allowed = allowed_difference(out, before) if dtype == "uint8" else 0.01
    assert (np.abs(after - before) <= allowed).all()


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_black_and_white_stay_black_and_white(method):
    photo = np.zeros((40, 60), np.uint8)
    photo[:, 30:] = 255
    out = colorized(method, photo, 3).astype(int)
    assert out[:, :28].max() == 0
    assert out[:, 32:].min() == 255


def test_gray_hints_alone_keep_a_photograph_neutral():
    photo = picture((40, 60), "uint8", False, 5)
    out = colorize(photo, None, [(0, 0, "#777777"), (59, 39, "#777777")], method="levin", size=32)
    np.testing.assert_array_equal(out, np.repeat(photo[..., None], 3, axis=2))


@pytest.mark.parametrize("pixels", [1, 5_000, 40_000])
def test_a_photograph_is_the_same_however_many_strips_it_is_done_in(pixels, monkeypatch):
    photo = picture((300, 500), "uint8", True, 8)
    hints = [(30, 40, "#b43c32"), (420, 250, "#3c64b4"), Stroke(((0, 299), (499, 0)), "#30a050", 9)]
    whole = colorize(photo, None, hints, method="levin", size=64)
    monkeypatch.setattr("tinct.photo.coloring._LEAST_COLORED", pixels)
    monkeypatch.setattr("tinct.photo.coloring._MOST_COLORED", pixels)
    np.testing.assert_array_equal(colorize(photo, None, hints, method="levin", size=64), whole)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_the_last_result_is_the_same_and_takes_the_photographs_memory(dtype, color, alpha, tmp_path):
    gray = picture((60, 80), dtype, False, 9)
    layers = [gray, gray // 2, gray // 3 * 2] if color else [gray]
    whole = np.dstack([*layers, gray] if alpha else layers).squeeze()
    model = "rgb" if color else "minisblack"
    extra = {"extrasamples": ["unassalpha"], "planarconfig": "contig"} if alpha else {}
    tifffile.imwrite(tmp_path / "photo.tif", whole, photometric=model, metadata=None, **extra)
    hints = [(30, 40, "#b43c32"), Stroke(((0, 59), (79, 0)), "#30a050", 9)]
    photo = Photo.read(tmp_path / "photo.tif")
    kept = Colorizer(photo, hints=hints, method="levin", size=48).render()
    colorizer = Colorizer(photo, hints=hints, method="levin", size=48)
    before = photo._pixels
    result = colorizer.render(last=True)
    np.testing.assert_array_equal(result.to_array(), kept.to_array())
    assert result.notes == kept.notes
    assert np.shares_memory(before, result._pixels) == color
    with pytest.raises(PhotoError, match="no photograph"):
        colorizer.render()


@pytest.mark.parametrize(
    "array",
    [
        np.full((4, 4), np.nan, np.float32),
        np.full((4, 4), np.inf, np.float32),
        np.zeros((4,), np.uint8),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((2, 2, 2, 3), np.uint8),
        np.zeros((4, 4), np.int64) - 5,
        np.full((4, 4), 700.0, np.float32),
        np.array([["a"]]),
    ],
)
def test_an_array_that_is_no_photograph_is_refused(array):
    from tinct.errors import TinctError

    with pytest.raises(TinctError) as error:
        colorize(array, hints=[(0, 0, "#b43c32")])
    assert "\n" not in str(error.value)
