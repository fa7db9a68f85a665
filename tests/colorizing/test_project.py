"""Laws of project files: what was decided is done again exactly, and nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

import tinct
from tinct.cli import EXIT_BAD_INPUT, run
from tinct.colorizing.album import Album
from tinct.colorizing.project import (
    Project,
    ProjectPhoto,
    ProjectReference,
    photo_sha256,
    replay,
)
from tinct.errors import OptionError, ProjectError
from tinct.hints import Hint, Rectangle, Stroke, Swatch
from tinct.hints.window import Scale
from tinct.options import Options
from tinct.photo import Photo

HINTS = {"points": [{"x": 20, "y": 30, "color": "#8c5a3c", "radius": 3}]}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """photo.png, reference.png, coat.json that names both, and other.png, another view of twice the size."""
    color = np.ascontiguousarray(data.coffee()[::4, ::4])
    gray = Image.fromarray(color).convert("L")
    gray.save(tmp_path / "photo.png")
    Image.fromarray(color).save(tmp_path / "reference.png")
    gray.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((300, 200)).save(tmp_path / "other.png")
    monkeypatch.chdir(tmp_path)
    project().write("coat.json")
    return tmp_path


def project(**changes) -> Project:
    made = Project(
        ProjectPhoto("photo.png", photo_sha256(Path("photo.png")), 150, 100),
        (ProjectReference("reference.png", photo_sha256(Path("reference.png")), 0.5),),
        HINTS,
        Options(method="reinhard", size=64, strength=0.8),
    )
    return replace(made, **changes)


def pixels(name: str) -> np.ndarray:
    return np.asarray(Image.open(name)).astype(int)


def test_a_written_project_reads_the_same(folder):
    assert Project.read("coat.json") == project()
    assert Project.from_json(json.loads(json.dumps(project().to_json()))) == project()


def test_replaying_is_what_the_library_does(folder):
    assert run(["colorize", "--project", "coat.json"]) == 0
    colorizer = tinct.Colorizer("photo.png", hints=[Hint(20, 30, "#8c5a3c", 3)], **asdict(project().options))
    colorizer.set_references(["reference.png"], [0.5])
    assert Path("photo.color.png").read_bytes() == colorizer.render().encode("png")


def test_the_same_photograph_is_known_by_its_hash_not_by_its_name(folder):
    Path("photo.png").rename("renamed.png")
    assert run(["colorize", "--project", "coat.json", "renamed.png", "-o", "a.png"]) == 0
    Path("renamed.png").rename("photo.png")
    assert run(["colorize", "--project", "coat.json", "-o", "b.png"]) == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


@pytest.mark.parametrize("page", [None, 2])
def test_a_project_belongs_to_one_page_and_the_others_say_so(folder, capsys, page):
    pages = np.stack([np.asarray(Image.open(name).convert("L")) for name in ("photo.png", "photo.png")])
    pages[1] = 255 - pages[1]
    tifffile.imwrite("pages.tif", pages, photometric="minisblack", metadata=None)
    project(photo=ProjectPhoto("pages.tif", photo_sha256(Path("pages.tif")), 150, 100)).write("pages.json")
    named = [] if page is None else ["--page", str(page)]
    assert run(["colorize", "--project", "pages.json", *named, "-o", "out.tif"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "belongs to page" in line]
    own = tinct.Colorizer(Photo.read("pages.tif", page=page), hints=[Hint(20, 30, "#8c5a3c", 3)],
                          **asdict(project().options))  # fmt: skip
    own.set_references(["reference.png"], [0.5])
    assert Photo.read("out.tif").pages == (2 if page is None else 1)
    np.testing.assert_array_equal(Photo.read("out.tif", page=1).to_array(), own.render().to_array())
    assert len(told) == (page is None)
    if page is None:
        assert "page 2 gets its options and none of its hints" in told[0]
        plain = tinct.Colorizer(Photo.read("pages.tif", page=2), **asdict(project().options))
        plain.set_references(["reference.png"], [0.5])
        np.testing.assert_array_equal(Photo.read("out.tif", page=2).to_array(), plain.render().to_array())


def test_an_album_takes_options_and_references_but_no_hints(folder):
    assert run(["colorize", "--project", "coat.json", "photo.png", "other.png", "--out-dir", "out"]) == 0
    alike = tinct.Colorizer("other.png", **asdict(project().options))
    alike.set_references(["reference.png"], [0.5])
    assert Path("out/other.color.png").read_bytes() == alike.render().encode("png")


def test_hints_go_to_the_same_relative_places_when_asked(folder):
    assert (
        run(["colorize", "--project", "coat.json", "other.png", "--carry", "places", "-o", "places.png"]) == 0
    )
    alike = tinct.Colorizer("other.png", hints=[Hint(40.5, 60.5, "#8c5a3c", 6)], **asdict(project().options))
    alike.set_references(["reference.png"], [0.5])
    np.testing.assert_array_equal(pixels("places.png"), alike.render().to_array())


def test_the_result_is_one_more_reference_when_asked(folder):
    album = Album("coat.json", "result")
    colorizer = album.set_up(tinct.Photo.read("other.png"))
    assert len(colorizer.references) == 2
    assert not colorizer.hints
    assert colorizer.references[1] is album.result
    assert run(["colorize", "--project", "coat.json", "other.png", "--carry", "result", "-o", "a.png"]) == 0


def test_a_changed_file_is_not_taken_for_the_one_that_was_used(folder, capsys):
    Image.open("reference.png").rotate(180).save("reference.png")
    before = sorted(folder.iterdir())
    assert run(["colorize", "--project", "coat.json"]) == EXIT_BAD_INPUT
    assert "not the file that the project was made with" in capsys.readouterr().err
    Path("reference.png").unlink()
    assert run(["colorize", "--project", "coat.json", "other.png"]) == EXIT_BAD_INPUT
    assert "put it beside the project" in capsys.readouterr().err
    assert set(sorted(folder.iterdir())) == set(before) - {folder / "reference.png"}


def test_other_weights_or_methods_are_told(folder, capsys):
    made = {"tinct": "0.0.1", "method": "reinhard", "weights_sha256": None}
    project(made_with=made).write("old.json")
    assert run(["colorize", "--project", "old.json"]) == 0
    assert "made with tinct 0.0.1" in capsys.readouterr().err


BAD = {
    "no file": (None, "cannot be read"),
    "not JSON": ("{", "not a project file"),
    "deep": ("[" * 100_000, "not a project file"),
    "another JSON": ('{"points": []}', "not a project"),
    "a later version": ({"version": 2}, "version 2"),
    "a path as name": (
        {"photo": {"name": "../photo.png", "sha256": "0" * 64, "width": 9, "height": 9}},
        "own name",
    ),
    "a path in Windows": (
        {"photo": {"name": "a\\b", "sha256": "0" * 64, "width": 9, "height": 9}},
        "own name",
    ),
    "the folder": ({"photo": {"name": "..", "sha256": "0" * 64, "width": 9, "height": 9}}, "own name"),
    "no hash": ({"photo": {"name": "photo.png", "sha256": "", "width": 9, "height": 9}}, "no SHA-256"),
    "no size": ({"photo": {"name": "photo.png", "sha256": "0" * 64, "width": 0, "height": 9}}, "pixels"),
    "half": ({"photo": {"name": "photo.png"}}, "lacks something"),
    "a weight": ({"references": [{"name": "r.png", "sha256": "0" * 64, "weight": 7}]}, "weight is 7"),
    "an option": ({"options": {"strength": 7}}, "strength is 7"),
    "an unknown option": ({"options": {"colour": 7}}, "'colour'"),
    "hints": ({"hints": []}, None),
    "hints of another kind": ({"hints": "all"}, "hints"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_project_is_refused_in_one_line(case, folder, capsys):
    content, names = BAD[case]
    if isinstance(content, dict):
        content = json.dumps(project().to_json() | content)
    if content is not None:
        Path("bad.json").write_text(content)
    code = run(["colorize", "--project", "bad.json", "-o", "out.png"])
    err = capsys.readouterr().err
    if names is None:
        assert code == 0
        return
    assert code == EXIT_BAD_INPUT
    assert err.count("\n") == 1
    assert names in err
    assert not Path("out.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--project", "coat.json", "-r", "reference.png"],
        ["--project", "coat.json", "--strength", "0.5"],
        ["--project", "coat.json", "--carry", "all", "other.png"],
        ["--project", "coat.json", "-"],
        ["--carry", "places", "other.png"],
    ],
)
def test_what_contradicts_a_project_is_refused(arguments, folder, capsys):
    assert run(["colorize", *arguments]) == EXIT_BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1


def test_references_must_be_all_there(folder):
    with pytest.raises(ProjectError, match="1 references, and 0"):
        replay(project(), tinct.Photo.read("photo.png"))


sizes = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
place = st.floats(0, 5000)


@given(own=sizes, size=sizes, x=place, y=place, length=place)
def test_moving_a_hint_there_and_back_leaves_it(own, size, x, y, length):
    hints = (
        Hint(x, y, "#fff", length),
        Stroke(((x, y), (y, x)), "#fff", length),
        Rectangle((x, y, x + 1, y + 1), "#fff"),
        Swatch((x, y, x + 1, y + 1), (1, 2, 3, 4), 1),
    )
    for hint in hints:
        back = Scale(size, own).hint(Scale(own, size).hint(hint))
        flat = [np.ravel(v) for v in asdict(back).values() if not isinstance(v, str)]
        wanted = [np.ravel(v) for v in asdict(hint).values() if not isinstance(v, str)]
        np.testing.assert_allclose(np.concatenate(flat), np.concatenate(wanted), atol=1e-6, rtol=1e-6)


@given(own=sizes, size=sizes)
def test_corners_go_to_corners(own, size):
    moved = Scale(own, size).hint(Rectangle((0, 0, *own), "#fff"))
    np.testing.assert_allclose(moved.box, (0, 0, *size), rtol=1e-9)
    assert Scale(own, size).hint(Hint(own[0] - 0.5, own[1] - 0.5, "#fff")).x == pytest.approx(size[0] - 0.5)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"size": True},
        {"size": 64.0},
        {"strength": "1"},
        {"strength": float("nan")},
        {"seed": -1},
        {"seed": 2**70},
        {"chroma_only": 1},
        {"method": 3},
    ],
)
def test_options_of_wrong_types_are_refused(content):
    with pytest.raises(OptionError):
        Options.from_mapping(content)


def test_options_survive_json():
    options = Options("reinhard", 64, 0.5, 2.0, True, 7)
    assert Options.from_mapping(json.loads(json.dumps(asdict(options)))) == options
    assert Options.from_mapping(None) == Options()
