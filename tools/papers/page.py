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

HEADING = "\n## "
"""What a section begins with."""

LEFT_OUT = "Left out"
"""Title of the list of what could not be made."""


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
        parts += [f"{HEADING}{section.title}\n\n{section.text.strip()}\n"]
        parts += [_picture(file, section.title, place, shown) for file in section.pictures]
    if left_out:
        parts += [f"{HEADING}{LEFT_OUT}\n\n", *(f"- {line}\n" for line in _by_reason(left_out))]
    return "".join(parts)


def updated_page(old: str, made: str) -> str:
    """A page in which the sections of another take the place of those of the same title.

    A section that the old page lacks comes after the one that it follows in the other, else before what is left out.

    Args:
        old: text of a page as `papers_page` writes it.
        made: text of a page with some sections; what it leaves out is added to the old page's list.
    """
    head, *before = old.split(HEADING)
    sections = dict(_titled(part) for part in before)
    left = sections.pop(LEFT_OUT, "")
    order, previous = list(sections), ""
    for title, text in (_titled(part) for part in made.split(HEADING)[1:]):
        if title == LEFT_OUT:
            lines = [line for line in text.splitlines() if line and line not in left.splitlines()]
            left = "\n" + "".join(f"{line}\n" for line in [*filter(None, left.splitlines()), *lines])
            continue
        if title not in sections:
            order.insert(order.index(previous) + 1 if previous else len(order), title)
        sections[title], previous = text, title
    whole = [f"{title}\n{sections[title].rstrip()}\n" for title in order]
    whole += [f"{LEFT_OUT}\n{left.rstrip()}\n"] if left.strip() else []
    return head + "".join(HEADING + part for part in whole)


def _titled(part: str) -> tuple[str, str]:
    """The title and the text of a section."""
    title, _, text = part.partition("\n")
    return title, text


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
