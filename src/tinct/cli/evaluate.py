"""`tinct evaluate`, which measures methods by a protocol, and `tinct compare`, which compares two runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinct.errors import EvaluationError, OptionError

if TYPE_CHECKING:
    from rich.table import Table

    from tinct.evaluation.report.compare import Difference
    from tinct.evaluation.run.plan import Run
    from tinct.evaluation.run.results import Results


def register(app: typer.Typer) -> None:
    """Add the commands `evaluate` and `compare` to the application."""
    app.command("evaluate")(evaluate)
    app.command("compare")(compare)


PROTOCOLS = (
    "auto, auto-256, hints, exemplar-self, exemplar-class, exemplar-turned, exemplar-unrelated, exemplar-retrieved, "
    "pairs, legacy or runtime."
)
"""The protocols, for the help page."""

ProtocolName = Annotated[str, typer.Argument(help=PROTOCOLS)]
Data = Annotated[Path, typer.Option("--data", help="Folder of photographs, or a CSV index of them.")]
Method = Annotated[
    list[str] | None,
    typer.Option(
        "-m", "--method", help="A method, `gray`, or NAME=FOLDER of finished pictures; repeat. [gray]"
    ),
]
Limit = Annotated[int | None, typer.Option(help="Measure on so many photographs, drawn by their names.")]
Out = Annotated[Path | None, typer.Option(help="Folder for results and report. [reports/PROTOCOL]")]
Seed = Annotated[int, typer.Option(help="What random choices start from.")]
MoreMetrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric", help="A score beside the protocol's own: lpips, semantic, fid, fid_squeeze; repeat."
    ),
]
Frozen = Annotated[Path | None, typer.Option(help="Folder of the networks that these scores run.")]
ReferencesFrom = Annotated[
    Path | None,
    typer.Option(
        "--reference-from",
        metavar="FOLDER",
        help="exemplar-retrieved: color photographs to retrieve from. [the other photographs of --data]",
    ),
]
Pictures = Annotated[
    bool, typer.Option("--pictures", help="Keep results at full size too, for `tinct study`.")
]
Restart = Annotated[
    bool, typer.Option("--restart", help="Begin anew instead of going on with a stopped run.")
]
Jobs = Annotated[int, typer.Option(help="Processes that share the photographs; results are the same.")]
Baseline = Annotated[str | None, typer.Option(help="runtime: the method whose time is 1. [the first]")]
Sizes = Annotated[
    list[str] | None, typer.Option("--size", help="runtime: 256, 512, 1024, '12 MP', '24 MP'. [all]")
]
TimeLimit = Annotated[float, typer.Option(help="runtime: seconds that one cell may take.")]


LISTED = 5
"""Largest number of left-out photographs whose reasons are printed one by one."""


def evaluate(
    protocol: ProtocolName,
    data: Data,
    method: Method = None,
    limit: Limit = None,
    out: Out = None,
    seed: Seed = 0,
    metric: MoreMetrics = None,
    frozen: Frozen = None,
    pictures: Pictures = False,
    restart: Restart = False,
    jobs: Jobs = 1,
    reference_from: ReferencesFrom = None,
    baseline: Baseline = None,
    size: Sizes = None,
    time_limit: TimeLimit = 600.0,
) -> None:
    """Measure methods by a named, seeded protocol; write results.json and report.html.

    A run that is stopped goes on where it was when the same line is given again.

    tinct evaluate exemplar-class -m welsh -m reinhard --data photos.csv --limit 50

    tinct evaluate hints -m gray -m levin --data photos/

    tinct evaluate auto -m other=results/of/another/program --data photos/
    """
    from tinct.evaluation.run.evaluator import evaluate as evaluate_run
    from tinct.evaluation.run.plan import Run

    folder, names = out or Path("reports") / protocol, method or ["gray"]
    if protocol == "runtime":
        refuse_ignored_options(
            protocol,
            {
                "--limit": limit,
                "--metric": metric,
                "--pictures": pictures,
                "--jobs": jobs > 1,
                "--reference-from": reference_from,
            },
        )
        results = evaluate_runtime(data, names, baseline, size, time_limit, folder)
        print_results(results, folder)
        return
    refuse_ignored_options(protocol, {"--baseline": baseline, "--size": size})
    run = Run.by_names(protocol, names, data, limit, seed, tuple(metric or ()), frozen, reference_from)
    with progress_bar() as bar:
        results = evaluate_run(run, folder, restart=restart, full_pictures=pictures, jobs=jobs, progress=bar)
    unreadable = unreadable_photographs(run, results)
    print_results(results, folder, list(unreadable.values()))
    if unreadable:
        name, why = next(iter(unreadable.items()))
        raise EvaluationError(
            f"{len(unreadable)} photographs cannot be read, the others were measured; first {name}: {why}"
        )


def refuse_ignored_options(protocol: str, values: dict[str, object]) -> None:
    """Refuse options that a protocol ignores.

    Args:
        protocol: its name, for the error.
        values: values by flag; one that is set is refused.
    Raises:
        OptionError: if an option is set.
    """
    for name, value in values.items():
        if value is not None and value is not False:
            raise OptionError(f"{name} means nothing to the protocol {protocol!r}; leave it out.")


def unreadable_photographs(run: Run, results: Results) -> dict[str, str]:
    """Reasons, by name, why left-out photographs cannot be decoded."""
    reasons = {}
    for photograph in run.chosen():
        if photograph.name in results.left_out:
            try:
                photograph.read()
            except EvaluationError as error:
                reasons[photograph.name] = str(error)
    return reasons


def print_results(results: Results, folder: Path, explained: Sequence[str] = ()) -> None:
    """Print the table, the reasons why photographs were left out, and the report's path.

    Args:
        results: of the run.
        folder: of the report.
        explained: reasons that were printed already.
    """
    from tinct.evaluation.report import write_report

    print_summary(results)
    reasons = [why for why in results.left_out.values() if why not in explained]
    for why in reasons[:LISTED]:
        typer.echo(f"left out: {why}", err=True)
    if len(reasons) > LISTED:
        typer.echo(f"left out: {len(reasons) - LISTED} more; results.json names them.", err=True)
    typer.echo(str(write_report(results, folder)))


def evaluate_runtime(
    data: Path, methods: list[str], baseline: str | None, sizes: list[str] | None, limit: float, folder: Path
) -> Results:
    """Run the protocol `runtime`, which measures time and memory.

    Args:
        data: folder or index of photographs.
        methods: names of methods.
        baseline: the method whose time is 1; None is the first.
        sizes: names of sizes; None is all.
        limit: seconds that one cell may take.
        folder: of results and report.
    """
    from tinct.evaluation.photographs.sets import find_photographs
    from tinct.evaluation.run.runtime import RuntimeRun, measure_runtime
    from tinct.evaluation.run.timing_process import SIZES

    run = RuntimeRun(tuple(methods), find_photographs(data), baseline, tuple(sizes or SIZES), limit)
    with progress_bar() as bar:
        return measure_runtime(run, folder, bar)


ResultsA = Annotated[Path, typer.Argument(help="results.json of the first run, or its folder.")]
ResultsB = Annotated[Path, typer.Argument(help="results.json of the second run, or its folder.")]
Methods = Annotated[str | None, typer.Option(help="ONE,OTHER: a method of A and one of B. [equal names]")]
Cases = Annotated[
    list[str] | None, typer.Option("--case", help="Compare these cases only (hints: 0, 1, ... 501).")
]


def compare(
    a: ResultsA,
    b: ResultsB,
    methods: Methods = None,
    case: Cases = None,
) -> None:
    """Compare two runs of one protocol photograph by photograph, with confidence intervals.

    tinct compare before/results.json after/results.json

    tinct compare run/results.json run/results.json --methods reinhard,welsh
    """
    from tinct.evaluation.report.compare import FEW_FOR_INTERVALS
    from tinct.evaluation.report.compare import compare as compare_results
    from tinct.evaluation.run.results import read_results

    before, after = read_results(a), read_results(b)
    pair = _pair(methods, before.methods, after.methods) if methods is not None else None
    differences = compare_results(before, after, methods=pair, cases=case or None)
    print_differences(differences)
    least = min(difference.count for difference in differences)
    if least < FEW_FOR_INTERVALS:
        typer.echo(
            f"only {least} photographs: intervals of so few are too narrow; measure on more.", err=True
        )


def _pair(methods: str, of_a: Iterable[str], of_b: Iterable[str]) -> tuple[str, str]:
    """A method of A and one of B, written ONE,OTHER; a method's own options may have commas."""
    places = [number for number, sign in enumerate(methods) if sign == ","]
    pairs = [(methods[:place].strip(), methods[place + 1 :].strip()) for place in places]
    known = [pair for pair in pairs if pair[0] in of_a and pair[1] in of_b]
    found = next(iter(known or pairs), ("", ""))
    if not all(found):
        raise OptionError(f"--methods is {methods!r}; write a method of A and one of B as ONE,OTHER.")
    return found


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on stderr, if stderr is a terminal.

    Yields:
        A function that takes the number done, the total number and a label.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)


def print_summary(results: Results) -> None:
    """Print the table of means, with the best in bold."""
    from tinct.evaluation.report.terminal import summary_table

    _print(summary_table(results))


def print_differences(differences: list[Difference]) -> None:
    """Print the table of paired differences."""
    from tinct.evaluation.report.terminal import difference_table

    _print(difference_table(differences))


def _print(table: Table) -> None:
    """Print a table: as wide as the terminal, or 240 characters wide into a file or pipe."""
    from rich.console import Console

    console = Console()
    (console if console.is_terminal else Console(width=240)).print(table)
