"""The released form of Xu 2020's colorization sub-net and of the lighter transfer sub-net, a graph each, of any size.

Between the sub-nets Lab is the package's own; of the whole transfer sub-net see `tinct.networks.xu2020.parts`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinct.networks.xu2020.colorization_network import AB_SCALE, Xu2020Colorization
from tinct.networks.xu2020.lite_network import LiteTransfer
from tinct.networks.xu2020.transfer_network import Xu2020Transfer

Axes = dict[str, dict[int, str]]
TRACED = 40
"""Side of the example that is traced; any other will do."""


class TransferGraph(nn.Module):
    """content and style, sRGB (B, 3, ., .), 0..1, each from 16 x 16, to the content in the style's look, (B, 3, H, W).

    Statistics are matched by AdaIN wherever the network does so by default.
    """

    outputs = ("rgb",)

    def __init__(self, model: Xu2020Transfer | LiteTransfer) -> None:
        super().__init__()
        self.model = model.eval()

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        found: Tensor = self.model(content, style)
        return found.clamp(0, 1)

    def example(self) -> tuple[Tensor, ...]:
        """Inputs to trace with, of sizes that nothing divides."""
        return torch.rand(1, 3, TRACED, TRACED + 5), torch.rand(1, 3, TRACED + 3, TRACED - 1)

    def free_axes(self) -> Axes:
        """The inputs' names, and their axes that may have any size."""
        return {name: {0: "batch", 2: f"{name}_height", 3: f"{name}_width"} for name in ("content", "style")}


class ColorizationGraph(nn.Module):
    """L* (B, 1, H, W), 0..100, and hints (B, 3, H, W), a* b* times mask and mask, to a* b*, (B, H, W, 2)."""

    outputs = ("ab",)

    def __init__(self, model: Xu2020Colorization) -> None:
        super().__init__()
        self.model = model.eval()

    def forward(self, lightness: Tensor, hints: Tensor) -> Tensor:
        ab: Tensor = self.model(lightness, hints[:, :2] / AB_SCALE, hints[:, 2:])
        return (ab * AB_SCALE).permute(0, 2, 3, 1)

    def example(self) -> tuple[Tensor, ...]:
        """Inputs to trace with."""
        return torch.rand(1, 1, TRACED, TRACED + 5) * 100, torch.zeros(1, 3, TRACED, TRACED + 5)

    def free_axes(self) -> Axes:
        """The inputs' names, and their axes that may have any size."""
        return {name: {0: "batch", 2: "height", 3: "width"} for name in ("lightness", "hints")}
