"""Laws of projects in batches: the project's own photograph is known by its content, wherever it was read from."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

from archive.archive_scene import write_photographs
from tinct.archive.entry import DONE
from tinct.archive.manifest import plan
from tinct.archive.worker import Job, Worker
from tinct.cli import run
from tinct.colorizing.album import Album
from tinct.colorizing.project import Project, ProjectPhoto, photo_sha256
from tinct.options import Options
from tinct.photo import Photo

POINT = {"points": [{"x": 12, "y": 12, "color": "#a03020"}]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """p.json, whose own photograph is scans/p000.png, in the folder of p000.png and p001.png."""
    monkeypatch.chdir(tmp_path)
    own = write_photographs(tmp_path / "scans", 2)[0]
    named = ProjectPhoto(own.name, photo_sha256(own), 32, 24)
    path = tmp_path / "scans" / "p.json"
    Project(named, hints=POINT, options=Options(method="levin", size=32)).write(path)
    return path


@pytest.mark.parametrize("by", ["path", "bytes"])
def test_a_project_knows_its_own_photograph(project: Path, by: str) -> None:
    own = project.parent / "p000.png"
    album = Album(project)
    if by == "path":
        colorizer = album.set_up(Photo.read(own))
    else:
        content = own.read_bytes()
        colorizer = album.set_up(Photo.read(content), sha256(content).hexdigest())
    assert len(colorizer.hints) == 1


def test_a_batch_replays_a_project_as_colorize_does(project: Path) -> None:
    assert run(["colorize", "--project", str(project), "-o", "wanted.png"]) == 0
    (row,) = plan("scans/p000.png", project="scans/p.json")
    entry = Worker(Job("out")).process(row)
    assert (entry.status, entry.message) == (DONE, "")
    assert entry.colorfulness > 1
    assert Path("out", entry.output).read_bytes() == Path("wanted.png").read_bytes()
