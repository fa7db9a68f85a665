"""Laws of the files that a project names: their content finds them, wherever near the project and however called."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tinct.cli import EXIT_BAD_INPUT, run
from tinct.colorizing import renamed_files
from tinct.colorizing.project import NamedFile, Project, ProjectPhoto, ProjectReference, photo_sha256
from tinct.errors import ProjectError
from tinct.options import Options


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """photo.png, a/x.png and b/x.png, and coat.json, which names all three by their own names."""
    color = np.ascontiguousarray(data.coffee()[::8, ::8])
    for name, pixels in (("a/x.png", color), ("b/x.png", color[::-1, :, ::-1])):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / name)
    Image.fromarray(color).convert("L").save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    project().write("coat.json")
    return tmp_path


def project() -> Project:
    return Project(
        ProjectPhoto("photo.png", photo_sha256(Path("photo.png")), 75, 50),
        tuple(ProjectReference("x.png", photo_sha256(Path(each, "x.png"))) for each in "ab"),
        {},
        Options(method="reinhard", size=32),
    )


def replayed(*arguments: str) -> bytes:
    """The result of the project, by the command line."""
    assert run(["colorize", "--project", "coat.json", *arguments, "-o", "out.png", "--overwrite"]) == 0
    return Path("out.png").read_bytes()


def test_references_of_one_name_are_told_apart_by_their_content(folder):
    wanted = replayed()
    assert run(["colorize", "photo.png", "-r", "a/x.png", "-r", "b/x.png", "-m", "reinhard", "--size", "32",
                "-o", "plain.png"]) == 0  # fmt: skip
    assert wanted == Path("plain.png").read_bytes()
    Path("a/x.png").rename("x.png")
    assert replayed() == wanted
    Path("b/x.png").rename("x (1).png")
    assert replayed() == wanted


def test_references_may_lie_beside_the_photographs_that_are_named(folder):
    wanted = replayed()
    for name in ("elsewhere/scans", "downloads"):
        Path(name).mkdir(parents=True)
    for name in ("a", "b", "photo.png"):
        Path(name).rename(Path("elsewhere", "scans", name))
    Path("coat.json").rename("downloads/coat.json")
    alone = ["colorize", "--project", "downloads/coat.json", "-o", "alone.png"]
    assert run(alone) == EXIT_BAD_INPUT
    assert run([*alone, "elsewhere/scans/photo.png"]) == 0
    assert Path("alone.png").read_bytes() == wanted


RENAMED = (
    "scan 10:30.png", "a<b>|c?*.png", '"quoted".png', ".hidden.png", " spaced.png ", "point.png.", "é" * 100 + ".png",
    "other.PNG", "deep/er/scan.png",
)  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", RENAMED)
def test_a_renamed_file_is_found(folder, name):
    wanted = replayed()
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path("photo.png").rename(name)
    assert replayed() == wanted


def test_a_renamed_file_without_a_suffix_is_found_by_one(folder):
    own = photo_sha256(Path("photo.png"))
    Path("photo.png").rename("Scan 7")
    assert NamedFile("scan", own).find(Path()) == Path("Scan 7")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "nothing in . is that file"), (b"other", "is not the file that the project")]
)
def test_a_file_that_is_not_there_is_said_in_one_line(folder, capsys, content, said):
    Path("photo.png").unlink()
    if content is not None:
        Path("photo.png").write_bytes(content)
    assert run(["colorize", "--project", "coat.json", "-o", "out.png"]) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("bound", ["MOST_FILES", "MOST_BYTES"])
def test_the_search_has_an_end(folder, monkeypatch, bound):
    own = project().photo
    Path("photo.png").rename("renamed.png")
    assert NamedFile(own.name, own.sha256).find(Path()) == Path("renamed.png")
    monkeypatch.setattr(renamed_files, bound, 1)
    with pytest.raises(ProjectError, match="put it beside the project"):
        NamedFile(own.name, own.sha256).find(Path())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_long_names_hold_nothing_up(folder):
    Path("photo.png").rename("z.png")
    os.mkfifo("photo.png")
    assert NamedFile("photo.png", photo_sha256(Path("z.png"))).find(Path()) == Path("z.png")
    assert NamedFile("p" * 5000, photo_sha256(Path("z.png"))).find(Path()) == Path("z.png")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize(
    "name", ["scan 10:30.png", "..scan?.png", "s" * 150 + ".png", "../a\\b.png", "a\nb.png", ""]
)
def test_a_project_of_the_studio_is_done_again(folder, name):
    testclient = pytest.importorskip("fastapi.testclient", reason="the studio needs pip install 'tinct[web]'")
    from tinct.web.app import create_app
    from tinct.web.settings import Settings

    photo = Path("photo.png").read_bytes()
    with testclient.TestClient(create_app(Settings()).api) as client:
        begun = client.post("/api/sessions", files={"photo": (name or "blob", photo)}).json()
        files = [("reference", ("x.png", Path(each, "x.png").read_bytes())) for each in "ab"]
        client.put(f"/api/sessions/{begun['id']}/references", files=files)
        edit = {"options": {"method": "reinhard", "size": 32}}
        wanted = client.post(f"/api/sessions/{begun['id']}/render", json=edit).content
        saved = client.post(f"/api/sessions/{begun['id']}/project", json=edit).json()
    Path("coat.json").write_text(json.dumps(saved))
    assert (saved["photo"]["name"] == name) == (name.startswith(("scan", "..scan", "s")))
    if "\n" not in name and name:
        Path("photo.png").rename(Path(name).name)
    assert replayed() == wanted
