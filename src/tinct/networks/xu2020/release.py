"""Xu 2020's released files: the transfer sub-net cut into parts, the colorization sub-net, the lighter variant's.

Between the sub-nets Lab is the package's own. Of the transfer sub-net see `tinct.networks.xu2020.parts`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinct.color.bins import AB_SCALE
from tinct.networks.graph import Graph, Release, pixel_axes
from tinct.networks.layers.blocks import without_batch_norm
from tinct.networks.xu2020.colorization_network import Xu2020Colorization
from tinct.networks.xu2020.lite_network import LiteTransfer, Xu2020Lite
from tinct.networks.xu2020.network import Xu2020Config
from tinct.networks.xu2020.parts import cut_transfer
from tinct.networks.xu2020.transfer_network import Xu2020Transfer

TRACED = 40
"""Side of the example that is traced; any other will do."""


class TransferGraph(nn.Module):
    """content and style, sRGB (B, 3, ., .), 0..1, each from 16 x 16, to the content in the style's look, (B, 3, H, W).

    Statistics are matched by AdaIN wherever the network does so by default.
    """

    def __init__(self, model: Xu2020Transfer | LiteTransfer) -> None:
        super().__init__()
        self.model = model.eval()

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """The graph's output of its inputs; see the class."""
        found: Tensor = self.model(content, style)
        return found.clamp(0, 1)


class ColorizationGraph(nn.Module):
    """L* (B, 1, H, W), 0..100, and hints (B, 3, H, W), a* b* times mask and mask, to a* b*, (B, H, W, 2)."""

    def __init__(self, model: Xu2020Colorization) -> None:
        super().__init__()
        self.model = model.eval()

    def forward(self, lightness: Tensor, hints: Tensor) -> Tensor:
        """The graph's output of its inputs; see the class."""
        ab: Tensor = self.model(lightness, hints[:, :2] / AB_SCALE, hints[:, 2:])
        return (ab * AB_SCALE).permute(0, 2, 3, 1)


def transfer_graphs(model: Xu2020Transfer) -> list[Graph]:
    """The transfer sub-net, cut wherever features are matched."""
    return cut_transfer(without_batch_norm(model.cpu().float()))


def colorization_graphs(model: Xu2020Colorization) -> list[Graph]:
    """The colorization sub-net, one graph."""
    graph = ColorizationGraph(without_batch_norm(model.cpu().float()))
    example = torch.rand(1, 1, TRACED, TRACED + 5) * 100, torch.zeros(1, 3, TRACED, TRACED + 5)
    return [Graph("", graph, example, dict.fromkeys(("lightness", "hints"), pixel_axes()), ("ab",))]


def lite_graphs(model: LiteTransfer) -> list[Graph]:
    """The lighter transfer sub-net, one graph; content and style have sizes of their own."""
    graph = TransferGraph(without_batch_norm(model.cpu().float()))
    example = torch.rand(1, 3, TRACED, TRACED + 5), torch.rand(1, 3, TRACED + 3, TRACED - 1)
    return [Graph("", graph, example, {name: pixel_axes(name) for name in ("content", "style")}, ("rgb",))]


def lite_total_graphs(model: Xu2020Lite) -> list[Graph]:
    """Both sub-nets of the lighter variant; the colorization sub-net adds its name."""
    assert isinstance(model.transfer, LiteTransfer)
    colorization = [graph._replace(part="-colorization") for graph in colorization_graphs(model.colorization)]
    return [*lite_graphs(model.transfer), *colorization]


TRANSFER = Release(
    Xu2020Config, lambda config: Xu2020Transfer(config.transfer), transfer_graphs, prefix="network."
)
"""The transfer sub-net as `tinct export` writes it."""

COLORIZATION = Release(
    Xu2020Config, lambda config: Xu2020Colorization(config.colorization), colorization_graphs
)
"""The colorization sub-net as `tinct export` writes it."""

TOTAL = COLORIZATION._replace(name="xu2020-colorization")
"""The colorization sub-net as end-to-end training left it; the file replaces the one by itself."""

LITE = Release(Xu2020Config, lambda config: LiteTransfer(config.transfer), lite_graphs)
"""The lighter transfer sub-net as `tinct export` writes it."""

LITE_TOTAL = Release(Xu2020Config, Xu2020Lite, lite_total_graphs, name="xu2020-lite")
"""The lighter variant, trained as a whole, as `tinct export` writes it."""
