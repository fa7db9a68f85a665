"""Welsh's jittered samples and k-d tree against the naive form: every pixel against every pixel of the reference.

Run: python benchmarks/welsh.py [SIZE ...]

Both run in one process on the same photograph. The naive form takes a row of the target at once, so that what
is compared is the search, not Python's loops; it is timed on some rows over the target and scaled to all.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np

from tinct.color.lab import rgb_to_lab
from tinct.hints import HintField
from tinct.methods import Reference
from tinct.methods.classical.texture import remap_lightness, square_distances
from tinct.methods.classical.welsh import Welsh, _features

NAIVE_ROWS = 8
REPEATS = 5


def photographs(size: int) -> tuple[np.ndarray, Reference]:
    """A target's lightness and a reference, `size` by `size`."""
    import skimage.data
    from skimage.transform import resize

    cup, face = (
        rgb_to_lab(resize(picture, (size, size), anti_aliasing=True).astype(np.float32))
        for picture in (skimage.data.coffee(), skimage.data.astronaut())
    )
    return np.ascontiguousarray(cup[..., 0]), Reference(np.ascontiguousarray(face[..., 0]), face[..., 1:])


def naive(lightness: np.ndarray, reference: Reference, rows: np.ndarray) -> np.ndarray:
    """The chroma of some rows, by comparing each pixel with all of the reference's."""
    target = _features(lightness)
    source = _features(remap_lightness(reference.lightness, lightness)).reshape(-1, 2)
    ab = reference.ab.reshape(-1, 2)
    found = np.empty((len(rows), lightness.shape[1], 2), np.float32)
    for place, row in enumerate(rows):
        found[place] = ab[square_distances(target[row], source).argmin(axis=1)]
    return found


def best_seconds(call: Callable[[], object], repeats: int) -> float:
    """The least of some runs: what else the machine does only adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(size: int) -> tuple[float, float]:
    """Seconds of ours and of the naive form at size by size."""
    lightness, reference = photographs(size)
    empty, rows = HintField.empty(size, size), np.linspace(0, size - 1, NAIVE_ROWS).astype(int)
    ours = best_seconds(lambda: Welsh().predict(lightness, empty, [reference]), REPEATS)
    some = best_seconds(lambda: naive(lightness, reference, rows), 1)
    return ours, some * size / NAIVE_ROWS


def main(sizes: list[int]) -> None:
    sys.stdout.write(f"{'size':>10} {'welsh':>10} {'naive':>10} {'ratio':>8}\n")
    for size in sizes:
        ours, every = compare(size)
        sys.stdout.write(f"{size:>5}x{size:<4} {ours:>9.3f}s {every:>9.2f}s {every / ours:>7.0f}x\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sizes", nargs="*", type=int, default=[128, 256], metavar="SIZE", help="sides in pixels"
    )
    main(parser.parse_args().sizes)
