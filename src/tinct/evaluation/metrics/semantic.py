"""The frozen classifier of semantic agreement: whether a result has the class of the true photograph.

Source: the classification test of Zhang et al. 2016, section 3.1; the class of the true photograph stands in for the
label, so that photographs without a label can be measured on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.errors import ShapeError, WeightsError
from tinct.evaluation.metrics.graph import FLOAT32
from tinct.evaluation.photographs.rgb import Picture, to_8bit
from tinct.weights.frozen import locate

Array = NDArray[np.float32]

CLASSIFIER_SIZE = 224
"""Side in pixels to which pictures are squashed."""


class Classifier:
    """MobileNet-EdgeTPU (uint8, 224 square, ImageNet), run by OpenVINO.

    On 1000 photographs the likeliest class was right for 90.5 % in color and for 78.1 % in gray: the classifier uses
    color.
    """

    def __init__(self, folder: Path | None = None, *, download: bool = False) -> None:
        """Load the network.

        Args:
            folder, download: as `tinct.weights.frozen.locate`.
        Raises:
            WeightsError: if the file is missing or damaged.
        """
        from tinct.inference.openvino_engine import engine

        path = locate("classifier", folder, download=download)
        try:
            self._network = engine().compile_model(path, "CPU", FLOAT32)
        except RuntimeError as error:
            line = str(error).splitlines()[0]
            raise WeightsError(f"{path.name} cannot be read by OpenVINO ({line}); fetch it again.") from error

    def __call__(self, rgb: Picture) -> Array:
        """The probabilities of the classes.

        Args:
            rgb: shape (H, W, 3), uint8, or float 0..1; the whole picture is squashed to 224x224 by area.
        Returns:
            Shape (1001,), float32, with a sum of about 1: background, then ImageNet's classes.
        Raises:
            ShapeError: if `rgb` is not a picture.
        """
        import cv2

        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
            raise ShapeError(f"the picture has shape {rgb.shape}; (H, W, 3) is wanted; reshape it first.")
        shrinks = min(rgb.shape[:2]) >= CLASSIFIER_SIZE
        size = (CLASSIFIER_SIZE, CLASSIFIER_SIZE)
        small = cv2.resize(to_8bit(rgb), size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return _dequantized(np.asarray(self._network([small[None]])[0]).reshape(-1))

    def top1(self, rgb: Picture) -> int:
        """Index of the likeliest class, 0..1000; of equally likely classes the first. Argument and errors as above."""
        return int(self(rgb).argmax())


def _dequantized(scores: NDArray[np.generic]) -> Array:
    """Probabilities from the uint8 output, in steps of 1/256 (TensorFlow Lite's scale of a softmax)."""
    scale = 1 / 256 if scores.dtype == np.uint8 else 1.0
    return scores.astype(np.float32) * np.float32(scale)
