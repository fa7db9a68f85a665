"""The released form of Xu 2020's transfer sub-net: cut wherever features are matched.

So AdaIN, WCT, labels and the choice of places stay outside (`tinct.networks.xu2020.transfer`), and one set of files
does for all of them: `PARTS` in `tinct.networks.xu2020.places`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.layers.blocks import upsampled
from tinct.networks.xu2020.places import LEVELS
from tinct.networks.xu2020.transfer_network import BETWEEN, Xu2020Transfer

Axes = dict[str, dict[int, str]]
TRACED = 48
"""Side of the example that is traced, a multiple of 8; any other will do."""


class EncodePart(nn.Module):
    """Level 1: sRGB (B, 3, H, W), 0..1, sides multiples of 8, to conv1_1. Below: from one level's features to the next.

    Levels 2 to 4 give `before` (the last layer of the level above), `pooled` (its mean over 2 x 2) and `encoded`
    (conv{level}_1).
    """

    def __init__(self, model: Xu2020Transfer, level: int) -> None:
        super().__init__()
        self.encoder, self.level = model.encoder, level
        self.inputs = ("rgb",) if level == 1 else ("features",)
        self.outputs = ("encoded",) if level == 1 else ("before", "pooled", "encoded")

    def forward(self, features: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.level == 1:
            return self.encoder.run(self.encoder.conv0(features), ("conv1_1",))
        before = self.encoder.run(features, BETWEEN[self.level - 1])
        pooled = F.avg_pool2d(before, 2)
        return before, pooled, self.encoder.run(pooled, (f"conv{self.level}_1",))


class DecodePart(nn.Module):
    """Features from below, and the level's skips, to the level's features."""

    inputs = ("features", "pooled", "before")
    outputs = ("decoded",)

    def __init__(self, model: Xu2020Transfer, level: int) -> None:
        super().__init__()
        decoder = model.decoder
        into = {3: decoder.conv4_1, 2: decoder.conv3_1, 1: decoder.conv2_1}
        between = {
            3: (decoder.conv3_4, decoder.conv3_3, decoder.conv3_2),
            2: (decoder.conv2_2,),
            1: (decoder.conv1_2,),
        }
        self.into, self.between = into[level], nn.ModuleList(between[level])

    def forward(self, features: Tensor, pooled: Tensor, before: Tensor) -> Tensor:
        x = F.relu(self.into(features))
        x = torch.cat([upsampled(x, before), upsampled(pooled, before), before], 1)
        for conv in self.between:
            x = F.relu(conv(x))
        return x


class OutputPart(nn.Module):
    """Level 1's features to sRGB, not clipped."""

    inputs = ("features",)
    outputs = ("rgb",)

    def __init__(self, model: Xu2020Transfer) -> None:
        super().__init__()
        self.conv = model.decoder.conv1_1

    def forward(self, features: Tensor) -> Tensor:
        rgb: Tensor = self.conv(features)
        return rgb


Part = EncodePart | DecodePart | OutputPart


def cut_transfer(model: Xu2020Transfer) -> dict[str, Part]:
    """The graphs by the names of `PARTS`, in their order."""
    model = model.eval()
    parts: dict[str, Part] = {f"encode{level}": EncodePart(model, level) for level in (*LEVELS, 4)}
    parts |= {f"decode{level}": DecodePart(model, level) for level in reversed(LEVELS)}
    return parts | {"output": OutputPart(model)}


@torch.no_grad()
def examples(parts: dict[str, Part]) -> dict[str, tuple[Tensor, ...]]:
    """Inputs to trace each graph with; what one gives is what the next ones take."""
    given: dict[str, tuple[Tensor, ...]] = {"encode1": (torch.rand(1, 3, TRACED, TRACED + 8),)}
    features = parts["encode1"](*given["encode1"])
    skips = {}
    for level in LEVELS:
        given[f"encode{level + 1}"] = (features,)
        before, pooled, features = parts[f"encode{level + 1}"](features)
        skips[level] = pooled, before
    for level in reversed(LEVELS):
        given[f"decode{level}"] = (features, *skips[level])
        features = parts[f"decode{level}"](*given[f"decode{level}"])
    return given | {"output": (features,)}


def free_axes(part: Part) -> Axes:
    """The inputs' names, and their axes that may have any size."""
    return {name: {0: "batch", 2: f"{name}_height", 3: f"{name}_width"} for name in part.inputs}
