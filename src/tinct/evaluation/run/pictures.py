"""The pictures that a run keeps: thumbnails for the report's contact sheets, and full pictures on request."""

from __future__ import annotations

from pathlib import Path

from tinct.errors import OutputError
from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.photographs.sets import Photograph
from tinct.evaluation.protocols.case import Case

THUMBNAIL_SIDE = 160
"""Longer side in pixels of a picture on a contact sheet."""


class PictureFolder:
    """`thumbnails/WHO/PHOTOGRAPH.jpg` and, on request, `pictures/WHO/PHOTOGRAPH.png` in a run's folder.

    WHO is `truth`, `gray`, `reference` or a method's name; every folder has the same file names.
    """

    def __init__(self, out: Path, full: bool = False) -> None:
        self.out, self.full = out, full

    def keep_case(self, case: Case) -> None:
        """Keep the pictures of a case that no method made: truth and first reference, if any, and gray.

        Raises:
            OutputError: if a picture cannot be written.
        """
        self.keep("gray", case.photograph, case.gray())
        if case.truth is not None:
            self.keep("truth", case.photograph, case.truth)
        if case.references:
            self.keep("reference", case.photograph, case.references[0])

    def keep(self, contestant: str, photograph: Photograph, rgb: Image) -> None:
        """Keep one picture, sRGB, (H, W, 3), uint8.

        Raises:
            OutputError: if the picture cannot be written.
        """
        from PIL import Image as Pillow

        small = Pillow.fromarray(rgb)
        small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Pillow.Resampling.LANCZOS)
        _save(small, thumbnail_path(self.out, contestant, photograph.name), quality=85)
        if self.full:
            _save(Pillow.fromarray(rgb), picture_path(self.out, contestant, photograph.name))


def file_name(photograph: str) -> str:
    """A photograph's name as one file name: folders are joined by two underscores."""
    return photograph.replace("/", "__")


def thumbnail_path(out: Path, contestant: str, photograph: str) -> Path:
    """The thumbnail's file in a run's folder."""
    return out / "thumbnails" / contestant / f"{file_name(photograph)}.jpg"


def picture_path(out: Path, contestant: str, photograph: str) -> Path:
    """The full picture's file in a run's folder."""
    return out / "pictures" / contestant / f"{file_name(photograph)}.png"


def _save(image: object, path: Path, **options: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **options)  # type: ignore[attr-defined]
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error}); free some space or give another --out."
        ) from None
