"""Weights read back out of exported graphs: for a GPU to run, and for training to begin with."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from tinct.errors import WeightsError
from tinct.inference.interface import BYTES, HALF, SCALE

UNNAMED = re.compile(r"Constant_\d+$|/")
"""Names of constants that are no weights: the engine's own, and those of the graph's nodes."""


def read_weights(file: Path) -> dict[str, Tensor]:
    """The weights of an ONNX file by name, in single precision, whatever precision the file stores them in.

    Raises:
        WeightsError: if the file cannot be read.
    """
    from tinct.inference.openvino_engine import engine

    try:
        operations = engine().read_model(file).get_ops()
    except RuntimeError:
        raise WeightsError(f"{file} cannot be read as a network; install it again.") from None
    stored = {
        op.get_friendly_name(): torch.from_numpy(op.data.copy()).float()
        for op in operations
        if op.get_type_name() == "Constant"
        and (op.data.dtype.kind == "f" or op.data.dtype.name == "int8")
        and not UNNAMED.match(op.get_friendly_name())
    }
    steps = {name.removesuffix(SCALE): stored.pop(name) for name in list(stored) if _is_step(name, stored)}
    weights = {}
    for name, values in stored.items():
        if name.endswith(BYTES):
            name = name.removesuffix(BYTES)
            values = values * steps[name].reshape(-1, *[1] * (values.ndim - 1))
        weights[name.removesuffix(HALF)] = values
    return weights


def with_weights(graph: nn.Module, file: Path) -> nn.Module:
    """The graph, in evaluation mode, with the weights of its ONNX file.

    Raises:
        WeightsError: if the file cannot be read or holds another network's weights.
    """
    try:
        missing, _ = graph.load_state_dict(read_weights(file), strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip().rstrip(".")
        raise WeightsError(f"{file} does not fit the network ({reason}); install tinct again.") from None
    if lacking := [name for name in missing if not name.endswith("num_batches_tracked")]:
        raise WeightsError(f"{file} has no weights called {lacking[0]}; install tinct again.")
    return graph.eval()


def _is_step(name: str, stored: dict[str, Tensor]) -> bool:
    """True if a constant says what one step of weights in bytes is worth."""
    return name.endswith(SCALE) and name.removesuffix(SCALE) + BYTES in stored
