"""Build the wheels and try them as a user gets them: `python -m tools.check_wheel [--oldest] [--out DIR]`.

The wheel of tinct is installed without extras into an empty environment and runs there: an import without torch,
help, the list of methods, one photograph in color. Then the wheel of the papers' weights is installed as well and one
of its networks colorizes. At last the environment is trimmed as the container's is, and gives the same picture. With
`--oldest` every dependency is the oldest that pyproject.toml allows.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from tools import command

ROOT = Path(__file__).resolve().parents[1]
"""The repository's folder."""

PAPERS = ROOT / "packages" / "tinct-papers"
"""The folder of the distribution tinct-papers."""

TRIM = ROOT / "integrations" / "container" / "trim.py"
"""What leaves out of an environment what the container's server never loads."""

MOST_BYTES = {"tinct": 30_000_000, "tinct_papers": 95_000_000}
"""The largest size of each wheel; package indexes take files of 100 MB."""

WANTED = {"tinct": ("tinct/", "tinct-"), "tinct_papers": ("tinct_papers/", "tinct_papers-")}
"""What the names in each wheel may begin with: the package and its metadata."""

GRAY = """
import sys
import numpy as np
from PIL import Image
from skimage import data

Image.fromarray(data.astronaut()).convert("L").save(sys.argv[1])
"""
"""Makes a gray photograph of one that scikit-image brings."""

IN_COLOR = """
import sys
import numpy as np
from PIL import Image

before, after = (np.asarray(Image.open(path).convert("RGB"), int) for path in sys.argv[1:])
assert before.shape == after.shape, (before.shape, after.shape)
spread = np.ptp(after, axis=2).mean()
assert spread > 5, f"the channels differ by {spread:.1f} of 255 on average: hardly a color"
"""
"""Fails unless the second picture has the size of the first and is in color."""

NOTHING_LOADED = """
import sys
import tinct

assert tinct.__version__ and callable(tinct.colorize)
loaded = {"torch", "openvino", "onnx"} & set(sys.modules)
assert not loaded, loaded
try:
    import torch
except ImportError:
    sys.exit(0)
sys.exit("torch is installed, though no extra asked for it")
"""
"""Fails if the import of tinct loads an engine, or if torch came along."""


def build(out: Path) -> list[Path]:
    """The two wheels, built from the working tree: that of tinct, then that of the papers' weights."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    run([*pip, "--wheel-dir", str(out), str(ROOT), str(PAPERS)])
    return [max(out.glob(f"{name}-*.whl"), key=lambda wheel: wheel.stat().st_mtime) for name in MOST_BYTES]


def check_content(wheel: Path) -> str:
    """Refuse a wheel that is too large or holds more than its package; returns its version."""
    name, version = wheel.name.split("-")[:2]
    size = wheel.stat().st_size
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
        lines = sum(archive.read(file).count(b"\n") for file in files if file.endswith(".py"))
    strangers = [file for file in files if not file.startswith(WANTED[name])]
    say(f"{wheel.name}: {size / 1e6:.1f} MB, {len(files)} files, {lines} lines of Python")
    if size > MOST_BYTES[name]:
        sys.exit(f"{wheel.name} has {size} bytes; at most {MOST_BYTES[name]} are wanted.")
    if strangers:
        sys.exit(f"{wheel.name} holds {strangers[0]}, which is not of its package.")
    return version


def oldest_versions() -> Iterator[str]:
    """The lower bound of each dependency as an exact version: "numpy>=1.26,<3" gives "numpy==1.26.*"."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        found = re.match(r"([\w.-]+)>=([\w.]+)", requirement)
        if found is None:
            sys.exit(f"pyproject.toml has {requirement!r}; a lower bound, NAME>=VERSION, is wanted first.")
        yield f"{found[1]}=={found[2]}.*"


def try_out(wheels: Sequence[Path], place: Path, *, oldest: bool) -> None:
    """Install the wheels one after the other into an empty environment, and run tinct there."""
    constraints = place / "constraints.txt"
    exact = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    constraints.write_text("\n".join(oldest_versions()) if oldest else exact, encoding="utf-8")
    venv.create(place / "venv", with_pip=True)
    binaries = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python, tinct = str(binaries / "python"), str(binaries / "tinct")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    gray, color, other = (str(place / name) for name in ("gray.png", "color.png", "other.png"))

    run([*pip, "--constraint", str(constraints), str(wheels[0])], place)
    run([python, "-c", NOTHING_LOADED], place)
    wanted(run([tinct, "--help"], place), "colorize")
    wanted(run([tinct, "methods"], place), "not installed: pip install 'tinct[papers]'")
    run([python, "-c", GRAY, gray], place)
    run([tinct, "colorize", gray, "-o", color], place)
    run([python, "-c", IN_COLOR, gray, color], place)

    run([*pip, "--no-deps", str(wheels[1])], place)
    missing = [
        line for line in run([tinct, "methods"], place).splitlines() if line.startswith("not installed")
    ]
    if missing:
        sys.exit(f"tinct methods should miss no weights beside the papers' wheel: {missing[0]}")
    run([tinct, "colorize", gray, "-m", "zhang2016", "-o", other], place)
    run([python, "-c", IN_COLOR, gray, other], place)

    if sys.platform == "linux" and not oldest:  # as the container's image is made
        packages = run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], place)
        run([python, str(TRIM), packages.strip()], place)
        os.replace(run([tinct, "colorize", gray, "--out-dir", str(place)], place).strip(), other)
        if Path(color).read_bytes() != Path(other).read_bytes():
            sys.exit(f"tinct gives another picture after {TRIM.name} than before.")


def run(command: Sequence[str], place: Path = ROOT) -> str:
    """Run a command where the sources are not found by accident; its standard output, or the end with its errors."""
    ours = ("PYTHONPATH", "TINCT_WEIGHTS", "TINCT_CACHE", "XDG_DATA_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"TINCT_CACHE": str(place / "cache"), "TINCT_WEIGHTS": str(place / "weights")}
    done = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} ... ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def wanted(output: str, words: str) -> None:
    """End unless an output has these words."""
    if words not in output:
        sys.exit(f"{words!r} is not in the output:\n{output}")


def say(line: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def check_wheel(
    oldest: Annotated[
        bool, typer.Option("--oldest", help="Install the oldest dependencies allowed.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of the wheels.")] = ROOT / "dist",
) -> None:
    """Build the wheels, check their content, and try them in an empty environment."""
    out.mkdir(parents=True, exist_ok=True)
    wheels = build(out)
    versions = {check_content(wheel) for wheel in wheels}
    if len(versions) > 1:
        sys.exit(f"the wheels have the versions {' and '.join(sorted(versions))}; one is wanted.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        try_out(wheels, Path(place), oldest=oldest)
    say(f"works without extras, with the {'oldest' if oldest else 'checked'} dependencies")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return the exit code."""
    return command.run("check_wheel", check_wheel, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
