"""Semantic agreement: does a classifier see in the colorized photograph what it sees in the true one?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError, WeightsError
from tinct.evaluation.metrics.picture import Picture, to_8bit
from tinct.weights.frozen import locate

Array = NDArray[np.float32]

CLASSIFIER_SIZE = 224


class Classifier:
    """MobileNet-EdgeTPU (uint8, 224 square, ImageNet), run by OpenVINO.

    On 1000 photographs it named the right class for 90.5 % in color and 78.1 % greyed: color is worth
    something to it.
    """

    def __init__(self, folder: Path | None = None, *, download: bool = False) -> None:
        """Load the network.

        Args:
            folder, download: where to look for it (`tinct.weights.frozen.locate`).
        Raises:
            WeightsError: if it is missing or damaged.
        """
        from tinct.inference.openvino_engine import engine

        path = locate("classifier", folder, download=download)
        try:
            self._network = engine().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        except RuntimeError as error:
            line = str(error).splitlines()[0]
            raise WeightsError(f"{path.name} cannot be read by OpenVINO ({line}); fetch it again.") from error

    def __call__(self, rgb: Picture) -> Array:
        """What it sees.

        Args:
            rgb: shape (H, W, 3), uint8, or float 0..1; the whole picture is squashed to 224x224 by area.
        Returns:
            probabilities, shape (1001,), float32, summing to about 1; 0 is background, then ImageNet's
            classes.
        Raises:
            ShapeError: if it is not a picture.
        """
        import cv2

        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
            raise ShapeError(f"the picture has shape {rgb.shape}; (H, W, 3) is wanted; reshape it first.")
        shrinks = min(rgb.shape[:2]) >= CLASSIFIER_SIZE
        size = (CLASSIFIER_SIZE, CLASSIFIER_SIZE)
        small = cv2.resize(to_8bit(rgb), size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return _dequantized(np.asarray(self._network([small[None]])[0]).reshape(-1))

    def top1(self, rgb: Picture) -> int:
        """Index of the likeliest class, 0..1000, of a picture as `__call__` takes it."""
        return int(self(rgb).argmax())


def _dequantized(scores: NDArray[np.generic]) -> Array:
    """Probabilities from the uint8 output, in steps of 1/256 (TensorFlow Lite's scale of a softmax)."""
    scale = 1 / 256 if scores.dtype == np.uint8 else 1.0
    return scores.astype(np.float32) * np.float32(scale)


def semantic_agreement(result: Array, truth: Array) -> float:
    """Whether the likeliest class is the same: its mean over photographs is the table's figure.

    After the classification test of Zhang et al. 2016 (section 3.1), but against what the classifier sees in
    the true photograph, so that photographs without a label can be measured on.

    Args:
        result, truth: probabilities of the same classifier, shape (classes,).
    Returns:
        1 if it is, 0 if not. Where several classes share the largest probability, the first of them is taken.
    Raises:
        ShapeError: if the two differ in shape.
    """
    _check_classes(result, truth)
    return float(np.argmax(result) == np.argmax(truth))


def semantic_overlap(result: Array, truth: Array) -> float:
    """How much of the probability lies on the same classes: sum of the smaller of the two, 0..1.

    A finer figure than `semantic_agreement` for few photographs: 1 for equal probabilities.

    Args, Raises: as `semantic_agreement`.
    """
    _check_classes(result, truth)
    return float(np.minimum(result, truth).sum() / max(float(result.sum()), float(truth.sum()), 1e-12))


def _check_classes(result: Array, truth: Array) -> None:
    if result.shape != truth.shape or result.ndim != 1:
        raise ShapeError(
            f"probabilities of shapes {result.shape} and {truth.shape}; one classifier's are wanted."
        )
