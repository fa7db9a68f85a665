"""What is done with an input: read, colored, written and read again; only tinct's errors may come out."""

from __future__ import annotations

import io
import json
import os
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from fuzz_seeds import GRAY, RGB, saved
from PIL import Image

import tinct
from tinct.colorizing.project import Project
from tinct.errors import TinctError
from tinct.hints import read_hints
from tinct.photo import Photo, Provenance
from tinct.weights import read_manifest

MOST_PIXELS = 1_000_000
LONGEST_MESSAGE = 220
"""Letters of an error: 200, and the name of a temporary file."""
_FORMATS = ("png", "jpg", "tif", "webp", "bmp", "png")
_PROVENANCE = Provenance("welsh", "0123456789abcdef" * 4)


def try_input(kind: str, data: bytes) -> str:
    """Try one input.

    Returns:
        "taken" or "refused"; what else is raised, or a message of two lines or pages, is a fault.
    """
    warnings.simplefilter("ignore")
    try:
        _TRIALS[kind](data)
    except TinctError as error:
        said = str(error)
        if "\n" in said or len(said) > LONGEST_MESSAGE:
            raise AssertionError(f"a message of {len(said)} letters: {said[:300]!r}") from error
        return "refused"
    return "taken"


def _photo(data: bytes) -> None:
    photo = Photo.read(data, max_pixels=MOST_PIXELS)
    if photo.width * photo.height > 40_000:
        photo.working_lightness(32)
        return
    if len(data) % 16 == 0:
        tinct.colorize(photo, reference=_reference(), method="reinhard", size=32)
    assert np.isfinite(photo.lightness()).all()
    colored = photo.colored(np.full((photo.height, photo.width, 3), 0.4, np.float32))
    for name in _FORMATS[len(data) % 5 :][:2]:
        Photo.read(colored.encode(name, _PROVENANCE), max_pixels=MOST_PIXELS)


@cache
def _reference() -> Photo:
    return Photo.from_array(RGB)


def _hints(data: bytes) -> None:
    hints = read_hints(data, (40, 30), max_pixels=MOST_PIXELS)
    tinct.colorize(GRAY, hints=list(hints), method="levin", size=32)


def _project(data: bytes) -> None:
    Project.from_json(json.loads(data)).hints_for((40, 30)) if _is_json(data) else None
    with _file(data) as path:
        Project.read(path)


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _manifest(data: bytes) -> None:
    with _file(data) as path:
        read_manifest(path)


class _file:
    """A temporary file with some contents."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __enter__(self) -> Path:
        handle, self._name = tempfile.mkstemp()
        os.write(handle, self._data)
        os.close(handle)
        return Path(self._name)

    def __exit__(self, *_: object) -> None:
        os.unlink(self._name)


def _icc(data: bytes) -> None:
    mode = {b"GRAY": "L", b"CMYK": "CMYK"}.get(data[16:20], "RGB")
    image = Image.fromarray(RGB).convert(mode)
    _photo(saved(image, "JPEG" if mode == "CMYK" else "PNG", icc_profile=data))


def _xmp(data: bytes) -> None:
    _photo(saved(RGB, "WEBP", xmp=data))


def _exif(data: bytes) -> None:
    stream = io.BytesIO()
    Image.fromarray(GRAY).save(stream, "PNG", exif=data)
    _photo(stream.getvalue())


_TRIALS: dict[str, Callable[[bytes], None]] = {
    "photo": _photo,
    "hints": _hints,
    "project": _project,
    "manifest": _manifest,
    "icc": _icc,
    "xmp": _xmp,
    "exif": _exif,
}
