"""The page of all that was found, as Markdown."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]

INTRODUCTION = """\
# The papers' figures and tables

Made by `python -m tools.papers DATA` from the weights that are installed. Tables are means ± standard errors
over photographs, the best of each column is bold; protocols and metrics are those of `tinct evaluate`.
"""


@dataclass(frozen=True)
class Section:
    """One figure or table.

    Attributes:
        title: its heading.
        text: Markdown.
        pictures: PNG files.
    """

    title: str
    text: str
    pictures: tuple[Path, ...] = ()


def papers_page(sections: Sequence[Section], left_out: Sequence[str], place: Path, *, shown: bool) -> str:
    """The page.

    Args:
        sections: in order.
        left_out: a line for all that could not be made, and why.
        place: the folder that the page is for.
        shown: True shows the pictures; False names their files, for a page that is published without the
            photographs, whose licences do not allow that.
    """
    parts = [INTRODUCTION]
    for section in sections:
        parts += [f"\n## {section.title}\n\n{section.text.strip()}\n"]
        parts += [_picture(file, section.title, place, shown) for file in section.pictures]
    if left_out:
        parts += ["\n## Left out\n\n", *(f"- {line}\n" for line in _by_reason(left_out))]
    return "".join(parts)


def _by_reason(left_out: Sequence[str]) -> list[str]:
    """Lines "NAME is left out: WHY", those of one reason together."""
    found: dict[str, list[str]] = {}
    for line in left_out:
        what, _, why = line.partition(": ")
        found.setdefault(why, []).append(what.removesuffix(" is left out"))
    return [f"{', '.join(whats)}: {why}" for why, whats in found.items()]


def _picture(file: Path, title: str, place: Path, shown: bool) -> str:
    if not shown:
        return f"\nPictures: `{file.name}` in the folder of the run.\n"
    return f"\n![{title}]({Path(os.path.relpath(file, place)).as_posix()})\n"
