"""Table 1 of Xu 2020: seconds at real sizes, and multiples of one method's of the same run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tinct.evaluation.report.tables import DASH
from tools.papers.page import Say, Section

TIMES = Path("docs/benchmark/times.json")
"""The times behind the published page, as `python benchmarks/methods.py --json` keeps them."""

TITLE = "Xu 2020, Table 1: runtime at real sizes"
"""Heading of the section."""

PUBLISHED_BASELINE = "welsh"
"""The method of the paper's table whose time is 1 in its ratios here."""

PUBLISHED = {
    "welsh": (3.51, 13.52, 53.14),
    "pierre": (3.69, 14.12, 66.38),
    "gupta": (114.51, 446.47, 1784.58),
    "he2018": (8.39, 34.99, None),
    "xiao2019": (0.48, 1.4, 3.96),
    "xu2020": (0.20, 0.38, 1.15),
}
"""Method -> seconds at 256, 512 and 1024 square as published: the parts of a method added up (He: correspondence and
network, out of memory at 1024; Xu: transfer, and the colorization sub-net twice)."""

PUBLISHED_SIZES = ("256", "512", "1024")
"""Sizes of the published table."""

Seconds = Mapping[str, Mapping[str, float | None]]
"""Method -> size -> seconds; None where there is no time."""


def times_table(file: Path, say: Say) -> Section | None:
    """The section of Table 1; None, of which `say` is told, if there are no times.

    Args:
        file: as `python benchmarks/methods.py --json FILE` writes it.
        say: is told what is missing.
    """
    if not file.is_file():
        say(f"Table 1 of Xu 2020: no times in {file}; python benchmarks/methods.py --json makes them.")
        return None
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    seconds: Seconds = kept["seconds"]
    text = f"""
{_measured(kept)}
All are of one run of `python benchmarks/methods.py`. Every method works at the size named, whatever its own working
size: `runtime` in `docs/results.md` has what users wait for. Networks are the released ones, of a quarter to a
half of the papers' widths.

{_table(seconds, _seconds)}

Multiples of `{kept["baseline"]}`'s time at the same size, which travel to other machines:

{_table(seconds, _ratio_to(seconds[kept["baseline"]]))}

As published, as multiples of `{PUBLISHED_BASELINE}`'s; the networks ran on a GPU and the others on a CPU, so that only
growth with the size compares:

{_table(_published(), _ratio_to(_published()[PUBLISHED_BASELINE]))}"""
    return Section(TITLE, text)


def _measured(kept: Mapping[str, Any]) -> str:
    """What was measured, and on what."""
    where = f'a processor of the kind "{kept["processor"]}"'
    if kept["clock"] == "cpu":
        where = f"processor time of all threads on {where}"
    else:
        where = f"{kept['cores']} core{'s' * (kept['cores'] != 1)} of {where}"
    return f"""\
Seconds of one prediction of N x N pixels from a reference of N x N, or from 40 points where a method takes hints:
{where}.\
"""


def _published() -> Seconds:
    return {name: dict(zip(PUBLISHED_SIZES, figures, strict=True)) for name, figures in PUBLISHED.items()}


def _table(seconds: Seconds, cell: Callable[[float, str], str]) -> str:
    sizes = list(next(iter(seconds.values())))
    lines = [
        f"| method | {' | '.join(f'{size} x {size}' for size in sizes)} |",
        f"|---|{'--:|' * len(sizes)}",
    ]
    for name, row in seconds.items():
        cells = [DASH if (t := row[size]) is None else cell(t, size) for size in sizes]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _seconds(seconds: float, _: str) -> str:
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.1f}"


def _ratio_to(unit: Mapping[str, float | None]) -> Callable[[float, str], str]:
    def ratio(seconds: float, size: str) -> str:
        one = unit[size]
        return DASH if not one else f"{seconds / one:.2g}" if seconds < 10 * one else f"{seconds / one:.0f}"

    return ratio
