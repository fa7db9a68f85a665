"""Makes the papers' figures and tables: `python -m tools.papers DATA --out reports/papers [--page docs/papers.md]`.

DATA has the photographs in `test` and `legacy`, each a folder or beside its CSV index. The page names in a line each
what is left out because weights are not installed. The tables come from a run of `auto-256` in OUT, which goes on where
it was stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tinct.errors import EvaluationError
from tinct.evaluation.photographs.sets import PhotographSet, find_photographs
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.report import write_report
from tinct.evaluation.run.contestants import Contestant, Gray
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import write_result
from tools.benchmark import Say, available
from tools.command import run, say
from tools.papers import exemplar, tables
from tools.papers.classification import classification, has_classifier
from tools.papers.gallery import gallery
from tools.papers.losses import losses
from tools.papers.page import Section, papers_page

PAGE = "papers.md"
"""Name of the page in OUT."""

GALLERY_METHOD = "zhang2016"
"""The method of the gallery, if no other is named."""


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
    """

    data: Path
    out: Path
    limit: int | None
    seed: int
    shown: Sequence[str]
    metrics: Sequence[str]
    jobs: int
    class_names: Path | None


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
Jobs = Annotated[int, typer.Option(help="Processes that share the photographs.")]


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
) -> None:
    """Make the papers' figures and tables that the installed weights allow, and write the page."""
    order = Order(data, out, limit, seed, method or [GALLERY_METHOD], metric or [], jobs, class_names)
    left_out: list[str] = []

    def leave_out(line: str) -> None:
        left_out.append(line)
        say(line)

    sections = _sections(order, camvid, leave_out)
    sections += [section for path in training_run or () if (section := losses(path, out, leave_out))]
    write_result(out / PAGE, papers_page(sections, left_out, out, shown=True))
    if page:
        write_result(page, papers_page(sections, left_out, page.parent, shown=False))


def _sections(order: Order, camvid: Path | None, leave_out: Say) -> list[Section]:
    """All sections but the loss curves; `leave_out` is told what is missing."""
    names = dict.fromkeys((*exemplar.METHODS, *tables.METHODS, *order.shown))
    installed = {contestant.name: contestant for contestant in available(list(names), leave_out)}
    photographs = find_photographs(order.data / "test")
    rows = min(exemplar.ROWS, order.limit or exemplar.ROWS)
    found = exemplar.figures(photographs, installed, order.out, leave_out, count=rows, seed=order.seed)
    say(f"{len(found)} figures of Xu 2020 made")
    if camvid:
        frames = find_photographs(camvid)
        more = exemplar.streets(frames, installed, order.out, leave_out, count=rows, seed=order.seed)
        found += [more] if more else []
    automatic = dict.fromkeys(name for name in (*tables.METHODS, *order.shown) if name in installed)
    automatic.pop("gray", None)
    if automatic:
        return found + _measured(order, [installed[name] for name in automatic], photographs, leave_out)
    leave_out(
        "the ablation tables, classification transfer and the gallery: no weights of their networks are installed."
    )
    return found


def _measured(
    order: Order, contestants: Sequence[Contestant], photographs: PhotographSet, leave_out: Say
) -> list[Section]:
    """The sections that come from one run of `auto-256`."""
    classified = has_classifier(leave_out)
    metrics = dict.fromkeys((*order.metrics, *(("semantic",) if classified else ())))
    protocol = get_protocol("auto-256")
    asked = [Gray(), *contestants]
    plan = Run(protocol, asked, photographs, order.limit, order.seed, more_metrics=tuple(metrics))
    out = order.out / protocol.name
    results = evaluate(plan, out, jobs=order.jobs, progress=_progress)
    write_report(results, out)
    sections = [tables.thesis_table(results), tables.zhang_table(results)]
    for name, section in zip(("the thesis's table", "Zhang 2016's table"), sections, strict=True):
        if section is None:
            leave_out(f"{name}: no weights of its networks are installed.")
    if classified:
        sections.append(classification(plan, results, order.class_names))
    legacy = _legacy(order.data / "legacy", leave_out)
    by_name: Mapping[str, Contestant] = {contestant.name: contestant for contestant in contestants}
    for name in (name for name in order.shown if name in by_name):
        sections.append(gallery(plan, results, by_name[name], order.out, legacy))
        if sections[-1] is None:
            leave_out(f"the gallery of {name}: it answers nothing without a reference or hints.")
    return [section for section in sections if section]


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
