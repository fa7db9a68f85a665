"""Time of every method, in the shape of Xu 2020's Table 1: `python benchmarks/methods.py [--sizes N ...]`.

Two tables, each measured in this run. First: seconds of `predict` on a square photograph with one reference
of the same size (for levin, points of its own color), and the same as multiples of a baseline's, so that
figures of two machines compare. Second: Pierre's search for candidates against brute force. The photographs
are a stereo pair of scikit-image's, one the target and the other its reference. The paper's seconds stand
beside for their growth with the size; they were measured on another machine.

`--json FILE` keeps the times, the processor's kind and its cores: `python -m tools.papers` puts
docs/benchmark/times.json on its page as Table 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from tinct.color.lab import rgb_to_lab
from tinct.errors import TinctError
from tinct.hints import HintField
from tinct.methods import METHODS, Reference, get_method
from tinct.methods.classical import candidates

Array = NDArray[np.float32]
Times = dict[str, dict[int, float | None]]
Clock = Callable[[], float]
SIZES = (256, 512, 1024)
BASELINE = "reinhard"
# Xu 2020, Table 1: seconds at 256, 512 and 1024 square.
PUBLISHED = {
    "welsh": (3.51, 13.52, 53.14),
    "pierre": (3.69, 14.12, 66.38),
    "gupta": (114.51, 446.47, 1784.58),
    "xu2020": (0.20, 0.38, 1.15),  # on a GPU: transfer, and the colorization sub-net twice
}
POINTS = 40
# Flags of /proc/cpuinfo, the most able first: an "AMD EPYC" may have any of these.
INSTRUCTIONS = (
    ("amx_tile", "AMX"),
    ("avx512_bf16", "AVX-512 and bf16"),
    ("avx512_vnni", "AVX-512 and VNNI"),
    ("avx512f", "AVX-512"),
    ("avx2", "AVX2"),
)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def photographs(size: int) -> tuple[Array, Array]:
    """Lab of the target and of its reference, size × size."""
    pair = data.stereo_motorcycle()[:2]
    squares = [photo[:, 120:620] for photo in pair]
    scaled = [cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA) for square in squares]
    target, reference = (rgb_to_lab(square) for square in scaled)
    return target, reference


def points_of(lab: Array) -> HintField:
    """Points of the photograph's own color, the same places at every size."""
    size = len(lab)
    places = (np.random.default_rng(0).random((POINTS, 2)) * size).astype(int)
    field = HintField.empty(size, size)
    field.mask[places[:, 0], places[:, 1]] = 1
    field.ab[places[:, 0], places[:, 1]] = lab[places[:, 0], places[:, 1], 1:]
    return field


def predict(name: str, size: int) -> Callable[[], Array]:
    target, source = photographs(size)
    method = get_method(name)
    lightness = np.ascontiguousarray(target[..., 0])
    hints = points_of(target) if method.needs_hints else HintField.empty(size, size)
    reference = Reference(np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1:]))
    return lambda: method.predict(lightness, hints, [reference]).ab


def seconds(run: Callable[[], object], repeats: int, clock: Clock = perf_counter) -> float:
    found = []
    for _ in range(repeats):
        start = clock()
        run()
        found.append(clock() - start)
    return min(found)


def told(name: str, size: int, repeats: int, clock: Clock) -> float:
    """Seconds, with a line on stderr meanwhile: the slowest take minutes."""
    sys.stderr.write(f"{name} at {size} x {size} ...\n")
    return seconds(predict(name, size), repeats, clock)


def measure(names: list[str], sizes: list[int], repeats: int, clock: Clock) -> Times:
    """Seconds by method and size; None where a method cannot run here, which is said."""
    times: Times = {}
    for name in names:
        try:
            predict(name, 64)()  # imports and first calls are not the method's time
            times[name] = {size: told(name, size, repeats, clock) for size in sizes}
        except (ImportError, NotImplementedError, TinctError) as error:
            say(f"{name} cannot run here: {error}")
            times[name] = dict.fromkeys(sizes)
    return times


def table(title: str, rows: dict[str, list[str]], sizes: list[int]) -> None:
    say(f"\n{title}")
    say(f"{'':22}" + "".join(f"{f'{size} x {size}':>14}" for size in sizes))
    for name, cells in rows.items():
        say(f"{name:22}" + "".join(f"{cell:>14}" for cell in cells))


def report(times: Times, sizes: list[int], baseline: str) -> None:
    def cells(name: str, one: Callable[[float, int], str]) -> list[str]:
        return ["-" if (t := times[name][size]) is None else one(t, size) for size in sizes]

    def first(name: str) -> float:
        return times[name][sizes[0]] or 1.0

    rows = {name: cells(name, lambda t, _: f"{t:.3f}") for name in times}
    if sizes == list(SIZES):
        rows |= {f"{name} (published)": [f"{t:.2f}" for t in row] for name, row in PUBLISHED.items()}
    table("seconds", rows, sizes)
    unit = times.get(baseline, {})
    if all(unit.get(size) for size in sizes):
        ratio = {name: cells(name, lambda t, size: f"{t / (unit[size] or 1):.1f}") for name in times}
        table(f"multiples of {baseline}'s time at the same size", ratio, sizes)
    growth = {
        name: cells(name, lambda t, _, n=name: f"{t / (times[n][sizes[0]] or 1):.1f}") for name in times
    }
    if sizes == list(SIZES):
        published = {
            f"{name} (published)": [f"{t / row[0]:.1f}" for t in row] for name, row in PUBLISHED.items()
        }
        growth |= published
    table(f"multiples of its own time at {sizes[0]} (pixels grow by 4 a column)", growth, sizes)


class BruteForce:
    """All distances to all samples: what the k-d trees of Pierre's candidates stand for."""

    def __init__(self, samples: Array) -> None:
        self.samples, self.n = samples, len(samples)

    def query(self, points: Array, **_: object) -> tuple[Array, NDArray[np.intp]]:
        chosen = np.empty(len(points), np.intp)
        squares = np.square(self.samples).sum(axis=1)
        for first in range(0, len(points), 1024):
            rows = slice(first, first + 1024)
            chosen[rows] = (squares - 2 * points[rows] @ self.samples.T).argmin(axis=1)
        return np.sqrt(np.square(points - self.samples[chosen]).sum(axis=1)), chosen


def against_naive(size: int, repeats: int) -> None:
    target, source = photographs(size)
    lightness = np.ascontiguousarray(target[..., 0])
    references = [Reference(np.ascontiguousarray(source[..., 0]), np.ascontiguousarray(source[..., 1:]))]

    def search() -> Array:
        return candidates.find_candidates(lightness, references, 0).ab

    fast = seconds(search, repeats)
    ours = search()
    with mock.patch("scipy.spatial.cKDTree", BruteForce):
        naive = seconds(search, 1)
        exact = search()
    alike = float((ours == exact).all(axis=1).mean())
    say(f"\nagainst the naive form, {size} x {size}")
    say(
        f"pierre's candidates: k-d trees {fast:.2f} s, brute force {naive:.2f} s: {naive / fast:.1f} times faster,"
    )
    say(f"    {alike:.0%} the same candidates")


def processor() -> str:
    """The kind of the processor: its name and its best instructions for vectors, where the system tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    best = [text for flag, text in INSTRUCTIONS if flag in flags][:1]
    return " with ".join([named[0] if named else platform.processor() or platform.machine(), *best])


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep(times: Times, baseline: str, cpu: bool, file: Path) -> None:
    """Write the times with what they were measured on, as `tools.papers.times` reads them."""
    content = {
        "processor": processor(),
        "cores": usable_cores(),
        "clock": "cpu" if cpu else "wall",
        "baseline": baseline,
        "seconds": {
            name: {str(size): None if t is None else round(t, 4) for size, t in row.items()}
            for name, row in times.items()
        },
    }
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--baseline", choices=list(METHODS), default=BASELINE)
    parser.add_argument("--repeats", type=int, default=1, help="the least of so many runs counts")
    parser.add_argument(
        "--cpu", action="store_true", help="processor time of all threads, for a busy machine; not wall time"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the times")
    arguments = parser.parse_args()
    if arguments.cpu and os.environ.get("OMP_NUM_THREADS") != "1":
        # threads of a pool that wait for work spin, and spinning counts as processor time
        alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | alone)
    clock = process_time if arguments.cpu else perf_counter
    times = measure(arguments.only, arguments.sizes, arguments.repeats, clock)
    report(times, arguments.sizes, arguments.baseline)
    if arguments.json:
        keep(times, arguments.baseline, arguments.cpu, arguments.json)
    if "pierre" in arguments.only and not arguments.json:
        against_naive(min(arguments.sizes), arguments.repeats)


if __name__ == "__main__":
    main()
