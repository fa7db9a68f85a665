"""Every protocol for every method, and the page of their results:
`python -m tinct.evaluation.benchmark DATA --page docs/results.md`.

DATA has the photographs in `test`, `pairs` and `legacy`, each a folder or beside its CSV index. A run that is
stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tinct.errors import MethodError, MissingExtraError, TinctError, WeightsError
from tinct.evaluation.contestants import Contestant, get_contestant
from tinct.evaluation.evaluator import Run, evaluate
from tinct.evaluation.photographs import find_photographs
from tinct.evaluation.protocols import PROTOCOLS, get_protocol
from tinct.evaluation.report import write_report
from tinct.evaluation.results import Results, write_atomically
from tinct.evaluation.results_table import results_page
from tinct.evaluation.runtime import SIZES, RuntimeRun, measure_runtime

FOLDERS = {"pairs": "pairs", "legacy": "legacy"}
"""Protocol -> folder of its photographs; the others measure on `test`."""

HINT_LIMIT = 100
"""Photographs of the sweep where no limit is given: each is colorized 26 times by each method."""

Say = Callable[[str], None]


def run_benchmark(data: Path, out: Path, names: Sequence[str], limit: int | None, say: Say) -> list[Results]:
    """Run every protocol that asks about photographs; each into its own folder of `out`."""
    contestants = available(names, say)
    found = []
    for name in PROTOCOLS:
        say(f"{name} ...")
        photographs = find_photographs(data / FOLDERS.get(name, "test"))
        at_most = HINT_LIMIT if limit is None and name == "hints" else limit
        results = evaluate(Run(get_protocol(name), contestants, photographs, at_most), out / name)
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
    asked = parser.parse_args(arguments)
    names = asked.method or ["gray", *METHODS]
    try:
        runs = run_benchmark(asked.data, asked.out, names, asked.limit, _say)
        runs.append(
            run_timing(asked.data, asked.out, names, asked.baseline, asked.size or tuple(SIZES), _say)
        )
        if asked.page:
            write_atomically(asked.page, results_page(runs))
    except TinctError as error:
        _say(f"benchmark: {error}")
        return 2
    return 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
