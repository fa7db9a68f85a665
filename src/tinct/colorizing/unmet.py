"""What was asked for and cannot be had, or goes unnoticed: a sentence each, for the notes of a result."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from tinct.color.gamut import fit_gamut
from tinct.color.hexcolor import color_to_ab, format_color
from tinct.color.lab import lab_to_rgb
from tinct.hints import Hint, HintImage, HintLike
from tinct.photo import Photo

_NOTICED = 6.0
"""Distance in a*, b* from which a color is another one to the eye."""

_MOST_NAMED = 3
_MOST_COVERED = 0.9


def unmet_wishes(photo: Photo, hints: Iterable[HintLike]) -> list[str]:
    """Notes for a photograph that has color already, colors that do not exist at their lightness, strokes over all."""
    notes = []
    if photo.has_own_colors():
        notes.append("it has colors of its own, which are replaced")
    given = list(hints)
    notes += [note for hint in given if isinstance(hint, Hint) and (note := _impossible(photo, hint))][
        :_MOST_NAMED
    ]
    for hint in given:
        if (
            isinstance(hint, HintImage)
            and (share := float((hint.rgba[..., 3] >= 128).mean())) > _MOST_COVERED
        ):
            notes.append(f"the strokes cover {share:.0%} of it, which leaves little to find")
    return notes


def _impossible(photo: Photo, hint: Hint) -> str | None:
    """A note if sRGB has no such color at the lightness of the hint's pixel."""
    x = min(max(math.floor(hint.x + 0.5), 0), photo.width - 1)
    y = min(max(math.floor(hint.y + 0.5), 0), photo.height - 1)
    lightness = photo.lightness(y, y + 1)[:1, x : x + 1]
    wanted = color_to_ab(hint.color).reshape(1, 1, 2)
    nearest = fit_gamut(lightness, wanted)
    if float(np.hypot(*(nearest - wanted).reshape(2))) < _NOTICED:
        return None
    shown = format_color(lab_to_rgb(np.concatenate([lightness[..., None], nearest], axis=-1)).reshape(3))
    place = f"{x},{y} (L* {float(lightness[0, 0]):.0f})"
    return f"{hint.color} does not exist at the lightness of {place}; the nearest is {shown}"
