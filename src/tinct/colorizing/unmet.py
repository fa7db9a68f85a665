"""What was asked for and cannot be had, or goes unnoticed: a sentence each, for the notes of a result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tinct.color.gamut import fit_gamut
from tinct.color.hexcolor import color_to_ab, format_color
from tinct.color.lab import lab_to_rgb
from tinct.colorizing.rendering import pixel_of, uncovered
from tinct.hints import Hint, HintImage, HintLike
from tinct.options import MOST_TRUST
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
    notes += _impossible(photo, uncovered(given, photo))[:_MOST_NAMED]
    for hint in given:
        if (
            isinstance(hint, HintImage)
            and (share := float((hint.rgba[..., 3] >= 128).mean())) > _MOST_COVERED
        ):
            notes.append(f"the strokes cover {share:.0%} of it, which leaves little to find")
    return notes


def doubts(doubted: Iterable[tuple[int, float]], references: int, trust: float) -> list[str]:
    """A note for each reference that the method takes little of.

    Args:
        doubted: the number of each, from 0, and its likeness, as `tinct.methods.Method.doubted` gives it.
        references: how many there are.
        trust: the option.
    """
    return [
        f"{'the reference' if references == 1 else f'reference {number + 1}'} does not fit the photograph (likeness "
        f"{likeness:.2f}), so that little of its colors is taken{'; more trust takes more' * (trust < MOST_TRUST)}"
        for number, likeness in doubted
    ]


def turned_hues(turn: float, references: int) -> list[str]:
    """A note that the answer's hues are turned, if they are.

    Args:
        turn: the angle in radians, as `tinct.methods.Method.turn_of_hues` gives it.
        references: how many there are.
    """
    if not turn:
        return []
    whose = "the reference's" if references == 1 else "the references'"
    return [
        f"{whose} hues are turned as a whole (about {np.degrees(turn):.0f} degrees from what is expected), "
        "and so are those of the whole result; with trust 0 they are not"
    ]


def _impossible(photo: Photo, hints: Sequence[Hint]) -> list[str]:
    """A note for each hint of a color that sRGB does not have at the lightness of the hint's pixel."""
    if not hints:
        return []
    places = [pixel_of(hint, photo) for hint in hints]
    lightness = photo.lightness_at(places)
    asked = [(hint.color, float(light)) for hint, light in zip(hints, lightness, strict=True)]
    known = {each: found for each in asked if (found := _nearest.get(each))}
    known |= _worked_out([each for each in dict.fromkeys(asked) if each not in known])
    return [
        f"{color} does not exist at the lightness of {x},{y} (L* {light:.0f}); the nearest is {shown}"
        for (color, light), (x, y) in zip(asked, places, strict=True)
        for apart, shown in [known[color, light]]
        if apart >= _NOTICED
    ]


_Found = dict[tuple[str, float], tuple[float, str]]

_nearest: _Found = {}
"""For colors at a lightness, the distance in a* b* to the nearest color that sRGB has, and that color; kept, as all of
a photograph's hints are asked about for one more."""

_MOST_KEPT = 4096


def _worked_out(asked: Sequence[tuple[str, float]]) -> _Found:
    """The nearest colors of several, as `_nearest` keeps them; computed at once, as one alone takes milliseconds."""
    if not asked:
        return {}
    lightness = np.array([[light for _, light in asked]], np.float32)
    wanted = np.array([[color_to_ab(color) for color, _ in asked]], np.float32)
    nearest = fit_gamut(lightness, wanted)
    apart = np.hypot(*np.moveaxis(nearest - wanted, -1, 0))[0].tolist()
    rgb = lab_to_rgb(np.concatenate([lightness[..., None], nearest], axis=-1))[0]
    found = dict(zip(asked, zip(apart, map(format_color, rgb), strict=True), strict=True))
    if len(_nearest) > _MOST_KEPT:
        _nearest.clear()
    _nearest.update(found)
    return found
