"""The start of the pyramid from Zhang 2016, whose convolutions are its own without the dense blocks between them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tinct.errors import OptionError
from tinct.networks.graph_weights import read_weights
from tinct.networks.xu2020.released import RELEASED
from tinct.training.checkpoint import averaged_state
from tinct.weights import weights_path

Weights = Mapping[str, Tensor]

NETWORK = "zhang2016"
"""The network that the pyramid starts from."""

_PLACES = {number: range(0, 2 * count, 2) for number, count in enumerate((2, 2, 3, 3), 1)} | {
    number: (0, 3, 5) for number in (5, 6, 7)
}
"""Where the pyramid's blocks have the convolutions that Zhang 2016 has at 0, 2, 4."""


def zhang2016_weights(source: str) -> dict[str, Tensor]:
    """The weights of Zhang 2016 by name.

    Args:
        source: "released" for the installed ones, the folder of a run, or "" for none.
    Raises:
        OptionError: if the folder holds no such run.
        WeightsError: if the weights are not installed.
    """
    if not source:
        return {}
    if source != RELEASED:
        return averaged_state(Path(source), NETWORK)
    found = read_weights(weights_path(NETWORK))
    return {name.removeprefix("model."): value for name, value in found.items()}


@torch.no_grad()
def start_from_zhang2016(model: Any, weights: Weights) -> None:
    """Give a fresh pyramid the convolutions and, on every level, the batch statistics of Zhang 2016.

    What the batch normalizations there scale and shift, the convolutions after them take over.

    Raises:
        OptionError: if the networks differ in width.
    """
    scale: Tensor | None = None
    shift: Tensor | None = None
    for number, places in _PLACES.items():
        for index, place in enumerate(places):
            name = f"blocks.conv{number}.{2 * index}"
            _take(model.blocks[number - 1][place], weights, name, scale, shift)
            scale = shift = None
        norm = f"blocks.conv{number}.{2 * len(places)}"
        for level in model.norms[number - 1]:
            level.running_mean.copy_(weights[f"{norm}.running_mean"])
            level.running_var.copy_(weights[f"{norm}.running_var"])
        scale, shift = weights[f"{norm}.weight"], weights[f"{norm}.bias"]
    _take(model.last[0], weights, "blocks.conv8.0", scale, shift, inputs=0)
    for index in (2, 4):
        _take(model.last[index], weights, f"blocks.conv8.{index}")
    _take(model.output, weights, "output")


def _take(
    layer: nn.Module,
    weights: Weights,
    name: str,
    scale: Tensor | None = None,
    shift: Tensor | None = None,
    inputs: int = 1,
) -> None:
    """Give a convolution a weight and a bias, for inputs (axis `inputs`) that are yet to be scaled and shifted."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    if scale is not None and shift is not None:
        along = [1, 1, 1, 1]
        along[inputs] = -1
        moved = (weight * shift.view(along)).sum((inputs, 2, 3))
        # a transposed convolution with a stride of 2 shows each place a quarter of its kernel
        bias = bias + (moved if inputs else moved / 4)
        weight = weight * scale.view(along)
    if weight.shape != layer.weight.shape:
        raise OptionError(f"{NETWORK} to start from has {name} in another shape; train both at one width.")
    layer.weight.copy_(weight)  # type: ignore[operator]
    layer.bias.copy_(bias)  # type: ignore[operator]
