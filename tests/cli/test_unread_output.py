"""Laws of commands whose output nobody reads any more: they end quietly after the photograph in hand, with 141."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from skimage import data

from own_cache import own_cache
from tinct.cli.process import EXIT_READER_LEFT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")

QUICK = ("-m", "levin", "--hint", "50%,50%=#fdf6ee", "--size", "32")
COUNT = 6


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    color = np.ascontiguousarray(data.coffee()[::8, ::8])
    (tmp_path / "scans").mkdir()
    for number in range(COUNT):
        Image.fromarray(color).convert("L").save(tmp_path / "scans" / f"{number}.png")
    Image.fromarray(color).save(tmp_path / "color.png")
    Path(tmp_path / "hints.json").write_text('{"points": [{"x": "50%", "y": "50%", "color": "#fdf6ee"}]}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))
    return tmp_path


def unread(arguments: Sequence[str], **given: object) -> tuple[int, list[str]]:
    """Run tinct with a standard output that nobody reads; gives the exit code and the lines of standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tinct", *arguments]
    with os.fdopen(writer) as output:
        done = subprocess.run(
            command, stdout=output, stderr=subprocess.PIPE, timeout=120, check=False, **given
        )  # type: ignore[call-overload]
    return done.returncode, done.stderr.decode().splitlines()


def read(arguments: Sequence[str]) -> str:
    """What tinct prints to somebody who reads it."""
    command = [sys.executable, "-m", "tinct", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--help",),
        ("colorize", "--help"),
        ("methods",),
        ("demo",),
        ("stylize", "color.png", "-r", "color.png", "-o", "styled.png"),
        ("colorize", "scans/0.png", *QUICK),
        ("colorize", "scans/0.png", *QUICK, "--json"),
        ("colorize", "scans/0.png", *QUICK, "-o", "-"),
    ],
    ids=" ".join,
)
def test_a_command_ends_as_sigpipe_ends_others(arguments: tuple[str, ...], folder: Path) -> None:
    assert unread(arguments) == (EXIT_READER_LEFT, [])


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_photographs_after_the_one_in_hand_are_not_begun(form: list[str], folder: Path) -> None:
    told = [f"tinct: 1 written, {COUNT - 1} not done."]
    assert unread(["colorize", "scans", *QUICK, "--out-dir", "out", *form]) == (EXIT_READER_LEFT, told)
    assert [path.name for path in Path("out").iterdir()] == ["0.color.png"]


def test_who_reads_nothing_but_errors_stops_nothing(folder: Path) -> None:
    assert unread(["colorize", "scans", *QUICK, "--out-dir", "out", "--quiet"]) == (0, [])
    assert len(list(Path("out").iterdir())) == COUNT


def test_a_server_answers_where_nobody_reads_its_address(folder: Path) -> None:
    pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as output:
        command = [sys.executable, "-m", "tinct", "serve", "--port", str(port)]
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE)
    try:
        answers = f"http://127.0.0.1:{port}/healthz"
        until = time.monotonic() + 60
        while time.monotonic() < until and server.poll() is None:
            with suppress(httpx.ConnectError):
                assert httpx.get(answers).status_code == 200
                break
            time.sleep(0.1)
    finally:
        server.terminate()
        said = server.communicate(timeout=60)[1]
    assert (server.returncode, said) == (0, b"")


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_batch_ends_after_a_photograph_and_goes_on_when_it_is_started_again(
    form: list[str], jobs: str, folder: Path
) -> None:
    pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
    pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")
    read(["batch", "plan", "scans", "-o", "m.csv", "-m", "levin", "--hints", "hints.json"])
    start = ["batch", "start", "m.csv", "--out", "out", "--jobs", jobs]
    assert unread([*start, *form]) == (EXIT_READER_LEFT, [])
    assert 1 <= len(list(Path("out").glob("*.png"))) < COUNT
    again = [json.loads(line) for line in read([*start, "--json"]).splitlines()]
    assert [line["status"] for line in again] == ["done"] * (COUNT - 1)
    assert read(["batch", "verify", "out"]).startswith(f"{COUNT} results are as the ledger says, 0 are not")


@pytest.mark.parametrize("verb", ["plan", "verify", "report", "watch"])
def test_other_verbs_of_archives_end_alike(verb: str, folder: Path) -> None:
    pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
    pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")
    commands = {
        "plan": ["batch", "plan", "scans", "-o", "other.csv"],
        "verify": ["batch", "verify", "out"],
        "report": ["batch", "report", "out"],
        "watch": ["watch", "scans", "--out", "other", "--quiet-for", "0", "--once"],
    }
    read(["batch", "plan", "scans/0.png", "-o", "m.csv"])
    read(["batch", "start", "m.csv", "--out", "out"])
    assert unread(commands[verb]) == (EXIT_READER_LEFT, [])
