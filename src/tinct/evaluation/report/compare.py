"""Comparison of two results files, photograph by photograph, with confidence intervals."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinct.errors import EvaluationError, shortened
from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.run.results import Results

RESAMPLES = 10_000
"""Bootstrap samples of the photographs."""

CONFIDENCE = 0.95
"""Probability of an interval."""

FEW_FOR_INTERVALS = 20
"""Number of photographs below which bootstrap intervals are too narrow, and readers are warned."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of a metric between two runs, A and B, on the same photographs.

    Attributes:
        method_a, method_b: the methods of A and of B.
        case, metric: label of the case and name of the metric.
        count: photographs of which both runs have the score.
        mean_a, mean_b: mean score over those photographs.
        mean: mean of B minus A.
        low, high: 95 % confidence interval of `mean` (paired bootstrap, percentiles).
        wins: share of photographs where B is better than A, ties as one half; None if the metric ranks nothing.
    """

    method_a: str
    method_b: str
    case: str
    metric: str
    count: int
    mean_a: float
    mean_b: float
    mean: float
    low: float
    high: float
    wins: float | None

    @property
    def verdict(self) -> str:
        """The verdict on B: "better", "worse", "unclear" (0 is in the interval) or "differs" (nothing is better)."""
        if self.low <= 0 <= self.high:
            return "unclear"
        better = METRICS[self.metric].better
        if not better:
            return "differs"
        if better == "zero":
            return "better" if abs(self.mean_b) < abs(self.mean_a) else "worse"
        return "better" if (self.mean > 0) == (better == "higher") else "worse"


def compare(
    a: Results, b: Results, *, methods: tuple[str, str] | None = None, cases: Sequence[str] | None = None
) -> list[Difference]:
    """Compare two results of the same protocol, seed and photographs.

    Args:
        a, b: results as `read_results` returns them; their code and versions may differ.
        methods: a method of A and one of B; None pairs the methods of equal name.
        cases: labels of the cases to compare; None takes all cases that both have.
    Raises:
        EvaluationError: if protocol, seed, parameters or photographs differ, or no score is in both.
    """
    differing = a.heading.differences(b.heading, code=False)
    if differing:
        raise EvaluationError(
            f"the two differ in {shortened('; '.join(differing), 120)}; compare runs of the same question."
        )
    labels = [label for label in a.cases if label in b.cases and (cases is None or label in cases)]
    found = [
        difference
        for one, other in _paired_methods(a, b, methods)
        for label in labels
        for metric in a.heading.metrics
        if (difference := _difference(a, b, one, other, label, metric))
    ]
    if not found:
        raise EvaluationError(
            "the two have no score in common on any photograph; evaluate both with the same -m."
        )
    return found


def _paired_methods(a: Results, b: Results, methods: tuple[str, str] | None) -> list[tuple[str, str]]:
    if methods is None:
        shared = [(name, name) for name in a.methods if name in b.methods]
        if not shared:
            has = f"A has {', '.join(a.methods)}, B has {', '.join(b.methods)}"
            raise EvaluationError(f"no method is in both ({has}); name one of each with --methods ONE,OTHER.")
        return shared
    for name, results, which in ((methods[0], a, "A"), (methods[1], b, "B")):
        if name not in results.methods:
            raise EvaluationError(f"{which} has no method {name!r}; it has {', '.join(results.methods)}.")
    return [methods]


def _difference(a: Results, b: Results, one: str, other: str, case: str, metric: str) -> Difference | None:
    scores_a, scores_b = a.scores(one, case, metric), b.scores(other, case, metric)
    names = [name for name in scores_a if name in scores_b]
    if not names:
        return None
    first = np.array([scores_a[name] for name in names])
    second = np.array([scores_b[name] for name in names])
    seed = int.from_bytes(hashlib.sha256(f"{case}|{metric}".encode()).digest()[:4], "big")
    low, high = bootstrap_interval(second - first, seed)
    return Difference(
        method_a=one,
        method_b=other,
        case=case,
        metric=metric,
        count=len(names),
        mean_a=float(first.mean()),
        mean_b=float(second.mean()),
        mean=float((second - first).mean()),
        low=low,
        high=high,
        wins=_wins(first, second, METRICS[metric].better),
    )


def bootstrap_interval(differences: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of the mean (Efron & Tibshirani, An Introduction to the Bootstrap, chapter 13).

    Args:
        differences: one for each photograph, shape (N,).
        seed: of the resampling.
    Returns:
        (low, high); unbounded for fewer than two photographs.
    """
    if len(differences) < 2:
        return (-np.inf, np.inf)
    generator = np.random.default_rng(seed)
    means = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, 500):  # in blocks: less memory for thousands of photographs
        drawn = generator.integers(0, len(differences), (500, len(differences)))
        means[start : start + 500] = differences[drawn].mean(1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _wins(first: np.ndarray, second: np.ndarray, better: str) -> float | None:
    if not better:
        return None
    if better == "zero":
        first, second = -np.abs(first), -np.abs(second)
    elif better == "lower":
        first, second = -first, -second
    return float(np.mean(np.where(second == first, 0.5, second > first)))
