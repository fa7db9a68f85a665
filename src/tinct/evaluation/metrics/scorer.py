"""Scoring a result by the metrics of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.errors import WeightsError
from tinct.evaluation.metrics.comparison import Comparison, Truth
from tinct.evaluation.metrics.table import METRICS, check_metrics
from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.protocols.case import Case
from tinct.weights.frozen import locate


def check_scores(names: Sequence[str], frozen: Path | None = None) -> None:
    """Refuse metrics that cannot be computed, before any photograph is measured.

    Args:
        names: of the metrics.
        frozen: folder of the frozen networks; None looks in the usual places.
    Raises:
        EvaluationError: if a metric is unknown.
        WeightsError: if a frozen network is missing.
    """
    check_metrics(names)
    for name in names:
        for network in METRICS[name].networks:
            try:
                locate(network, frozen)
            except WeightsError as error:
                hint = (
                    " Or compare a smaller network's features: --metric fid_squeeze." if name == "fid" else ""
                )
                raise WeightsError(f"{error}{hint}") from None


class Scorer:
    """Scores results by the metrics of a run; the frozen networks are loaded once.

    Args:
        names: of the metrics.
        frozen: folder of the frozen networks; None looks in the usual places.
    Raises:
        EvaluationError, WeightsError: as `check_scores`.
    """

    def __init__(self, names: Sequence[str], frozen: Path | None = None) -> None:
        check_scores(names, frozen)
        metrics = [METRICS[name] for name in names]
        self._scores = {metric.name: metric.opened(frozen) for metric in metrics if metric.features is None}
        self._features = {metric.name: metric.features(frozen) for metric in metrics if metric.features}
        self._known: Truth | None = None

    def scores(self, case: Case, result: Image, unhelped: Image | None = None) -> dict[str, float | None]:
        """Metric -> score of one result, sRGB, (H, W, 3), uint8; None where the metric has no value.

        Args:
            case: the question.
            result: the answer.
            unhelped: the answer without the help that the case gives; None where the case gives none.
        """
        comparison = Comparison(case, result, self._truth(case), unhelped)
        return {name: score(comparison) for name, score in self._scores.items()}

    def features(self, case: Case, result: Image) -> dict[tuple[str, bool], NDArray[np.float32]]:
        """(metric, True for the truth or False for the result) -> features, for the metrics of the whole run."""
        known = self._truth(case)
        found = {(name, False): network(result) for name, network in self._features.items()}
        if known is not None:
            found |= {(name, True): known.once(network) for name, network in self._features.items()}
        return found

    def _truth(self, case: Case) -> Truth | None:
        """The case's truth; the object of the last call where the picture is the same, with its cached values."""
        if case.truth is None:
            return None
        if self._known is None or self._known.rgb is not case.truth:
            self._known = Truth(case.truth)
        return self._known
