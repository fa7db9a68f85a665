"""The released form of the papers' networks: one graph each, arrays at its border in the units of the package."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tinct.networks.tinct.network import AB_SCALE


class PaperGraph(nn.Module):
    """One of the papers' networks from and to what files hold.

    Inputs: L* (B, 1, H, W), 0..100, H and W multiples of the network's `multiple`; where it takes hints, (B, 3, H, W):
    a* b* times mask, mask; where it takes global hints, (B, 316). Outputs: a* b*, channels last, at the network's
    own size; for those that predict one, the distribution over the 313 bins at 1/4, likewise.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.eval()
        self.inputs: tuple[str, ...] = tuple(model.inputs)
        with torch.no_grad():
            example = [tensor.to(next(model.parameters()).device) for tensor in self.example(32)]
            has_bins = model(*example).bins is not None
        self.outputs: tuple[str, ...] = ("ab", "probabilities") if has_bins else ("ab",)

    def forward(self, lightness: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        hints = [_scaled(given[0]), *given[1:]] if given else []
        answer = self.model(lightness, *hints)
        ab = (self.model.colors(answer) * AB_SCALE).permute(0, 2, 3, 1)
        if answer.bins is None:
            return (ab,)
        return ab, torch.softmax(answer.bins.float(), 1).permute(0, 2, 3, 1)

    def example(self, side: int) -> tuple[Tensor, ...]:
        """Inputs that fit, `side` high and twice as wide, without hints."""
        known = {
            "lightness": torch.full((1, 1, side, 2 * side), 50.0),
            "hints": torch.zeros(1, 3, side, 2 * side),
            "global_hints": torch.zeros(1, 316),
        }
        return tuple(known[name] for name in self.inputs)

    def free_axes(self) -> dict[str, dict[int, str]]:
        """The inputs' names, and their axes that may have any size."""
        pixels = {0: "batch", 2: "height", 3: "width"}
        return {name: {0: "batch"} if name == "global_hints" else pixels for name in self.inputs}


def _scaled(hints: Tensor) -> Tensor:
    return torch.cat([hints[:, :2] / AB_SCALE, hints[:, 2:]], 1)
