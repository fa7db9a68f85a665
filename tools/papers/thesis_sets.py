"""The tables of the thesis on semantic guides by kind of photographs: like ImageNet, DIV2K, Places and COCO."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from tinct.errors import EvaluationError
from tinct.evaluation.photographs.sets import PhotographSet, find_photographs
from tinct.evaluation.protocols.automatic import Auto
from tinct.evaluation.report.tables import Columns, best, cell_text, columns_of, heading
from tinct.evaluation.run.contestants import Contestant, Gray
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Results
from tools.papers.page import Say, Section
from tools.papers.tables import CASE, THESIS, THESIS_METRICS, THESIS_PUBLISHED, THESIS_SETS

HIGH_RESOLUTION = "high-resolution"
"""Name of the kind whose photographs are brought by `--high-resolution`, and of the folder of their run."""

LEAST_PIXELS = 2_000_000
"""Pixels of a photograph from which it is of high resolution; DIV2K's have 2.8 million on average."""

TITLE = "The thesis on semantic guides: four kinds of test photographs"
"""Title of the section."""


@dataclass(frozen=True)
class Kind:
    """One kind of test photographs.

    Attributes:
        name: what the photographs are like.
        sources: the sets of the test photographs that are of this kind, as the column `set` or `source` of an index
            names them; empty for photographs of high resolution.
        published: the thesis's set, an index of `THESIS_SETS`.
    """

    name: str
    sources: tuple[str, ...]
    published: int


KINDS = (
    Kind("ImageNet-like", ("nips17",), 0),
    Kind(HIGH_RESOLUTION, (), 1),
    Kind("Places-like", ("sun8", "intel"), 2),
    Kind("COCO-like", ("coco",), 3),
)
"""The thesis's four kinds, in its order."""


class AtOwnSize(Auto):
    """The protocol `auto` with the metrics of the thesis alone: the others take minutes at many megapixels."""

    metrics: ClassVar[tuple[str, ...]] = THESIS_METRICS


def sources_of(data: Path) -> dict[str, str]:
    """Name of a photograph -> its source set, from the column `set` or `source` of the index; else its folder's name.

    Args:
        data: folder or CSV index of photographs, as `find_photographs` reads it.
    Raises:
        EvaluationError: as `find_photographs`.
    """
    found = {p.name: Path(p.name).parent.name for p in find_photographs(data)}
    for index in (data, data / "index.csv", data.with_name(data.name + ".csv")):
        if index.is_file():
            with index.open(newline="", encoding="utf-8") as lines:
                for row in csv.DictReader(lines):
                    source = row.get("set") or row.get("source")
                    if source and row.get("path") in found:
                        found[row["path"]] = source
            break
    return found


def high_resolution(
    contestants: Sequence[Contestant],
    folder: Path,
    out: Path,
    say: Say,
    *,
    limit: int | None = None,
    jobs: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
) -> Results:
    """Measure photographs of high resolution at their own size; a run in `out` goes on where it was stopped.

    Args:
        contestants: those beside gray.
        folder: photographs; those of fewer than `LEAST_PIXELS` are left out, which `say` is told.
        out: folder of the run.
        limit, jobs: as those of `evaluate`.
        progress: likewise.
    Raises:
        EvaluationError: if no photograph is large enough.
    """
    found = find_photographs(folder)
    large = found.only(lambda photograph: _pixels(photograph.path) >= LEAST_PIXELS)
    if not large:
        raise EvaluationError(
            f"{folder} has no photograph of {LEAST_PIXELS:,} pixels; give a folder of larger ones."
        )
    if len(large) < len(found):
        say(
            f"{len(found) - len(large)} photographs of {folder}: they have fewer than {LEAST_PIXELS:,} pixels."
        )
    photographs = PhotographSet(large.root, large.photographs, len(large))
    plan = Run(AtOwnSize(), [Gray(), *contestants], photographs, limit)
    return evaluate(plan, out, jobs=jobs, progress=progress)


def thesis_sets(
    results: Results, sources: Mapping[str, str], large: Results | None, say: Say
) -> Section | None:
    """The tables by kind, each figure beside the published one; None if no network of the thesis answered.

    Args:
        results: a run of `auto-256` on the test photographs.
        sources: the source set of each photograph (`sources_of`).
        large: the run of photographs of high resolution; None if none were brought.
        say: is told which kinds have no photographs.
    """
    parts = []
    for kind in KINDS:
        of_kind = large if not kind.sources else only(results, _of(kind, sources))
        rows = [name for name in THESIS if of_kind and any(r.method == name for r in of_kind.records)]
        if of_kind is not None and rows:
            parts.append(_table(kind, of_kind, rows))
        elif not kind.sources:
            say(f"the thesis's {kind.name} photographs: none were brought; give --high-resolution FOLDER.")
        else:
            say(f"the thesis's {kind.name} photographs: no network of it answered one.")
    if not parts:
        return None
    text = """
Each figure is followed by the thesis's own on the set that it is named after: other photographs, another evaluator
and networks of many times the size, so compare ranks. The published L2_ab is in a unit of its own.

"""
    return Section(TITLE, text + "\n\n".join(parts))


def only(results: Results, photographs: Collection[str]) -> Results:
    """The results on some of the photographs, without the metrics of the whole run."""
    names = tuple(name for name in results.heading.photographs if name in photographs)
    records = tuple(record for record in results.records if record.photograph in photographs)
    return Results(replace(results.heading, photographs=names), results.methods, records, results.left_out)


def _of(kind: Kind, sources: Mapping[str, str]) -> set[str]:
    return {name for name, source in sources.items() if source in kind.sources}


def _table(kind: Kind, results: Results, rows: Sequence[str]) -> str:
    """One kind's table: a row for each network, for each metric a column of ours and one of the thesis's."""
    columns = {name: columns_of(results, CASE)[name] for name in ("gray", *rows)}
    bold = {metric: best(columns, metric) for metric in THESIS_METRICS}
    heads = " | ".join(f"{heading(metric)} | published" for metric in THESIS_METRICS)
    lines = [f"| method | {heads} |", "|---|" + "--:|" * (2 * len(THESIS_METRICS))]
    for name in columns:
        published = THESIS_PUBLISHED.get(name)
        figures = published[kind.published] if published else None
        cells: list[str] = []
        for place, metric in enumerate(THESIS_METRICS):
            ours = cell_text(columns, name, metric)
            cells.append(f"**{ours}**" if name in bold[metric] else ours)
            cells.append(f"{figures[place]:.{(2, 3, 3)[place]}f}" if figures else "")
        title = f"{THESIS[name]} (`{name}`)" if name in THESIS else name
        lines.append(f"| {title} | {' | '.join(cells)} |")
    counted = len({record.photograph for record in results.records})
    which = (
        f"`{', '.join(kind.sources)}`, 256x256" if kind.sources else "brought photographs at their own size"
    )
    head = f"**{kind.name}** ({which}: {counted} photographs; published: {THESIS_SETS[kind.published]}):"
    return "\n".join([head, "", *lines, *_claim(kind, columns)])


def _claim(kind: Kind, columns: Columns) -> list[str]:
    """Which of the thesis's own networks has the least L2_ab, here and as published: its claim for segments."""
    own = [name for name in columns if name.startswith("scunet")]
    if len(own) < 2:
        return []
    here = min(own, key=lambda name: columns[name]["l2_ab"]["mean"])
    published = min(own, key=lambda name: THESIS_PUBLISHED[name][kind.published][2])
    return ["", f"Least L2_ab of the thesis's own: {THESIS[here]} here, {THESIS[published]} as published."]


def _pixels(file: Path) -> int:
    from PIL import Image

    with Image.open(file) as image:
        return image.width * image.height
