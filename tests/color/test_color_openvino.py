"""Colors on the inference engine are those of `merge_lightness`, which is the oracle here."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from tinct.color.difference import ciede2000
from tinct.color.gamut import merge_lightness
from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.color.lab_openvino import PIXELS, merged_planes
from tinct.colorizing.rendering import render
from tinct.hints import Hint
from tinct.options import Options
from tinct.photo import Photo

Array = NDArray[np.float32]


def colors(count: int, spread: float, seed: int = 5) -> tuple[Array, Array]:
    """L* over its whole range and a little more, under chroma of that standard deviation."""
    random = np.random.default_rng(seed)
    lightness = (random.random(count) * 104 - 2).astype(np.float32)
    return lightness, random.normal(0, spread, (2, count)).astype(np.float32)


@pytest.mark.parametrize("spread", [3.0, 50.0])
def test_the_engine_agrees_with_numpy(spread: float) -> None:
    lightness, ab = colors(PIXELS + 77, spread)
    wanted = merge_lightness(lightness, ab.T)
    np.testing.assert_allclose(merged_planes(lightness, ab, np.float32).T, wanted, atol=5e-4)
    rounded = merged_planes(lightness, ab, np.uint8).T
    assert rounded.dtype == np.uint8
    np.testing.assert_allclose(rounded, wanted * 255, atol=0.5 + 0.13)


def test_merged_lightness_is_untouched() -> None:
    lightness, ab = colors(20_000, 40.0)
    after = rgb_to_lightness(merged_planes(lightness, ab, np.float32).T)
    np.testing.assert_allclose(after, np.clip(lightness, 0, 100), atol=0.01)


def test_gray_stays_exactly_neutral() -> None:
    lightness, _ = colors(5_000, 0)
    for dtype in (np.uint8, np.float32):
        red, green, blue = merged_planes(lightness, np.zeros((2, 5_000), np.float32), dtype)
        assert (red == green).all()
        assert (red == blue).all()


def test_a_pixels_color_does_not_depend_on_its_neighbors_or_the_thread() -> None:
    lightness, ab = colors(PIXELS + 5_000, 30.0)
    whole = merged_planes(lightness, ab, np.float32)
    parts = [slice(0, 1), slice(1, 18), slice(PIXELS - 5, PIXELS + 40), slice(40, PIXELS + 4_999)]
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda part: merged_planes(lightness[part], ab[:, part], np.float32), parts * 3)
        )
    for part, got in zip(parts * 3, found, strict=True):
        np.testing.assert_array_equal(got, whole[:, part])


@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (3, 70_000)])
def test_any_shape_is_kept(shape: tuple[int, int]) -> None:
    assert merged_planes(
        np.full(shape, 50, np.float32), np.zeros((2, *shape), np.float32), np.uint8
    ).shape == (
        3,
        *shape,
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("options", [Options(), Options(strength=0.5), Options(chroma_only=True)])
def test_a_photograph_is_the_same_on_the_engine_and_without(
    dtype: str, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinct.colorizing.rendering._ENGINE_PIXELS", 0)
    random = np.random.default_rng(2)
    gray = np.clip(np.linspace(0, 1, 300 * 420).reshape(300, 420) + random.normal(0, 0.05, (300, 420)), 0, 1)
    top = 1 if dtype == "float32" else np.iinfo(dtype).max
    photo = Photo.from_array((gray * top).astype(dtype))
    ab = random.normal(0, 30, (32, 45, 2)).astype(np.float32)
    hints = [Hint(30, 40, "#b43c32"), Hint(400, 299, "#3c64b4")]
    with_engine, without = (
        render(photo, ab, photo.working_lightness(45), hints, options, on_engine=on_engine).to_array()
        for on_engine in (True, False)
    )
    assert with_engine.dtype == without.dtype == np.dtype(dtype)
    assert ciede2000(rgb_to_lab(with_engine), rgb_to_lab(without)).mean() < 0.01
    if not options.chroma_only:
        allowed = 50 / 255 if dtype == "uint8" else 0.01
        assert np.abs(rgb_to_lightness(with_engine) - photo.lightness()).max() <= allowed


FORKED = """
import multiprocessing, sys
import numpy as np
import tinct

def work(queue):
    gray = np.tile(np.linspace(20, 230, 640).astype(np.uint8), (480, 1))
    queue.put(tinct.colorize(gray, hints=[(300, 200, "#b43c32")]).tobytes())

context = multiprocessing.get_context("fork")
queue = context.Queue()
work(queue)
first = queue.get()
process = context.Process(target=work, args=(queue,))
process.start()
assert queue.get(timeout=400) == first
process.join()
sys.exit(process.exitcode)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_of_a_process_that_has_colorized_colorizes() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED],
        env={**os.environ, "TINCT_THREADS": ""},
        capture_output=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
