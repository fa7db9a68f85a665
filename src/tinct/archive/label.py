"""Visible labels for access copies: a strip below the picture with the statement that its colors are inferred."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinct.errors import MissingExtraError, OptionError

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

    from tinct.photo import Photo

STRIP_SHARE = 1 / 24
"""Height of a strip of one line as a share of the picture's longer side."""

LEAST_STRIP = 16
"""Least height of the strip in pixels."""

LETTERS, LEAST_LETTERS, LINE = 0.6, 0.5, 1.3
"""Size of letters and the least size, as shares of the height of a strip of one line, and the height of one of several
lines in letters: a longer text is in several lines."""

MARGIN = 0.02
"""Share of the width that is left free at either side."""

_ABSENT = "\uffff"
"""A character that no font has."""


def check_label(text: str) -> str:
    """A label without spaces at its ends.

    Raises:
        OptionError: if the text is empty, has more than one line, or characters that the font has not.
        MissingExtraError: if the font is not installed.
    """
    line = text.strip()
    if not line or "\n" in line:
        raise OptionError("a label is one line of text, such as 'Colorized: the colors are inferred'.")
    font = _font(20)
    box = bytes(font.getmask(_ABSENT))
    absent = [each for each in dict.fromkeys(line) if not each.isspace() and bytes(font.getmask(each)) == box]
    if absent:
        raise OptionError(
            f"the label has characters that cannot be drawn ({' '.join(absent[:8])}); Latin, Greek and Cyrillic can."
        )
    return line


def labeled(photo: Photo, text: str) -> Photo:
    """A photograph with a dark strip below it that shows a text; metadata stays, no pixel of the picture changes.

    Args:
        photo: a colorized photograph.
        text: one line; it is broken into several where the picture is narrow.
    Raises:
        OptionError: as `check_label`.
    """
    height = max(LEAST_STRIP, round(max(photo.width, photo.height) * STRIP_SHARE))
    return photo.extended_below(_strip(check_label(text), photo.width, height))


def _strip(text: str, width: int, height: int) -> NDArray[np.uint8]:
    """White text on black, in a strip of this height where it fits into one line, else in a higher one."""
    from PIL import Image, ImageDraw

    room, size = width * (1 - 2 * MARGIN), height * LETTERS
    while size > height * LEAST_LETTERS and _font(size).getlength(text) > room:
        size *= 0.95
    font = _font(size)
    lines = _broken(text, font, room)
    step = size * LINE
    whole = height if len(lines) == 1 else round(len(lines) * step + height - size)
    image = Image.new("L", (width, whole), 0)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        middle = whole / 2 + (number - (len(lines) - 1) / 2) * step
        draw.text((width * MARGIN, middle), line, 255, font, anchor="lm")
    return np.asarray(image)


def _broken(text: str, font: FreeTypeFont, room: float) -> list[str]:
    """Lines of a text that fit into so many pixels: words, or letters of a word that does not fit by itself."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= room:
            lines[-1] = longer
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > room:
                lines.append("")
            lines[-1] += letter
    return lines


@lru_cache(maxsize=64)
def _font(size: float) -> FreeTypeFont:
    """Source Sans Pro, which has Latin, Greek and Cyrillic letters (Adobe, SIL Open Font License)."""
    from PIL import ImageFont

    try:
        from font_source_sans_pro import SourceSansProSemibold
    except ImportError:
        raise MissingExtraError(
            "labels are drawn with Source Sans Pro: pip install 'tinct[archive]'."
        ) from None
    return ImageFont.truetype(SourceSansProSemibold, size)
