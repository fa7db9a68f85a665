"""`runtime`: the shape of Table 1 of Xu et al. (Stylization-Based Architecture for Fast Deep Exemplar
Colorization, CVPR 2020): seconds at 256, 512 and 1024 square, and at 12 and 24 megapixels, as ratios to a
named baseline.

Every cell is measured in a process of its own, which colorizes through `tinct.colorize` and says how long
that took and how much memory the whole process has held at most. All cells belong to one run on one
machine: the ratios travel to another machine, the seconds do not. `gray` runs the same path and does
nothing in it: reading, writing, upsampling.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.errors import EvaluationError, OptionError
from tinct.evaluation.photographs.sets import Photograph, PhotographSet, is_gray, read_rgb
from tinct.evaluation.protocols.hint_sweep import draw_patches
from tinct.evaluation.protocols.protocol import squash
from tinct.evaluation.run.code_hash import measuring_code
from tinct.evaluation.run.contestants import Contestant, get_contestant, identity
from tinct.evaluation.run.results import (
    RESULTS_FILE,
    Heading,
    Record,
    Results,
    rounded,
    versions,
    write_atomically,
)
from tinct.hints import Rectangle
from tinct.methods import METHODS

SIZES: dict[str, tuple[int, int]] = {
    "256": (256, 256),
    "512": (512, 512),
    "1024": (1024, 1024),
    "12 MP": (3000, 4000),
    "24 MP": (4000, 6000),
}
"""Label -> (height, width) in pixels."""

HINTS = 10
"""Revealed patches that a method gets which needs hints."""

REPEATS = 3
LONG = 20.0
"""Seconds after which a first, uncounted run is not repeated but counted."""


@dataclass(frozen=True, slots=True)
class RuntimeRun:
    """What to time.

    Attributes:
        methods: names; each is given what it needs: one reference, HINTS revealed patches.
        photographs: the first two with color, by name, are enlarged to be target and reference.
        baseline: the method whose time is 1; None takes the first.
        sizes: labels of SIZES.
        time_limit: seconds that one cell may take, start included; a cell over it has no time.
    """

    methods: tuple[str, ...]
    photographs: PhotographSet
    baseline: str | None = None
    sizes: tuple[str, ...] = tuple(SIZES)
    time_limit: float = 600.0

    def checked_baseline(self) -> str:
        """The baseline's name.

        Raises:
            OptionError: if it is not one of the methods, or a size is unknown.
        """
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
        run: what to time.
        out: folder for results.json; None keeps nothing.
        progress: called before every cell.
    Raises:
        OptionError: if the baseline is not among the methods, or one is not a plain method.
        MethodError, WeightsError: if a method is not there.
        EvaluationError: if the set has fewer than two photographs with color.
    """
    baseline, contestants = run.checked_baseline(), [_timed(name) for name in run.methods]
    target, reference = _two_with_color(run.photographs)
    cells: dict[tuple[str, str], dict[str, float | None]] = {}
    total = len(run.methods) * len(run.sizes)
    for size in run.sizes:
        for method in run.methods:
            if progress:
                progress(len(cells), total, f"{method} at {size}")
            cells[method, size] = _cell(method, size, target, reference, run.time_limit)
    results = _results(run, baseline, target, cells, contestants)
    if out:
        write_atomically(out / RESULTS_FILE, results.to_json())
    return results


def _results(
    run: RuntimeRun,
    baseline: str,
    target: Photograph,
    cells: dict[tuple[str, str], dict[str, float | None]],
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
        metrics=("seconds", "ratio", "peak_megabytes"),
        versions=versions(),
        code=measuring_code(),
    )
    facts: dict[str, dict[str, object]] = {c.name: {**identity(c), "unanswered": []} for c in contestants}
    records.sort(key=lambda record: run.methods.index(record.method))
    return Results(heading, facts, tuple(records))


def _timed(name: str) -> Contestant:
    """A method that can be timed; that it is there is known before anything is measured."""
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


def _cell(
    method: str, size: str, target: Photograph, reference: Photograph, limit: float
) -> dict[str, float | None]:
    """One method at one size, in a process of its own; no time where it was over the limit or ran out of
    memory."""
    order = {"method": method, "size": size, "target": str(target.path), "reference": str(reference.path)}
    with tempfile.TemporaryFile("w+") as said:
        try:
            command = [sys.executable, "-m", "tinct.evaluation.run.runtime", json.dumps(order)]
            status = subprocess.run(
                command, stdout=said, stderr=subprocess.DEVNULL, timeout=limit, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return {"seconds": None, "peak_megabytes": None}
        said.seek(0)
        lines = said.read().splitlines()
    if status != 0 or not lines:
        return {"seconds": None, "peak_megabytes": None}
    cell: dict[str, float | None] = json.loads(lines[-1])
    return cell


def enlarge(gray: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a grey photograph, (h, w), to (height, width) with a little grain, so that it is as hard as a
    scan of that size."""
    from PIL import Image

    large = np.asarray(Image.fromarray(gray).resize(size[::-1], Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).integers(-3, 4, size, dtype=np.int8)
    return np.clip(large + grain.astype(np.int16), 0, 255).astype(np.uint8)


def _time_here(order: dict[str, str]) -> dict[str, float | None]:
    """Colorize repeatedly in this process: median seconds, and the process's peak memory in megabytes."""
    ask = _question(order)
    seconds = [_seconds(ask)]
    if seconds[0] <= LONG:
        seconds = [_seconds(ask) for _ in range(REPEATS)]  # the first one paid for imports and caches
    return {"seconds": float(np.median(seconds)), "peak_megabytes": _peak_megabytes()}


def _seconds(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def _question(order: dict[str, str]) -> Callable[[], object]:
    """What is timed: `colorize` from a grey array to a color array."""
    from PIL import Image

    size = SIZES[order["size"]]
    true = read_rgb(Path(order["target"]))
    gray = enlarge(np.asarray(Image.fromarray(true).convert("L")), size)
    if order["method"] == "gray":
        return lambda: _gray_path(gray)
    from tinct.colorizing.colorizer import colorize
    from tinct.methods import get_method

    method = get_method(order["method"])
    reference = [read_rgb(Path(order["reference"]))] if method.needs_reference else None
    hints = _hints(true, size) if method.needs_hints else None
    return lambda: colorize(gray, reference, hints, method=order["method"])


def _hints(true: NDArray[np.uint8], size: tuple[int, int]) -> list[Rectangle]:
    """HINTS boxes of the true colors, as large a share of the photograph as 6 pixels are of 256."""
    patches = draw_patches(squash(true, 256), HINTS, np.random.default_rng(0))
    rows, columns = size[0] / 256, size[1] / 256
    found = []
    for patch in patches:
        drawn = patch.rectangle()
        left, top, right, bottom = drawn.box
        found.append(replace(drawn, box=(left * columns, top * rows, right * columns, bottom * rows)))
    return found


def _gray_path(gray: NDArray[np.uint8]) -> object:
    """What every method pays: lightness, upsampling no chroma, merging."""
    from tinct.color.gamut import merge_lightness
    from tinct.color.lab import gray_to_lightness
    from tinct.colorizing.upsampling import upsample_chroma

    lightness = gray_to_lightness(gray.astype(np.float32) / 255)
    return merge_lightness(lightness, upsample_chroma(np.zeros((64, 64, 2), np.float32), lightness))


def _peak_megabytes() -> float | None:
    """Peak resident memory of this process in 10^6 bytes; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux ru_maxrss of a new process starts at what its parent held
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def main(arguments: Sequence[str]) -> None:
    """The measuring process: an order as JSON in, a cell as JSON out."""
    sys.stdout.write(json.dumps(_time_here(json.loads(arguments[0]))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
