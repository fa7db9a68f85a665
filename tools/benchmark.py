"""Every protocol for every method, and the page of their results:
`python -m tools.benchmark DATA --page docs/results.md`.

DATA has the photographs in `test`, `pairs` and `legacy`, each a folder or beside its CSV index. A run that is
stopped goes on where it was; one that is finished measures only what was added or changed. The page has all runs
that lie in the folder of runs, also those of protocols that were not asked for this time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tinct.errors import MethodError, MissingExtraError, TinctError, WeightsError
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.report import write_report
from tinct.evaluation.run.contestants import Contestant, get_contestant
from tinct.evaluation.run.evaluator import evaluate
from tinct.evaluation.run.plan import Run
from tinct.evaluation.run.results import RESULTS_FILE, Results, read_results, write_atomically
from tinct.evaluation.run.runtime import RuntimeRun, measure_runtime
from tinct.evaluation.run.timing_process import SIZES
from tools.results_table import ORDER, results_page

FOLDERS = {"pairs": "pairs", "legacy": "legacy"}
"""Protocol -> folder of its photographs; the others measure on `test`."""

Say = Callable[[str], None]


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
    """Run protocols that ask about photographs; each into its own folder of `out`. Further metrics are those of
    protocols with a truth."""
    contestants = available(names, say)
    found = []
    for name in protocols:
        say(f"{name} ...")
        photographs = find_photographs(data / FOLDERS.get(name, "test"))
        protocol = get_protocol(name)
        more = tuple(metrics) if protocol.has_truth else ()
        run = Run(protocol, contestants, photographs, limit, more_metrics=more)
        results = evaluate(run, out / name, jobs=jobs)
        write_report(results, out / name)
        found.append(results)
    return found


def run_timing(
    data: Path, out: Path, names: Sequence[str], baseline: str, sizes: Sequence[str], say: Say
) -> Results:
    """Time every method against a baseline."""
    methods = tuple(contestant.name for contestant in available(names, say))
    run = RuntimeRun(methods, find_photographs(data / "test"), baseline, tuple(sizes))
    results = measure_runtime(run, out / "runtime", lambda done, total, what: say(f"runtime {what} ..."))
    write_report(results, out / "runtime")
    return results


def available(names: Sequence[str], say: Say) -> list[Contestant]:
    """Those that are installed; the others are named, so that nobody takes a missing row for a decision."""
    found = []
    for name in names:
        try:
            found.append(get_contestant(name))
        except (WeightsError, MissingExtraError, MethodError) as error:
            say(f"{name} is left out: {error}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and write the page; 2 and one line on stderr where something is wrong."""
    from tinct.methods import METHODS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with test, pairs and legacy")
    parser.add_argument(
        "--out", type=Path, default=Path("reports/benchmark"), help="folder of runs and reports"
    )
    parser.add_argument("--page", type=Path, help="Markdown page to write")
    parser.add_argument("--limit", type=int, help="photographs for each protocol")
    parser.add_argument("-m", "--method", action="append", help="a method; repeat; default: gray and all")
    parser.add_argument("--baseline", default="reinhard", help="the method whose time is 1")
    parser.add_argument("--size", action="append", choices=tuple(SIZES), help="sizes to time; default: all")
    parser.add_argument(
        "--protocol", action="append", choices=ORDER, help="a protocol; repeat; default: every one"
    )
    parser.add_argument(
        "--metric", action="append", default=[], help="a score beside the protocols' own; repeat"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the photographs")
    asked = parser.parse_args(arguments)
    try:
        _run(asked, asked.method or ["gray", *METHODS], asked.protocol or ORDER)
        if asked.page:
            write_atomically(asked.page, results_page(_all_runs(asked.out)))
    except TinctError as error:
        _say(f"benchmark: {error}")
        return 2
    except KeyboardInterrupt:
        _say("benchmark: stopped; the same line goes on where it was.")
        return 130
    return 0


def _run(asked: argparse.Namespace, names: Sequence[str], protocols: Sequence[str]) -> None:
    colored = [name for name in protocols if name in PROTOCOLS]
    run_benchmark(
        asked.data,
        asked.out,
        names,
        asked.limit,
        _say,
        protocols=colored,
        metrics=asked.metric,
        jobs=asked.jobs,
    )
    if "runtime" in protocols:
        sizes = asked.size or tuple(SIZES)
        run_timing(asked.data, asked.out, names, asked.baseline, sizes, _say)


def _all_runs(out: Path) -> list[Results]:
    return [read_results(out / name) for name in ORDER if (out / name / RESULTS_FILE).is_file()]


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
