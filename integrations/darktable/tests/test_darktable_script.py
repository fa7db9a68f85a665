"""The Lua script: its syntax, a run against a stand-in of darktable's interface, and a run in a real darktable."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tinct

TESTS = Path(__file__).resolve().parent
SCRIPT = TESTS.parent / "tinct.lua"


def first(*names: str) -> str | None:
    return next((found for found in map(shutil.which, names) if found), None)


LUAC, LUA = first("luac5.4", "luac5.3", "luac"), first("lua5.4", "lua5.3", "lua")
DARKTABLE = shutil.which("darktable") if shutil.which("xvfb-run") else None
needs_lua = pytest.mark.skipif(LUA is None, reason="needs Lua 5.3 or newer: apt-get install lua5.4")


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A gray photograph in a folder whose name has what a shell minds."""
    path = tmp_path / "Ann's album" / "photograph.tif"
    path.parent.mkdir()
    Image.fromarray(data.chelsea()[:120, :160]).convert("L").save(path)
    return path


@pytest.mark.skipif(LUAC is None, reason="needs luac: apt-get install lua5.4")
@pytest.mark.parametrize(
    "file", [SCRIPT, TESTS / "stub.lua", TESTS / "in_darktable.lua"], ids=lambda f: f.name
)
def test_luac_takes_it(file: Path) -> None:
    done = subprocess.run([str(LUAC), "-p", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def exported(program: Path, *photographs: Path, **settings: str) -> list[list[str]]:
    """What was asked of the stand-in when photographs were exported."""
    line = [str(LUA), str(TESTS / "stub.lua"), str(SCRIPT), str(program), str(photographs[0].parent)]
    done = subprocess.run(
        [*line, *map(str, photographs)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [each.split("\t") for each in done.stdout.splitlines() if "\t" in each]


@needs_lua
def test_a_result_lies_beside_its_original_and_is_grouped_with_it(program: Path, photograph: Path) -> None:
    for number in range(2):
        result = photograph.with_name(f"photograph.color{'_01' if number else ''}.tif")
        log = exported(program, photograph)
        assert ["import", str(result)] in log
        assert ["group", result.name, "photograph.tif"] in log
        wanted = tinct.colorize(photograph).to_array()
        assert np.array_equal(np.asarray(Image.open(result)), wanted)
    assert [each for each in photograph.parent.iterdir() if each.name.startswith("exported")] == []
    assert ["print", "tinct colorized 1 of 1 photographs"] in log
    assert ["destroyed", "tinct"] in log


@needs_lua
def test_one_that_fails_is_told_and_nothing_is_imported(program: Path, photograph: Path) -> None:
    photograph.write_bytes(b"no picture")
    log = exported(program, photograph)
    assert [each[0] for each in log if each[0] in ("import", "group")] == []
    assert ["print", "tinct colorized 0 of 1 photographs"] in log
    assert any(each[0] == "error" for each in log)


@needs_lua
def test_an_older_darktable_is_told_what_is_wanted(program: Path, photograph: Path) -> None:
    with pytest.raises(AssertionError, match=r"darktable 3\.2 or newer"):
        exported(program, photograph, API="5")


@pytest.mark.skipif(DARKTABLE is None, reason="needs darktable and xvfb-run: apt-get install darktable xvfb")
def test_darktable_itself_imports_and_groups_the_result(
    program: Path, photograph: Path, tmp_path: Path
) -> None:
    settings = {
        "TINCT_DARKTABLE_FOLDER": str(photograph.parent),
        "TINCT_DARKTABLE_PROGRAM": str(program),
        "TINCT_DARKTABLE_SCRIPT": str(SCRIPT),
    }
    luacmd = f"dofile({str(TESTS / 'in_darktable.lua')!r})"
    line = [
        "xvfb-run",
        "-a",
        str(DARKTABLE),
        "--library",
        ":memory:",
        "--configdir",
        str(tmp_path / "config"),
    ]
    line += ["--cachedir", str(tmp_path / "cache"), "--disable-opencl", "--luacmd", luacmd]
    done = subprocess.run(
        line, env=os.environ | settings, capture_output=True, text=True, timeout=240, check=False
    )
    if "Segmentation fault" in done.stdout + done.stderr:
        pytest.skip("darktable itself crashed under Xvfb, as 5.0.1 of Debian 13 does without a desktop")
    report = photograph.with_name("report.txt")
    assert report.exists(), done.stdout + done.stderr
    lines = [each.split("\t") for each in report.read_text().splitlines()]
    assert ["ok", "true", "nil"] in lines, report.read_text()
    assert {each[1] for each in lines if each[0] == "group"} == {"photograph.tif", "photograph.color.tif"}
    assert (
        np.ptp(np.asarray(Image.open(photograph.with_name("photograph.color.tif")), int), axis=2).mean() > 3
    )
