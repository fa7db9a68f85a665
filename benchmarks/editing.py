"""Time of edits on one photograph: `python benchmarks/editing.py [--size N] [--repeats N] [--against SRC] ...`.

A `Colorizer` with a reference and three hints is previewed after each edit: one more hint, another weight of the
reference, another trust, one more reference, another vividness, another seed. Printed is the least of several times,
and its ratio to that of a hint. With --against, another checkout's `src` folder is timed as well: each edit is timed in
turns in two processes, so that a busy machine slows both, and the ratio of the two is printed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

import tinct
from tinct import Colorizer

EDITS = ("hint", "weight", "trust", "reference", "vividness", "seed")


class Editing:
    """A photograph that is edited again and again; no edit comes twice."""

    def __init__(self, side: int) -> None:
        gray = np.rint(data.coffee() @ np.array([0.2126, 0.7152, 0.0722])).astype(np.uint8)
        self.photo = np.asarray(cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA))
        self.colors = np.asarray(cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA))
        self.count = 0
        self.begin()

    def begin(self) -> None:
        """Set the photograph up anew."""
        self.colorizer = Colorizer(self.photo, self.reference(), method="tinct")
        for n in range(3):
            self.colorizer.add_hint((20.0 + 40 * n, 30.0 + 25 * n, "#b04030"))
        self.colorizer.preview(512)

    def reference(self) -> NDArray[np.uint8]:
        """A color photograph that was not there before."""
        self.count += 1
        return np.roll(self.colors, self.count, axis=1)

    def seconds(self, edit: str) -> float:
        """How long an edit takes until its preview is there."""
        self.begin()
        self.count += 1
        change = self._edits()[edit]
        start = perf_counter()
        change()
        self.colorizer.preview(512)
        return perf_counter() - start

    def _edits(self) -> dict[str, Callable[[], object]]:
        colorizer, share = self.colorizer, 0.1 + 0.8 * (self.count % 97) / 97
        before = list(colorizer.references)
        more = Colorizer(self.photo, self.reference()).references[0]
        return {
            "hint": lambda: colorizer.add_hint((60.0, 10.0 + self.count % 50, "#3060a0")),
            "weight": lambda: colorizer.set_references(before, [share]),
            "trust": lambda: colorizer.set_options(trust=share),
            "reference": lambda: colorizer.set_references([*before, more]),
            "vividness": lambda: colorizer.set_options(vividness=share),
            "seed": lambda: colorizer.set_options(seed=self.count),
        }


class Process:
    """`Editing` in a process of its own, of the checkout with this `src` folder."""

    def __init__(self, side: int, source: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--size", str(side), "--answer"],
            env={**os.environ, "PYTHONPATH": source},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, edit: str) -> float:
        """Ask it for one edit."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{edit}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def answer(editing: Editing) -> None:
    """Time the edits that are named on standard input."""
    for line in sys.stdin:
        sys.stdout.write(f"{editing.seconds(line.strip())}\n")
        sys.stdout.flush()


def compare(sides: dict[str, Process], edits: list[str], repeats: int) -> None:
    """Print the least time of each edit, all sides in turns."""
    least = {(name, edit): float("inf") for name in sides for edit in edits}
    for _ in range(repeats):
        for edit in edits:
            for name, side in sides.items():
                least[name, edit] = min(least[name, edit], side.seconds(edit))
    for edit in edits:
        times = [
            f"{name} {1e3 * least[name, edit]:7.1f} ms ({least[name, edit] / least[name, 'hint']:.2f} of a hint)"
            for name in sides
        ]
        ratio = f", {least['before', edit] / least['now', edit]:.2f} times" if "before" in sides else ""
        sys.stdout.write(f"{edit:>10}: {'; '.join(times)}{ratio}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512, help="sides of the photograph and the reference")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--edits", nargs="+", choices=EDITS, default=list(EDITS))
    parser.add_argument("--against", help="the src folder of another checkout")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        answer(Editing(options.size))
        return
    sides = {"now": Process(options.size, str(Path(tinct.__file__).parents[1]))}
    if options.against:
        sides["before"] = Process(options.size, options.against)
    compare(sides, ["hint", *(edit for edit in options.edits if edit != "hint")], options.repeats)


if __name__ == "__main__":
    main()
