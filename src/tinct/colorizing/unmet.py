"""What was asked for and cannot be had, or goes unnoticed: a sentence each, for the notes of a result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tinct.color.gamut import fit_gamut
from tinct.color.hexcolor import color_to_ab, format_color
from tinct.color.lab import lab_to_rgb
from tinct.colorizing.rendering import pixel_of
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
    notes += _impossible(photo, [hint for hint in given if isinstance(hint, Hint)])[:_MOST_NAMED]
    for hint in given:
        if (
            isinstance(hint, HintImage)
            and (share := float((hint.rgba[..., 3] >= 128).mean())) > _MOST_COVERED
        ):
            notes.append(f"the strokes cover {share:.0%} of it, which leaves little to find")
    return notes


def _impossible(photo: Photo, hints: Sequence[Hint]) -> list[str]:
    """A note for each hint of a color that sRGB does not have at the lightness of the hint's pixel."""
    if not hints:
        return []
    places = [pixel_of(hint, photo) for hint in hints]
    lightness = photo.lightness_at(places)[None]
    wanted = np.array([color_to_ab(hint.color) for hint in hints], np.float32)[None]
    nearest = fit_gamut(lightness, wanted)  # of all hints at once: by itself each would take milliseconds
    shown = lab_to_rgb(np.concatenate([lightness[..., None], nearest], axis=-1))[0]
    missed = np.hypot(*np.moveaxis(nearest - wanted, -1, 0))[0]
    return [
        f"{hint.color} does not exist at the lightness of {x},{y} (L* {float(lightness[0, i]):.0f}); "
        f"the nearest is {format_color(shown[i])}"
        for i, (hint, (x, y)) in enumerate(zip(hints, places, strict=True))
        if missed[i] >= _NOTICED
    ]
