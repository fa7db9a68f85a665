"""Each example runs as its first line says, on photographs that scikit-image brings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
MONO = Image.fromarray(data.astronaut()[60:316:2, 100:420:2]).convert("L")
COLOR = Image.fromarray(data.coffee()[::4, ::4])


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of three color photographs."""
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("astronaut", "chelsea", "coffee"):
        Image.fromarray(getattr(data, name)()[::4, ::4]).save(folder / f"{name}.png")
    return folder


def run(name: str, *arguments: object) -> str:
    """What an example prints; its errors are the test's."""
    line = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, encoding="utf-8", env={**os.environ})
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_in_color(path: Path) -> bool:
    return bool(np.ptp(np.asarray(Image.open(path).convert("RGB"), int), axis=2).mean() > 2)


def test_one_photograph(tmp_path: Path) -> None:
    MONO.save(tmp_path / "scan.jpg")
    assert "160 x 128 pixels, by tinct" in run("one_photograph.py", tmp_path / "scan.jpg")
    assert is_in_color(tmp_path / "scan.color.png")


def test_album_with_one_reference(tmp_path: Path) -> None:
    folder, out = tmp_path / "album", tmp_path / "colored"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        MONO.save(folder / name)
    (folder / "c.png").write_bytes(b"no photograph")
    COLOR.save(tmp_path / "summer.png")
    said = run("album_with_one_reference.py", folder, tmp_path / "summer.png", out)
    assert said.split() == [str(out / "a.color.png"), str(out / "b.color.png")]
    assert is_in_color(out / "a.color.png")


def test_hints_by_code(tmp_path: Path) -> None:
    MONO.save(tmp_path / "scan.png")
    said = run("hints_by_code.py", tmp_path / "scan.png")
    assert re.fullmatch(r"at \d+, \d+: #[0-9a-f]{6}, probability 0\.\d\d\n", said)
    assert is_in_color(tmp_path / "scan.hints.png")


def test_rest_client(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the server needs pip install 'tinct[web]'")
    from studio_server import running

    MONO.save(tmp_path / "scan.png")
    with running(tmp_path) as server:
        said = run("rest_client.py", server.url, tmp_path / "scan.png")
    assert said.startswith("scan.png: 160 x 128 pixels\npreview: ")
    assert is_in_color(tmp_path / "scan.rest.png")


def test_evaluate_your_own_method(album: Path) -> None:
    lines = run("evaluate_your_own_method.py", album).splitlines()
    assert [line.split()[0] for line in lines] == ["gray", "tinct", "sepia"]
    assert all(re.search(r"psnr \d+\.\d{3}", line) for line in lines)


def test_train_on_your_own_album(album: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs torch: pip install 'tinct[train]'")
    config = tmp_path / "config.toml"
    config.write_text("[loop]\nsizes = [[1.0, 32]]\nbatch = 2\nsteps = 2\n\n[network]\nwidth = 0.0625\n")
    out = tmp_path / "run"
    assert "'loss'" in run("train_on_your_own_album.py", album, out, config)
    assert (out / "weights" / "zhang2016.onnx").is_file()
    assert (out / "example.color.png").is_file()


def test_every_example_is_listed_and_tested() -> None:
    names = {file.name for file in EXAMPLES.glob("*.py")}
    assert names == set(re.findall(r"\]\((\w+\.py)\)", (EXAMPLES / "README.md").read_text(encoding="utf-8")))
    tests = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{name}"' in tests for name in names)
