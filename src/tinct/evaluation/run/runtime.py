"""The protocol `runtime`: seconds and peak memory of methods at five sizes, as ratios to a baseline.

The shape is that of Table 1 of Xu et al. (Stylization-Based Architecture for Fast Deep Exemplar Colorization, CVPR
2020): 256, 512 and 1024 square, to which 12 and 24 megapixels are added. Each cell is measured in a process of its own
(`tinct.evaluation.run.timing_process`), which colorizes through `tinct.colorize`. All cells of a run belong to one
machine: the ratios can be compared with those of other machines, the seconds cannot. `gray` takes the same path
without a prediction: lightness, upsampling, merging.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinct.errors import EvaluationError, OptionError
from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.photographs.rgb import is_gray
from tinct.evaluation.photographs.sets import Photograph, PhotographSet
from tinct.evaluation.run.code_hash import measuring_code
from tinct.evaluation.run.contestants import Contestant, get_contestant, identity
from tinct.evaluation.run.results import (
    RESULTS_FILE,
    Heading,
    Record,
    Results,
    read_results,
    rounded,
    versions,
    write_result,
)
from tinct.evaluation.run.timing_process import HINTS, REPEATS, SIZES, Cell, Order
from tinct.methods import METHODS

NO_TIME: Cell = {"seconds": None, "peak_megabytes": None}
"""The cell of a process that was over the time limit, ran out of memory, or failed."""


@dataclass(frozen=True, slots=True)
class RuntimeRun:
    """A run of the protocol `runtime`.

    Attributes:
        methods: names; each method is given what it needs: one reference, or HINTS revealed patches.
        photographs: the first two with color, by name, are target and reference.
        baseline: the method whose time is 1; None takes the first.
        sizes: labels of SIZES.
        time_limit: seconds that one cell may take, start of its process included.
    """

    methods: tuple[str, ...]
    photographs: PhotographSet
    baseline: str | None = None
    sizes: tuple[str, ...] = tuple(SIZES)
    time_limit: float = 600.0

    def checked_baseline(self) -> str:
        """The baseline's name.

        Raises:
            OptionError: if the baseline is not one of the methods, a size is unknown, or there is no time.
        """
        if not self.time_limit > 0:
            raise OptionError(f"time_limit is {self.time_limit}; give seconds above 0.")
        unknown = [size for size in self.sizes if size not in SIZES]
        if unknown:
            raise OptionError(f"size {unknown[0]!r} is unknown; choose among {', '.join(SIZES)}.")
        baseline = self.baseline or self.methods[0]
        if baseline not in self.methods:
            raise OptionError(
                f"baseline {baseline!r} is not measured; choose one of {', '.join(self.methods)}."
            )
        return baseline


def measure_runtime(
    run: RuntimeRun, out: Path | None = None, progress: Callable[[int, int, str], None] | None = None
) -> Results:
    """Time every method at every size.

    Args:
        run: methods, sizes and photographs.
        out: folder for results.json; None keeps nothing.
        progress: called before every cell with (cells done, cells in all, method and size).
    Raises:
        OptionError: if the baseline is not among the methods, or a name is not that of a plain method.
        MethodError, WeightsError: if a method is unknown or not installed.
        EvaluationError: if the set has fewer than two photographs with color.
        OutputError: if results.json cannot be written.
    """
    baseline, contestants = run.checked_baseline(), [_timed(name) for name in run.methods]
    target, reference = _two_with_color(run.photographs)
    cells: dict[tuple[str, str], Cell] = {}
    if out:
        _refuse_other(out)
    total = len(run.methods) * len(run.sizes)
    for size in run.sizes:
        for method in run.methods:
            if progress:
                progress(len(cells), total, f"{method} at {size}")
            order: Order = {
                "method": method,
                "size": size,
                "target": str(target.path),
                "reference": str(reference.path),
            }
            cells[method, size] = _cell(order, run.time_limit)
    results = _results(run, baseline, target, cells, contestants)
    if out:
        write_result(out / RESULTS_FILE, results.to_json())
    return results


def _refuse_other(out: Path) -> None:
    """Refuse a folder with the results of another protocol, which would be lost."""
    try:
        protocol = read_results(out).heading.protocol
    except EvaluationError:
        return
    if protocol != "runtime":
        raise EvaluationError(
            f"{out} has the results of {protocol}; give another --out, or remove that folder."
        )


def _results(
    run: RuntimeRun,
    baseline: str,
    target: Photograph,
    cells: Mapping[tuple[str, str], Cell],
    contestants: Sequence[Contestant],
) -> Results:
    records = []
    for (method, size), cell in cells.items():
        unit = cells[baseline, size]["seconds"]
        ratio = cell["seconds"] / unit if cell["seconds"] and unit else None
        scores = {"seconds": cell["seconds"], "ratio": ratio, "peak_megabytes": cell["peak_megabytes"]}
        records.append(Record(target.name, method, size, {n: rounded(s) for n, s in scores.items()}))
    heading = Heading(
        protocol="runtime",
        seed=0,
        photographs=(target.name,),
        available=run.photographs.available,
        parameters={"baseline": baseline, "sizes": list(run.sizes), "repeats": REPEATS, "hints": HINTS},
        metrics=tuple(name for name, metric in METRICS.items() if metric.of_runtime),
        versions=versions(),
        code=measuring_code(),
    )
    facts: dict[str, dict[str, object]] = {c.name: {**identity(c), "unanswered": []} for c in contestants}
    records.sort(key=lambda record: run.methods.index(record.method))
    return Results(heading, facts, tuple(records))


def _timed(name: str) -> Contestant:
    """A method that can be timed: unknown and missing methods are refused before any cell is measured."""
    contestant = get_contestant(name)
    if contestant.name != "gray" and contestant.name not in METHODS:
        raise OptionError(
            f"{name!r} cannot be timed; give the plain name of a method, as `tinct methods` lists them."
        )
    return contestant


def _two_with_color(photographs: PhotographSet) -> tuple[Photograph, Photograph]:
    found: list[Photograph] = []
    for photograph in photographs:
        if not is_gray(photograph.read()):
            found.append(photograph)
        if len(found) == 2:
            return found[0], found[1]
    raise EvaluationError(f"{photographs.root} has fewer than two color photographs; `runtime` needs two.")


def _cell(order: Order, limit: float) -> Cell:
    """One method at one size, measured in a process of its own; NO_TIME if the process fails or is over the limit."""
    command = [sys.executable, "-m", "tinct.evaluation.run.timing_process", json.dumps(order)]
    with tempfile.TemporaryFile("w+") as output:
        try:
            status = subprocess.run(
                command, stdout=output, stderr=subprocess.DEVNULL, timeout=limit, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return NO_TIME
        output.seek(0)
        lines = output.read().splitlines()
    if status != 0 or not lines:
        return NO_TIME
    cell: Cell = json.loads(lines[-1])
    return cell
