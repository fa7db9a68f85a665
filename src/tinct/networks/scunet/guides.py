"""The thesis's guides, shown: scenes and segments read off the features of the released network.

The released file of `scunet` holds the branch that colors alone. Here its branches of scenes and segments stand on the
same trunk, which stays as it was released: only the branches are trained.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from tinct.networks.graph import Graph, Release, pixel_axes
from tinct.networks.layers.blocks import without_batch_norm
from tinct.networks.layers.outputs import Outputs, scaled
from tinct.networks.paper_graph import TRACED_SIDE
from tinct.networks.scunet.network import CHANNELS, Scunet, ScunetConfig, branch

GUIDES = ("scenes", "segments")
"""The branches that explain a photograph."""


class ScunetGuides(nn.Module):
    """L* to logits of scenes, and of segments at 1/4; the trunk has no batch normalization and does not learn."""

    multiple: ClassVar[int] = Scunet.multiple

    def __init__(self, config: ScunetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ScunetConfig()
        self.trunk = without_batch_norm(Scunet(config))
        self.trunk.branches = nn.ModuleDict()
        self.trunk.requires_grad_(False)
        channels = tuple(scaled(count, config.width) for count in CHANNELS)
        sizes = {"scenes": config.scenes, "segments": config.segments}
        self.branches = nn.ModuleDict({name: branch(name, channels, sizes[name]) for name in GUIDES})

    def forward(self, lightness: Tensor) -> Outputs:
        """Read a photograph.

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of 16.
        Returns:
            `scenes`, (B, C), and `segments` at (H/4, W/4).
        """
        with torch.no_grad():
            encoded, decoded = self.trunk.encode_decode((lightness - 50) / 50)
        return Outputs(scenes=self.branches["scenes"](encoded), segments=self.branches["segments"](decoded))


class GuidesGraph(nn.Module):
    """L* (B, 1, H, W), 0..100, to probabilities of scenes (B, C) and of segments (B, H/4, W/4, C)."""

    def __init__(self, model: ScunetGuides) -> None:
        super().__init__()
        self.model = model
        self.eval()

    def forward(self, lightness: Tensor) -> tuple[Tensor, Tensor]:
        """The graph's outputs of its input; see the class."""
        found = self.model(lightness)
        return torch.softmax(found.scenes, 1), torch.softmax(found.segments, 1).permute(0, 2, 3, 1)


def guides_graphs(model: ScunetGuides) -> list[Graph]:
    """The graph of the guides; batch normalizations of the branches are folded."""
    example = torch.full((1, 1, TRACED_SIDE, 2 * TRACED_SIDE), 50.0)
    graph = GuidesGraph(without_batch_norm(model.cpu().float()))
    return [Graph("", graph, (example,), {"lightness": pixel_axes()}, GUIDES)]


RELEASE = Release(ScunetConfig, ScunetGuides, guides_graphs)
"""The form in which trained guides become a file."""
