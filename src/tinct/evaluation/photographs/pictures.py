"""Pictures that a run keeps: small ones for the contact sheets, and full ones where asked for."""

from __future__ import annotations

from pathlib import Path

from tinct.errors import OutputError
from tinct.evaluation.photographs.sets import Photograph
from tinct.evaluation.protocols.case import Case, Image

THUMBNAIL_SIDE = 160
"""Longer side in pixels of a picture on a contact sheet."""


class PictureFolder:
    """`thumbnails/WHO/PHOTOGRAPH.jpg` and, if asked for, `pictures/WHO/PHOTOGRAPH.png` under a run's folder.

    WHO is `truth`, `gray`, `reference` or a method's name; every folder has the same file names.
    """

    def __init__(self, out: Path, full: bool = False) -> None:
        self.out, self.full = out, full

    def keep_case(self, case: Case) -> None:
        """Keep what a case shows: the truth where there is one, grey, the first reference."""
        self.keep("gray", case.photograph, case.gray())
        if case.truth is not None:
            self.keep("truth", case.photograph, case.truth)
        if case.references:
            self.keep("reference", case.photograph, case.references[0])

    def keep(self, who: str, photograph: Photograph, rgb: Image) -> None:
        """Keep one picture, sRGB, (H, W, 3), uint8.

        Raises:
            OutputError: if it cannot be written.
        """
        from PIL import Image as Pillow

        small = Pillow.fromarray(rgb)
        small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Pillow.Resampling.LANCZOS)
        _save(small, thumbnail_path(self.out, who, photograph.name), quality=85)
        if self.full:
            _save(Pillow.fromarray(rgb), picture_path(self.out, who, photograph.name))


def file_name(photograph: str) -> str:
    """A photograph's name as one file name: folders joined by two underscores."""
    return photograph.replace("/", "__")


def thumbnail_path(out: Path, who: str, photograph: str) -> Path:
    """Where a run keeps a small picture."""
    return out / "thumbnails" / who / f"{file_name(photograph)}.jpg"


def picture_path(out: Path, who: str, photograph: str) -> Path:
    """Where a run keeps a full picture."""
    return out / "pictures" / who / f"{file_name(photograph)}.png"


def _save(image: object, path: Path, **options: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **options)  # type: ignore[attr-defined]
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error}); free some space or give another --out."
        ) from None
