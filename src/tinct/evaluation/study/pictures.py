"""Pictures on their way to a participant: of one size and format, with nothing that says whose they are."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from tinct.evaluation.photographs.rgb import read_rgb
from tinct.evaluation.study.design import Study, Trial
from tinct.evaluation.study.results import picture_size

LONGEST_SIDE = 1024
"""Pixels that the longer side of a picture has on the page at most."""


def trial_picture(study: Study, trial: Trial, place: int) -> bytes:
    """The picture at a place of a trial, as PNG without metadata.

    All pictures of a trial are brought to the size of the smallest, so that neither resolution nor
    compression by the
    browser nor a note in the file (the method that made it, for one) tells them apart.

    Raises:
        EvaluationError: if a file cannot be decoded.
    """
    files = [study.contestants.picture(name, trial.photograph) for name in trial.shown]
    return encoded(files[place], shown_size(files))


def context_picture(study: Study, trial: Trial, what: str) -> bytes | None:
    """The grey photograph or the reference that goes with a trial, as PNG; None where there is none."""
    contestants = study.contestants
    file = {"gray": contestants.gray, "reference": contestants.reference}.get(what, {}).get(trial.photograph)
    return None if file is None else encoded(file, shown_size([file]))


def shown_size(files: list[Path]) -> tuple[int, int]:
    """Width and height that all of these are shown at: the smallest one's, within `LONGEST_SIDE`."""
    width, height = min((picture_size(file) for file in files), key=lambda size: size[0] * size[1])
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@lru_cache(maxsize=64)
def encoded(file: Path, size: tuple[int, int]) -> bytes:
    """A file's pixels as PNG of a size, and nothing else of it."""
    from PIL import Image

    image = Image.fromarray(read_rgb(file))
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    stream = BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
