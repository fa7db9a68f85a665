"""Laws of the pool: what is packed, what is dropped, what is drawn how often, who is whose relative."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import training_photographs as made
from tinct.errors import OptionError, OutputError, PhotoError
from tinct.tables import dataclass_from
from tinct.training.config import read_config
from tinct.training.labels import Labels, collect, find_related, read_scenes, read_segments
from tinct.training.photographs import Entry, Photographs, is_single_tint, list_folder, pack, read_index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(5):
        made.write(tmp_path / "data" / ("beach" if i < 3 else "street") / f"{i}.png", made.colored(i, 40, 60))
    made.write(tmp_path / "data" / "gray.png", made.gray(1))
    made.write(tmp_path / "data" / "sepia.png", made.sepia(2))
    (tmp_path / "data" / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    return tmp_path / "data"


def test_gray_and_tinted_photographs_are_dropped_and_named(folder: Path, tmp_path: Path) -> None:
    pool = pack(folder, tmp_path / "pool", side=48)
    assert [e.path for e in pool.entries] == [f"beach/{i}.png" for i in range(3)] + [
        "street/3.png",
        "street/4.png",
    ]
    dropped = (tmp_path / "pool" / "dropped.csv").read_text()
    assert {line.split(",")[0] for line in dropped.splitlines()[1:]} == {
        "gray.png",
        "sepia.png",
        "broken.jpg",
    }
    assert "broken.jpg,unreadable" in dropped


@pytest.mark.skipif(os.name != "posix", reason="needs a shell script on the PATH")
def test_no_program_is_started_for_what_is_packed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    Image.fromarray(made.colored(9, 40, 60)).save(folder / "drawing.jpg", "EPS")
    pack(folder, tmp_path / "pool", side=48)
    assert "drawing.jpg,unreadable" in (tmp_path / "pool" / "dropped.csv").read_text()
    assert not (tmp_path / "started").exists()


def test_color_is_told_from_a_tint_by_chroma_that_lightness_does_not_explain() -> None:
    for seed in range(8):
        assert not is_single_tint(made.colored(seed))
        assert is_single_tint(made.gray(seed))
        assert is_single_tint(made.sepia(seed))


def test_packed_pixels_are_the_photograph_at_the_top_left_with_edges_repeated(tmp_path: Path) -> None:
    for i in range(2):
        made.write(tmp_path / "data" / f"{i}.png", made.colored(i, 30, 48))
    pool = pack(tmp_path / "data", tmp_path / "pool", side=48)
    assert pool.sizes.tolist() == [[30, 48]] * 2
    assert np.array_equal(pool.pixels[1, :30], made.colored(1, 30, 48))
    assert (pool.pixels[1, 30:] == pool.pixels[1, 29]).all()


def test_photographs_are_shrunk_upright_and_never_enlarged(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    large = Image.fromarray(made.colored(0, 64, 128))
    (tmp_path / "data").mkdir()
    large.save(tmp_path / "data" / "a.jpg", exif=exif, quality=95)
    made.write(tmp_path / "data" / "b.png", made.colored(1, 20, 30))
    pool = pack(tmp_path / "data", tmp_path / "pool", side=32)
    assert pool.sizes.tolist() == [[32, 16], [20, 30]]


def test_a_pool_is_packed_once(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "pool", side=48)
    before = (tmp_path / "pool" / "pixels.npy").stat().st_mtime_ns
    again = pack(folder, tmp_path / "pool", side=48)
    assert (tmp_path / "pool" / "pixels.npy").stat().st_mtime_ns == before
    assert len(again.entries) == 5
    assert Photographs.load(tmp_path / "pool").entries == again.entries


def test_folders_are_classes_and_an_index_says_more(folder: Path, tmp_path: Path) -> None:
    assert {e.label for e in list_folder(folder)} == {"", "beach", "street"}
    index = folder / "index.csv"
    index.write_text("path,set,class,width,weight\nbeach/0.png,one,sea,60,3\nbeach/1.png,two,,60,\n")
    assert read_index(index) == [
        Entry("beach/0.png", "one", "sea", 3.0),
        Entry("beach/1.png", "two", "", 1.0),
    ]


@pytest.mark.parametrize(
    "text", ["", "file\na.png\n", "path,weight\na.png,much\n", "path,weight\na.png,-1\n"]
)
def test_an_index_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(PhotoError) as error:
        read_index(tmp_path / "index.csv")
    assert "\n" not in str(error.value)


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="does not exist"):
        pack(tmp_path / "none", tmp_path / "pool")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PhotoError, match="no photograph"):
        pack(tmp_path / "empty", tmp_path / "pool")
    made.write(tmp_path / "grays" / "a.png", made.gray(0))
    with pytest.raises(PhotoError, match="has color"):
        pack(tmp_path / "grays", tmp_path / "pool")
    assert not (tmp_path / "pool" / "entries.json").exists()


def test_held_out_photographs_go_by_their_paths_alone() -> None:
    many = Photographs(np.zeros((0, 1, 1, 3), np.uint8), np.zeros((0, 2), np.int32),
                       tuple(Entry(f"set/{i}.jpg") for i in range(4000)))  # fmt: skip
    held = many.held_out()
    assert 0.014 < held.mean() < 0.026
    half = Photographs(many.pixels, many.sizes, many.entries[::-2])
    assert np.array_equal(half.held_out(), held[::-2])


def test_one_of_two_photographs_is_held_out() -> None:
    assert made.photographs(2).held_out().sum() >= 1
    assert made.photographs(1).held_out().sum() == 0


def packed(folder: Path) -> Path:
    """A pool of four photographs, 48 pixels at most."""
    for i in range(4):
        made.write(folder / "data" / f"{i}.png", made.colored(i))
    pack(folder / "data", folder / "pool", side=48)
    return folder / "pool"


@pytest.mark.parametrize("name", ["entries.json", "pixels.npy", "sizes.npy"])
def test_a_pool_with_a_damaged_file_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    pool = packed(tmp_path)
    whole = (pool / name).read_bytes()
    for content in (b"", whole[:40], whole[:-3], b"PK\x03\x04", b"[" * 100_000, b"3", b"\xff\xfe", None):
        (pool / name).unlink()
        if content is not None:
            (pool / name).write_bytes(content)
        elif name == "entries.json":
            return
        with pytest.raises(PhotoError, match=f"{name} is damaged .*tinct data pack") as error:
            Photographs.load(pool)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 48, 48, 3), np.uint8),
        np.zeros((4, 48, 40, 3), np.uint8),
        np.zeros((4, 48, 48), np.uint8),
        np.zeros((4, 48, 48, 3), np.float32),
        np.zeros(4, np.uint8),
    ],
)
def test_pixels_of_another_pool_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    pool = packed(tmp_path)
    np.save(pool / "pixels.npy", array)
    with pytest.raises(PhotoError, match=r"is damaged \(pixels are .* is wanted\)"):
        Photographs.load(pool)


@pytest.mark.parametrize(
    "array",
    [
        np.full((3, 2), 48),
        np.full((4, 2), 48.0),
        np.full((4, 2), 49),
        np.array([[48, 0]] * 4),
        np.full(4, 48),
    ],
)
def test_sizes_of_another_pool_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    pool = packed(tmp_path)
    np.save(pool / "sizes.npy", array)
    with pytest.raises(PhotoError, match=r"is damaged \(sizes are .* wanted\)"):
        Photographs.load(pool)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"path": 3}, 'path = "text"'),
        ({"path": "a.png", "weight": "1"}, "weight = number"),
        ({"path": "a.png", "weight": float("nan")}, "weight = number"),
        ({"path": "a.png", "weight": -1.0}, "a weight is -1"),
        ({"path": "a.png", "url": "b"}, "'url', which is not known"),
        ({"set": "a"}, "lacks 'path'"),
        ("a.png", "a table is wanted"),
    ],
)
def test_entries_that_are_none_are_refused(tmp_path: Path, entry: object, said: str) -> None:
    pool = packed(tmp_path)
    entries = json.loads((pool / "entries.json").read_text())
    (pool / "entries.json").write_text(json.dumps([*entries[:3], entry]))
    with pytest.raises(PhotoError, match=said):
        Photographs.load(pool)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("scenes", np.zeros((4, 205), np.float16)),
        ("scenes", np.zeros((4, 365), np.uint8)),
        ("scenes", np.full((4, 365), np.nan, np.float16)),
        ("objects", np.full((4, 1001), -1, np.float16)),
        ("segments", np.zeros((4, 32, 32), np.uint8)),
        ("segments", np.zeros((4, 64, 64), np.int64)),
        ("related", np.full((4, 2), 4, np.int32)),
        ("related", np.full((4, 2), -2, np.int32)),
        ("related", np.zeros((4, 2), np.float32)),
        ("related", np.zeros(4, np.int32)),
        ("related", np.zeros((), np.int32)),
        ("paths", np.zeros(4)),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path: Path, name: str, array: np.ndarray) -> None:
    np.savez(tmp_path / "labels.npz", **{name: array})
    with pytest.raises(PhotoError, match=r"labels\.npz h.*; make it with `tinct data labels`"):
        Labels.load(tmp_path / "labels.npz", 4)


def test_relatives_are_of_the_same_class_first_and_never_oneself() -> None:
    pool = made.photographs(24)
    content = np.random.default_rng(0).dirichlet(np.ones(7), 24).astype(np.float16)
    labels = np.array([e.label for e in pool.entries])
    related = find_related(pool, content, count=15)
    for i, row in enumerate(related):
        assert i not in row
        same = labels[row] == labels[i]
        assert same[:11].all()
        assert not same[11:].any()
        affinity = np.sqrt(content[row].astype(np.float32)) @ np.sqrt(content[i].astype(np.float32))
        assert (np.diff(affinity[:11]) <= 1e-6).all()


def test_by_class_alone_others_are_no_relatives() -> None:
    related = collect(made.photographs(6)).related
    assert related is not None
    assert [set(row) - {-1} for row in related.tolist()] == [
        {1, 4, 5},
        {0, 4, 5},
        {3},
        {2},
        {0, 1, 5},
        {0, 1, 4},
    ]


def test_labels_come_back_as_they_were_kept(tmp_path: Path) -> None:
    pool = made.photographs(4)
    (tmp_path / "scenes.csv").write_text("path,scene1,scene2\n1.png,364:0.75,3:0.25\nother.png,1:1,\n")
    np.savez(tmp_path / "segments.npz", paths=np.array(["2.png"]), labels=np.full((1, 64, 64), 7, np.uint8))
    labels = collect(pool, tmp_path / "scenes.csv", tmp_path / "segments.npz")
    labels.save(tmp_path / "labels")
    found = Labels.load(tmp_path / "labels", 4)
    assert found.objects is None
    assert found.scenes is not None
    assert found.segments is not None
    assert found.scenes[1, 364] == 0.75
    assert found.scenes.sum(1).tolist() == [0, 1, 0, 0]
    assert [set(np.unique(maps)) for maps in found.segments] == [{255}, {255}, {7}, {255}]
    assert np.array_equal(found.related, labels.related)


def test_labels_of_another_pool_are_refused(tmp_path: Path) -> None:
    collect(made.photographs(4)).save(tmp_path / "labels.npz")
    with pytest.raises(PhotoError, match="labels 4 photographs and the pool has 5"):
        Labels.load(tmp_path / "labels.npz", 5)
    with pytest.raises(PhotoError, match="holds no labels"):
        Labels.load(tmp_path / "none.npz", 4)
    (tmp_path / "scenes.csv").write_text("path,scene1\n1.png,365:1\n")
    with pytest.raises(PhotoError, match="365:1"):
        read_scenes(tmp_path / "scenes.csv", made.photographs(2))


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["9.png"], "'9.png', the pool '0.png'"),
        (["/a/0.png", "/a/1.png"], "'/a/0.png', the"),
        ([], "no path"),
    ],
)
def test_labels_that_meet_no_photograph_are_refused_with_both_spellings(
    tmp_path: Path, paths: list[str], said: str
) -> None:
    pool = made.photographs(2)
    (tmp_path / "scenes.csv").write_text("path,scene1\n" + "".join(f"{path},3:0.5\n" for path in paths))
    np.savez(tmp_path / "s.npz", paths=np.array(paths, str), labels=np.zeros((len(paths), 64, 64), np.uint8))
    for read, file in ((read_scenes, "scenes.csv"), (read_segments, "s.npz")):
        with pytest.raises(
            PhotoError, match=f"labels none of the pool's 2 photographs: it has {said}.*; write paths"
        ):
            read(tmp_path / file, pool)


def test_labels_that_say_nothing_of_the_photographs_that_they_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "scenes.csv").write_text("path,scene1\n0.png,\n9.png,3:0.5\n")
    np.savez(tmp_path / "s.npz", paths=np.array(["0.png"]), labels=np.full((1, 64, 64), 255, np.uint8))
    for read, file in ((read_scenes, "scenes.csv"), (read_segments, "s.npz")):
        with pytest.raises(PhotoError, match="no label beside any of them"):
            read(tmp_path / file, made.photographs(2))


def test_photographs_with_labels_are_counted_by_kind() -> None:
    scenes, segments = np.zeros((4, 365), np.float16), np.full((4, 64, 64), 255, np.uint8)
    scenes[1, 7], segments[2:, 0, 0] = 0.5, 0
    related = np.array([[1, -1], [0, -1], [-1, -1], [0, 1]], np.int32)
    labels = Labels(scenes=scenes, segments=segments, related=related)
    assert labels.labeled() == {"scenes": 1, "segments": 2, "related": 3}
    assert Labels().labeled() == {}


def test_a_config_says_what_it_does_not_know(tmp_path: Path) -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Numbers:
        rate: float = 0.1
        steps: int = 5
        fast: bool = False
        sizes: tuple[tuple[float, int], ...] = ((1.0, 32),)

    file = tmp_path / "c.toml"
    file.write_text("[loop]\nrate = 1\nsizes = [[0.5, 64], [1, 96]]\n")
    table = read_config(file)["loop"]
    assert dataclass_from(Numbers, table, "loop") == Numbers(rate=1, sizes=((0.5, 64), (1, 96)))
    for wrong in ({"step": 3}, {"steps": 1.5}, {"fast": 1}, {"rate": True}, {"sizes": 3}, {"rate": "high"}):
        with pytest.raises(OptionError, match="loop"):
            dataclass_from(Numbers, wrong, "loop")
    for text in ("rate = 1\n", "[loop\n"):
        file.write_text(text)
        with pytest.raises(OptionError):
            read_config(file)
    with pytest.raises(OptionError, match=r"shipped with tinct: .*\btinct\b"):
        read_config(tmp_path / "none.toml")


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off", None])
def test_label_files_that_cannot_be_read_are_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "file.npz"
    if content is not None:
        file.write_bytes(content)
    for read in (lambda: Labels.load(file, 2), lambda: read_segments(file, made.photographs(2))):
        with pytest.raises(PhotoError, match="holds no labels"):
            read()
    if content is None:
        with pytest.raises(PhotoError, match="cannot be read"):
            read_scenes(file, made.photographs(2))


def test_one_array_is_no_file_of_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "file.npy", np.zeros(3))
    with pytest.raises(PhotoError, match="holds no labels"):
        Labels.load(tmp_path / "file.npy", 3)


@pytest.mark.parametrize("cell", ["-1:0.5", "365:0.5", "3:nan", "3:2", "3", "3:0.5:1"])
def test_cells_of_scenes_are_places_with_probabilities(tmp_path: Path, cell: str) -> None:
    file = tmp_path / "scenes.csv"
    file.write_text(f"path,scene1\n{made.photographs(1).entries[0].path},{cell}\n", encoding="utf-8")
    with pytest.raises(PhotoError, match="index:probability"):
        read_scenes(file, made.photographs(1))


def test_segments_are_whole_numbers_of_a_byte(tmp_path: Path) -> None:
    photographs = made.photographs(1)
    paths = np.array([photographs.entries[0].path])
    np.savez(tmp_path / "s.npz", paths=paths, labels=np.full((1, 64, 64), 7, np.int64))
    assert (read_segments(tmp_path / "s.npz", photographs) == np.uint8(7)).all()
    for labels in (np.full((1, 64, 64), 300), np.zeros((1, 32, 32), np.uint8), np.zeros((1, 64, 64))):
        np.savez(tmp_path / "s.npz", paths=paths, labels=labels)
        with pytest.raises(PhotoError, match="give an npz of paths"):
            read_segments(tmp_path / "s.npz", photographs)


def test_labels_are_written_to_a_folder_that_is_not_there(tmp_path: Path) -> None:
    collect(made.photographs(3)).save(tmp_path / "new" / "labels.npz")
    assert Labels.load(tmp_path / "new" / "labels.npz", 3).related is not None


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    made.write(tmp_path / "data" / "a.png", made.colored(0))
    (tmp_path / "file").write_text("no folder")
    for place in (tmp_path / "file", tmp_path / "file" / "pool"):
        with pytest.raises(OutputError, match="cannot be made"):
            pack(tmp_path / "data", place)
    for place in (tmp_path / "data", tmp_path / "file" / "labels.npz"):
        with pytest.raises(OutputError, match="cannot be written"):
            collect(made.photographs(2)).save(place)
