"""Laws of chroma files: the same bytes as a whole run, a small file, nothing taken from a damaged or foreign one."""

from __future__ import annotations

import io
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from archive.archive_scene import write_photographs
from tinct import Colorizer
from tinct.archive.chroma import Recipe, chroma_file, packed, rendered, unpacked
from tinct.colorizing.rendering import CHROMA_STEP, rounded_chroma
from tinct.errors import ChromaError

RECIPE = Recipe("0" * 64, (40, 30), (7, 5), "levin")


@given(seed=st.integers(0, 999), scale=st.sampled_from([0.0, 1.0, 60.0, 127.0]))
@settings(max_examples=30, deadline=None)
def test_colors_come_back_exactly(seed: int, scale: float):
    ab = rounded_chroma(np.random.default_rng(seed).uniform(-scale, scale, (5, 7, 2)).astype(np.float32))
    recipe, found = unpacked(packed(RECIPE, ab))
    assert recipe == RECIPE
    np.testing.assert_array_equal(found, ab)


def test_rounding_is_far_below_what_can_be_seen():
    ab = np.random.default_rng(0).uniform(-100, 100, (50, 50, 2)).astype(np.float32)
    assert np.abs(rounded_chroma(ab) - ab).max() <= CHROMA_STEP / 2
    assert not rounded_chroma(np.zeros((2, 2, 2), np.float32)).any()


@pytest.mark.parametrize("depth", [8, 16])
def test_the_picture_is_the_one_of_a_whole_run(tmp_path: Path, depth: int):
    (path,) = write_photographs(tmp_path, 1, side=90)
    if depth == 16:
        values = np.asarray(Image.open(path)).astype(np.uint16) * 257
        Image.fromarray(values).save(path)
    hints = [(20, 30, "#a03020"), (60, 50, "#3050a0")]
    colorizer = Colorizer(str(path), None, hints, method="levin", size=48, strength=0.8)
    content = chroma_file(colorizer, sha256(path.read_bytes()).hexdigest(), "png")
    result, recipe = rendered(content, path.read_bytes())
    assert result.encode("png") == colorizer.render().encode("png")
    assert recipe.method == "levin"


def test_a_chroma_file_is_small():
    y, x = np.mgrid[0:256, 0:256] / 256
    noise = np.random.default_rng(0).normal(0, 0.03, (256, 256, 2))
    ab = 30 * np.stack([np.sin(5 * x + 3 * y), np.cos(4 * x * y)], -1) + noise
    assert len(packed(RECIPE, rounded_chroma(ab.astype(np.float32)))) < 60_000


def test_another_photograph_is_refused(tmp_path: Path):
    one, other = write_photographs(tmp_path, 2)
    colorizer = Colorizer(str(one), None, [(3, 3, "#a03020")], method="levin", size=32)
    content = chroma_file(colorizer, sha256(one.read_bytes()).hexdigest())
    with pytest.raises(ChromaError, match="another photograph"):
        rendered(content, other.read_bytes())


@pytest.mark.parametrize("cut", [0, 10, 100, -3])
def test_a_damaged_file_is_named(cut: int):
    content = packed(RECIPE, np.zeros((5, 7, 2), np.float32))
    with pytest.raises(ChromaError):
        unpacked(content[:cut])


def test_a_file_that_claims_much_is_not_unpacked():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("recipe.json", b" " * (65 << 20))
        archive.writestr("ab.residuals", b"")
    with pytest.raises(ChromaError, match="too large"):
        unpacked(stream.getvalue())
