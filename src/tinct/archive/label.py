"""Visible labels for access copies: a strip below the picture with the statement that its colors are inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinct.errors import OptionError

if TYPE_CHECKING:
    from tinct.photo import Photo

STRIP_SHARE = 1 / 24
"""Height of the strip as a share of the picture's longer side."""

LEAST_STRIP = 16
"""Least height of the strip in pixels."""


def labeled(photo: Photo, text: str) -> Photo:
    """A photograph with a dark strip below it that shows a text; metadata stays, no pixel of the picture changes.

    Args:
        photo: a colorized photograph.
        text: one line.
    Raises:
        OptionError: if the text is empty or has more than one line.
    """
    line = text.strip()
    if not line or "\n" in line:
        raise OptionError("a label is one line of text, such as 'Colorized: the colors are inferred'.")
    height = max(LEAST_STRIP, round(max(photo.width, photo.height) * STRIP_SHARE))
    return photo.extended_below(_strip(line, photo.width, height))


def _strip(text: str, width: int, height: int) -> NDArray[np.uint8]:
    """White text on black, shape (height, width), as large as fits."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    size = height * 0.6
    font = ImageFont.load_default(size)
    while size > 6 and draw.textlength(text, font) > width * 0.96:
        size *= 0.9
        font = ImageFont.load_default(size)
    draw.text((width * 0.02, height / 2), text, 255, font, anchor="lm")
    return np.asarray(image)
