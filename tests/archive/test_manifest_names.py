"""Laws of odd names: no name of a file or folder stops an archive, and none is omitted unnoticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

from archive.archive_scene import QUICK, write_hints, write_photographs
from tinct.archive.entry import DONE, REFUSED
from tinct.archive.manifest import Row, photograph_id, plan, read_manifest, write_manifest
from tinct.archive.storage import Store, absolute_uri, local_path, read_uri
from tinct.archive.worker import Job, Worker
from tinct.errors import ManifestError

ODD = os.fsdecode("Jérôme 100% ".encode() + b"\xe9\xff.png")
"""A name with a letter in Latin-1, as old archives have them."""

BREAKS = ("a\u2028b.png", "a\x85b.png", "a\x0bb.png", "a\rb.png", "a\nb.png", 'a",b.png')
"""Names with characters at which some readers break lines."""


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "scans").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "scans"


def write_photograph(path: Path) -> None:
    write_photographs(path.parent, 1)[0].rename(path)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_names_survive_every_kind_of_manifest(scans: Path, suffix: str) -> None:
    for name in (*BREAKS, ODD):
        (scans / name).write_bytes(b"x")
    rows = plan("scans")
    write_manifest(rows, f"m{suffix}")
    assert read_manifest(f"m{suffix}") == rows
    assert {local_path(row.uri) for row in rows} == {str(scans / name) for name in (*BREAKS, ODD)}


@pytest.mark.parametrize("source", ["scans", "scans/*.png", "file://{}/scans", "file://{}/scans/*.png"])
def test_a_name_that_is_not_utf_8_is_colorized(scans: Path, tmp_path: Path, source: str) -> None:
    write_photograph(scans / ODD)
    (row,) = plan(source.format(tmp_path), hints=write_hints(tmp_path), options=QUICK)
    assert row.uri == f"file-bytes://{scans}/J%C3%A9r%C3%B4me%20100%25%20%E9%FF.png"
    assert read_uri(row.uri) == (scans / ODD).read_bytes()
    assert Worker(Job("out")).process(row).status == DONE


def test_a_folder_that_is_not_utf_8_is_searched(scans: Path) -> None:
    folder = scans / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "50%41.png").write_bytes(b"x")
    (row,) = plan(str(folder))
    assert plan(absolute_uri(str(folder))) == plan("scans") == [row]
    assert read_uri(row.uri) == b"x"


def test_an_id_of_text_is_what_it_was() -> None:
    assert photograph_id("s3://b/ü.tif") == -5303370516574878778


@pytest.mark.parametrize("name", ["a::b.png", "::b.png", "memory::b.png"])
def test_a_name_with_two_colons_is_a_local_file(scans: Path, name: str) -> None:
    (scans / name).write_bytes(b"x")
    for source in ("scans", str(scans), f"file://{scans}", str(scans / name), "scans/*.png"):
        (row,) = plan(source)
        assert read_uri(row.uri) == b"x"
    Store(str(scans / "out::put")).put("key", b"y")
    assert (scans / "out::put" / "key").read_bytes() == b"y"


@pytest.mark.parametrize("folder", ["scans [1960]", "why?", "a*b"])
def test_what_is_there_is_no_pattern(scans: Path, folder: str) -> None:
    (scans / folder / "deep").mkdir(parents=True)
    (scans / folder / "p[1].png").write_bytes(b"x")
    (scans / folder / "deep" / "q.png").write_bytes(b"x")
    names = [str(scans / folder / "deep" / "q.png"), str(scans / folder / "p[1].png")]
    assert [row.uri for row in plan(f"scans/{folder}")] == names
    assert [row.uri for row in plan(f"scans/{folder}/p[1].png")] == names[1:]
    assert [row.uri for row in plan(f"scans/{folder}/*.png")] == names[1:]
    assert [row.uri for row in plan(f"scans/{folder}/**/[a-q].png")] == names[:1]


def test_a_plan_means_the_same_files_from_every_folder(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scans / "a.png").write_bytes(b"x")
    (row,) = plan("scans", references=["r.jpg", "s3://b/r.jpg"], hints="h.json")
    assert row.references == (str(tmp_path / "r.jpg"), "s3://b/r.jpg")
    assert row.hints == str(tmp_path / "h.json")
    (row,) = plan("scans", project="deep/../p.json")
    assert (row.project, row.hints, row.references) == (str(tmp_path / "p.json"), "", ())


@pytest.mark.parametrize("source", ["scans", "scans/**/*.png"])
def test_a_folder_that_cannot_be_listed_is_a_row_that_is_refused(
    scans: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (scans / "shut").mkdir()
    (scans / "a.png").write_bytes(b"x")
    real = os.scandir

    def scandir(path="."):
        if os.fspath(path) == str(scans / "shut"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    rows = plan(source)
    assert [row.uri for row in rows] == [str(scans / "a.png"), str(scans / "shut")]
    entry = Worker(Job("out")).process(rows[1])
    assert entry.status == REFUSED
    assert (
        entry.message
        == f"{scans}/shut is a folder that could not be listed; make it readable and plan the batch again."
    )


@pytest.mark.parametrize("source", ["scans", "scans/**/*.png"])
def test_a_plan_lists_each_folder_once(scans: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    for folder in ("a", "a/deep", "b"):
        (scans / folder).mkdir()
        (scans / folder / "p.png").write_bytes(b"x")
    listed: list[str] = []
    real = os.scandir

    def scandir(path="."):
        listed.append(os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert len(plan(source)) == 3
    assert sorted(listed) == sorted(map(str, (scans, scans / "a", scans / "a/deep", scans / "b")))


def test_a_folder_called_like_a_photograph_is_none(scans: Path) -> None:
    (scans / "album.png").mkdir()
    (scans / "album.png" / "a.png").write_bytes(b"x")
    (scans / "link.png").symlink_to(scans / "album.png")
    for source in ("scans", "scans/**/*.png"):
        assert [row.uri for row in plan(source)] == [str(scans / "album.png" / "a.png")]


def test_a_pattern_that_cannot_be_is_named(scans: Path) -> None:
    (scans / "a.png").write_bytes(b"x")
    with pytest.raises(ManifestError, match=r"scans/\*\*\.png is no pattern"):
        plan("scans/**.png")


def test_a_home_folder_is_found_and_a_name_with_a_tilde_too(
    scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(scans))
    (scans / "a.png").write_bytes(b"x")
    assert [row.uri for row in plan("~")] == [str(scans / "a.png")]
    Path("~b.png").write_bytes(b"y")
    assert read_uri("~b.png") == b"y"


def test_a_row_of_a_damaged_name_still_has_an_id() -> None:
    assert Row(photograph_id("\udcff.png"), "\udcff.png").key == Row(photograph_id("\udcff.png"), "").key
