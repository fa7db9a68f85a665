"""The papers' figures and tables on one page:
`python -m tools.papers DATA --out reports/papers [--page docs/papers.md]`.

DATA has the photographs in `test` and `legacy`, each a folder or beside its CSV index. What needs weights that are not
installed is left out, a line each. Tables come from a run of `auto-256` in OUT, which goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinct.errors import EvaluationError, TinctError
from tinct.evaluation.photographs.sets import PhotographSet, find_photographs
from tinct.evaluation.protocols import get_protocol
from tinct.evaluation.report import write_report
from tinct.evaluation.run.contestants import Contestant, Gray
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import write_atomically
from tools.benchmark import available
from tools.papers import exemplar, tables
from tools.papers.classification import classification, has_classifier
from tools.papers.gallery import gallery
from tools.papers.losses import losses
from tools.papers.page import Say, Section, papers_page

PAGE = "papers.md"
SHOWN = "zhang2016"
"""The method of the gallery, where no other is named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what can be made, and write the page; 2 and one line on stderr where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.papers", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with test and legacy")
    parser.add_argument("--out", type=Path, default=Path("reports/papers"), help="folder of runs and sheets")
    parser.add_argument("--page", type=Path, help=f"Markdown page beside OUT/{PAGE}, without pictures")
    parser.add_argument("--limit", type=int, help="photographs of the tables and rows of the figures")
    parser.add_argument("--seed", type=int, default=0, help="what random choices start from")
    parser.add_argument(
        "-m", "--method", action="append", help=f"a method for the gallery; repeat; default: {SHOWN}"
    )
    parser.add_argument(
        "--camvid",
        type=Path,
        help="frames of CamVid for the lighter variant's Figure 6.3: a CSV index with classes, or a folder of folders",
    )
    parser.add_argument("--class-names", type=Path, help="the classifier's classes, a line each")
    parser.add_argument(
        "--run",
        action="append",
        type=Path,
        default=[],
        help="a run of tinct train, for its loss curves; repeat",
    )
    parser.add_argument(
        "--metric", action="append", default=[], help="a further score of the run of auto-256; repeat"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the photographs")
    asked = parser.parse_args(arguments)
    left_out: list[str] = []

    def leave_out(line: str) -> None:
        left_out.append(line)
        _say(line)

    try:
        sections = _sections(asked, leave_out)
        page = papers_page(sections, left_out, asked.out, shown=True)
        write_atomically(asked.out / PAGE, page)
        if asked.page:
            page = papers_page(sections, left_out, asked.page.parent, shown=False)
            write_atomically(asked.page, page)
    except TinctError as error:
        _say(f"papers: {error}")
        return 2
    except KeyboardInterrupt:
        _say("papers: stopped; the same line goes on where it was.")
        return 130
    return 0


def _sections(asked: argparse.Namespace, say: Say) -> list[Section]:
    shown = asked.method or [SHOWN]
    names = dict.fromkeys((*exemplar.METHODS, *tables.METHODS, *shown))
    installed = {contestant.name: contestant for contestant in available(list(names), say)}
    photographs = find_photographs(asked.data / "test")
    rows = min(exemplar.ROWS, asked.limit or exemplar.ROWS)
    found = exemplar.figures(photographs, installed, asked.out, say, count=rows, seed=asked.seed)
    _say(f"{len(found)} figures of Xu 2020 made")
    if asked.camvid:
        frames = find_photographs(asked.camvid)
        more = exemplar.streets(frames, installed, asked.out, say, count=rows, seed=asked.seed)
        found += [more] if more else []
    automatic = [
        installed[name] for name in (*tables.METHODS, *shown) if name in installed and name != "gray"
    ]
    if not automatic:
        say(
            "the ablation tables, classification transfer and the gallery: no weights of their networks are installed."
        )
    else:
        found += _measured(asked, list(dict.fromkeys(automatic)), photographs, shown, say)
    return found + [section for run in asked.run if (section := losses(run, asked.out, say))]


def _measured(
    asked: argparse.Namespace,
    contestants: Sequence[Contestant],
    photographs: PhotographSet,
    shown: Sequence[str],
    say: Say,
) -> list[Section]:
    """What stands on one run of `auto-256`."""
    classified = has_classifier(say)
    run = Run(
        get_protocol("auto-256"),
        [Gray(), *contestants],
        photographs,
        asked.limit,
        asked.seed,
        more_metrics=tuple(dict.fromkeys((*asked.metric, *(("semantic",) if classified else ())))),
    )
    out = asked.out / run.protocol.name
    results = evaluate(run, out, jobs=asked.jobs, progress=_progress)
    write_report(results, out)
    sections = [tables.thesis_table(results), tables.zhang_table(results)]
    for name, section in zip(("the thesis's table", "Zhang 2016's table"), sections, strict=True):
        if section is None:
            say(f"{name}: no weights of its networks are installed.")
    if classified:
        sections.append(classification(run, results, asked.class_names))
    legacy = _legacy(asked.data / "legacy", say)
    by_name: Mapping[str, Contestant] = {contestant.name: contestant for contestant in contestants}
    for name in shown:
        if name in by_name:
            section = gallery(run, results, by_name[name], asked.out, legacy)
            sections.append(section)
            if section is None:
                say(f"the gallery of {name}: it answers nothing without a reference or hints.")
    return [section for section in sections if section]


def _legacy(folder: Path, say: Say) -> PhotographSet | None:
    try:
        return find_photographs(folder)
    except EvaluationError as error:
        say(f"legacy photographs: {error}")
        return None


def _progress(done: int, total: int, name: str) -> None:
    if done % 50 == 0 or done == total:
        _say(f"auto-256: {done} of {total} photographs")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
