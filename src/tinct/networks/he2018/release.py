"""He 2018's released files: EfficientNet-Lite2's features of a photograph in gray, and the colorization sub-net."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinct.color.bins import AB_SCALE
from tinct.networks.graph import Graph, Release, pixel_axes
from tinct.networks.he2018.correspondence import NAMES, STRIDE
from tinct.networks.he2018.network import MAPS, Given, He2018, He2018Config
from tinct.networks.layers.blocks import without_batch_norm
from tinct.networks.layers.efficientnet_lite import (
    CHANNELS,
    EARLY_STAGES,
    EfficientNetLite2,
    take_pretrained,
)

TRACED = 64
"""Side of the example that is traced, a multiple of 32; any other will do."""

SEEN = ("eighth", "sixteenth", "thirtysecond")
"""Levels that the colorization sub-net takes."""


class FeaturesGraph(nn.Module):
    """L* (B, 1, H, W), 0..100, H and W multiples of 32, to the five levels of `NAMES`, (B, C, h, w) each."""

    def __init__(self, backbone: EfficientNetLite2) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """The graph's outputs of its input; see the class."""
        half, quarter, eighth = self.backbone.early((lightness - 50) / 50)
        stages = self.backbone.stages[EARLY_STAGES:]
        sixteenth = stages[1](stages[0](eighth))
        return stages[3](stages[2](sixteenth)), sixteenth, eighth, quarter, half


class ColorizationGraph(nn.Module):
    """L*, carried a* b* and maps (`tinct.networks.he2018.network.Given`) to a* b* and the gate, (B, H, W, .)."""

    def __init__(self, model: He2018) -> None:
        super().__init__()
        self.model = model.eval()

    def forward(self, lightness: Tensor, colors: Tensor, maps: Tensor, *seen: Tensor) -> tuple[Tensor, ...]:
        """The graph's outputs of its inputs; carried colors and the answer in units of a* b*, the gate as logits."""
        answer = self.model(Given(lightness, colors / AB_SCALE, maps, *seen))
        ab = (answer.ab * AB_SCALE).permute(0, 2, 3, 1)
        return (ab,) if answer.gate is None else (ab, answer.gate.permute(0, 2, 3, 1))


def graphs(model: He2018) -> list[Graph]:
    """The colorization sub-net, and the frozen features under ".features"."""
    backbone = EfficientNetLite2()
    take_pretrained(backbone)
    return [colorization_graph(model.cpu().float()), features_graph(backbone)]


def features_graph(backbone: EfficientNetLite2) -> Graph:
    """The graph of the features; batch normalizations are folded."""
    example = (torch.full((1, 1, TRACED, 2 * TRACED), 50.0),)
    graph = FeaturesGraph(without_batch_norm(backbone))
    return Graph(".features", graph, example, {"lightness": pixel_axes()}, NAMES, "Apache-2.0", in_bytes=True)


def colorization_graph(model: He2018) -> Graph:
    """The graph of the colorization sub-net."""
    side = TRACED // STRIDE
    example = {
        "lightness": torch.full((1, 1, TRACED, 2 * TRACED), 50.0),
        "colors": torch.zeros(1, 2, side, 2 * side),
        "maps": torch.zeros(1, MAPS, side, 2 * side),
    }
    if model.config.features:
        for number, name in enumerate(SEEN):
            example[name] = torch.zeros(1, CHANNELS[2 + number], side >> number, 2 * side >> number)
    axes = {name: pixel_axes("" if name == "lightness" else name) for name in example}
    outputs = ("ab", "gate")[: 1 + model.config.gate]
    return Graph("", ColorizationGraph(model), tuple(example.values()), axes, outputs)


RELEASE = Release(He2018Config, He2018, graphs)
"""The form in which trained networks become files."""
