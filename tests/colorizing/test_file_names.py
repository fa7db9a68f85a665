"""Names of files as Windows and macOS take them, on any system."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path, PureWindowsPath

import pytest

from tinct.colorizing.batch import OutputRules, State, file_key, plan
from tinct.files import cache_folder
from tinct.photo.formats import path_format


@pytest.mark.parametrize(
    "other", [r"c:\album\SCAN.color.png", "C:/Album/scan.color.png", r"C:\Album\.\scan.color.PNG"]
)
def test_windows_takes_capitals_and_slashes_for_the_same_file(other: str) -> None:
    path = r"C:\Album\scan.color.png"
    assert file_key(path, "win32") == file_key(other, "win32")
    assert file_key(path, "linux") != file_key(other, "linux")


def test_a_mac_takes_capitals_and_combining_accents_for_the_same_file() -> None:
    composed = unicodedata.normalize("NFC", "/Album/Été.color.png")
    apart = unicodedata.normalize("NFD", "/Album/été.color.png")
    assert composed != apart
    assert file_key(composed, "darwin") == file_key(apart, "darwin")
    assert file_key(composed, "linux") != file_key(apart, "linux")
    assert file_key("/Album/a.png", "darwin") != file_key("/Album/b.png", "darwin")


@pytest.mark.parametrize(("platform", "refused"), [("win32", 1), ("darwin", 1), ("linux", 0)])
def test_of_names_that_differ_in_capitals_the_first_is_done_where_they_are_one_file(
    monkeypatch: pytest.MonkeyPatch, platform: str, refused: int
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    items = plan(["scan.jpg", "SCAN.tif", "other.jpg"], OutputRules())
    states = [item.state for item in items]
    assert states.count(State.REFUSED) == refused
    assert states[0] == states[2] == State.TO_DO
    if refused:
        assert items[1].reason.startswith("scan.jpg and SCAN.tif would both become")


@pytest.mark.parametrize("name", ["SCAN.JPG", "scan.Tiff", "Scan.PnG"])
def test_a_suffix_in_capitals_is_the_same_format(name: str) -> None:
    assert path_format(Path(name)).name == path_format(Path(name.lower())).name
    assert OutputRules(format="same").target(name, None) == f"{Path(name).stem}.color{Path(name).suffix}"


def test_caches_lie_where_each_system_keeps_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TINCT_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "tinct"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", r"C:\Users\Ann\AppData\Local")
    assert PureWindowsPath(*cache_folder().parts) == PureWindowsPath(
        r"C:\Users\Ann\AppData\Local\tinct\Cache"
    )
