"""`GET /api/render` gives the bytes of a whole run, and tells what is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")
pytest.importorskip("fastapi", reason="the server needs the extra web")
testclient = pytest.importorskip("fastapi.testclient", reason="the test client needs httpx")

from archive.archive_scene import QUICK, write_hints, write_photographs
from own_cache import own_cache
from tinct.archive.batch import run_batch
from tinct.archive.manifest import plan
from tinct.archive.worker import Job
from tinct.web.app import create_app
from tinct.web.settings import Settings


def test_a_chroma_file_is_rendered_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))
    write_photographs(tmp_path / "in", 2)
    rows = plan(str(tmp_path / "in"), hints=write_hints(tmp_path), options=QUICK)
    run_batch(rows, Job(str(tmp_path / "small"), store="chroma"))
    run_batch(rows, Job(str(tmp_path / "whole")))
    server = create_app(Settings(archive=str(tmp_path / "small")))
    client = testclient.TestClient(server.api)
    for row in rows:
        answer = client.get("/api/render", params={"id": row.key, "format": "png"})
        assert answer.status_code == 200, answer.text
        assert answer.content == (tmp_path / "whole" / f"{row.key}.png").read_bytes()
    assert client.get("/api/render", params={"id": "0" * 16}).status_code == 404
    assert client.get("/api/render", params={"id": "../../secret"}).status_code == 422
    Path(rows[0].uri).unlink()
    gone = client.get("/api/render", params={"id": rows[0].key})
    assert (gone.status_code, "is not there" in gone.json()["error"]) == (502, True)


def test_what_a_picture_lacks_is_in_the_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))
    (path,) = write_photographs(tmp_path / "in", 1)
    with Image.open(path) as image:
        page = image.convert("LA")
    page.putalpha(90)
    path.unlink()
    page.save(path.with_suffix(".tif"), save_all=True, append_images=[page])
    rows = plan(str(tmp_path / "in"), hints=write_hints(tmp_path), options=QUICK)
    run_batch(rows, Job(str(tmp_path / "small"), store="chroma"))
    client = testclient.TestClient(create_app(Settings(archive=str(tmp_path / "small"))).api)
    answer = client.get("/api/render", params={"id": rows[0].key, "format": "jpg"})
    notes = json.loads(answer.headers["Tinct-Notes"])
    assert "it has 2 pages; the first is used" in notes
    assert any("white" in note for note in notes)


def test_without_an_archive_there_is_no_such_route():
    client = testclient.TestClient(create_app(Settings()).api)
    assert client.get("/api/render", params={"id": "0" * 16}).status_code == 404
