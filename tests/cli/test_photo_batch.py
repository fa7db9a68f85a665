"""Laws of batches: the same line can be given again, one photograph stops no other, and a script can trust the end."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tinct
from retrieval.retrieval_scene import gray_crop, write_album
from tinct.cli import run
from tinct.colorizing.name_list import listed_names
from tinct.colorizing.own_results import RECORD, is_own_result

COLORED = ("-m", "levin", "--hint", "50%,50%=#b43c32", "--size", "32")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photograph(*names: str, mode: str = "L") -> None:
    pixels = np.ascontiguousarray(data.coffee()[::16, ::16])
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).convert(mode).save(name)


def colorize(*arguments: str) -> int:
    return run(["colorize", *arguments, *COLORED])


def files(place: Path) -> set[str]:
    return {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


def test_the_same_line_again_makes_nothing_of_its_own_results(folder, capsys):
    photograph("a.png", "b.png")
    assert colorize(*sorted(map(str, Path().glob("*.png")))) == 0
    first = files(folder)
    assert first == {"a.png", "b.png", "a.color.png", "b.color.png"}
    assert last_line(capsys) == "tinct: 2 written."
    assert colorize(*sorted(map(str, Path().glob("*.png"))), "--skip-existing") == 0
    assert files(folder) == first
    assert last_line(capsys) == "tinct: 2 there already, 2 results of tinct passed over."


@pytest.mark.parametrize("kind", ["png", "tif", "jpg", "webp"])
def test_a_result_is_known_by_its_record_wherever_it_lies(kind, folder, capsys):
    photograph("a.png", "b.png", "c.tif", mode="RGB")
    assert colorize("a.png", "--format", kind, "--out-dir", "out") == 0
    Path(f"out/a.color.{kind}").rename(f"renamed.{kind}")
    assert is_own_result(f"renamed.{kind}")
    assert not is_own_result("a.png")
    assert colorize("b.png", f"renamed.{kind}") == 0
    assert "renamed." in capsys.readouterr().err
    assert not Path("renamed.color.png").exists()
    assert colorize(f"renamed.{kind}", "-o", "again.png") == 0  # by itself it is what was asked for


def test_the_record_is_what_results_say(folder):
    from tinct.photo.provenance import Provenance

    assert Provenance("levin").sentence.encode().startswith(RECORD)


def test_a_run_that_was_stopped_goes_on(folder, capsys):
    photograph("a.png", "b.png", "c.png")
    assert colorize("a.png", "--out-dir", "out") == 0
    before = Path("out/a.color.png").stat().st_mtime_ns
    capsys.readouterr()
    assert colorize("a.png", "b.png", "c.png", "--out-dir", "out", "--skip-existing") == 0
    out, err = capsys.readouterr()
    assert out.split() == [os.path.join("out", "b.color.png"), os.path.join("out", "c.color.png")]
    assert err == "tinct: 2 written, 1 there already.\n"
    assert Path("out/a.color.png").stat().st_mtime_ns == before


def test_without_the_option_what_is_there_is_an_error_as_before(folder, capsys):
    photograph("a.png", "b.png")
    assert colorize("a.png") == 0
    assert colorize("a.png", "b.png") == 2
    err = capsys.readouterr().err.splitlines()
    assert "exists already" in err[-2]
    assert err[-1] == "tinct: 1 written, 1 refused."


def test_two_that_would_be_one_do_not_stop_the_rest(folder, capsys):
    photograph("s1/a.png", "s2/a.png", "s2/b.png")
    assert colorize("s1/a.png", "s2/a.png", "s2/b.png", "--out-dir", "out") == 2
    assert files(folder / "out") == {"a.color.png", "b.color.png"}
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2
    assert "s1/a.png and s2/a.png would both become" in err[0]
    assert err[1] == "tinct: 2 written, 1 refused."


def test_a_file_named_twice_is_done_once(folder, capsys):
    photograph("a.png", "b.png")
    Path("link.png").symlink_to("a.png")
    assert colorize("a.png", "b.png", "./a.png", "link.png") == 0
    assert files(folder) == {"a.png", "b.png", "link.png", "a.color.png", "b.color.png"}
    assert last_line(capsys) == "tinct: 2 written."


def test_a_scan_in_two_formats_is_told_apart_by_the_same_format(folder):
    photograph("a.png", "a.jpg", "a.tif")
    assert colorize("a.png", "a.jpg", "a.tif", "--format", "same") == 0
    made = {Image.open(name).format for name in ("a.color.png", "a.color.jpg", "a.color.tif")}
    assert made == {"PNG", "JPEG", "TIFF"}


@pytest.mark.parametrize(
    ("kind", "format"), [("png", "PNG"), ("tif", "TIFF"), ("jpg", "JPEG"), ("webp", "WEBP")]
)
def test_results_are_written_in_the_format_that_is_asked_for(kind, format, folder):
    photograph("a.png", "b.bmp")
    assert colorize("a.png", "b.bmp", "--format", kind) == 0
    assert {Image.open(f"{name}.color.{kind}").format for name in "ab"} == {format}


def test_sixteen_bits_stay_sixteen_in_a_batch_of_the_same_format(folder):
    import tifffile

    tifffile.imwrite("a.tif", np.arange(1024, dtype=np.uint16).reshape(32, 32) * 60)
    photograph("b.tif")
    assert colorize("a.tif", "b.tif", "--format", "same") == 0
    assert tifffile.imread("a.color.tif").dtype == np.uint16


def test_standard_output_has_the_format_that_is_asked_for(folder, monkeypatch):
    photograph("a.png")
    out = io.BytesIO()
    streams = {"stdin": SimpleNamespace(buffer=io.BytesIO(Path("a.png").read_bytes())), "stderr": sys.stderr}
    stdout = SimpleNamespace(buffer=out, isatty=lambda: False)
    monkeypatch.setattr("tinct.cli.standard_streams.sys", SimpleNamespace(**streams, stdout=stdout))
    assert colorize("-", "--format", "jpg") == 0
    assert Image.open(io.BytesIO(out.getvalue())).format == "JPEG"


def test_a_folder_stands_for_its_photographs(folder, capsys):
    photograph("scans/a.png", "scans/b.JPG", "scans/deep/c.tif", "scans/.hidden/d.png", "scans/.e.png")
    Path("scans/letter.txt").write_text("no photograph")
    assert colorize("scans", "--out-dir", "flat") == 0
    assert files(folder / "flat") == {"a.color.png", "b.color.png"}
    assert colorize("scans", "--recursive", "--out-dir", "all") == 0
    assert files(folder / "all") == {"a.color.png", "b.color.png", "c.color.png"}
    assert colorize("scans/deep", "scans/empty") == 2
    Path("empty").mkdir()
    assert colorize("empty") == 2
    assert "empty is a folder without photographs" in capsys.readouterr().err


def test_a_tree_is_kept(folder):
    photograph("scans/1910/a.png", "scans/1920/a.png", "scans/a.png")
    assert colorize("scans", "--recursive", "--out-dir", "out", "--keep-tree") == 0
    assert files(folder / "out") == {"1910/a.color.png", "1920/a.color.png", "a.color.png"}
    assert colorize("scans/1910/a.png", "scans/1920/a.png", "--out-dir", "two", "--keep-tree") == 0
    assert files(folder / "two") == {"1910/a.color.png", "1920/a.color.png"}


def test_results_within_the_folder_are_not_taken_for_scans(folder, capsys):
    photograph("scans/a.png")
    for _ in range(2):
        assert colorize("scans", "--recursive", "--out-dir", "scans/out", "--skip-existing") == 0
    assert files(folder / "scans") == {"a.png", "out/a.color.png"}


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\0"])
def test_a_list_names_photographs(separator, folder, monkeypatch):
    photograph("a b.png", "ü.png", "c.png")
    names = separator.join(["a b.png", "ü.png", ""]).encode()
    assert listed_names(names) == ["a b.png", "ü.png"]
    Path("list").write_bytes(names)
    assert colorize("c.png", "--files-from", "list") == 0
    assert {"a b.color.png", "ü.color.png", "c.color.png"} <= files(folder)
    streams = SimpleNamespace(stdin=SimpleNamespace(buffer=io.BytesIO(names)), stdout=sys.stdout)
    monkeypatch.setattr("tinct.cli.standard_streams.sys", streams)
    assert colorize("--files-from", "-", "--out-dir", "out") == 0
    assert files(folder / "out") == {"a b.color.png", "ü.color.png"}


def test_quiet_says_nothing_but_errors(folder, capsys):
    photograph("a.png", "b.png")
    assert colorize("a.png", "b.png", "-q") == 0
    assert capsys.readouterr() == ("", "")
    assert colorize("a.png", "b.png", "a.color.png", "nothing.png", "--quiet", "--skip-existing") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "nothing.png" in err


def test_json_is_a_line_a_photograph(folder, capsys):
    photograph("a.png", "b.png", "s/a.png")
    frames = [Image.new("L", (40, 30), 60 * number) for number in range(3)]
    frames[0].save("three.gif", save_all=True, append_images=frames[1:])
    assert colorize("a.png", "--out-dir", "out") == 0
    capsys.readouterr()
    named = ["a.png", "b.png", "s/a.png", "nothing.png", "out/a.color.png", "three.gif"]
    assert colorize(*named, "--out-dir", "out", "--json", "--skip-existing") == 2
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["photo"] for each in found] == named
    assert [each["status"] for each in found] == [
        "exists",
        "written",
        "refused",
        "refused",
        "own result",
        "written",
    ]
    assert all(set(each) == {"photo", "result", "status", "error", "notes", "references"} for each in found)
    assert found[1]["error"] is None
    assert "would both become" in found[2]["error"]
    assert "nothing.png" in found[3]["error"]
    assert any("frames" in note for note in found[5]["notes"])
    assert Path(found[1]["result"]).is_file()


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_pipe_in_a_batch_is_not_waited_for(folder, capsys):
    photograph("a.png")
    os.mkfifo("pipe.png")
    assert colorize("pipe.png", "a.png") == 2
    assert "pipe.png is a pipe or a device" in capsys.readouterr().err
    assert Path("a.color.png").exists()


def test_being_stopped_still_counts(folder, capsys, monkeypatch):
    photograph("a.png", "b.png", "c.png")
    fsync, calls = os.fsync, []

    def stop(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise KeyboardInterrupt
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", stop)
    assert colorize("a.png", "b.png", "c.png") == 130
    err = capsys.readouterr().err.splitlines()
    assert err == ["tinct: 1 written, 2 not done.", "tinct: stopped; photographs already written stay."]


def test_references_are_retrieved_and_said(folder, capsys):
    write_album(Path("album"))
    Image.fromarray(gray_crop("coffee")).save("coffee.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save("noise.png")
    given = ["coffee.png", "noise.png", "--reference-from", "album", "--size", "64"]
    assert run(["colorize", *given, "--json"]) == 0
    out, err = capsys.readouterr()
    coffee, noise = (json.loads(line) for line in out.splitlines())
    assert [Path(each["photo"]).name for each in coffee["references"]] == ["coffee.jpg"]
    assert "colors from" in err
    assert noise["references"] == []
    assert "no color photograph of album is alike enough" in err
    album = Path("album").resolve()
    plain = tinct.colorize("coffee.png", reference=album / "coffee.jpg", size=64).encode("png")
    assert Path("coffee.color.png").read_bytes() == plain
    assert Path("noise.color.png").read_bytes() == tinct.colorize("noise.png", size=64).encode("png")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--references", "2"], "no --reference-from"),
        (["--reference-from", "nowhere"], "is no folder"),
        (["--reference-from", ".", "--references", "9"], "give 1 to 8"),
    ],
)
def test_what_cannot_be_retrieved_from_is_said_once(folder, given, said, capsys):
    photograph("a.png", "b.png")
    assert run(["colorize", "a.png", "b.png", *given]) == 2
    assert capsys.readouterr().err.count(said) == 1
