"""A contact sheet: what every network makes of the same photographs, half of them old."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import rgb_to_lightness
from tinct.errors import WeightsError
from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.photographs.sets import Photograph, PhotographSet
from tinct.evaluation.protocols.case import Case
from tinct.evaluation.run.contestants import Contestant, Gray, RegisteredMethod, checked_answer
from tinct.methods import METHODS
from tinct.networks import CARDS, RELEASED
from tinct.photo import Photo
from tinct.retrieval.descriptor import describe
from tools.papers.page import Say, Section
from tools.papers.sheet import Row, write_rows

COUNT = 12
"""Photographs of the sheet, half of them old."""

SIDE = 128
"""Longer side in pixels of a picture on the sheet."""

POOL = 150
"""Photographs among which the references are found."""

NETWORKS = tuple(name for name in CARDS if name in METHODS)
"""The methods that run a network, in the order of their cards."""


def contact_sheet(
    photographs: PhotographSet,
    legacy: PhotographSet | None,
    contestants: Sequence[Contestant],
    out: Path,
    say: Say,
    count: int = COUNT,
) -> Section | None:
    """Write the sheet, `contact.png`: a photograph a row, a network a column.

    Networks that take a reference, but the released one, get one: of some other photographs the most alike in gray.

    Args:
        photographs: photographs in color.
        legacy: old photographs, or None.
        contestants: the networks.
        out: folder of the sheet.
        say: is told what is left out.
        count: photographs in all.
    Returns:
        The section; None without networks.
    """
    if not contestants:
        say("the sheet of every network: no weights of any network are installed.")
        return None
    old = [] if legacy is None else list(legacy.limited(max(count // 2, 1)))
    new = list(photographs.limited(max(count - len(old), 1)))
    others = [each for each in photographs.limited(count + POOL) if each not in new]
    try:
        seen = [described(each.read()) for each in others]
    except WeightsError as error:
        say(f"references on the sheet of every network: {error}")
        others, seen = [], []
    rows: list[Row] = []
    for photograph in (*new, *old):
        shown = photograph.read()
        reference = _likest(shown, others, seen)
        pictures = [_answer(one, photograph, shown, reference) for one in contestants]
        first = shown if photograph in old else _answer(Gray(), photograph, shown, reference)
        heads = (
            () if rows else ("given", "reference", *(one.name.replace("-", "\n", 1) for one in contestants))
        )
        rows.append(Row([first, reference, *pictures], heads))
    names = ", ".join(f"`{each.name}`" for each in (*new, *old))
    text = f"""
Every network on the same photographs, {len(old)} of them old, at its defaults. Those that take a reference, but
`{RELEASED}`, get the one shown: of {len(others)} others the most alike in gray (`tinct.retrieval`). Rows: {names}."""
    return Section(
        "Every network on the same photographs", text, (write_rows(rows, out / "contact.png", SIDE),)
    )


def described(rgb: Image) -> NDArray[np.float32]:
    """The descriptor of a photograph, sRGB (H, W, 3), uint8."""
    return describe(Photo.from_array(rgb))


def _likest(shown: Image, others: Sequence[Photograph], seen: Sequence[NDArray[np.float32]]) -> Image | None:
    """The photograph, of others with these descriptors, that is most alike; None where there are none."""
    if not others:
        return None
    own = described(shown)
    return others[int(np.argmax([own @ other for other in seen]))].read()


def follows(contestant: Contestant) -> bool:
    """True if a contestant is to be given a reference."""
    return (
        isinstance(contestant, RegisteredMethod)
        and contestant.method.uses_references
        and contestant.name != RELEASED
    )


def _answer(
    contestant: Contestant, photograph: Photograph, shown: Image, reference: Image | None
) -> Image | None:
    """The answer of a contestant; None if it cannot do without a reference and there is none."""
    references = (reference,) if reference is not None and follows(contestant) else ()
    case = Case("contact", photograph, rgb_to_lightness(shown), references=references)
    return None if contestant.cannot(case) else checked_answer(contestant, case)
