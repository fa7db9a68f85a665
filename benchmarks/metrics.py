"""What the metrics cost for a photograph of 256x256: `python benchmarks/metrics.py [--photographs 100]`.

The budget is 60 ms a photograph for all without LPIPS, truth and result converted to Lab. Those that need
a frozen network are timed where it is found (TINCT_FROZEN, TINCT_SHARED or the cache).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from skimage import data

from tinct.color.lab import lab_to_rgb, rgb_to_lab
from tinct.errors import WeightsError
from tinct.evaluation.metrics.bleeding import bleeding
from tinct.evaluation.metrics.colorfulness import colorfulness_difference
from tinct.evaluation.metrics.error import ab_error_auc, l2_ab, mean_ciede2000, psnr, ssim
from tinct.evaluation.metrics.inception import InceptionFeatures
from tinct.evaluation.metrics.perceptual import Lpips, SqueezeNetFeatures
from tinct.evaluation.metrics.semantic import Classifier
from tinct.evaluation.photographs.rgb import to_8bit

BUDGET_MS = 60
SIDE = 256
Picture = NDArray[np.uint8]


def photographs(count: int) -> list[tuple[Picture, Picture]]:
    """Crops of scikit-image's photographs, each with a paler copy of turned hue as the result."""
    rng = np.random.default_rng(0)
    sources = [data.astronaut(), data.coffee(), data.cat(), data.rocket()]
    pairs = []
    for index in range(count):
        source = sources[index % len(sources)]
        top, left = (int(rng.integers(n - SIDE + 1)) for n in source.shape[:2])
        truth = np.ascontiguousarray(source[top : top + SIDE, left : left + SIDE])
        lab = rgb_to_lab(truth)
        lab[..., 1:] = lab[..., 1:] @ np.float32([[0.6, 0.3], [-0.3, 0.6]])
        pairs.append((to_8bit(lab_to_rgb(lab)), truth))
    return pairs


def timed(pairs: list[tuple[object, object]], metric: Callable[..., object]) -> float:
    """Median milliseconds for one pair, after one that warms up."""
    metric(*pairs[0])
    times = []
    for pair in pairs:
        start = perf_counter()
        metric(*pair)
        times.append(1000 * (perf_counter() - start))
    return median(times)


def arithmetic() -> dict[str, tuple[str, Callable[..., object]]]:
    """Title -> what it takes ("rgb", "lab" or "ab") and the function."""
    return {
        "Lab of result and truth": ("rgb", lambda a, b: (rgb_to_lab(a), rgb_to_lab(b))),
        "PSNR": ("rgb", psnr),
        "SSIM": ("rgb", ssim),
        "L2_ab": ("ab", l2_ab),
        "mean CIEDE2000": ("lab", mean_ciede2000),
        "AuC": ("ab", ab_error_auc),
        "AuC, rebalanced": ("ab", lambda a, b: ab_error_auc(a, b, rebalanced=True)),
        "colorfulness, both": ("rgb", colorfulness_difference),
        "bleeding": ("lab", lambda a, b: bleeding(a[..., 1:], b[..., 0])),
    }


def networks() -> dict[str, Callable[..., object]]:
    """Title -> function, for the networks that are on this machine."""
    makers: dict[str, Callable[[], Callable[..., object]]] = {
        "semantic agreement": lambda: _agreement(Classifier()),
        "LPIPS": Lpips,
        "FID features, Inception": lambda: _first(InceptionFeatures()),
        "FID features, SqueezeNet": lambda: _first(SqueezeNetFeatures()),
    }
    found: dict[str, Callable[..., object]] = {}
    for title, make in makers.items():
        try:
            found[title] = make()
        except WeightsError as error:
            sys.stderr.write(f"{title}: not timed; {error}\n")
    return found


def _agreement(classifier: Classifier) -> Callable[..., object]:
    return lambda a, b: classifier.top1(a) == classifier.top1(b)


def _first(features: Callable[..., object]) -> Callable[..., object]:
    return lambda a, _b: features(a)


def main() -> None:
    """Print a table: milliseconds a photograph, and the share of the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=int, default=100)
    rgb = photographs(parser.parse_args().photographs)
    lab = [(rgb_to_lab(a), rgb_to_lab(b)) for a, b in rgb]
    inputs = {"rgb": rgb, "lab": lab, "ab": [(a[..., 1:], b[..., 1:]) for a, b in lab]}

    rows = [(title, timed(inputs[kind], metric)) for title, (kind, metric) in arithmetic().items()]
    total = sum(ms for _, ms in rows)
    rows.append(("together", total))
    rows += [(title, timed(rgb, metric)) for title, metric in networks().items()]
    for title, ms in rows:
        sys.stdout.write(f"{title:28s} {ms:8.2f} ms {ms / BUDGET_MS:8.1%} of the budget\n")


if __name__ == "__main__":
    main()
