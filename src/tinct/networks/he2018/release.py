"""He 2018's released files: EfficientNet-Lite2's features of a photograph in gray, and the colorization sub-net."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.networks.graph import Graph, Release, pixel_axes
from tinct.networks.he2018.correspondence import NAMES, SIGNATURE, STRIDE
from tinct.networks.he2018.network import MAPS, Given, Guide, He2018, He2018Config
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

SIGNED = ("sixteenth", "thirtysecond")
"""Levels whose means over the places are a photograph's signature."""


class FeaturesGraph(nn.Module):
    """L* (B, 1, H, W), 0..100, H and W multiples of 32, to the five levels of `NAMES` and the photograph's signature.

    The levels are (B, C, h, w) each; the signature, (B, 472), has unit length: the means over the places of the levels
    of `SIGNED`, in deviations from their mean over training photographs, as unit vectors that count alike.
    """

    def __init__(self, backbone: EfficientNetLite2, guide: Guide | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        for name in SIGNED:
            channels = CHANNELS[-1 - NAMES.index(name)]
            norm = nn.BatchNorm2d(channels) if guide is None else getattr(guide, name)[0]
            state = norm.state_dict()
            self.register_buffer(f"{name}_mean", state["running_mean"].clone())
            self.register_buffer(f"{name}_deviation", (state["running_var"] + norm.eps).sqrt())

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """The graph's outputs of its input; see the class."""
        half, quarter, eighth = self.backbone.early((lightness - 50) / 50)
        stages = self.backbone.stages[EARLY_STAGES:]
        sixteenth = stages[1](stages[0](eighth))
        thirtysecond = stages[3](stages[2](sixteenth))
        # on vectors: engines that compute in bf16 have dropped the normalization of a map of one place
        parts = [
            F.normalize(
                (level.mean((2, 3)) - self.get_buffer(f"{name}_mean")) / self.get_buffer(f"{name}_deviation")
            )
            for name, level in zip(SIGNED, (sixteenth, thirtysecond), strict=True)
        ]
        signature = torch.cat(parts, 1) / len(parts) ** 0.5
        return thirtysecond, sixteenth, eighth, quarter, half, signature


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
    model = model.cpu().float()
    return [colorization_graph(model), features_graph(backbone, model.guide)]


def features_graph(backbone: EfficientNetLite2, guide: Guide | None = None) -> Graph:
    """The graph of the features; batch normalizations are folded.

    Args:
        backbone: EfficientNet-Lite2 for photographs in gray.
        guide: of the trained network, which holds the features' means and deviations; None, of a network without
            one, takes 0 and 1: its signatures then tell next to nothing apart, and no reference is doubted.
    """
    example = (torch.full((1, 1, TRACED, 2 * TRACED), 50.0),)
    graph = FeaturesGraph(without_batch_norm(backbone), guide)
    outputs = (*NAMES, SIGNATURE)
    return Graph(
        ".features", graph, example, {"lightness": pixel_axes()}, outputs, "Apache-2.0 AND MIT", in_bytes=True
    )


def colorization_graph(model: He2018) -> Graph:
    """The graph of the colorization sub-net."""
    side = TRACED // STRIDE
    example = {
        "lightness": torch.full((1, 1, TRACED, 2 * TRACED), 50.0),
        "colors": torch.zeros(1, 2, 2 * side, 4 * side),
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
