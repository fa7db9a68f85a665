"""Laws of arguments: a wrong one is refused in one line before anything changes, and arrays of callers stay theirs."""

from __future__ import annotations

import copy
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tinct
from tinct.colorizing.cache import held_bytes
from tinct.errors import HintError, OptionError, OutputError, PhotoError

GRAY = np.ascontiguousarray(data.camera()[::8, ::8])
COLOR = np.ascontiguousarray(data.coffee()[::8, ::8])


@pytest.mark.parametrize("weights", [["a", 1], "11", {0: 1, 1: 1}, 0.5, [None, 1], [10**400, 1], [1, 2]])
def test_weights_are_a_number_for_each_reference(weights: Any) -> None:
    colorizer = tinct.Colorizer(GRAY, [COLOR, COLOR[::-1]], method="reinhard")
    before = colorizer.render().to_array()
    with pytest.raises(OptionError, match="weight"):
        colorizer.set_references([COLOR, COLOR], weights)
    assert np.array_equal(colorizer.render().to_array(), before)


def test_weights_may_be_generated() -> None:
    colorizer = tinct.Colorizer(GRAY, [COLOR, COLOR[::-1]], method="reinhard")
    colorizer.set_references([COLOR, COLOR[::-1]], [1, 0])
    wanted = colorizer.render().to_array()
    colorizer.set_references([COLOR, COLOR[::-1]], (weight for weight in (1, 0)))  # type: ignore[arg-type]
    assert np.array_equal(colorizer.render().to_array(), wanted)


def test_options_are_options() -> None:
    colorizer = tinct.Colorizer(GRAY, method="levin")
    with pytest.raises(OptionError, match="set_options"):
        colorizer.options = {"strength": 0.5}  # type: ignore[assignment]
    colorizer.options = tinct.Options(method="levin", strength=0.5)
    assert colorizer.options.strength == 0.5


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.suggest(5, 5, 2.5),
        lambda c: c.where_next(1.5),
        lambda c: c.alternatives(1.5),
        lambda c: c.alternatives(0),
        lambda c: c.gray(float("nan")),
        lambda c: c.preview(float("nan")),
        lambda c: c.remove_hint([0]),
        lambda c: c.remove_hint(3),
    ],
)
def test_counts_sizes_and_numbers_are_whole(call: Any) -> None:
    colorizer = tinct.Colorizer(GRAY)
    with pytest.raises((OptionError, HintError)):
        call(colorizer)


def test_files_of_text_are_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "hints.json").write_text('{"points": []}')
    with (tmp_path / "hints.json").open() as text, pytest.raises(PhotoError, match="rb"):
        tinct.colorize(text)  # type: ignore[call-overload]
    with pytest.raises(HintError, match="rb"):
        tinct.read_hints(io.StringIO('{"points": []}'), (64, 64))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [">u2", "<u2", ">f4", "u1"])
def test_the_order_of_bytes_does_not_matter(kind: str) -> None:
    whole = GRAY.astype(np.float64) / 255
    top = 1 if "f" in kind else np.iinfo(np.dtype(kind)).max
    photo = tinct.Photo.from_array((whole * top).astype(kind))
    assert np.abs(photo.lightness() - tinct.Photo.from_array(GRAY).lightness()).max() < 0.3


@pytest.mark.parametrize("shape", ["gray", "plane", "gray and alpha", "rgb", "rgba"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_photograph_does_not_change_with_the_array_that_it_came_from(shape: str, dtype: str) -> None:
    top = 1 if dtype == "float32" else np.iinfo(dtype).max
    alpha = np.full((*GRAY.shape, 1), 255)
    channels = {
        "gray": GRAY,
        "plane": GRAY[..., None],
        "gray and alpha": np.dstack([GRAY, alpha]),
        "rgb": COLOR,
        "rgba": np.dstack([COLOR, np.full((*COLOR.shape[:2], 1), 255)]),
    }
    array = (channels[shape] / 255 * top).astype(dtype)
    photo, kept = tinct.Photo.from_array(array), array.copy()
    before = photo.to_array().copy()
    array[:] = 0
    assert np.array_equal(photo.to_array(), before)
    array[:] = kept
    colorizer = tinct.Colorizer(array, method="levin")
    colorizer.add_hint((5, 5, "#b43c32"))
    colorizer.render(last=True)
    assert np.array_equal(array, kept)


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_an_image_without_pixels_is_no_photograph(mode: str, size: tuple[int, int]):
    with pytest.raises(PhotoError, match="no photograph"):
        tinct.colorize(Image.new(mode, size))


def test_a_stream_that_cannot_be_read_is_said(tmp_path: Path):
    closed = io.BytesIO(b"x")
    closed.close()
    with (tmp_path / "new").open("wb") as written:
        for stream in (closed, written):
            with pytest.raises(PhotoError, match="cannot be read"):
                tinct.colorize(stream)


def test_an_image_that_was_closed_too_early_is_said(tmp_path: Path):
    """It is not damaged."""
    Image.fromarray(GRAY).save(tmp_path / "gray.png")
    image = Image.open(tmp_path / "gray.png")
    image.close()
    with pytest.raises(PhotoError, match="was closed before its pixels were read"):
        tinct.colorize(image)


def test_a_target_that_takes_no_bytes_is_said(tmp_path: Path):
    photo = tinct.Photo.from_array(GRAY)
    photo.write(tmp_path / "gray.png")
    with (tmp_path / "gray.png").open("rb") as read, (tmp_path / "text").open("w") as text:
        for target in (io.StringIO(), read, text):
            with pytest.raises(OutputError, match=r"takes no bytes .*; open it with mode 'wb'"):
                photo.write(target)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [None, 3, "a\0.png"])
def test_what_is_no_target_is_said(target: Any):
    with pytest.raises(OutputError):
        tinct.Photo.from_array(np.zeros((4, 4), np.uint8)).write(target)


COPIES = [copy.copy, copy.deepcopy, lambda colorizer: pickle.loads(pickle.dumps(colorizer))]


@pytest.fixture
def copied() -> tinct.Colorizer:
    gray = np.linspace(0, 255, 48 * 64).astype(np.uint8).reshape(48, 64)
    return tinct.Colorizer(gray, COLOR, [tinct.Hint(20, 20, "#a03020")], method="reinhard")


@pytest.mark.parametrize("copier", COPIES)
def test_a_copy_of_a_colorizer_is_independent_of_it(copied: tinct.Colorizer, copier: Any):
    result = copied.render().to_array()
    other = copier(copied)
    assert (other.render().to_array() == result).all()
    other.add_hint(tinct.Hint(40, 30, "#2030a0"))
    other.set_references([COLOR[::-1], COLOR], [1, 0.5])
    other.set_options(strength=0.5)
    assert (copied.render().to_array() == result).all()
    changed = other.render().to_array()
    copied.clear_hints()
    copied.set_photo(GRAY[:20, :30])
    assert (other.render().to_array() == changed).all()
    assert list(other.hints) == [0, 1]


@pytest.mark.parametrize("copier", COPIES[:2])
def test_a_copy_of_a_colorizer_takes_no_memory(copied: tinct.Colorizer, copier: Any):
    copied.render()
    other = copier(copied)
    assert (other.photo, other.references) == (copied.photo, copied.references)
    assert other.method is copied.method
    assert held_bytes(copied.photo, *copied._stages.cache.slots, *other._stages.cache.slots) == held_bytes(
        copied.photo, *copied._stages.cache.slots
    )


@pytest.mark.parametrize("copier", COPIES)
@pytest.mark.parametrize("first", ["original", "copy"])
def test_a_last_rendering_leaves_the_photograph_to_copies(copied: tinct.Colorizer, copier: Any, first: str):
    result = copied.render().to_array()
    pair = [copied, copier(copied)]
    for each in pair if first == "original" else reversed(pair):
        assert (each.render(last=True).to_array() == result).all()


@pytest.mark.parametrize("copier", COPIES)
def test_a_copy_knows_features_by_references_that_it_has(copied: tinct.Colorizer, copier: Any):
    copied.predict()
    other = copier(copied)
    kept = {key[0] for key in other._stages.cache.references._values}
    assert kept <= {id(reference) for reference in other.references}


def test_whole_numbers_keep_their_order_of_bytes():
    gray = np.linspace(0, 65535, 48 * 64).astype(">u2").reshape(48, 64)
    assert tinct.colorize(gray, strength=0).dtype == np.dtype(">u2")
