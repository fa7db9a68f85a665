"""Weights read back out of exported graphs, for the training of networks that begin with released ones."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from tinct.errors import WeightsError
from tinct.inference.interface import HALF


def read_weights(file: Path) -> dict[str, Tensor]:
    """The weights of an ONNX file by name, in single precision.

    Raises:
        WeightsError: if the file cannot be read.
    """
    import onnx
    from onnx import numpy_helper

    try:
        model = onnx.load(str(file))
    except Exception as error:
        raise WeightsError(
            f"{file} cannot be read as a network ({type(error).__name__}); install it again."
        ) from None
    return {
        tensor.name.removesuffix(HALF): torch.from_numpy(numpy_helper.to_array(tensor).copy()).float()
        for tensor in model.graph.initializer
    }
