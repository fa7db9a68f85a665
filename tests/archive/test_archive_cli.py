"""The verbs of archives, as people and scripts call them."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

from archive.archive_scene import HINTS, write_hints, write_photographs
from own_cache import own_cache
from tinct.archive.manifest import read_manifest
from tinct.archive.watch import Watch
from tinct.archive.worker import Job
from tinct.cli import EXIT_BAD_INPUT, run


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))


def file_of(uri: str) -> Path:
    """The path of a file:// URI, as a browser takes it."""
    parts = urlsplit(uri)
    assert (parts.scheme, parts.query, parts.fragment) == ("file", "", "")
    return Path(unquote(parts.path))


def planned(tmp_path: Path, count: int) -> str:
    write_photographs(tmp_path / "in", count)
    manifest = str(tmp_path / "m.csv")
    arguments = ["-o", manifest, "--hints", write_hints(tmp_path), "-m", "levin", "--option", "size=32"]
    assert run(["batch", "plan", str(tmp_path / "in"), *arguments]) == 0
    return manifest


def test_plan_start_report_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    manifest, out = planned(tmp_path, 3), str(tmp_path / "out")
    assert run(["batch", "start", manifest, "--out", out, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["status"] for line in lines] == ["done"] * 3
    assert run(["batch", "start", manifest, "--out", out]) == 0
    assert "nothing to do, 3 were settled before" in capsys.readouterr().out
    assert run(["batch", "report", out, "--out", str(tmp_path / "r.html")]) == 0
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 9
    assert "<script" not in page
    assert run(["batch", "verify", out]) == 0
    next((tmp_path / "out").glob("*.png")).unlink()
    assert run(["batch", "verify", out]) == EXIT_BAD_INPUT


@pytest.mark.parametrize(
    ("method", "said"), [("nope", "nope"), ("welsh", "takes its colors from a reference")]
)
@pytest.mark.parametrize("verb", ["plan", "start", "watch"])
def test_a_method_that_cannot_answer_is_said_before_anything_is_settled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, method: str, said: str
):
    write_photographs(tmp_path / "in", 1)
    manifest, out = str(tmp_path / "m.csv"), str(tmp_path / "out")
    assert run(["batch", "plan", str(tmp_path / "in"), "-o", manifest, "--option", "size=32"]) == 0
    commands = {
        "plan": ["batch", "plan", str(tmp_path / "in"), "-o", str(tmp_path / "other.csv")],
        "start": ["batch", "start", manifest, "--out", out],
        "watch": ["watch", str(tmp_path / "in"), "--out", out, "--once"],
    }
    assert run([*commands[verb], "-m", method]) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "other.csv").exists()


def test_a_wrong_id_is_refused_before_any_work_and_an_unsigned_one_is_the_same(tmp_path: Path):
    photographs = write_photographs(tmp_path / "in", 2)
    hints, out = write_hints(tmp_path), str(tmp_path / "out")

    def start(*ids: object) -> int:
        lines = [
            json.dumps({"id": each, "uri": str(path), "hints": hints, "method": "levin", "size": 32})
            for each, path in zip(ids, photographs, strict=False)
        ]
        (tmp_path / "m.jsonl").write_text("\n".join(lines))
        return run(["batch", "start", str(tmp_path / "m.jsonl"), "--out", out])

    for wrong in ([5, 5 + 2**64], [1.5], [True], [2**70], [7, 7], ["x"], [-1, 2**64 - 1]):
        assert start(*wrong) == EXIT_BAD_INPUT, wrong
        assert not (tmp_path / "out").exists()
    assert start(2**64 - 1, 3) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == [
        "0000000000000003.png",
        "ffffffffffffffff.png",
    ]
    assert run(["batch", "verify", out]) == 0


@pytest.mark.parametrize(
    "cells",
    [
        '"group": ["x"]',
        '"id": Infinity',
        '"references": "' + "[" * 100_000 + '"',
        '"options": ' + "[" * 100_000,
        '"uri": "a\\udc80.jpg"',
        '"references": ["\\ud83d"]',
        '"hints": {"a": 1}',
        '"project": [1]',
        '"carry": ["places"]',
    ],
)
def test_a_cell_of_a_wrong_kind_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], cells: str):
    uri = "" if "uri" in cells else '"uri": "a.jpg", '
    (tmp_path / "m.jsonl").write_text("{" + uri + cells + "}")
    assert (
        run(["batch", "start", str(tmp_path / "m.jsonl"), "--out", str(tmp_path / "out")]) == EXIT_BAD_INPUT
    )
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "report it" not in err
    assert "row 1 of the manifest" in err or "cannot be read as jsonl" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_holds_nothing_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    manifest, out = planned(tmp_path, 2), str(tmp_path / "out")
    (tmp_path / "in" / "p000.png").unlink()
    os.mkfifo(tmp_path / "in" / "p000.png")
    assert run(["batch", "start", manifest, "--out", out]) == EXIT_BAD_INPUT
    said = capsys.readouterr()
    assert "pipe or a device" in said.err
    assert "1 done, 1 failed" in said.out
    (result,) = (tmp_path / "out").glob("*.png")
    result.unlink()
    os.mkfifo(result)
    assert run(["batch", "verify", out]) == EXIT_BAD_INPUT


def test_a_run_that_was_refused_before_still_says_so(tmp_path: Path):
    manifest, out = planned(tmp_path, 2), str(tmp_path / "out")
    (tmp_path / "in" / "p000.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    for _ in range(2):
        assert run(["batch", "start", manifest, "--out", out]) == EXIT_BAD_INPUT


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--project", "nope.json"], "nope.json"),
        (["--hints", "nope.json"], "--hints is nope.json, which is no file"),
        (["-r", "nope.jpg"], "--reference is nope.jpg, which is no file"),
    ],
)
def test_a_file_that_is_missing_is_said_at_planning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], said: str
):
    write_photographs(tmp_path / "in", 1)
    manifest = tmp_path / "m.csv"
    assert run(["batch", "plan", str(tmp_path / "in"), "-o", str(manifest), *given]) == EXIT_BAD_INPUT
    assert said in capsys.readouterr().err
    assert not manifest.exists()


def test_an_output_that_is_a_file_is_said_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    manifest = planned(tmp_path, 1)
    (tmp_path / "out").write_text("mine")
    assert run(["batch", "start", manifest, "--out", str(tmp_path / "out")]) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert "journal" not in err
    assert str(tmp_path / "out") in err
    assert run(["batch", "start", manifest, "--out", ""]) == EXIT_BAD_INPUT


def test_a_folder_that_is_not_there_is_not_watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["watch", str(tmp_path / "typo"), "--out", str(tmp_path / "out")]) == EXIT_BAD_INPUT
    assert "is no folder" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="this system has no SIGTERM")
def test_a_watch_stops_after_the_photograph_in_hand(tmp_path: Path):
    write_photographs(tmp_path / "in", 60)
    program = "import sys; from tinct.cli import main; main(sys.argv[1:])"
    command = [
        sys.executable,
        "-c",
        program,
        "watch",
        str(tmp_path / "in"),
        "--out",
        str(tmp_path / "out"),
        "--once",
    ]
    given = ["--quiet-for", "0.1", "--option", "size=32"]
    with subprocess.Popen([*command, *given], stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        watch.stdout.readline()
        watch.send_signal(signal.SIGTERM)
        rest = watch.stdout.read().splitlines()
        assert watch.wait(120) == 143
    assert len(rest) < 50


def test_what_was_settled_otherwise_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    manifest, out = planned(tmp_path, 2), str(tmp_path / "out")
    (tmp_path / "in" / "p000.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    again = ["batch", "start", manifest, "--out", out, "--quiet"]
    run(again)
    capsys.readouterr()
    for more in (["--option", "strength=0"], ["--store", "chroma"], ["--format", "jpg"]):
        assert run([*again, *more]) == EXIT_BAD_INPUT  # one has no result
        said = capsys.readouterr().out
        assert "2 were settled before, 1 of them refused" in said
        assert "1 of them with other options or in another format" in said
    run(again)
    assert "other options" not in capsys.readouterr().out


def test_pages_of_a_tiff_are_those_of_a_plain_call(tmp_path: Path):
    tifffile = pytest.importorskip("tifffile")
    sheets = [np.full((24, 32 + 8 * n), 40 + 60 * n, np.uint8) for n in range(3)]
    (tmp_path / "in").mkdir()
    with tifffile.TiffWriter(tmp_path / "in" / "pages.tif") as writer:
        for sheet in sheets:
            writer.write(sheet)
    hints, manifest = write_hints(tmp_path), str(tmp_path / "m.csv")
    given = ["-m", "levin", "--option", "size=32"]
    assert run(["batch", "plan", str(tmp_path / "in"), "-o", manifest, "--hints", hints, *given]) == 0
    assert run(["batch", "start", manifest, "--out", str(tmp_path / "out"), "--format", "same"]) == 0
    (result,) = (tmp_path / "out").glob("*.tif")
    plain = ["colorize", str(tmp_path / "in" / "pages.tif"), "-o", str(tmp_path / "plain.tif")]
    assert run([*plain, "--hints", hints, "-m", "levin", "--size", "32"]) == 0
    assert result.read_bytes() == (tmp_path / "plain.tif").read_bytes()
    with tifffile.TiffFile(result) as file:
        assert [page.shape[:2] for page in file.pages] == [sheet.shape for sheet in sheets]


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tifffile = pytest.importorskip("tifffile")
    (tmp_path / "in").mkdir()
    with tifffile.TiffWriter(tmp_path / "in" / "pages.tif") as writer:
        writer.write(np.zeros((24, 32), np.uint8))
        writer.write(np.full((24, 32), np.nan, np.float32))
    hints, manifest = write_hints(tmp_path), str(tmp_path / "m.csv")
    given = ["-m", "levin", "--option", "size=32"]
    assert run(["batch", "plan", str(tmp_path / "in"), "-o", manifest, "--hints", hints, *given]) == 0
    start = ["batch", "start", manifest, "--out", str(tmp_path / "out"), "--format", "tif"]
    assert run(start) == EXIT_BAD_INPUT
    assert "page 2 of 2" in capsys.readouterr().err


def test_what_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    manifest, out = planned(tmp_path, 1), str(tmp_path / "out")
    assert run(["batch", "start", manifest, "--out", out]) == 0
    photograph = tmp_path / "in" / "p000.png"
    before = photograph.read_bytes()
    assert run(["batch", "report", out, "--out", str(photograph)]) == EXIT_BAD_INPUT
    assert photograph.read_bytes() == before
    assert run(["batch", "report", out, "--out", str(tmp_path / "nowhere" / "r.html")]) == EXIT_BAD_INPUT
    for _ in range(2):  # its own page it writes anew
        assert run(["batch", "report", out, "--out", str(tmp_path / "r.html")]) == 0
    assert run(["batch", "plan", str(tmp_path / "in"), "-o", manifest]) == EXIT_BAD_INPUT
    assert "--overwrite" in capsys.readouterr().err


def test_a_failure_makes_the_exit_code_and_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    manifest = planned(tmp_path, 2)
    (tmp_path / "in" / "p000.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    assert run(["batch", "start", manifest, "--out", str(tmp_path / "out"), "--quiet"]) == EXIT_BAD_INPUT
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert "1 done, 1 refused" in said.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shard", "3/3"], "I from 0 to N - 1"),
        (["--format", "gif"], "choose one of same"),
        (["--store", "air"], "picture or chroma"),
        (["--option", "brightness=1"], "not NAME=VALUE of an option"),
        (["--option", "strength=9"], "strength is 9"),
        (["--store", "chroma", "--label", "x"], "no pixels to label"),
        (["--store", "chroma", "--iiif", "iiif"], "no picture that a IIIF viewer shows"),
        (["--iiif", __file__], "which is a file"),
    ],
)
def test_a_wrong_option_is_said_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
):
    manifest = planned(tmp_path, 1)
    assert run(["batch", "start", manifest, "--out", str(tmp_path / "out"), *arguments]) == EXIT_BAD_INPUT
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_chroma_file_gives_the_picture_of_a_whole_run(tmp_path: Path):
    manifest = planned(tmp_path, 1)
    (row,) = read_manifest(manifest)
    assert run(["batch", "start", manifest, "--out", str(tmp_path / "small"), "--store", "chroma"]) == 0
    assert run(["batch", "start", manifest, "--out", str(tmp_path / "whole")]) == 0
    chroma, picture = str(tmp_path / "small" / f"{row.key}.chroma"), str(tmp_path / "made.png")
    assert run(["render", chroma, row.uri, "-o", picture]) == 0
    assert Path(picture).read_bytes() == (tmp_path / "whole" / f"{row.key}.png").read_bytes()


def test_iiif_manifests_are_written_for_results(tmp_path: Path):
    manifest = planned(tmp_path, 2)
    folder = tmp_path / "iiif"
    assert run(["batch", "start", manifest, "--out", str(tmp_path / "out"), "--iiif", str(folder)]) == 0
    keys = {row.key for row in read_manifest(manifest)}
    assert {path.stem for path in folder.glob("*.json")} == keys


def test_iiif_manifests_state_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (photograph,) = write_photographs(tmp_path / "in #1 %41?", 1, side=60)
    hints = write_hints(tmp_path)
    monkeypatch.chdir(tmp_path)
    given = ["-o", "m.csv", "--hints", hints, "-m", "levin", "--option", "size=32"]
    assert run(["batch", "plan", photograph.parent.name, *given]) == 0
    assert run(["batch", "start", "m.csv", "--out", "out é", "--label", "x", "--iiif", "iiif"]) == 0
    (path,) = Path("iiif").glob("*.json")
    manifest = json.loads(path.read_text())
    assert file_of(manifest["id"]) == tmp_path / "iiif" / path.name
    (annotation,) = manifest["items"][0]["items"][0]["items"]
    original, colorized = annotation["body"]["items"]
    assert file_of(original["id"]) == photograph
    for said in (original, colorized):
        with Image.open(file_of(said["id"])) as image:
            assert (said["width"], said["height"], said["format"]) == (*image.size, "image/png")
    assert colorized["height"] > original["height"]
    # what an earlier run has stored as chroma files gets none
    assert run(["batch", "start", "m.csv", "--out", "small", "--store", "chroma"]) == 0
    capsys.readouterr()
    assert run(["batch", "start", "m.csv", "--out", "small", "--iiif", "none"]) == 0
    assert "1 of 1 results in small are chroma files" in capsys.readouterr().err
    assert not list(tmp_path.glob("none/*"))


def test_a_report_links_to_its_results_from_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    manifest = planned(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    out = "out #1 %41?"
    assert run(["batch", "start", manifest, "--out", out]) == 0
    (result,) = Path(out).glob("*.png")
    (tmp_path / "pages").mkdir()
    for page in ("r.html", "pages/r.html", f"{out}/r.html", f"{tmp_path}/pages/whole.html"):
        assert run(["batch", "report", out, "--out", page]) == 0
        links = set(re.findall(r'<a href="([^"]*)"', Path(page).read_text()))
        (path,) = {urljoin((tmp_path / page).as_uri(), html.unescape(link)) for link in links}
        assert file_of(path) == tmp_path / result
        assert not any(link.startswith(("/", "file:")) for link in links)


def test_a_watched_photograph_is_taken_whole_and_once(tmp_path: Path):
    job = Job(str(tmp_path / "out"), options={"method": "reinhard"})
    watching = Watch(str(tmp_path / "in"), job, quiet=0.2)
    (path,) = write_photographs(tmp_path / "made", 1, side=40)
    content, target = path.read_bytes(), tmp_path / "in" / "slow.png"
    target.parent.mkdir()
    seen: list[str] = []

    def writes_slowly() -> None:
        with target.open("wb") as stream:
            for start in range(0, len(content), max(len(content) // 8, 1)):
                stream.write(content[start : start + max(len(content) // 8, 1)])
                stream.flush()
                time.sleep(0.08)

    writer = threading.Thread(target=writes_slowly)
    writer.start()
    while writer.is_alive():
        seen += [row.uri for row in watching.arrived()]
        time.sleep(0.02)
    assert seen == []
    deadline = time.monotonic() + 20
    while not seen and time.monotonic() < deadline:
        time.sleep(0.05)
        seen += [row.uri for row in watching.arrived()]
    assert seen[:1] == [str(target)]


def watched_once(tmp_path: Path) -> int:
    """The exit code of a watch that ends once it has colorized what is in the folder."""
    folders = ["watch", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    return run([*folders, "--once", "--quiet-for", "0.1", "--option", "size=32"])


def test_watching_goes_on_by_the_ledger_after_a_restart(tmp_path: Path):
    write_photographs(tmp_path / "in", 2)
    hinted = tmp_path / "hints.json"
    hinted.write_bytes(HINTS)
    assert watched_once(tmp_path) == 0
    first = sorted((tmp_path / "out").rglob("*.parquet"))
    assert watched_once(tmp_path) == 0
    assert sorted((tmp_path / "out").rglob("*.parquet")) == first
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_a_watch_has_the_exit_code_of_a_batch_however_often_it_is_started(tmp_path: Path):
    write_photographs(tmp_path / "in", 1)
    (tmp_path / "in" / "empty.png").touch()
    for _ in range(2):
        assert watched_once(tmp_path) == EXIT_BAD_INPUT
    (tmp_path / "in" / "empty.png").unlink()
    assert watched_once(tmp_path) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["batch", "plan", "", "-o", "m.csv"],
        ["batch", "plan", "in", "-o", ""],
        ["batch", "plan", "in", "-o", "m.csv", "-r", ""],
        ["batch", "plan", "in", "-o", "m.csv", "--reference-from", ""],
        ["batch", "start", "", "--out", "out"],
        ["batch", "report", ""],
        ["batch", "verify", ""],
        ["watch", "", "--out", "out", "--once"],
        ["watch", "in", "--out", "", "--once"],
        ["render", "", "in/p000.png", "-o", "out.png"],
        ["colorize", "in/p000.png", "--reference-from", ""],
        ["colorize", "--project", ""],
    ],
)
def test_an_empty_name_does_not_mean_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    write_photographs(tmp_path / "in", 1)
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert "empty" in err
    assert "report it" not in err
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["in"]


def test_a_chroma_file_of_pages_says_at_both_ends_that_it_has_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    tifffile = pytest.importorskip("tifffile")
    (tmp_path / "in").mkdir()
    pages = np.stack([np.full((24, 32), 40 + 60 * n, np.uint8) for n in range(3)])
    tifffile.imwrite(tmp_path / "in" / "pages.tif", pages, photometric="minisblack", metadata=None)
    manifest, out = str(tmp_path / "m.csv"), tmp_path / "out"
    given = ["--hints", write_hints(tmp_path), "-m", "levin", "--option", "size=32"]
    assert run(["batch", "plan", str(tmp_path / "in"), "-o", manifest, *given]) == 0
    start = ["batch", "start", manifest, "--out", str(out), "--store", "chroma", "--format", "same", "--json"]
    assert run(start) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert "it has 3 pages; the first is used" in json.loads(line)["notes"]
    (chroma,) = out.glob("*.chroma")
    assert (
        run(["render", str(chroma), str(tmp_path / "in" / "pages.tif"), "-o", str(tmp_path / "a.tif")]) == 0
    )
    assert "pages.tif: it has 3 pages; the first is used" in capsys.readouterr().err


def test_rendering_notes_what_a_whole_run_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "in").mkdir()
    pixels = np.stack([np.arange(24 * 32).reshape(24, 32) % 251, np.full((24, 32), 90)], -1).astype(np.uint8)
    Image.fromarray(pixels, "LA").save(tmp_path / "in" / "alpha.png")
    manifest, hints, photo = (
        str(tmp_path / "m.csv"),
        write_hints(tmp_path),
        str(tmp_path / "in" / "alpha.png"),
    )
    given = ["--hints", hints, "-m", "levin", "--option", "size=32"]
    assert run(["batch", "plan", str(tmp_path / "in"), "-o", manifest, *given]) == 0
    assert run(["batch", "start", manifest, "--out", str(tmp_path / "out"), "--store", "chroma"]) == 0
    (chroma,) = (tmp_path / "out").glob("*.chroma")
    said = []
    for command in (["render", str(chroma), photo, "-o", str(tmp_path / "a.jpg")],
                    ["colorize", photo, "--hints", hints, "-m", "levin", "--size", "32",
                     "-o", str(tmp_path / "b.jpg")]):  # fmt: skip
        capsys.readouterr()
        assert run(command) == 0
        said.append(capsys.readouterr().err)
    assert said[0] == said[1]
    assert "white" in said[0]
