"""The server's album: the most alike color photographs are suggested and taken, and no path leaves the server."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the server needs tinct[web]")

from PIL import Image

import tinct
from own_cache import own_cache
from retrieval.retrieval_scene import gray_crop, write_album
from studio_server import Running, running
from tinct.errors import OptionError
from tinct.web.album_routes import Album
from tinct.web.app import Studio
from tinct.web.settings import Settings


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


COFFEE = png(gray_crop("coffee"))
NOISE = png(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
SMALL = {"options": json.dumps({"size": 64})}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINCT_CACHE", own_cache(place / "cache"))
        with running(place, album=str(write_album(place / "album"))) as found:
            yield found


def suggested(server: Running, photo: bytes, count: int = 3) -> list[dict]:
    session = server.begin(photo)["id"]
    answer = server.client.post(f"/api/sessions/{session}/references/suggest", json={"count": count})
    assert answer.status_code == 200, answer.text
    return answer.json()["references"]


def test_the_most_alike_are_suggested_with_thumbnail_and_file(server: Running, place: Path):
    first = suggested(server, COFFEE)[0]
    assert first["name"] == "coffee.jpg"
    assert first["likeness"] > 0.6
    thumbnail = Image.open(io.BytesIO(server.client.get(first["thumbnail"]).content))
    assert max(thumbnail.size) <= 256
    file = server.client.get(first["file"])
    assert file.content == (place / "album" / "coffee.jpg").read_bytes()
    assert file.headers["content-type"] == "image/jpeg"


def test_a_name_that_is_not_utf_8_is_a_name_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))
    folder = write_album(tmp_path / "album")
    odd = os.fsencode(folder / "coffee.jpg").replace(b"coffee", b"caf\xe9")
    try:
        os.rename(folder / "coffee.jpg", odd)
    except OSError:
        pytest.skip("this file system takes no names but UTF-8")
    with running(tmp_path, album=str(folder)) as server:
        first = suggested(server, COFFEE)[0]
        assert first["name"] == "caf\N{REPLACEMENT CHARACTER}.jpg"
        assert server.client.get(first["thumbnail"]).status_code == 200
        assert server.client.get(first["file"]).content == Path(os.fsdecode(odd)).read_bytes()
        form = {**SMALL, "album": "1"}
        answer = server.client.post("/api/colorize", files={"photo": ("a.png", COFFEE)}, data=form)
        assert answer.status_code == 200, answer.text
        assert any(first["name"] in note for note in json.loads(answer.headers["Tinct-Notes"]))


def test_names_that_are_shown_alike_have_keys_of_their_own(tmp_path: Path):
    album = Album(str(tmp_path))
    names = [os.fsdecode(os.fsencode(tmp_path / "caf") + byte + b".jpg") for byte in (b"\xe8", b"\xe9")]
    assert len({album.shown_name(name) for name in names}) == 1
    assert len({album.key(name) for name in names}) == 2
    assert album.key(str(tmp_path / "é.jpg")) == sha256("é.jpg".encode()).hexdigest()[:16]


def test_nothing_alike_is_an_empty_list(server: Running):
    assert suggested(server, NOISE) == []


def test_one_shot_takes_references_of_the_album_and_says_so(server: Running, place: Path):
    answer = server.client.post(
        "/api/colorize", files={"photo": ("a.png", COFFEE)}, data={**SMALL, "album": "1"}
    )
    assert answer.status_code == 200, answer.text
    after = tinct.colorize(COFFEE, reference=place / "album" / "coffee.jpg", size=64)
    assert answer.content == after
    assert any("colors from coffee.jpg" in note for note in json.loads(answer.headers["Tinct-Notes"]))
    alone = server.client.post(
        "/api/colorize", files={"photo": ("a.png", NOISE)}, data={**SMALL, "album": "2"}
    )
    assert alone.content == tinct.colorize(NOISE, size=64)
    assert "alike enough" in alone.headers["Tinct-Notes"]


@pytest.mark.parametrize("key", ["0" * 16, "../album/coffee.jpg", "gray.jpg", "..%2f..%2fetc%2fpasswd"])
def test_only_keys_of_color_photographs_are_files(server: Running, key: str):
    for rest in ("", ".png"):
        assert server.client.get(f"/api/album/{key}{rest}").status_code in (404, 422)


def test_paths_of_the_server_are_in_no_answer(server: Running, place: Path):
    said = json.dumps(suggested(server, COFFEE, 8))
    assert str(place) not in said
    assert "gray.jpg" not in said


@pytest.mark.parametrize("count", [0, 9, "many"])
def test_a_count_out_of_range_is_refused(server: Running, count: object):
    session = server.begin(COFFEE)["id"]
    answer = server.client.post(f"/api/sessions/{session}/references/suggest", json={"count": count})
    assert answer.status_code == 422
    answer = server.client.post(
        "/api/colorize", files={"photo": ("a.png", COFFEE)}, data={"album": str(count)}
    )
    assert (answer.status_code, "1 to 8" in answer.json()["error"]) == (422, True)


def test_the_page_is_told_of_the_album(server: Running):
    assert server.client.get("/api/methods").json()["album"] is True


def test_a_server_without_an_album_has_no_such_routes(tmp_path: Path):
    with running(tmp_path) as plain:
        assert plain.client.get("/api/methods").json()["album"] is False
        assert plain.client.get("/api/album/0123456789abcdef").status_code == 404
        answer = plain.client.post("/api/colorize", files={"photo": ("a.png", COFFEE)}, data={"album": "1"})
        assert (answer.status_code, "has no album" in answer.json()["error"]) == (422, True)


def test_an_album_that_is_no_folder_is_refused_at_the_start(tmp_path: Path):
    with pytest.raises(OptionError, match="is no folder"):
        Studio(Settings(album=str(tmp_path / "nowhere")))
