"""Figures 6 and 7 of Xu et al. (CVPR 2020): methods that take a reference, side by side and in detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageOps

from tinct.color.lab import rgb_to_lab, rgb_to_lightness
from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.protocols.case import Case
from tinct.evaluation.run.contestants import Contestant, Gray, checked_answer
from tools.papers.page import Say, Section
from tools.papers.sheet import SIDE, Row, write_rows

if TYPE_CHECKING:
    from tools.papers.exemplar import Target

OURS = "xu2020"
"""The method that the figure compares others with."""

RIVALS = ("welsh", "gupta", "pierre", "he2018", "xiao2019", OURS, "tinct")
"""Columns of the figure: the paper's five rivals in its order, the paper's own, and tinct's network."""

DETAILED = ("he2018", OURS)
"""The two methods of Figure 7."""

PARTS = 3
"""A side of a photograph is so many times a side of the part that Figure 7 shows of it."""

FRAME = (255, 0, 0)
"""Color of the line around that part, sRGB."""


def figure6(
    chosen: Sequence[Target], installed: Mapping[str, Contestant], out: Path, say: Say
) -> Section | None:
    """Write the figure, `figure6.png`: a photograph with a class-mate as its reference a row, a method a column.

    Args:
        chosen: photographs with references.
        installed: contestants by name; those of `RIVALS` are shown.
        out: folder of the sheet.
        say: is told which of `RIVALS` are missing.
    Returns:
        The section; None if the paper's own method is not installed.
    """
    missing = [name for name in RIVALS if name not in installed]
    if OURS in missing:
        say(f"Figure 6 of Xu 2020: no weights of {OURS} are installed.")
        return None
    if missing:
        say(f"columns of Figure 6 of Xu 2020: {', '.join(missing)} are not installed or unknown.")
    shown = [name for name in RIVALS if name in installed]
    rows: list[Row] = []
    for target in chosen:
        contestants = [Gray(), *(installed[name] for name in shown)]
        gray, *found = answers(target, target.related[0], contestants)
        heads = () if rows else ("target", "reference", *shown)
        rows.append(Row([gray, target.related[0], *found], heads))
    names = ", ".join(f"`{target.photograph.name}`" for target in chosen)
    text = f"""
A photograph of the set a row, its reference a class-mate; columns are methods that take a reference, in the paper's
order: {", ".join(f"`{name}`" for name in shown)}. Rows: {names}."""
    sheet = write_rows(rows, out / "figure6.png")
    return Section("Xu 2020, Figure 6: methods with one reference, side by side", text, (sheet,))


def figure7(
    chosen: Sequence[Target], installed: Mapping[str, Contestant], out: Path, say: Say
) -> Section | None:
    """Write the figure, `figure7.png`: two methods on the same photographs, and the part where they differ most.

    Args:
        chosen, installed, out: as in `figure6`.
        say: is told which of the two methods is missing.
    Returns:
        The section; None if a method is not installed.
    """
    if missing := [name for name in DETAILED if name not in installed]:
        say(f"Figure 7 of Xu 2020: {missing[0]} is not installed.")
        return None
    rows: list[Row] = []
    for target in chosen:
        contestants = [Gray(), *(installed[name] for name in DETAILED)]
        gray, first, second = answers(target, target.related[0], contestants)
        window = most_different(first, second)
        details = [_enlarged(picture[window]) for picture in (gray, first, second)]
        heads = () if rows else ("target", "reference", "detail", *DETAILED)
        rows.append(Row([framed(gray, window), target.related[0], *details], heads))
    names = ", ".join(f"`{target.photograph.name}`" for target in chosen)
    text = f"""
The photographs and references of Figure 6, and of each the part, a third of its width and height, where
`{DETAILED[0]}` and `{DETAILED[1]}` differ most in a\\* b\\*. Rows: {names}."""
    sheet = write_rows(rows, out / "figure7.png")
    return Section(f"Xu 2020, Figure 7: {DETAILED[0]} and {DETAILED[1]} in detail", text, (sheet,))


def most_different(first: Image, second: Image) -> tuple[slice, slice]:
    """Rows and columns of the window, a third of each side, where two pictures differ most in a* b* on average."""
    apart = np.linalg.norm(rgb_to_lab(first)[..., 1:] - rgb_to_lab(second)[..., 1:], axis=-1)
    height, width = (max(side // PARTS, 1) for side in apart.shape)
    sums = np.pad(apart.cumsum(0, dtype=np.float64).cumsum(1), ((1, 0), (1, 0)))
    over = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(int(over.argmax()), over.shape)
    return slice(int(top), int(top) + height), slice(int(left), int(left) + width)


def framed(picture: Image, window: tuple[slice, slice]) -> Image:
    """A picture with a line around a window."""
    whole = Pillow.fromarray(picture)
    rows, columns = window
    box = (columns.start, rows.start, columns.stop - 1, rows.stop - 1)
    ImageDraw.Draw(whole).rectangle(box, outline=FRAME, width=2)
    return np.asarray(whole)


def answers(target: Target, reference: Image | None, contestants: Sequence[Contestant]) -> list[Image]:
    """The answers of contestants to a photograph with a reference, sRGB, (h, w, 3), uint8, or without one (None)."""
    lightness = rgb_to_lightness(target.photograph.read())
    references = () if reference is None else (reference,)
    case = Case("exemplar", target.photograph, lightness, references=references)
    return [checked_answer(one, case) for one in contestants]


def _enlarged(part: Image) -> Image:
    return np.asarray(ImageOps.contain(Pillow.fromarray(part), (SIDE, SIDE), Pillow.Resampling.BICUBIC))
