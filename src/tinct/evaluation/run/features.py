"""Metrics of a whole run: the Fréchet distance of a method's pictures, all together, from the true ones.

Each picture of the shown case leaves the features of a frozen network in the run's folder; the distances are computed
from the features at the end. A run that was stopped, or is given another method, so computes what an unbroken run does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.evaluation.metrics.distribution import Gaussian, frechet_distance, gaussian
from tinct.evaluation.run.pictures import file_name
from tinct.evaluation.run.results import write_result
from tinct.files import read_array

Vector = NDArray[np.float32]
"""Features of one picture, shape (D,)."""

TRUTH = "truth"
"""Stands for the true photograph where a method's name stands otherwise."""

DISTANCE_DIGITS = 5
"""Significant digits kept of a distance: the digits beyond are rounding errors of the eigenvalues."""


class FeatureFolder:
    """Features on disk as `features/METRIC/WHO/PHOTOGRAPH.npy` in a run's folder, or in memory without a folder.

    WHO is `truth` or a method's name.
    """

    def __init__(self, out: Path | None) -> None:
        self._out = out
        self._held: dict[tuple[str, str, str], Vector] = {}

    def keep(self, metric: str, contestant: str, photograph: str, features: Vector) -> None:
        """Keep the features of one picture, shape (D,).

        Raises:
            OutputError: if the file cannot be written.
        """
        if self._out is None:
            self._held[metric, contestant, photograph] = features
            return
        stream = BytesIO()
        np.save(stream, features)
        write_result(self._path(self._out, metric, contestant, photograph), stream.getvalue())

    def get(self, metric: str, contestant: str, photograph: str) -> Vector | None:
        """The features of one picture, or None where they are missing or damaged."""
        if self._out is None:
            return self._held.get((metric, contestant, photograph))
        path = self._path(self._out, metric, contestant, photograph)
        try:
            found: Vector = read_array(path)
        except (OSError, ValueError):
            return None
        whole = found.ndim == 1 and found.dtype.kind == "f" and bool(np.isfinite(found).all())
        return found if whole else None

    @staticmethod
    def _path(out: Path, metric: str, who: str, photograph: str) -> Path:
        return out / "features" / metric / who / f"{file_name(photograph)}.npy"


def frechet_distances(
    kept: FeatureFolder, metrics: Sequence[str], answered: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, dict[str, float]]]:
    """The metrics of a whole run.

    Args:
        kept: features of all pictures.
        metrics: names of metrics that have `Metric.features`.
        answered: method -> photographs of which the method answered the shown case.
    Returns:
        method -> metric -> {"mean": the distance, "count": photographs}; a method with fewer than two has none.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    truths: dict[tuple[str, ...], Gaussian] = {}
    for method, names in answered.items():
        for metric in metrics if len(names) > 1 else ():
            key = (metric, *names)
            if key not in truths:
                truths[key] = gaussian(_stacked(kept, metric, TRUTH, names))
            distance = frechet_distance(gaussian(_stacked(kept, metric, method, names)), truths[key])
            value = {"mean": float(f"{distance:.{DISTANCE_DIGITS}g}"), "count": len(names)}
            found.setdefault(method, {})[metric] = value
    return found


def _stacked(kept: FeatureFolder, metric: str, who: str, names: Sequence[str]) -> Vector:
    rows = [kept.get(metric, who, name) for name in names]
    return np.stack([row for row in rows if row is not None])
