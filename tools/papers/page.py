"""The page of the papers' figures and tables, as Markdown."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]
"""Takes one line about what is left out."""

INTRODUCTION = """\
# The papers' figures and tables

Made by `python -m tools.papers DATA` from the weights that are installed. Tables are means ± standard errors
over photographs, the best of each column is bold; protocols and metrics are those of `tinct evaluate`.
"""
"""The page before its first section."""


@dataclass(frozen=True)
class Section:
    """One figure or table.

    Attributes:
        title: the heading.
        text: Markdown.
        pictures: PNG files.
    """

    title: str
    text: str
    pictures: tuple[Path, ...] = ()


def papers_page(sections: Sequence[Section], left_out: Sequence[str], place: Path, *, shown: bool) -> str:
    """The text of the page.

    Args:
        sections: in order.
        left_out: a line for each thing that could not be made, with the reason.
        place: folder of the page, to which links are relative.
        shown: True shows the pictures; False names their files, for a page that is published without the
            photographs, whose licenses do not allow publishing.
    """
    parts = [INTRODUCTION]
    for section in sections:
        parts += [f"\n## {section.title}\n\n{section.text.strip()}\n"]
        parts += [_picture(file, section.title, place, shown) for file in section.pictures]
    if left_out:
        parts += ["\n## Left out\n\n", *(f"- {line}\n" for line in _by_reason(left_out))]
    return "".join(parts)


def _by_reason(left_out: Sequence[str]) -> list[str]:
    """Lines "NAME: WHY" of lines "NAME is left out: WHY", with the names of one reason joined."""
    found: dict[str, list[str]] = {}
    for line in left_out:
        what, _, why = line.partition(": ")
        found.setdefault(why, []).append(what.removesuffix(" is left out"))
    return [f"{', '.join(whats)}: {why}" for why, whats in found.items()]


def _picture(file: Path, title: str, place: Path, shown: bool) -> str:
    if not shown:
        return f"\nPictures: `{file.name}` in the folder of the run.\n"
    return f"\n![{title}]({Path(os.path.relpath(file, place)).as_posix()})\n"
