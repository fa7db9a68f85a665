"""The released form of Xu 2020's transfer sub-net: cut wherever features are matched.

So AdaIN, WCT, labels and the choice of places stay outside (`tinct.networks.xu2020.transfer`), and one set of files
does for all of them: `PARTS` in `tinct.networks.xu2020.places`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.graph import Graph, pixel_axes
from tinct.networks.layers.blocks import upsampled
from tinct.networks.xu2020.places import LEVELS
from tinct.networks.xu2020.transfer_network import BETWEEN, Xu2020Transfer, activated

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
        """The part's outputs of its inputs; see the class."""
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
        """The part's outputs of its inputs; see the class."""
        x = activated(self.into(features))
        x = torch.cat([upsampled(x, before), upsampled(pooled, before), before], 1)
        for conv in self.between:
            x = activated(conv(x))
        return x


class OutputPart(nn.Module):
    """Level 1's features to sRGB, not clipped."""

    inputs = ("features",)
    outputs = ("rgb",)

    def __init__(self, model: Xu2020Transfer) -> None:
        super().__init__()
        self.conv = model.decoder.conv1_1

    def forward(self, features: Tensor) -> Tensor:
        """The part's outputs of its inputs; see the class."""
        rgb: Tensor = self.conv(features)
        return rgb


Part = EncodePart | DecodePart | OutputPart


@torch.no_grad()
def cut_transfer(model: Xu2020Transfer) -> list[Graph]:
    """The graphs of `PARTS`, in their order; what one gives for its example is what the next ones take."""
    model = model.eval()
    features = torch.rand(1, 3, TRACED, TRACED + 8)
    graphs, skips = [_graph("encode1", EncodePart(model, 1), features)], {}
    features = graphs[0].module(features)
    for level in LEVELS:
        graphs.append(_graph(f"encode{level + 1}", EncodePart(model, level + 1), features))
        before, pooled, features = graphs[-1].module(features)
        skips[level] = pooled, before
    for level in reversed(LEVELS):
        graphs.append(_graph(f"decode{level}", DecodePart(model, level), features, *skips[level]))
        features = graphs[-1].module(*graphs[-1].example)
    return [*graphs, _graph("output", OutputPart(model), features)]


def _graph(name: str, part: Part, *example: Tensor) -> Graph:
    return Graph(f".{name}", part, example, {each: pixel_axes(each) for each in part.inputs}, part.outputs)
