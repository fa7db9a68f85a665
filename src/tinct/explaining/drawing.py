"""Segments drawn over a photograph, with a legend."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.explaining.explanation import Explanation, Named
from tinct.explaining.names import SEGMENTS

Array = NDArray[np.float32]

DRAWN_SIZE = 768
"""Longer side in pixels of the drawn photograph at most."""

STRENGTH = 0.55
"""Share of a segment's color in the picture; the rest is the photograph in gray."""

LEAST_SHARE = 0.01
"""Share of the photograph from which a segment stands in the legend."""

LEGEND, LINE, LETTERS = 210, 22, 15
"""Width of the legend, height of its lines and of its letters, in pixels."""


def palette() -> NDArray[np.uint8]:
    """A color for each of `SEGMENTS`, sRGB, (32, 3); neighbors in the list are far apart in hue."""
    golden = 0.618034  # turns by it never come close to each other
    colors = [
        colorsys.hsv_to_rgb(i * golden % 1, (0.85, 0.55)[i // 2 % 2], (0.95, 0.75)[i % 2])
        for i in range(len(SEGMENTS))
    ]
    colors[0] = (0.5, 0.5, 0.5)
    return np.rint(np.array(colors) * 255).astype(np.uint8)


def drawn(photo: Any, explanation: Explanation) -> bytes:
    """A PNG: the photograph in gray under its segments' colors, the scenes and the segments named beside it.

    Args:
        photo: as `tinct.colorize` takes it.
        explanation: of this photograph.
    Raises:
        PhotoError, ShapeError: if the photograph cannot be read.
    """
    from PIL import Image

    from tinct.photo.sources import as_photo

    lightness = as_photo(photo).working_lightness(DRAWN_SIZE)
    height, width = lightness.shape
    labels = Image.fromarray(explanation.labels).resize((width, height), Image.Resampling.NEAREST)
    gray = np.repeat(lightness[..., None] * 2.55, 3, 2)
    mixed = STRENGTH * palette()[np.asarray(labels)] + (1 - STRENGTH) * gray
    sheet = Image.new("RGB", (width + LEGEND, max(height, _height(explanation))), "white")
    sheet.paste(Image.fromarray(np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)))
    _write_legend(sheet, width, explanation)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _shown(segments: Sequence[Named]) -> list[Named]:
    return [segment for segment in segments if segment.share >= LEAST_SHARE]


def _height(explanation: Explanation) -> int:
    return LINE * (len(explanation.scenes) + len(_shown(explanation.segments)) + 2)


def _write_legend(sheet: Any, left: int, explanation: Explanation) -> None:
    """Write scenes, and segments with their colors, right of the photograph."""
    from PIL import ImageDraw, ImageFont

    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTERS)
    colors, top = palette(), LINE // 3
    for name, share in explanation.scenes:
        draw.text((left + 10, top), f"{name} {share:.2f}", "black", font)
        top += LINE
    top += LINE // 2
    for name, share in _shown(explanation.segments):
        color = tuple(int(part) for part in colors[SEGMENTS.index(name)])
        draw.rectangle((left + 10, top, left + 10 + LETTERS, top + LETTERS), fill=color)
        draw.text((left + 18 + LETTERS, top), f"{name} {share:.0%}", "black", font)
        top += LINE
