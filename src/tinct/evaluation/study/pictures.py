"""The pictures that participants are sent: of one size and format, without a trace of the method."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from tinct.evaluation.photographs.rgb import read_rgb
from tinct.evaluation.study.design import Study, Trial
from tinct.evaluation.study.folders import picture_size

LONGEST_SIDE = 1024
"""Largest longer side in pixels of a picture on the page."""


def trial_picture(study: Study, trial: Trial, position: int) -> bytes:
    """The picture at a place of a trial, as PNG without metadata.

    All pictures of a trial are resized to the smallest one's size: neither resolution nor scaling by the browser nor
    metadata tells them apart.

    Raises:
        EvaluationError: if a file cannot be decoded.
    """
    files = [study.pictures.picture(name, trial.photograph) for name in trial.shown]
    return encoded(files[position], shown_size(files))


def context_picture(study: Study, trial: Trial, what: str) -> bytes | None:
    """The gray photograph or the reference ("gray", "reference") of a trial as PNG; None if there is none."""
    pictures = study.pictures
    file = {"gray": pictures.gray, "reference": pictures.reference}.get(what, {}).get(trial.photograph)
    return None if file is None else encoded(file, shown_size([file]))


def shown_size(files: list[Path]) -> tuple[int, int]:
    """Width and height at which all of some files are shown: those of the smallest, within `LONGEST_SIDE`."""
    width, height = min((picture_size(file) for file in files), key=lambda size: size[0] * size[1])
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@lru_cache(maxsize=64)
def encoded(file: Path, size: tuple[int, int]) -> bytes:
    """A file's pixels, resized to (width, height), as PNG without metadata."""
    from PIL import Image

    image = Image.fromarray(read_rgb(file))
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    stream = BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
