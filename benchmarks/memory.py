"""Peak memory and time of `tinct colorize`, each photograph in a process of its own.

python benchmarks/memory.py --megapixels 1 12 100

Photographs of random fields and a sensor's noise are made in a temporary folder: JPEG, PNG of 8 and 16 bits, TIFF of
16 bits, and all of them colored by the default method from one hint, into PNG.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

Pixels = NDArray[np.uint16]

_PROGRAM = "from tinct.cli import main; main()"


def photograph(megapixels: float) -> Pixels:
    """A color picture of smooth fields with noise, shape (H, W, 3), uint16."""
    random = np.random.default_rng(20261128)
    width = round((megapixels * 1.5e6) ** 0.5)
    height = round(megapixels * 1e6 / width)
    fields = random.integers(0, 65535, (24, 36, 3), np.uint16).astype(np.float32)
    out = np.empty((height, width, 3), np.uint16)
    smooth = cv2.resize(fields, (width, 512), interpolation=cv2.INTER_CUBIC)
    for top in range(0, height, 64):
        rows = np.linspace(top, min(top + 64, height) - 1, min(64, height - top)) * 511 / height
        strip = smooth[rows.astype(int)]
        strip += random.normal(0, 300, strip.shape).astype(np.float32)
        out[top : top + 64] = np.clip(strip, 0, 65535)
    return out


def _png(pixels: NDArray[np.generic], path: Path) -> None:
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=1))


def _tiff(pixels: Pixels, path: Path) -> None:
    tifffile.imwrite(path, pixels, photometric="rgb", metadata=None)


def _jpeg(pixels: Pixels, path: Path) -> None:
    cv2.imwrite(str(path), (pixels >> 8).astype(np.uint8)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])


WRITERS: dict[str, tuple[str, Callable[[Pixels, Path], None]]] = {
    "JPEG": ("jpg", _jpeg),
    "PNG 8": ("png", lambda pixels, path: _png((pixels >> 8).astype(np.uint8), path)),
    "PNG 16 gray": ("png", lambda pixels, path: _png(pixels[..., 1], path)),
    "PNG 16": ("png", _png),
    "TIFF 16": ("tif", _tiff),
}


def _write_photograph(name: str, megapixels: float, path: Path) -> None:
    WRITERS[name][1](photograph(megapixels), path)


def _in_a_process(work: Callable[..., None], *given: object) -> None:
    """Do work in another process, as the peak of a process counts from its parent's memory."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=given)
    process.start()
    process.join()


def measure(photo: Path, target: Path) -> tuple[int, float]:
    """Peak resident memory in MB and seconds of a process that colorizes one photograph.

    Raises:
        ChildProcessError: if it does not succeed.
    """
    began = time.monotonic()
    command = [sys.executable, "-c", _PROGRAM, "colorize", str(photo), "--hint", "50%,50%=#a86a4a", "--quiet"]
    child = os.posix_spawn(sys.executable, [*command, "-o", str(target), "--overwrite"], os.environ)
    _, status, used = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise ChildProcessError(f"{photo.name}: exit code {os.waitstatus_to_exitcode(status)}")
    return round(used.ru_maxrss / 1000), time.monotonic() - began


def main() -> None:
    """Print a table: a row for each size, a column for each format."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 12, 24])
    parser.add_argument("--formats", nargs="+", default=list(WRITERS), choices=list(WRITERS))
    given = parser.parse_args()
    sys.stdout.write("| MP | " + " | ".join(given.formats) + " |\n|--:|" + "--:|" * len(given.formats) + "\n")
    for megapixels in given.megapixels:
        cells = []
        with tempfile.TemporaryDirectory() as folder:
            for name in given.formats:
                path = Path(folder) / f"photo.{WRITERS[name][0]}"
                _in_a_process(_write_photograph, name, megapixels, path)
                memory, seconds = measure(path, Path(folder) / "color.png")
                cells.append(f"{memory} MB, {seconds:.1f} s")
                path.unlink()
        sys.stdout.write(f"| {megapixels:g} | " + " | ".join(cells) + " |" + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
