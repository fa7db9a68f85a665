"""Hints, the colors that a user asks for: points, strokes, rectangles, painted images and swatches.

Hints are kept in the photograph's own pixels (x to the right, y down, pixel centers at whole numbers);
`place_hints` brings them to a method's working size. A gray hint is a hint like any other: neutral.
"""

from __future__ import annotations

from tinct.hints.checking import check_hint
from tinct.hints.field import HintField, PlacedHint
from tinct.hints.files import hints_from_json, parse_hint, read_hints
from tinct.hints.placing import place_hints
from tinct.hints.shapes import Hint, HintImage, HintLike, Rectangle, Stroke, Swatch, as_hint, as_hints

__all__ = [
    "Hint",
    "HintField",
    "HintImage",
    "HintLike",
    "PlacedHint",
    "Rectangle",
    "Stroke",
    "Swatch",
    "as_hint",
    "as_hints",
    "check_hint",
    "hints_from_json",
    "parse_hint",
    "place_hints",
    "read_hints",
]
