"""Figure 6 of Xu et al. (CVPR 2020): methods that take a reference, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinct.color.lab import rgb_to_lightness
from tinct.evaluation.protocols.case import Case
from tinct.evaluation.run.contestants import Contestant, Gray, checked_answer
from tools.papers.page import Say, Section
from tools.papers.sheet import Row, write_rows

if TYPE_CHECKING:
    from tools.papers.exemplar import Target

OURS = "xu2020"
"""The method that the figure compares others with."""

RIVALS = ("welsh", "gupta", "pierre", "he2018", "xiao2019", OURS, "tinct")
"""Columns of the figure: the paper's five rivals in its order, the paper's own, and tinct's network."""


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
        reference = target.related[0]
        case = Case(
            "exemplar", target.photograph, rgb_to_lightness(target.photograph.read()), references=(reference,)
        )
        answers = [checked_answer(one, case) for one in (Gray(), *(installed[name] for name in shown))]
        heads = () if rows else ("target", "reference", *shown)
        rows.append(Row([answers[0], reference, *answers[1:]], heads))
    names = ", ".join(f"`{target.photograph.name}`" for target in chosen)
    text = f"""
A photograph of the set a row, its reference a class-mate; columns are methods that take a reference, in the paper's
order: {", ".join(f"`{name}`" for name in shown)}. Rows: {names}."""
    sheet = write_rows(rows, out / "figure6.png")
    return Section("Xu 2020, Figure 6: methods with one reference, side by side", text, (sheet,))
