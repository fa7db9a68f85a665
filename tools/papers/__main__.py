"""Makes the papers' figures and tables: `python -m tools.papers DATA --out reports/papers [--page docs/papers.md]`.

DATA has the photographs in `test` and `legacy`, each a folder or beside its CSV index. The page names in a line each
what is left out because weights are not installed. The tables come from a run of `auto-256` in OUT, which goes on where
it was stopped, or from finished runs (`--results`). `--only PART` makes some of the sections, which then take the place
of those of the same titles in the pages that are there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tinct.errors import EvaluationError, OptionError
from tinct.evaluation.photographs.sets import PhotographSet, find_photographs
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.report import write_report
from tinct.evaluation.run.contestants import Contestant, Gray
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import Results, write_result
from tinct.methods import METHODS
from tools.benchmark import Say, available
from tools.command import run, say
from tools.papers import contact, exemplar, loss_table, rivals, tables
from tools.papers.classification import classification, has_classifier, listing
from tools.papers.gallery import gallery
from tools.papers.losses import losses
from tools.papers.page import Section, papers_page, updated_page
from tools.papers.recorded import recorded
from tools.papers.stylization import stylization
from tools.papers.thesis_sets import HIGH_RESOLUTION, high_resolution, sources_of, thesis_sets
from tools.papers.times import TIMES, times_table

PAGE = "papers.md"
"""Name of the page in OUT."""

GALLERY_METHOD = "zhang2016"
"""The method of the gallery, if no other is named."""


MEASURED = ("tables", "sets", "losses", "classification", "galleries")
"""The parts that answers to photographs are measured for: the tables of one run, the thesis's tables by kind of
photographs, Zhang 2016's table of losses, its classification transfer, and the galleries."""

PARTS = ("figures", "stylization", "contact", "times", *MEASURED)
"""The parts that `--only` names: Xu 2020's figures 4 to 8, its figures 10 and 11, a sheet of every network, Table 1,
and what is measured."""

TABLES = {
    "the thesis's table": tables.thesis_table,
    "Zhang 2016's table": tables.zhang_table,
    "the table of what is minimized": tables.objectives_table,
}
"""Name -> the function that makes the table of a run of `auto-256`."""


@dataclass(frozen=True)
class Order:
    """What to make.

    Attributes:
        data: folder with `test` and `legacy`.
        out: folder of runs and sheets.
        limit: photographs of the tables and rows of the figures, at most; None for no limit.
        seed: start of random choices.
        shown: methods of the gallery.
        metrics: further metrics of the run of `auto-256`.
        jobs: processes that share the photographs.
        class_names: file with the classifier's classes, a line each, or None.
        only: of `PARTS`; empty for all.
        results: finished runs of `auto-256`; empty measures.
        large: folder of photographs of high resolution, or None.
        pool: folder of packed training photographs, whose held-out ones are validated on, or None.
    """

    data: Path
    out: Path
    limit: int | None
    seed: int
    shown: Sequence[str]
    metrics: Sequence[str]
    jobs: int
    class_names: Path | None
    only: Sequence[str] = ()
    results: Sequence[Path] = ()
    large: Path | None = None
    pool: Path | None = None

    def wants(self, part: str) -> bool:
        """Whether a part is to be made."""
        return not self.only or part in self.only


Data = Annotated[Path, typer.Argument(help="Folder with test and legacy.")]
Out = Annotated[Path, typer.Option(help="Folder of runs and sheets.")]
Page = Annotated[Path | None, typer.Option(help=f"Markdown page beside OUT/{PAGE}, without pictures.")]
Limit = Annotated[int | None, typer.Option(help="Photographs of the tables and rows of the figures.")]
Seed = Annotated[int, typer.Option(help="Start of random choices.")]
Methods = Annotated[
    list[str] | None,
    typer.Option("-m", "--method", help=f"A method for the gallery; repeat. [{GALLERY_METHOD}]"),
]
CamVid = Annotated[
    Path | None,
    typer.Option(
        "--camvid",
        help="Frames of CamVid for the lighter variant's Figure 6.3: a CSV index with classes, or a folder of folders.",
    ),
]
ClassNames = Annotated[Path | None, typer.Option(help="The classifier's classes, a line each.")]
TrainingRuns = Annotated[
    list[Path] | None, typer.Option("--run", help="A run of tinct train, for its loss curves; repeat.")
]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="A further metric of the run of auto-256; repeat.")
]
Only = Annotated[
    list[str] | None, typer.Option(metavar="PART", help=f"Make this alone; repeat: {', '.join(PARTS)}.")
]
Recorded = Annotated[
    list[Path] | None,
    typer.Option("--results", help="A finished run of auto-256, read in place of measuring; repeat."),
]
Large = Annotated[
    Path | None,
    typer.Option(
        f"--{HIGH_RESOLUTION}", help="Photographs of 2 megapixels and more, for the thesis's tables."
    ),
]
PoolFolder = Annotated[
    Path | None, typer.Option("--pool", help="What `tinct data pack` wrote, for validation losses.")
]
Jobs = Annotated[int, typer.Option(help="Processes that share the photographs.")]
Times = Annotated[
    Path, typer.Option(help="Times that `python benchmarks/methods.py --json` has kept, for Table 1.")
]


def papers(
    data: Data,
    out: Out = Path("reports/papers"),
    page: Page = None,
    limit: Limit = None,
    seed: Seed = 0,
    method: Methods = None,
    camvid: CamVid = None,
    class_names: ClassNames = None,
    training_run: TrainingRuns = None,
    metric: Metrics = None,
    jobs: Jobs = 1,
    only: Only = None,
    results: Recorded = None,
    high_resolution: Large = None,
    pool: PoolFolder = None,
    times: Times = TIMES,
) -> None:
    """Make the papers' figures and tables that the installed weights allow, and write the page."""
    if unknown := [part for part in only or () if part not in PARTS]:
        raise OptionError(f"there is no part {unknown[0]!r}; --only takes {', '.join(PARTS)}.")
    shown, metrics = method or [GALLERY_METHOD], metric or []
    more = (only or [], results or [], high_resolution, pool)
    order = Order(data, out, limit, seed, shown, metrics, jobs, class_names, *more)
    left_out: list[str] = []

    def leave_out(line: str) -> None:
        left_out.append(line)
        say(line)

    timed = times_table(times, leave_out) if order.wants("times") else None
    sections = [*([timed] if timed else []), *_sections(order, camvid, leave_out)]
    styled = stylization(data, out, leave_out, limit) if order.wants("stylization") else None
    sections += [styled] if styled else []
    sections += [section for path in training_run or () if (section := losses(path, out, leave_out))]
    _write(out / PAGE, papers_page(sections, left_out, out, shown=True), order)
    if page:
        _write(page, papers_page(sections, left_out, page.parent, shown=False), order)


def _write(page: Path, text: str, order: Order) -> None:
    """Write a page; sections that are made alone take their places in the page that is there."""
    there = order.only and page.is_file()
    write_result(page, updated_page(page.read_text(encoding="utf-8"), text) if there else text)


def _sections(order: Order, camvid: Path | None, leave_out: Say) -> list[Section]:
    """All sections but Table 1 and the loss curves; `leave_out` is told what is missing."""
    if not camvid and not any(order.wants(part) for part in ("figures", "contact", *MEASURED)):
        return []
    beside = [name for name in rivals.RIVALS if name in METHODS and order.wants("figures")]
    beside += [name for name in contact.NETWORKS if order.wants("contact")]
    beside += [name for name in loss_table.OWN if order.wants("losses")]
    names = dict.fromkeys((*exemplar.METHODS, *beside, *tables.METHODS, *order.shown))
    installed = {contestant.name: contestant for contestant in available(list(names), leave_out)}
    photographs = find_photographs(order.data / "test")
    rows = min(exemplar.ROWS, order.limit or exemplar.ROWS)
    found: list[Section] = []
    if order.wants("figures"):
        found = exemplar.figures(photographs, installed, order.out, leave_out, count=rows, seed=order.seed)
        say(f"{len(found)} figures of Xu 2020 made")
    if order.wants("contact"):
        networks = [installed[name] for name in contact.NETWORKS if name in installed]
        legacy = _legacy(order.data / "legacy", leave_out)
        count = min(contact.COUNT, order.limit or contact.COUNT)
        sheet = contact.contact_sheet(photographs, legacy, networks, order.out, leave_out, count)
        found += [sheet] if sheet else []
    if camvid:
        frames = find_photographs(camvid)
        more = exemplar.streets(frames, installed, order.out, leave_out, count=rows, seed=order.seed)
        found += [more] if more else []
    automatic = dict.fromkeys(name for name in (*tables.METHODS, *order.shown) if name in installed)
    automatic.pop("gray", None)
    if not any(order.wants(part) for part in MEASURED):
        return found
    if automatic:
        losing = [installed[name] for name in loss_table.OWN if name in installed]
        asked = [installed[name] for name in automatic]
        return found + _measured(order, asked, losing, photographs, leave_out)
    leave_out(
        "the ablation tables, classification transfer and the gallery: no weights of their networks are installed."
    )
    return found


def _measured(
    order: Order,
    contestants: Sequence[Contestant],
    losing: Sequence[Contestant],
    photographs: PhotographSet,
    leave_out: Say,
) -> list[Section]:
    """The sections that come from one run of `auto-256`, and from photographs of high resolution."""
    classified = has_classifier(leave_out)
    metrics = dict.fromkeys((*order.metrics, *(("semantic",) if classified else ())))
    asked = [Gray(), *contestants]
    plan = Run(
        get_protocol("auto-256"), asked, photographs, order.limit, order.seed, more_metrics=tuple(metrics)
    )
    results = _results(order, plan, leave_out)
    sections: list[Section | None] = []
    if order.wants("tables"):
        sections += _tables(results, leave_out)
    if order.wants("sets"):
        large = _large(order, contestants, leave_out)
        sections.append(thesis_sets(results, sources_of(order.data / "test"), large, leave_out))
    if order.wants("losses"):
        sections.append(loss_table.loss_table(losing, photographs, order.pool, order.limit, leave_out))
    if classified and order.wants("classification"):
        sections.append(classification(plan, results, order.class_names))
        sections.append(listing(plan, results, order.shown[0], order.out, order.class_names, leave_out))
    if order.wants("galleries"):
        sections += _galleries(order, plan, results, leave_out)
    return [section for section in sections if section]


def _results(order: Order, plan: Run, leave_out: Say) -> Results:
    """The results of finished runs, where they are given; else of a run that is measured now."""
    if order.results:
        return recorded(order.results, plan.contestants, leave_out)
    out = order.out / plan.protocol.name
    results = evaluate(plan, out, jobs=order.jobs, progress=_progress)
    write_report(results, out)
    return results


def _tables(results: Results, leave_out: Say) -> list[Section | None]:
    sections = [table(results) for table in TABLES.values()]
    for name, section in zip(TABLES, sections, strict=True):
        if section is None:
            leave_out(f"{name}: no weights of its networks are installed.")
    return sections


def _large(order: Order, contestants: Sequence[Contestant], leave_out: Say) -> Results | None:
    """The run of photographs of high resolution, if such are given."""
    if order.large is None:
        return None
    asked = [contestant for contestant in contestants if contestant.name in tables.THESIS]
    out = order.out / HIGH_RESOLUTION
    return high_resolution(asked, order.large, out, leave_out, limit=order.limit, jobs=order.jobs)


def _galleries(order: Order, plan: Run, results: Results, leave_out: Say) -> list[Section | None]:
    sections = []
    legacy = _legacy(order.data / "legacy", leave_out)
    by_name: Mapping[str, Contestant] = {contestant.name: contestant for contestant in plan.contestants}
    for name in (name for name in order.shown if name in by_name):
        sections.append(gallery(plan, results, by_name[name], order.out, legacy))
        if sections[-1] is None:
            leave_out(f"the gallery of {name}: it answers nothing without a reference or hints.")
    return sections


def _legacy(folder: Path, leave_out: Say) -> PhotographSet | None:
    try:
        return find_photographs(folder)
    except EvaluationError as error:
        leave_out(f"legacy photographs: {error}")
        return None


def _progress(done: int, total: int, name: str) -> None:
    if done % 50 == 0 or done == total:
        say(f"auto-256: {done} of {total} photographs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return the exit code."""
    return run("papers", papers, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
