"""The plug-in inside a real GIMP 3 without a window, where one is installed; its command line everywhere."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

import tinct
from tinct.color.difference import ciede2000
from tinct.color.lab import rgb_to_lab

PLUG_IN = Path(__file__).resolve().parents[1] / "tinct_colorize"
GIMP = shutil.which("gimp-console-3.0") or shutil.which("gimp-console-3")
needs_gimp = pytest.mark.skipif(
    GIMP is None, reason="needs GIMP 3: apt-get install gimp gir1.2-gimp-3.0 (Debian 13)"
)
CLAY = (150, 108, 84)


def stand_ins() -> dict[str, ModuleType]:
    """As much of `gi` as the plug-in's module needs to be imported; nothing of GIMP runs in it."""
    gi, repository = ModuleType("gi"), ModuleType("gi.repository")
    gi.require_version = lambda name, version: None  # type: ignore[attr-defined]
    for name in ("GimpUi", "Gio", "GLib", "GObject"):
        setattr(repository, name, ModuleType(name))
    names = ("PlugIn", "Layer", "Image", "Precision", "ProcedureConfig")
    repository.Gimp = type("Gimp", (), {name: type(name, (), {}) for name in names})  # type: ignore[attr-defined]
    return {"gi": gi, "gi.repository": repository}


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The plug-in's module, imported without GIMP."""
    for name, module in stand_ins().items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("tinct_colorize", PLUG_IN / "tinct_colorize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a gray photograph, for GIMP and for the program."""
    Image.fromarray(data.astronaut()[:240, 100:340]).convert("L").save(tmp_path / "photograph.png")
    return tmp_path


def paint(folder: Path) -> None:
    """A stroke of clay at the lower right."""
    strokes = np.zeros((240, 240, 4), np.uint8)
    strokes[200:220, 200:230] = (*CLAY, 255)
    Image.fromarray(strokes).save(folder / "strokes.png")


def test_folder_and_file_have_one_name_and_the_file_is_executable() -> None:
    file = PLUG_IN / f"{PLUG_IN.name}.py"
    assert os.access(file, os.X_OK)
    assert file.read_text().startswith("#!/usr/bin/env python3\n")


def test_its_command_line_is_one_that_tinct_takes(plug_in: Any, folder: Path, program: Path) -> None:
    paint(folder)
    Image.fromarray(data.rocket()).save(folder / "reference.png")
    line = plug_in.command(
        plug_in.find_program(str(program)),
        str(folder / "photograph.png"),
        str(folder / "color.png"),
        str(folder / "strokes.png"),
        str(folder / "reference.png"),
        {"vividness": 0.5, "strength": 1.0, "trust": 2.0},
    )
    plug_in.run_program(line)
    hints = tinct.read_hints(folder / "strokes.png", (240, 240))
    options = {"vividness": 0.5, "trust": 2.0, "chroma_only": True}
    wanted = tinct.colorize(folder / "photograph.png", folder / "reference.png", hints, **options)
    assert np.array_equal(np.asarray(Image.open(folder / "color.png").convert("RGB")), wanted.to_array())


def test_what_the_program_says_is_what_the_person_reads(plug_in: Any, folder: Path, program: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    line = plug_in.command(
        str(program), str(folder / "broken.png"), str(folder / "color.png"), None, None, {}
    )
    with pytest.raises(plug_in.TinctError, match=r"broken\.png"):
        plug_in.run_program(line)
    with pytest.raises(plug_in.TinctError, match="pipx install tinct"):
        plug_in.find_program("no-such-program-as-this")


def test_the_program_does_not_see_gimps_own_python(
    plug_in: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in plug_in.OWN_VARIABLES:
        monkeypatch.setenv(name, "/nowhere")
    script = folder / "shows.py"
    script.write_text(f"import os, sys; sys.exit(any(n in os.environ for n in {plug_in.OWN_VARIABLES}))")
    plug_in.run_program([sys.executable, str(script)])


def in_gimp(folder: Path, program: Path, **settings: str) -> dict[str, Any]:
    """Run the plug-in in GIMP on what lies in the folder; gives GIMP's layers."""
    assert GIMP is not None
    profile = folder / "profile"
    shutil.copytree(PLUG_IN, profile / "plug-ins" / PLUG_IN.name)
    others = [
        each for each in os.environ["PATH"].split(os.pathsep) if Path(each) != Path(sys.executable).parent
    ]
    settings |= {
        "PATH": os.pathsep.join(others),  # GIMP's python3 is the system's, which has gi
        "GIMP3_DIRECTORY": str(profile),
        "TINCT_GIMP_FOLDER": str(folder),
        "TINCT_GIMP_PROGRAM": str(program),
    }
    script = f"exec(open({str(Path(__file__).with_name('in_gimp.py'))!r}).read())"
    line = [GIMP, "-i", "-f", "--quit", "--batch-interpreter=python-fu-eval", "-b", script]
    done = subprocess.run(
        line, env=os.environ | settings, capture_output=True, text=True, timeout=300, check=False
    )
    report = folder / "layers.json"
    assert report.exists(), done.stdout + done.stderr
    return dict(json.loads(report.read_text()))


def difference(shown: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """CIEDE2000 between two 8-bit pictures."""
    return np.asarray(ciede2000(rgb_to_lab(shown), rgb_to_lab(wanted)))


@needs_gimp
def test_gimp_shows_what_the_library_gives(folder: Path, program: Path) -> None:
    paint(folder)
    report = in_gimp(folder, program)
    layers = {each["name"]: each for each in report["layers"]}
    assert [each["name"] for each in report["layers"]] == ["strokes.png", "tinct", "Background"]
    assert layers["tinct"]["mode"] == "lch-color"
    assert not layers["strokes.png"]["visible"]
    shown = np.asarray(Image.open(folder / "shown.png").convert("RGB"))
    hints = tinct.read_hints(folder / "strokes.png", (240, 240))
    wanted = tinct.colorize(folder / "photograph.png", hints=hints).to_array()
    apart = difference(shown, np.asarray(wanted))
    assert apart.mean() < 2  # more where sRGB cannot hold a color at its lightness: GIMP clips
    assert np.percentile(apart, 95) < 6
    gray = np.asarray(Image.open(folder / "photograph.png").convert("RGB"))
    assert difference(shown, gray).mean() > 6


@needs_gimp
def test_a_gray_image_whose_layer_lies_off_the_corner(folder: Path, program: Path) -> None:
    report = in_gimp(folder, program, TINCT_GIMP_MOVED="1")
    color = report["layers"][0]
    assert (color["name"], color["offsets"], color["size"]) == ("tinct", [25, 15], [240, 240])
    shown = np.asarray(Image.open(folder / "shown.png").convert("RGB"))[15:255, 25:265]
    wanted = np.asarray(tinct.colorize(folder / "photograph.png").to_array())
    assert difference(shown, wanted).mean() < 2


@needs_gimp
def test_what_goes_wrong_leaves_the_image_as_it_was(folder: Path, program: Path) -> None:
    report = in_gimp(folder, folder / "no-such-program")
    assert [each["name"] for each in report["layers"]] == ["Background"]
    assert "pipx install tinct" in (folder / "error.txt").read_text()
