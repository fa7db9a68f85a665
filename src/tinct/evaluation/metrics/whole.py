"""Scores of a whole run: how far a method's photographs, all together, are from the true ones.

Each picture of the shown case leaves a network's features behind, from which the scores are computed at the end; so a
run that was stopped, or is given another method, computes what an unbroken one does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import OutputError
from tinct.evaluation.photographs.pictures import file_name
from tinct.evaluation.protocols.case import Image

Network = Callable[[Image], NDArray[np.float32]]
Vector = NDArray[np.float32]

TRUTH = "truth"
DIGITS = 5
"""Significant digits kept of a distance: beyond them are eigenvalues' rounding errors."""


def open_network(metric: str, frozen: Path | None) -> Network:
    """The network whose features a metric of `tinct.evaluation.metrics.columns.OF_A_RUN` compares.

    Args:
        metric: "fid" or "fid_squeeze".
        frozen: folder with its file; None looks in the usual places.
    Raises:
        WeightsError: if it is not there.
    """
    from tinct.evaluation.metrics.inception import InceptionFeatures
    from tinct.evaluation.metrics.perceptual import SqueezeNetFeatures

    return InceptionFeatures(frozen) if metric == "fid" else SqueezeNetFeatures(frozen)


class FeatureFolder:
    """`features/METRIC/WHO/PHOTOGRAPH.npy` under a run's folder, or in memory where there is none.

    WHO is `truth` or a method's name.
    """

    def __init__(self, out: Path | None) -> None:
        self._out = out
        self._held: dict[tuple[str, str, str], Vector] = {}

    def keep(self, metric: str, who: str, photograph: str, features: Vector) -> None:
        """Keep the features of one picture, shape (D,).

        Raises:
            OutputError: if they cannot be written.
        """
        if self._out is None:
            self._held[metric, who, photograph] = features
            return
        path = self._path(self._out, metric, who, photograph)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            with partial.open("wb") as stream:
                np.save(stream, features)
            os.replace(partial, path)
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({error.strerror}); free some space.") from None

    def get(self, metric: str, who: str, photograph: str) -> Vector | None:
        """What was kept, or None."""
        if self._out is None:
            return self._held.get((metric, who, photograph))
        path = self._path(self._out, metric, who, photograph)
        try:
            found: Vector = np.load(path)
        except (OSError, ValueError, EOFError):
            return None
        return found

    @staticmethod
    def _path(out: Path, metric: str, who: str, photograph: str) -> Path:
        return out / "features" / metric / who / f"{file_name(photograph)}.npy"


def distances(
    kept: FeatureFolder, metrics: Sequence[str], answered: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, dict[str, float]]]:
    """The scores of a run.

    Args:
        kept: the features of all pictures.
        metrics: names of `OF_A_RUN`.
        answered: method -> photographs of which it gave the shown case.
    Returns:
        method -> metric -> {"mean": the distance, "count": photographs}; a method of fewer than two has none.
    """
    from tinct.evaluation.metrics.distribution import frechet_distance, gaussian

    found: dict[str, dict[str, dict[str, float]]] = {}
    truths: dict[Any, Any] = {}
    for method, names in answered.items():
        for metric in metrics if len(names) > 1 else ():
            key = (metric, *names)
            if key not in truths:
                truths[key] = gaussian(_stacked(kept, metric, TRUTH, names))
            distance = frechet_distance(gaussian(_stacked(kept, metric, method, names)), truths[key])
            figures = {"mean": float(f"{distance:.{DIGITS}g}"), "count": len(names)}
            found.setdefault(method, {})[metric] = figures
    return found


def _stacked(kept: FeatureFolder, metric: str, who: str, names: Sequence[str]) -> Vector:
    rows = [kept.get(metric, who, name) for name in names]
    return np.stack([row for row in rows if row is not None])
