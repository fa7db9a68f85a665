"""Laws of retrieval: a photograph finds its own picture in color, never itself; the index follows the folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import tinct.retrieval.index as index_module
from own_cache import own_cache
from retrieval.retrieval_scene import NAMES, gray_crop, picture, write_album
from tinct import Photo, colorize, retrieve_references
from tinct.errors import OptionError
from tinct.photo.reduced import read_reduced
from tinct.retrieval.collection import Folder
from tinct.retrieval.descriptor import describe
from tinct.retrieval.index import COLOR, GRAY, OWN_RESULT, UNREADABLE, Index, index_of


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return write_album(tmp_path / "album")


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that the index has read since."""
    names: list[str] = []
    decoded = index_module._decoded

    def noting(collection, name):
        names.append(Path(name).name)
        return decoded(collection, name)

    monkeypatch.setattr(index_module, "_decoded", noting)
    return names


def test_a_descriptor_has_unit_length_and_ignores_colors_and_size():
    color, large = picture("coffee"), picture("coffee", 600)
    one, gray, other = (
        describe(Photo.from_image(image)) for image in (color, color.convert("L"), picture("rocket"))
    )
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert one @ gray > 0.99
    assert one @ describe(Photo.from_image(large)) > 0.9
    assert one @ other < 0.5


@pytest.mark.parametrize("name", NAMES)
def test_a_gray_crop_finds_its_picture_in_color(album: Path, name: str):
    (found,) = retrieve_references(gray_crop(name), album)
    assert Path(found.name).stem == name
    assert found.likeness > 0.6


def test_several_references_are_ordered_different_and_in_color(album: Path):
    picture("coffee", 250).save(album / "again.png")
    found = retrieve_references(gray_crop("coffee"), album, 9, least=-1)
    likeness = [each.likeness for each in found]
    assert likeness == sorted(likeness, reverse=True)
    names = {Path(each.name).stem for each in found}
    assert len(names & {"coffee", "again"}) == 1  # one picture once
    assert "gray" not in names
    assert names >= {"astronaut", "chelsea", "rocket"}


def test_nothing_alike_is_nothing(album: Path):
    for name in ("coffee.jpg", "gray.jpg"):
        (album / name).unlink()
    assert retrieve_references(gray_crop("coffee"), album) == []


def test_the_photograph_itself_is_no_reference_and_a_copy_in_color_is_said(album: Path):
    asks = album / "coffee.jpg"
    assert all(Path(each.name).stem != "coffee" for each in retrieve_references(asks, album, 9, least=-1))
    copied = album.parent / "copy.jpg"
    copied.write_bytes(asks.read_bytes())
    assert all(Path(each.name).stem != "coffee" for each in retrieve_references(copied, album, 9, least=-1))
    gray = album / "gray.jpg"
    (found,) = retrieve_references(gray, album)
    assert (Path(found.name).stem, found.same_picture) == ("coffee", True)


def test_kinds_of_files(album: Path):
    (album / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (album / ".hidden.jpg").write_bytes((album / "coffee.jpg").read_bytes())
    (album / "notes.txt").write_text("no photograph")
    colorize(album / "gray.jpg", hints=[(9, 9, "#a05030")], method="levin", size=32).write(album / "own.png")
    index = index_of(Folder(str(album)))
    kinds = {Path(name).name: int(kind) for name, kind in zip(index.names, index.kinds, strict=True)}
    assert kinds == {
        **{f"{name}.jpg": COLOR for name in NAMES},
        "gray.jpg": GRAY,
        "broken.jpg": UNREADABLE,
        "own.png": OWN_RESULT,
    }


def test_the_index_reads_only_what_has_changed(album: Path, looked_at: list[str]):
    first = index_of(Folder(str(album)))
    assert sorted(looked_at) == sorted([*(f"{name}.jpg" for name in NAMES), "gray.jpg"])
    looked_at.clear()
    again = index_of(Folder(str(album)))
    assert looked_at == []
    assert again.names == first.names
    assert np.array_equal(again.descriptors, first.descriptors)
    picture("rocket").save(album / "coffee.jpg")
    os.utime(album / "coffee.jpg", ns=(1, 1))
    (album / "chelsea.jpg").unlink()
    changed = index_of(Folder(str(album)))
    assert looked_at == ["coffee.jpg"]
    assert not any(name.endswith("chelsea.jpg") for name in changed.names)


def test_an_index_that_is_stopped_goes_on(album: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(index_module, "_BATCH", 1)
    monkeypatch.setattr(index_module, "_SAVED_EVERY", -1.0)

    def stop(count: int, total: int) -> None:
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_of(Folder(str(album)), stop)
    assert len(looked_at) == 3
    index_of(Folder(str(album)))
    assert len(looked_at) == 6  # the third was looked at and not yet saved


def test_a_damaged_index_is_made_again(album: Path, tmp_path: Path):
    first = index_of(Folder(str(album)))
    (file,) = (tmp_path / "cache" / "retrieval").iterdir()
    for content in (b"", file.read_bytes()[:500], b"PK nonsense"):
        file.write_bytes(content)
        assert index_of(Folder(str(album))).names == first.names


def assert_made_again(album: Path, first: Index) -> None:
    found = index_of(Folder(str(album)))
    assert (found.names, found.stamps) == (first.names, first.stamps)
    assert (found.kinds.dtype, found.descriptors.dtype) == (np.uint8, np.float16)
    assert np.array_equal(found.kinds, first.kinds)
    assert np.array_equal(found.descriptors, first.descriptors)


def test_an_index_with_other_arrays_is_made_again(album: Path, tmp_path: Path):
    first = index_of(Folder(str(album)))
    (file,) = (tmp_path / "cache" / "retrieval").iterdir()
    with np.load(file) as content:
        whole = dict(content)
    kinds, descriptors = whole["kinds"], whole["descriptors"]
    for change in (
        {"kinds": kinds.astype(float)},
        {"kinds": np.stack([kinds, kinds], 1)},
        {"kinds": np.full_like(kinds, UNREADABLE + 1)},
        {"kinds": np.array([{}] * len(kinds), object)},
        {"descriptors": descriptors[:, :3]},
        {"descriptors": descriptors.astype(float)},
        {"descriptors": np.full_like(descriptors, np.nan)},
    ):
        np.savez(file, **whole | change)
        assert_made_again(album, first)


def test_an_index_that_says_what_cannot_be_is_made_again(album: Path, tmp_path: Path):
    first = index_of(Folder(str(album)))
    (file,) = (tmp_path / "cache" / "retrieval").iterdir()
    with np.load(file) as content:
        whole = dict(content)
    about = json.loads(whole["about"].tobytes())
    count = len(about["names"])
    for change in (
        {"names": [["a"]] * count},
        {"names": [about["names"][0]] * count},
        {"stamps": [1] * count},
        {"version": [1]},
    ):
        text = np.frombuffer(json.dumps(about | change).encode(), np.uint8)
        np.savez(file, **whole | {"about": text})
        assert_made_again(album, first)


def test_a_folder_in_the_place_of_an_index_costs_time_alone(album: Path, tmp_path: Path):
    first = index_of(Folder(str(album)))
    (file,) = (tmp_path / "cache" / "retrieval").iterdir()
    file.unlink()
    file.mkdir()
    assert_made_again(album, first)


def test_without_a_cache_the_index_is_made_in_memory(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "file" / "cache"))
    assert len(index_of(Folder(str(album)))) == 5


def test_what_is_no_folder_or_no_count_is_said(album: Path):
    with pytest.raises(OptionError, match="is no folder"):
        retrieve_references(gray_crop("coffee"), album / "coffee.jpg")
    with pytest.raises(OptionError, match="give 1 or more"):
        retrieve_references(gray_crop("coffee"), album, 0)


def test_a_reduced_photograph_looks_like_the_whole_one(tmp_path: Path):
    picture("coffee").resize((2400, 1600)).save(tmp_path / "large.jpg", quality=92)
    content = (tmp_path / "large.jpg").read_bytes()
    reduced = read_reduced(content, 160)
    assert (reduced.width, reduced.height) == (300, 200)
    assert describe(reduced) @ describe(Photo.read(content)) > 0.98
    assert reduced.gives_color()
    picture("coffee").save(tmp_path / "small.png")
    small = read_reduced((tmp_path / "small.png").read_bytes(), 160)
    assert small.width == picture("coffee").width


@pytest.mark.parametrize("tone", [4, 250])
def test_borders_and_faded_tones_hardly_change_what_a_photograph_is_like(tone: int):
    gray = 40 + 0.7 * gray_crop("coffee").astype(float)
    whole = np.pad(gray, ((40, 30), (35, 50)), constant_values=tone).astype(np.uint8)
    plain = describe(Photo.from_array(gray.astype(np.uint8)))
    assert float(plain @ describe(Photo.from_array(whole))) > 0.9
    assert float(plain @ describe(Photo.from_array((110 + 0.3 * gray).astype(np.uint8)))) > 0.95
