"""Laws of the command line: bad input is one line and exit code 2, nothing is written, nothing is lost."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw
from skimage import data

import tinct
from tinct.cli import EXIT_BAD_INPUT, run
from tinct.cli.reference import markdown
from tinct.methods import METHODS

SIZE = ("--size", "48")
HINT = ("--hint", "50%,50%=#b43c32")


@pytest.fixture(scope="module")
def color() -> np.ndarray:
    return np.ascontiguousarray(data.coffee()[::4, ::4])


@pytest.fixture
def folder(tmp_path, color, monkeypatch) -> Path:
    """A folder with photo.png (gray) and album.png (its colors), which is where commands run."""
    Image.fromarray(color).convert("L").save(tmp_path / "photo.png")
    Image.fromarray(color).save(tmp_path / "album.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}


def oversized_png() -> bytes:
    """A PNG of a few bytes whose header declares 60000x60000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    size = (60000).to_bytes(4, "big") * 2
    header = chunk(b"IHDR", size + bytes([8, 0, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def truncated_jpeg(color: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(color).save(stream, "JPEG")
    return stream.getvalue()[: len(stream.getvalue()) // 2]


def test_a_reference_colors_a_photograph(folder, color):
    assert run(["colorize", "photo.png", "-r", "album.png", *SIZE]) == 0
    result = Image.open(folder / "photo.color.png")
    assert result.size == color.shape[1::-1]
    assert np.asarray(result).std(axis=2).mean() > 3


def test_the_command_line_gives_the_library_s_pixels(folder):
    assert (
        run(["colorize", "photo.png", "-r", "album.png", "--hint", "10,20=#3c9650", "-m", "reinhard", *SIZE])
        == 0
    )
    library = tinct.colorize("photo.png", "album.png", [(10, 20, "#3c9650")], method="reinhard", size=48)
    np.testing.assert_array_equal(np.asarray(Image.open("photo.color.png")), library.to_array())
    assert Path("photo.color.png").read_bytes() == library.encode("png")


def test_results_go_where_they_are_sent(folder):
    assert run(["colorize", "photo.png", *HINT, *SIZE, "-o", "out.tif"]) == 0
    assert run(["colorize", "photo.png", *HINT, *SIZE, "--out-dir", "a/b"]) == 0
    assert Image.open("out.tif").format == "TIFF"
    assert set(files(folder)) == {"photo.png", "album.png", "out.tif", "a/b/photo.color.png"}


def test_the_source_is_overwritten_only_when_asked(folder, capsys):
    before = files(folder)
    assert run(["colorize", "photo.png", *HINT, *SIZE, "-o", "photo.png"]) == EXIT_BAD_INPUT
    assert "source itself" in capsys.readouterr().err
    assert files(folder) == before
    assert run(["colorize", "photo.png", *HINT, *SIZE, "-o", "photo.png", "--overwrite"]) == 0
    assert Image.open("photo.png").mode == "RGB"


def test_an_earlier_result_is_not_lost(folder, capsys):
    (folder / "photo.color.png").write_bytes(b"precious")
    assert run(["colorize", "photo.png", *HINT, *SIZE]) == EXIT_BAD_INPUT
    assert "exists already" in capsys.readouterr().err
    assert (folder / "photo.color.png").read_bytes() == b"precious"


def test_one_bad_file_does_not_stop_the_rest(folder, capsys):
    (folder / "broken.jpg").write_bytes(b"no photograph")
    code = run(["colorize", "broken.jpg", "photo.png", "nothing.png", "album.png", *HINT, *SIZE])
    out, err = capsys.readouterr()
    assert code == EXIT_BAD_INPUT
    assert out.split() == ["photo.color.png", "album.color.png"]
    assert [line for line in err.splitlines() if "broken.jpg" in line][1:] == []
    assert "broken.jpg" in err
    assert "nothing.png" in err


def test_an_unexpected_failure_does_not_stop_the_rest(folder, capsys, monkeypatch):
    from tinct.colorizing.colorizer import Colorizer

    render = Colorizer.render

    def fail_on_album(self, **given):
        if self.photo.path.name == "album.png":
            raise RuntimeError("a defect")
        return render(self, **given)

    monkeypatch.setattr(Colorizer, "render", fail_on_album)
    assert run(["colorize", "album.png", "photo.png", *HINT, *SIZE]) == EXIT_BAD_INPUT
    assert "album.png: failed" in capsys.readouterr().err
    assert (folder / "photo.color.png").exists()


class Stream(io.BytesIO):
    """A standard stream: bytes below, nobody looking."""

    @property
    def buffer(self):
        return self

    def isatty(self) -> bool:
        return False


def test_standard_input_goes_to_standard_output(folder, monkeypatch):
    out = Stream()
    monkeypatch.setattr(
        "tinct.cli.standard_streams.sys",
        SimpleNamespace(stdin=Stream(Path("photo.png").read_bytes()), stdout=out, stderr=sys.stderr),
    )
    before = files(folder)
    assert run(["colorize", "-", "-r", "album.png", *SIZE]) == 0
    assert files(folder) == before
    run_again = tinct.colorize(Path("photo.png").read_bytes(), "album.png", size=48)
    assert out.getvalue() == run_again


def test_a_full_disk_behind_standard_output_is_one_line(folder, monkeypatch, capsys):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    out = Stream()
    out.write = full
    monkeypatch.setattr(
        "tinct.cli.standard_streams.sys",
        SimpleNamespace(stdin=Stream(Path("photo.png").read_bytes()), stdout=out, stderr=sys.stderr),
    )
    assert run(["colorize", "-", "-r", "album.png", *SIZE, "-m", "reinhard"]) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert "No space left on device" in err
    assert err.count("\n") == 1


@pytest.fixture
def fax(folder) -> bytearray:
    """A 1-bit TIFF with CCITT compression, which libtiff decodes."""
    stream = io.BytesIO()
    Image.open("photo.png").convert("1").save(stream, "TIFF", compression="group4")
    return bytearray(stream.getvalue())


def test_what_decoders_complain_of_is_a_line_of_ours(fax, capfd):
    with tifffile.TiffFile(io.BytesIO(fax)) as file:
        start = file.pages[0].dataoffsets[0]
    fax[start : start + 40] = b"\x55" * 40
    Path("damaged.tif").write_bytes(fax)
    assert run(["colorize", "damaged.tif", "-r", "album.png", *SIZE, "-m", "reinhard"]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("tinct: damaged.tif: it may be damaged: ")


def test_what_libraries_log_is_not_printed_beside_the_error(fax, capfd):
    Path("cut.tif").write_bytes(fax[:7])
    Path("nowhere.tif").write_bytes(fax[:4] + b"\xff\xff\0\0" + fax[8:])
    assert run(["colorize", "cut.tif", "nowhere.tif", "-r", "album.png", *SIZE]) == EXIT_BAD_INPUT
    lines = capfd.readouterr().err.splitlines()
    assert [line.split(":")[:2] for line in lines[:2]] == [["tinct", " cut.tif"], ["tinct", " nowhere.tif"]]
    assert lines[2:] == ["tinct: 2 refused."]


def test_painted_strokes_are_hints(folder, color):
    strokes = Image.new("RGBA", color.shape[1::-1])
    ImageDraw.Draw(strokes).line((10, 50, 60, 50), "#3246c8", 5)
    strokes.save("strokes.png")
    assert run(["colorize", "photo.png", "--hints", "strokes.png", *SIZE]) == 0
    pixel = np.asarray(Image.open("photo.color.png"))[50, 40].astype(int)
    assert pixel[2] - pixel[0] > 40


def test_a_hint_outside_one_of_several_photographs_names_it(folder, capsys):
    Image.new("L", (500, 400), 90).save("large.png")
    assert run(["colorize", "photo.png", "large.png", "--hint", "400,300=#b43c32", *SIZE]) == EXIT_BAD_INPUT
    assert "photo.png: a hint at (400, 300) lies outside" in capsys.readouterr().err
    assert (folder / "large.color.png").exists()


BAD = {
    "missing file": (["nothing.jpg", *HINT], "nothing.jpg"),
    "directory": (["somewhere", *HINT], "somewhere"),
    "empty file": (["empty.jpg", *HINT], "empty.jpg"),
    "truncated JPEG": (["half.jpg", *HINT], "half.jpg"),
    "text named .jpg": (["text.jpg", *HINT], "text.jpg"),
    "60000x60000 header": (["bomb.png", *HINT], "60000"),
    "hint outside": (["photo.png", "--hint", "9999,5=#fff"], "outside the photograph"),
    "hint outside by percent": (["photo.png", "--hint", "101%,5%=#fff"], "outside the photograph"),
    "malformed color": (["photo.png", "--hint", "5,5=#ggg"], "'#ggg'"),
    "malformed hint": (["photo.png", "--hint", "5;5=#fff"], "'5;5=#fff'"),
    "missing hints file": (["photo.png", "--hints", "nothing.json"], "nothing.json"),
    "damaged hints file": (["photo.png", "--hints", "text.jpg"], "text.jpg"),
    "gray reference": (["photo.png", "-r", "photo.png"], "photo.png is gray"),
    "missing reference": (["photo.png", "-r", "nothing.jpg"], "nothing.jpg"),
    "no reference": (["photo.png", "-m", "welsh"], "welsh"),
    "no hints": (["photo.png", "-m", "levin", "-r", "album.png"], "levin"),
    "unknown method": (["photo.png", "-m", "vivid", *HINT], "'vivid'"),
    "strength": (["photo.png", "--strength", "2.5", *HINT], "strength is 2.5"),
    "size": (["photo.png", "--size", "9", *HINT], "size is 9"),
    "seed": (["photo.png", "--seed", "-1", *HINT], "seed is -1"),
    "not a number": (["photo.png", "--size", "big", *HINT], "--size"),
    "unknown format": (["photo.png", "-o", "photo.xyz", *HINT], ".xyz"),
    "missing folder": (["photo.png", "-o", "no/where.png", *HINT], "no"),
    "a file as folder": (["photo.png", "--out-dir", "text.jpg", *HINT], "text.jpg"),
    "two places": (["photo.png", "-o", "a.png", "--out-dir", "b", *HINT], "--out-dir"),
    "one name for two": (["photo.png", "album.png", "-o", "a.png", *HINT], "2 photographs"),
    "no standard input to spare": (["-", "photo.png", *HINT], "standard input"),
    "a tree without a folder": (["photo.png", "--keep-tree", *HINT], "--out-dir"),
    "two minds": (["photo.png", "--overwrite", "--skip-existing", *HINT], "--skip-existing"),
    "unknown --format": (["photo.png", "--format", "heic", *HINT], "'heic'"),
    "two formats": (["photo.png", "-o", "a.png", "--format", "tif", *HINT], "--format"),
    "missing list": (["--files-from", "nothing.txt", *HINT], "nothing.txt"),
    "a result and JSON": (["-", "--json", "-o", "-", *HINT], "--json"),
    "no photograph": ([*HINT], "PHOTO"),
    "unknown option": (["photo.png", "--colour"], "--colour"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(case, folder, color, capsys):
    arguments, names = BAD[case]
    (folder / "somewhere").mkdir()
    (folder / "empty.jpg").touch()
    (folder / "half.jpg").write_bytes(truncated_jpeg(color))
    (folder / "text.jpg").write_text("a letter, not a photograph\n" * 20)
    (folder / "bomb.png").write_bytes(oversized_png())
    before = files(folder)
    code = run(["colorize", *arguments])
    out, err = capsys.readouterr()
    assert code == EXIT_BAD_INPUT
    assert out == ""
    assert err.startswith("tinct: ")
    assert err.count("\n") == 1
    assert names in err
    assert files(folder) == before


def test_an_unwritable_folder_is_named(folder, capsys, monkeypatch):
    opened = Path.open

    def refuse(path, mode="r", *args, **kwargs):
        if set(mode) & set("wxa"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, mode, *args, **kwargs)

    before = files(folder)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert run(["colorize", "photo.png", *HINT, *SIZE]) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert "cannot be written to" in err
    assert err.count("\n") == 1
    assert files(folder) == before


def test_a_full_disk_leaves_nothing_behind(folder, capsys, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = files(folder)
    monkeypatch.setattr(os, "fsync", full)
    assert run(["colorize", "photo.png", *HINT, *SIZE, "-o", "new.png"]) == EXIT_BAD_INPUT
    assert run(["colorize", "photo.png", *HINT, *SIZE, "-o", "photo.png", "--overwrite"]) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("the disk is full") == 2
    assert files(folder) == before


def test_being_stopped_leaves_nothing_half_written(folder, capsys, monkeypatch):
    def stop(descriptor):
        raise KeyboardInterrupt

    before = files(folder)
    monkeypatch.setattr(os, "fsync", stop)
    assert run(["colorize", "photo.png", *HINT, *SIZE]) == 130
    assert files(folder) == before


def test_methods_lists_every_method(capsys):
    assert run(["methods"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in METHODS)
    assert "Welsh" in out


def test_version_is_the_package_s(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"tinct {tinct.__version__}\n"


def test_without_a_verb_help_is_shown(capsys):
    assert run([]) == 0
    assert "colorize" in capsys.readouterr().out


def test_help_shows_examples(capsys):
    assert run(["colorize", "--help"]) == 0
    assert "tinct colorize scan.jpg -r album.jpg" in capsys.readouterr().out


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from tinct.cli import run; run(['--help'])\n"
        "heavy = {'numpy', 'scipy', 'cv2', 'skimage', 'torch', 'openvino', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_command_is_documented():
    page = Path(__file__).parents[2] / "docs" / "cli.md"
    assert page.read_text(encoding="utf-8") == markdown(), "docs/cli.md is not current; run: make docs"
