"""Laws of the process: whatever is missing around it, it ends with its own code and says one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tinct.cli import run
from tinct.errors import LONGEST_LINE, PhotoError, is_out_of_memory, one_line

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes, signals and limits of POSIX")

QUICK = ("-m", "levin", "--hint", "50%,50%=#fdf6ee", "--size", "32")
"""Options with which a photograph takes no network."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    color = np.ascontiguousarray(data.coffee()[::8, ::8])
    for name in ("photo", "other"):
        Image.fromarray(color).convert("L").save(tmp_path / f"{name}.png")
    Image.fromarray(color).save(tmp_path / "color.png")
    Image.new("RGB", (64, 48), "white").save(tmp_path / "white.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(line: str, **given: object) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell in which $T is tinct."""
    environment = os.environ | {"T": f"{sys.executable} -m tinct"}
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, env=environment, timeout=120, check=False, **given
    )  # type: ignore[call-overload,no-any-return]


def lines(output: bytes) -> list[str]:
    return output.decode().splitlines()


DELAYED = """
import sys, time
from tinct.colorizing import colorizer
read = colorizer.reference_photo
def late(*given):
    time.sleep(float(sys.argv[1]))
    return read(*given)
colorizer.reference_photo = late
from tinct.cli import main
main(["colorize", "photo.png", "-r", "white.png"])
"""


@pytest.mark.parametrize("seconds", ["0", "0.1", "0.3", "0.6", "1.2"])
def test_an_error_while_the_network_is_loading_ends_with_2(seconds: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DELAYED, seconds], capture_output=True, check=False)
    assert done.returncode == 2, done.stderr
    assert len(lines(done.stderr)) == 1
    assert b"white.png is gray" in done.stderr


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_standard_streams_may_be_closed(closed: str, folder: Path) -> None:
    done = shell(f"$T colorize photo.png {' '.join(QUICK)} {closed}")
    assert done.returncode == 0, done.stderr
    assert Image.open("photo.color.png").mode == "RGB"


def test_what_libraries_write_to_a_closed_standard_error_is_not_in_the_result(folder: Path) -> None:
    code = (
        "import os; from tinct.cli import process; process.open_missing_streams()\n"
        "f = open('result', 'xb'); os.write(2, b'a complaint'); f.write(b'pixels')"
    )
    assert shell(f'{sys.executable} -c "{code}" 0<&- 1>&- 2>&-').returncode == 0
    assert Path("result").read_bytes() == b"pixels"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("$T colorize - {} 0<&-", "standard input is closed"),
        ("$T colorize - {} <photo.png 1>&-", "standard output is closed"),
        ("$T colorize - {} <photo.png >/dev/full", "No space left"),
        ("$T colorize photo.png {} >/dev/full", "could not be printed"),
        ("$T colorize photo.png other.png {} >/dev/full", "could not be printed"),
        ("$T methods >/dev/full", "standard output cannot be written to (No space left"),
        ("$T --version >/dev/full", "standard output cannot be written to (No space left"),
        ("$T batch plan . -o plan.csv >/dev/full", "Files that were made stay"),
    ],
)
def test_a_stream_that_cannot_be_used_is_one_line(line: str, told: str, folder: Path) -> None:
    done = shell(line.format(" ".join(QUICK)))
    assert done.returncode == 2
    *counted, complaint = lines(done.stderr)
    assert counted == (["tinct: 2 written."] if "other.png" in line else [])
    assert told in complaint


def test_pipes_are_read_like_files(folder: Path) -> None:
    line = "$T colorize <(cat photo.png) -r <(cat color.png) -m reinhard --hints <(cat hints.json) -o a.png"
    Path("hints.json").write_text('{"points": [[9, 9, "#b43c32"]]}')
    done = shell(line)
    assert done.returncode == 0, done.stderr
    assert (
        run(
            [
                "colorize",
                "photo.png",
                "-r",
                "color.png",
                "-m",
                "reinhard",
                "--hints",
                "hints.json",
                "-o",
                "b.png",
            ]
        )
        == 0
    )
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


@pytest.mark.parametrize(
    "given", ["/dev/zero --hint 1,1=#b43c32", "photo.png -r /dev/zero", "photo.png --hints /dev/zero"]
)
def test_a_device_is_refused(given: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["colorize", *given.split(), "-o", "x.png"]) == 2
    assert "/dev/zero" in capsys.readouterr().err


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_what_is_no_file_is_not_replaced(overwrite: list[str], folder: Path) -> None:
    os.mkfifo("pipe.png")
    Path("link.png").symlink_to("pipe.png")
    for target in ("pipe.png", "link.png"):
        assert run(["colorize", "photo.png", *QUICK, "-o", target, *overwrite]) == 2
    assert Path("pipe.png").is_fifo()


def test_a_link_that_leads_nowhere_is_not_followed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("planted.png").symlink_to(folder / "elsewhere.png")
    assert run(["colorize", "photo.png", *QUICK, "-o", "planted.png"]) == 2
    assert "leads nowhere" in capsys.readouterr().err
    assert not Path("elsewhere.png").exists()


SIGNALLED = """
import os, sys, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
fsync = os.fsync
def stopping(descriptor):
    os.kill(os.getpid(), int(sys.argv[1]))
    fsync(descriptor)
os.fsync = stopping
from tinct.cli import main
main(["colorize", "photo.png", "-m", "levin", "--hint", "50%,50%=#b43c32"])
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_being_stopped_is_said_in_a_line(number: int, code: int, folder: Path) -> None:
    before = set(folder.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED, str(int(number))], capture_output=True, check=False
    )
    assert done.returncode == code
    assert lines(done.stderr) == ["tinct: stopped; photographs already written stay."]
    assert set(folder.iterdir()) == before


def test_what_a_killed_process_left_is_swept(folder: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", SIGNALLED, str(int(signal.SIGKILL))], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = folder.glob(".tinct-*.tmp")
    os.utime(left, (time.time() - 60,) * 2)
    assert shell(f"$T colorize photo.png {' '.join(QUICK)}").returncode == 0
    assert list(folder.glob(".tinct-*")) == []


def test_what_somebody_writes_now_is_not_swept(tmp_path: Path) -> None:
    from tinct import unfinished

    with unfinished.unfinished_file(tmp_path) as (path, _):
        os.utime(path, (time.time() - 3600,) * 2)
        code = (
            "import sys; from pathlib import Path; from tinct.unfinished import remove_abandoned\n"
            "remove_abandoned(Path(sys.argv[1]))"
        )
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
        assert path.exists()
    assert list(tmp_path.iterdir()) == []


def test_decoders_are_heard_without_a_place_for_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise FileNotFoundError("No usable temporary directory")

    monkeypatch.setattr("tinct.decoder_messages.TemporaryFile", nowhere)
    assert run(["colorize", "photo.png", *QUICK, "-o", "a.png"]) == 0
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert run(["colorize", "photo.png", *QUICK, "-o", "b.png"]) == 0


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(12, "no"), ImportError("x.so: failed to map segment from shared object")],
)
def test_memory_that_is_not_there_is_a_line(
    error: Exception, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tinct.colorizing import colorizer

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(colorizer.Colorizer, "render", fail)
    assert run(["colorize", "photo.png", *QUICK]) == 2
    assert capsys.readouterr().err == (
        "tinct: photo.png: there is not enough memory; close other programs, or give a smaller photograph.\n"
    )


def test_an_error_for_want_of_memory_is_told_from_damage() -> None:
    error = PhotoError("it is damaged")
    error.__cause__ = RuntimeError("alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate")
    assert is_out_of_memory(error)
    assert not is_out_of_memory(PhotoError("bad_alloc.png is damaged"))


LIMITED = """
import resource, sys
import cv2, tifffile
import tinct.photo.reading, tinct.methods.classical.levin
from PIL import Image, TiffImagePlugin
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (200 << 20), resource.RLIM_INFINITY))
from tinct.cli import main
main(["colorize", sys.argv[1], "-m", "levin", "--hint", "50%,50%=#b43c32"])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_a_real_limit_of_memory_is_a_line(mode: str, kind: str, folder: Path) -> None:
    Image.new(mode, (15000, 15000)).save("large", kind)
    done = subprocess.run([sys.executable, "-c", LIMITED, "large"], capture_output=True, check=False)
    assert lines(done.stderr) == [
        "tinct: large: there is not enough memory; close other programs, or give a smaller photograph."
    ]
    assert done.returncode == 2


def test_a_defect_is_a_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect\nof two lines")

    monkeypatch.setattr("tinct.cli.colorize._set_up", fail)
    assert run(["colorize", "photo.png", *QUICK]) == 2
    assert capsys.readouterr().err == (
        "tinct: failed unexpectedly (ZeroDivisionError: a defect of two lines); please report it.\n"
    )
    monkeypatch.setenv("TINCT_TRACEBACK", "1")
    assert run(["colorize", "photo.png", *QUICK]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["\x1b]0;owned\a.png", "a\rb.png", "x" * 190 + ".png"])
def test_a_name_cannot_command_the_terminal_or_fill_it(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["colorize", name, *QUICK]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()
    assert len(err) <= len("tinct: \n") + LONGEST_LINE
    assert err.endswith("check the path.\n")


def test_a_line_keeps_its_beginning_and_its_end() -> None:
    assert one_line("met\twhat\nwas wanted") == "met what was wanted"
    long = one_line("the file " + "x" * 5000 + "; copy it again.")
    assert len(long) <= LONGEST_LINE
    assert long.startswith("the file xxx")
    assert long.endswith("xxx; copy it again.")


def test_the_process_ends_after_its_threads() -> None:
    from tinct.cli.process import join_threads

    done = []
    threading.Thread(target=lambda: (time.sleep(0.2), done.append(1))).start()
    assert join_threads(2) == 2
    assert done == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited and counted on Linux")
@pytest.mark.parametrize("mebibytes", [100, 200, 400, 600, 1500, 2500])
def test_little_address_space_is_one_line_or_the_work_done(folder: Path, mebibytes: int) -> None:
    done = shell(f"ulimit -v {mebibytes * 1024}; $T colorize photo.png --hint 50%,50%=#fdf6ee -o color2.png")
    said = done.stderr.decode().splitlines()
    if mebibytes > 1000:
        assert (done.returncode, said) == (0, [])
    else:
        assert done.returncode == 2
        assert len(said) == 1
        assert "not enough memory" in said[0]
    assert Path("color2.png").exists() == (done.returncode == 0)


def test_what_libraries_say_of_threads_that_cannot_be_made_is_memory() -> None:
    assert is_out_of_memory(RuntimeError("can't start new thread"))
    assert is_out_of_memory(RuntimeError("Failed to allocate 393216 bytes"))
    assert not is_out_of_memory(RuntimeError("it cannot be read"))


def test_a_folder_that_cannot_be_made_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").write_text("a file")
    assert run(["demo", "--out-dir", "taken/demo"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "taken/demo" in said[0]
    assert "report" not in said[0]
