"""The descriptor of a metric: how to compute it, what it needs and how tables print it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.errors import EvaluationError
from tinct.evaluation.metrics.comparison import Comparison
from tinct.evaluation.photographs.rgb import Image

Score = Callable[[Comparison], float | None]
"""Computes a metric of one result; None where the metric has no value for the case."""

PictureFeatures = Callable[[Image], NDArray[np.float32]]
"""Computes a network's features of one picture, shape (D,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric.

    A metric has `score` or `load` if each result has a value, `features` if a whole run has one value, and none of
    the three if the protocol `runtime` measures it.

    Attributes:
        name: the key in records and results files.
        title: the head of the column in tables.
        better: "higher", "lower" or "zero" (nearest to 0 is best); "" where no value is better than another.
        digits: decimals that tables print.
        meaning: one line with unit and range.
        score: computes the metric of one result.
        load: makes `score` from the folder of frozen networks (None: the usual places); raises WeightsError.
        features: opens the network whose features of all results and of all truths have the Fréchet distance
            that is the metric of a run; the argument is that of `load`.
        networks: names of the frozen networks that `load` or `features` opens (`tinct.weights.frozen.FROZEN`).
        needs_truth: whether the metric compares with the true photograph.
        of_color: whether the metric says nothing about a picture without color, which tables then do not rank.
    """

    name: str
    title: str
    better: str
    digits: int
    meaning: str
    score: Score | None = None
    load: Callable[[Path | None], Score] | None = None
    features: Callable[[Path | None], PictureFeatures] | None = None
    networks: tuple[str, ...] = ()
    needs_truth: bool = True
    of_color: bool = False

    @property
    def of_runtime(self) -> bool:
        """Whether only the protocol `runtime` measures the metric."""
        return self.score is None and self.load is None and self.features is None

    def opened(self, frozen: Path | None = None) -> Score:
        """The function that scores one result, with its frozen networks loaded.

        Args:
            frozen: folder of the frozen networks; None takes the usual places.
        Raises:
            EvaluationError: if single results do not have the metric.
            WeightsError: if a network is missing or damaged.
        """
        if self.load is not None:
            return self.load(frozen)
        if self.score is None:
            raise EvaluationError(f"{self.name} is no metric of a single result; choose another.")
        return self.score
