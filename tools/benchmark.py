"""Runs every protocol for every method, and writes the page: `python -m tools.benchmark DATA --page docs/results.md`.

DATA has the photographs in `test`, `pairs` and `legacy`, each a folder or beside its CSV index. A stopped run goes on
where it was; a finished run measures only what was added or changed. The page has all runs in the folder of runs, also
those of protocols that this call does not run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from tinct.errors import EvaluationError, MethodError, MissingExtraError, WeightsError
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.report import write_report
from tinct.evaluation.run.contestants import Contestant, get_contestant
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import RESULTS_FILE, Results, read_results, write_result
from tinct.evaluation.run.runtime import RuntimeRun, measure_runtime
from tinct.evaluation.run.timing_process import SIZES
from tools.command import run, say
from tools.results_table import ORDER, results_page

FOLDERS = {"pairs": "pairs", "legacy": "legacy"}
"""Protocol -> folder of its photographs; the other protocols measure on `test`."""

Say = Callable[[str], None]
"""Takes one line about the progress."""


def run_benchmark(
    data: Path,
    out: Path,
    names: Sequence[str],
    limit: int | None,
    say: Say,
    *,
    protocols: Sequence[str] = tuple(PROTOCOLS),
    metrics: Sequence[str] = (),
    jobs: int = 1,
) -> list[Results]:
    """Run protocols about photographs.

    Args:
        data: folder with `test`, `pairs` and `legacy`.
        out: each protocol's run has a folder of its name in this one.
        names: of contestants; those that are not installed are left out.
        limit: photographs of each protocol; None takes all.
        say: is told the progress, and what is left out.
        protocols: names.
        metrics: further metrics of the protocols that have a truth.
        jobs: processes that share the photographs.
    """
    contestants = available(names, say)
    found = []
    for name in protocols:
        say(f"{name} ...")
        photographs = find_photographs(data / FOLDERS.get(name, "test"))
        protocol = get_protocol(name)
        more = tuple(metrics) if protocol.has_truth else ()
        plan = Run(protocol, contestants, photographs, limit, more_metrics=more)
        results = evaluate(plan, out / name, jobs=jobs)
        write_report(results, out / name)
        found.append(results)
    return found


def run_timing(
    data: Path, out: Path, names: Sequence[str], baseline: str, sizes: Sequence[str], say: Say
) -> Results:
    """Run the protocol `runtime`; arguments as those of `run_benchmark` and `RuntimeRun`."""
    methods = tuple(contestant.name for contestant in available(names, say))
    plan = RuntimeRun(methods, find_photographs(data / "test"), baseline, tuple(sizes))
    results = measure_runtime(plan, out / "runtime", lambda done, total, what: say(f"runtime {what} ..."))
    write_report(results, out / "runtime")
    return results


def available(names: Sequence[str], say: Say) -> list[Contestant]:
    """The contestants that are installed; `say` is told the names of the others and the reasons."""
    found = []
    for name in names:
        try:
            found.append(get_contestant(name))
        except (WeightsError, MissingExtraError, MethodError) as error:
            say(f"{name} is left out: {error}")
    return found


Data = Annotated[Path, typer.Argument(help="Folder with test, pairs and legacy.")]
Out = Annotated[Path, typer.Option(help="Folder of runs and reports.")]
Page = Annotated[Path | None, typer.Option(help="Markdown page to write.")]
Limit = Annotated[int | None, typer.Option(help="Photographs of each protocol.")]
Methods = Annotated[list[str] | None, typer.Option("-m", "--method", help="A method; repeat. [gray and all]")]
Baseline = Annotated[str, typer.Option(help="The method whose time is 1.")]
Sizes = Annotated[list[str] | None, typer.Option("--size", help="A size to time; repeat. [all]")]
Protocols = Annotated[list[str] | None, typer.Option("--protocol", help="A protocol; repeat. [all]")]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="A metric beside the protocols' own; repeat.")
]
Jobs = Annotated[int, typer.Option(help="Processes that share the photographs.")]


def benchmark(
    data: Data,
    out: Out = Path("reports/benchmark"),
    page: Page = None,
    limit: Limit = None,
    method: Methods = None,
    baseline: Baseline = "reinhard",
    size: Sizes = None,
    protocol: Protocols = None,
    metric: Metrics = None,
    jobs: Jobs = 1,
) -> None:
    """Run every protocol for every method, and write the page of their results."""
    from tinct.methods import METHODS

    methods, protocols = method or ["gray", *METHODS], protocol or list(ORDER)
    if unknown := [name for name in protocols if name not in ORDER]:
        raise EvaluationError(f"no protocol is called {unknown[0]!r}; choose one of {', '.join(ORDER)}.")
    asked = [name for name in protocols if name in PROTOCOLS]
    run_benchmark(data, out, methods, limit, say, protocols=asked, metrics=metric or (), jobs=jobs)
    if "runtime" in protocols:
        run_timing(data, out, methods, baseline, size or list(SIZES), say)
    if page:
        write_result(page, results_page(_all_runs(out)))


def _all_runs(out: Path) -> list[Results]:
    return [read_results(out / name) for name in ORDER if (out / name / RESULTS_FILE).is_file()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return the exit code."""
    return run("benchmark", benchmark, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
