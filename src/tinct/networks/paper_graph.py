"""The released form of the papers' automatic networks: one graph each, of any size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tinct.color.bins import AB_SCALE
from tinct.networks.graph import Graph, pixel_axes
from tinct.networks.layers.blocks import without_batch_norm

TRACED_SIDE = 64
"""Least height of the example that is traced, a multiple of smaller `multiple`s; any other will do."""


class PaperGraph(nn.Module):
    """One of the papers' networks with the inputs and outputs of its ONNX file.

    Inputs: L* (B, 1, H, W), 0..100, H and W multiples of the network's `multiple`; where the network takes hints,
    (B, 3, H, W): a* b* times mask, mask; where the network takes global hints, (B, 316), or a reference's histogram,
    (B, 314). Outputs: a* b*, channels last, at the network's own size; of networks that predict one, the distribution
    over the 313 bins at 1/4, likewise.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.eval()

    def forward(self, lightness: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        """The graph's outputs of its inputs; see the class."""
        named = zip(self.model.inputs[1:], given, strict=False)
        help_given = [_scaled(each) if name == "hints" else each for name, each in named]
        answer = self.model(lightness, *help_given)
        ab = (self.model.colors(answer) * AB_SCALE).permute(0, 2, 3, 1)
        if answer.bins is None:
            return (ab,)
        return ab, torch.softmax(answer.bins.float(), 1).permute(0, 2, 3, 1)


def paper_graphs(model: Any) -> list[Graph]:
    """The graph of one of the papers' networks; batch normalizations that follow a convolution are folded into it.

    Args:
        model: a network with `inputs`, the names of what its `forward` takes, and `colors`, which reads a* b* / 110
            out of its answer.
    """
    graph = PaperGraph(without_batch_norm(model.cpu().float()))
    side = max(TRACED_SIDE, model.multiple)
    known = {
        "lightness": (torch.full((1, 1, side, 2 * side), 50.0), pixel_axes()),
        "hints": (torch.zeros(1, 3, side, 2 * side), pixel_axes()),
        "global_hints": (torch.zeros(1, 316), {0: "batch"}),
        "reference": (torch.zeros(1, 314), {0: "batch"}),
    }
    example = tuple(known[name][0] for name in model.inputs)
    with torch.no_grad():
        outputs = ("ab", "probabilities")[: len(graph(*example))]
    return [Graph("", graph, example, {name: known[name][1] for name in model.inputs}, outputs)]


def _scaled(hints: Tensor) -> Tensor:
    return torch.cat([hints[:, :2] / AB_SCALE, hints[:, 2:]], 1)
