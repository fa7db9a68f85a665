"""Sheets: rows of pictures in one PNG, with titles, captions and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont, ImageOps

from tinct.errors import OutputError
from tinct.evaluation.photographs.rgb import Image

SIDE = 192
"""Longer side in pixels to which pictures are resized."""

GAP, TEXT, LINE = 4, 13, 18
"""Pixels between pictures, height of letters, and height of a line of text."""


@dataclass(frozen=True)
class Row:
    """One row of a sheet.

    Attributes:
        pictures: sRGB, (H, W, 3), uint8; None leaves a place empty.
        captions: texts above the pictures, of one line or more; may be empty.
        label: text left of the row.
        title: text above the row.
    """

    pictures: Sequence[Image | None]
    captions: Sequence[str] = ()
    label: str = ""
    title: str = ""


def write_rows(rows: Sequence[Row], file: Path, side: int = SIDE) -> Path:
    """Write a sheet of rows as PNG, with pictures of at most `side` pixels, and return the file.

    Raises:
        OutputError: if the file cannot be written.
    """
    font = ImageFont.load_default(TEXT)
    left = max((round(font.getlength(row.label)) for row in rows), default=0)
    left += 3 * GAP if left else GAP
    scaled = [[_scaled(picture, side) for picture in row.pictures] for row in rows]
    heights = [max((p.height for p in line if p), default=0) + GAP for line in scaled]
    tops = [LINE * (bool(row.title) + _lines(row.captions)) + GAP for row in rows]
    width = left + max(len(line) for line in scaled) * (side + GAP)
    sheet = Pillow.new("RGB", (width, sum(heights) + sum(tops)), "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for row, line, height, above in zip(rows, scaled, heights, tops, strict=True):
        top += above
        draw.text((left, top - above + GAP), row.title, "black", font)
        draw.text((GAP, top), row.label, "black", font)
        for number, caption in enumerate(row.captions):
            place = left + number * (side + GAP), top - LINE * _lines(row.captions)
            draw.text(place, caption, "black", font, spacing=LINE - TEXT)
        for number, picture in enumerate(line):
            if picture:
                sheet.paste(picture, (left + number * (side + GAP), top))
        top += height
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(file)
    except OSError as error:
        raise OutputError(f"{file} cannot be written ({error}); give another --out.") from None
    return file


def _lines(captions: Sequence[str]) -> int:
    """Lines of the longest of some captions."""
    return max((caption.count("\n") + 1 for caption in captions), default=0)


def _scaled(picture: Image | None, side: int) -> Pillow.Image | None:
    if picture is None:
        return None
    return ImageOps.contain(Pillow.fromarray(picture), (side, side), Pillow.Resampling.LANCZOS)
