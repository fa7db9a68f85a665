"""Laws of preparing data: what COCO's annotations choose, and whose palette is nearest."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinct.cli import EXIT_BAD_INPUT, run
from tinct.color.palettes import palette_distance
from tinct.errors import OptionError, PhotoError
from tinct.evaluation.photographs.sets import find_photographs
from tinct.training.coco import choose, read_instances
from tinct.training.photographs import read_index
from tinct.training.reference_pairs import find_references, least_distances, nearest_palettes

CATEGORIES = [
    {"id": 24, "name": "zebra"},
    {"id": 25, "name": "giraffe"},
    {"id": 10, "name": "traffic light"},
]


def picture(file: Path, color: tuple[int, int, int], seed: int = 0) -> None:
    noise = np.random.default_rng(seed).integers(-9, 9, (40, 50, 3))
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(noise + color, 0, 255).astype(np.uint8)).save(file)


@pytest.fixture
def coco(tmp_path, monkeypatch) -> Path:
    """Five photographs: giraffes and zebras, large and tiny, one with both, one with neither; one is not there."""
    monkeypatch.chdir(tmp_path)
    images = [{"id": i, "file_name": f"{i:012d}.png", "height": 40, "width": 50} for i in range(1, 7)]
    areas = [(1, 25, 900), (2, 25, 300), (2, 24, 200), (2, 24, 150), (3, 24, 8), (4, 10, 1000), (6, 25, 500)]
    annotations = [
        {"image_id": i, "category_id": c, "area": a, "iscrowd": 0, "id": n}
        for n, (i, c, a) in enumerate(areas)
    ]
    content = {"images": images, "annotations": annotations, "categories": CATEGORIES}
    (tmp_path / "instances.json").write_text(json.dumps(content))
    for number in range(1, 6):
        picture(tmp_path / "images" / f"{number:012d}.png", (30 * number, 120, 60), number)
    return tmp_path


def chosen(coco: Path, *classes: str, share: float = 0.0) -> dict[str, str]:
    found = choose(read_instances(coco / "instances.json"), coco / "images", classes, share)
    return {path.stem.lstrip("0"): name for path, name in found.photographs}


def test_only_photographs_of_the_chosen_classes_are_listed(coco):
    assert chosen(coco, "giraffe") == {"1": "giraffe", "2": "giraffe"}
    assert chosen(coco, "traffic light") == {"4": "traffic light"}


def test_a_photograph_is_of_the_class_that_covers_most_of_it(coco):
    assert chosen(coco, "giraffe", "zebra")["2"] == "zebra"  # 200 + 150 against 300


def test_too_small_a_class_is_passed_over(coco):
    assert chosen(coco, "zebra") == {"2": "zebra", "3": "zebra"}
    assert chosen(coco, "zebra", share=0.01) == {"2": "zebra"}


def test_files_that_are_not_there_are_named(coco):
    found = choose(read_instances(coco / "instances.json"), coco / "images", ["giraffe"])
    assert found.missing == ("000000000006.png",)


def test_an_unknown_class_is_refused_with_what_is_near(coco):
    with pytest.raises(OptionError, match="giraffe"):
        chosen(coco, "girafe")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"images": [{}], "annotations": [], "categories": []}'])
def test_what_is_no_instances_file_is_refused(tmp_path, content):
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(PhotoError):
        read_instances(tmp_path / "other.json")


def test_the_command_writes_an_index_that_training_and_evaluation_read(coco):
    line = [
        "data",
        "coco",
        "instances.json",
        "images",
        "--classes",
        "giraffe",
        "zebra",
        "--out",
        "new/few.csv",
    ]
    assert run(line) == 0
    entries = read_index(coco / "new" / "few.csv")
    assert [(e.set, e.label, e.weight) for e in entries] == [
        ("coco", "giraffe", 1.0),
        ("coco", "zebra", 1.0),
        ("coco", "zebra", 1.0),
    ]
    assert all((coco / "new" / e.path).is_file() for e in entries)
    assert len(find_photographs(coco / "new" / "few.csv")) == 3


def test_bad_input_to_the_command_writes_nothing(coco):
    before = set(coco.rglob("*"))
    for line in (
        ["data", "coco", "instances.json", "images"],
        ["data", "coco", "instances.json", "images", "--classes", "girafe"],
        ["data", "coco", "instances.json", "nowhere", "--classes", "giraffe"],
        ["data", "coco", "images/000000000001.png", "images", "--classes", "giraffe"],
        ["data", "coco", "instances.json", "images", "--classes", "zebra", "--share", "0.9"],
        ["data", "references", "nowhere.csv"],
    ):
        assert run(line) == EXIT_BAD_INPUT, line
    assert set(coco.rglob("*")) == before


def random_palettes(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 6, count)
    return [
        (rng.normal(0, 30, (k, 3)).astype(np.float32), rng.dirichlet(np.ones(k)).astype(np.float32))
        for k in sizes
    ]


def test_the_nearest_palette_is_the_one_that_brute_force_finds():
    palettes = random_palettes(12)
    for i, found in enumerate(nearest_palettes(palettes)):
        distances = [palette_distance(palettes[i], other) for other in palettes]
        distances[i] = np.inf
        assert found is not None
        assert found[0] == int(np.argmin(distances))
        assert found[1] == pytest.approx(min(distances))


def test_the_bound_is_never_above_the_distance():
    first, second = random_palettes(2)
    for one, other in ((first, second), (second, first), (first, first)):
        bound = least_distances(one, other[0][None].astype(np.float64), other[1][None].astype(np.float64))
        assert bound[0] <= palette_distance(one, other) + 1e-4


@pytest.fixture
def album(tmp_path) -> Path:
    """Two greens and a red of one class, a green alone in another, a copy of the first, and no photograph at all."""
    shades = {"a": (40, 150, 60), "b": (50, 160, 60), "c": (200, 30, 30), "d": (41, 150, 60)}
    for seed, (name, color) in enumerate(shades.items()):
        picture(tmp_path / f"{name}.png", color, seed)
    picture(tmp_path / "copy.png", shades["a"], 0)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    lines = ["path,class", "a.png,x", "b.png,x", "c.png,x", "d.png,y", "copy.png,x", "broken.png,x"]
    (tmp_path / "index.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_reference_is_near_in_palette_and_of_the_same_class(album):
    found = {p.photograph.path: p.reference.path for p in find_references(album / "index.csv").pairs}
    assert found["a.png"] == "b.png"
    assert found["c.png"] in ("a.png", "b.png", "copy.png")
    assert "d.png" not in found
    everywhere = find_references(album / "index.csv", any_class=True).pairs
    assert {p.photograph.path: p.reference.path for p in everywhere}["a.png"] == "d.png"


def test_a_copy_is_nobodys_reference(album):
    found = {p.photograph.path: p.reference.path for p in find_references(album / "index.csv").pairs}
    assert found["copy.png"] != "a.png"
    assert found["a.png"] != "copy.png"


def test_who_has_no_reference_is_named_with_the_reason(album):
    without = dict(find_references(album / "index.csv").without)
    assert set(without) == {"d.png", "broken.png"}
    assert "unreadable" in without["broken.png"]


def test_pairs_are_read_by_the_evaluation_wherever_they_are_written(album):
    assert run(["data", "references", str(album / "index.csv"), "--out", str(album / "deep" / "p.csv")]) == 0
    found = find_photographs(album / "deep" / "p.csv")
    assert len(found) == 4
    assert all(photograph.reference is not None for photograph in found)
    with (album / "deep" / "p.csv").open(newline="") as stream:
        assert all(float(row["distance"]) > 0 for row in csv.DictReader(stream))


def test_an_index_replaces_nothing_but_an_earlier_one(album, capsys):
    """The index that is read has rows and columns that the new one has not."""
    read, photograph, made = album / "index.csv", album / "a.png", album / "pairs.csv"
    before = read.read_bytes(), photograph.read_bytes()
    for out, said in (
        (read, "is the index that is read"),
        (photograph, "is something else"),
        (album, "is no file"),
    ):
        assert run(["data", "references", str(read), "--out", str(out)]) == 2
        assert said in capsys.readouterr().err
    assert (read.read_bytes(), photograph.read_bytes()) == before
    for _ in range(2):
        assert run(["data", "references", str(read), "--out", str(made)]) == 0


@pytest.mark.shared
def test_real_coco_annotations_choose_real_photographs(shared):
    folder = shared / "data" / "coco"
    instances = read_instances(folder / "annotations" / "instances_subset128.json")
    found = choose(instances, folder / "subset128", ["giraffe", "zebra", "surfboard"])
    assert found.photographs
    assert not found.missing
    assert {name for _, name in found.photographs} <= {"giraffe", "zebra", "surfboard"}
