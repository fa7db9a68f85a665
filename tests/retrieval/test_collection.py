"""Laws of collections: a folder's photographs are found once, whatever its links lead to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tinct.errors import OptionError
from tinct.retrieval.collection import Folder


def test_links_that_loop_are_followed_once(tmp_path: Path) -> None:
    album = tmp_path / "album"
    (album / "below").mkdir(parents=True)
    (album / "a.jpg").write_bytes(b"x")
    (album / "below" / "b.jpg").write_bytes(b"x")
    (album / "loop").symlink_to(album)
    (album / "below" / "up").symlink_to(album)
    (album / "self.jpg").symlink_to("self.jpg")
    (album / "gone.jpg").symlink_to("nothing.jpg")
    assert list(Folder(str(album)).stamps()) == [str(album / "a.jpg"), str(album / "below" / "b.jpg")]


def test_a_color_photograph_is_found_whatever_its_name(tmp_path: Path) -> None:
    """Results of tinct are told by their content, which is read."""
    for name in ("dunes.color.jpg", "barn.jpg", "barn.color.jpg", ".hidden.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [Path(name).name for name in Folder(str(tmp_path)).stamps()] == [
        "barn.color.jpg",
        "barn.jpg",
        "dunes.color.jpg",
    ]


def test_a_linked_folder_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").write_bytes(b"x")
    (tmp_path / "album" / "link").symlink_to(tmp_path / "elsewhere")
    assert list(Folder(str(tmp_path / "album")).stamps()) == [str(tmp_path / "album" / "link" / "a.jpg")]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shut").mkdir()
    real = os.scandir

    def scandir(path):
        if path == str(tmp_path / "shut"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(OptionError, match=r"shut cannot be listed \(Permission denied\); make it readable"):
        Folder(str(tmp_path)).stamps()
