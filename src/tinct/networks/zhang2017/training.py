"""The training of Zhang 2017: simulated hints, drawn from the truth (section 3.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT, AB_SCALE
from tinct.networks.layers.outputs import Outputs
from tinct.networks.zhang2017.network import Zhang2017, Zhang2017Config
from tinct.tables import check_above_zero, check_from_zero, check_range
from tinct.training.automatic import LABEL_STRIDE, AutomaticTraining, Batch
from tinct.training.color_distribution import SoftBins, distribution_loss, histogram, soft_encoding
from tinct.training.hints import box_means, painted, patch_boxes
from tinct.training.pool import Pool
from tinct.training.starting import Names, start_from, weights_to_start_from

LARGEST_PATCH = 9
"""Side in pixels of the largest patch of a hint."""

LARGEST_STOP = 0.999
"""Largest chance that there is no further hint; at 1 there would never be one."""

SPREAD = 0.25
"""Standard deviation of a hint's place around the center, in sides."""

FROM_ZHANG2016: Names = (
    (r"blocks\.(conv[1-7]\..*)", r"main.\1"),
    (r"blocks\.conv8\.0\.(.*)", r"main.conv8_up.\1"),
    (r"blocks\.conv8\.2\.(.*)", r"main.conv8.0.\1"),
    (r"blocks\.conv8\.4\.(.*)", r"main.conv8.2.\1"),
)
"""Weights of Zhang 2016 that are this network's too: blocks 1 to 8. The strides of Zhang
2016 leave out the places that this network's subsampling leaves out."""

FROM_ZHANG2017: Names = ((r"(.*)", r"\1"),)
"""Weights of the local-hints network that are the global-hints network's too: all of them."""

VALIDATED = (1, 10, 100)
"""Numbers of 6x6 patches on the validation curve, as in the published sweep."""


@dataclass(frozen=True)
class Zhang2017Recipe:
    """The numbers of hints and losses; the defaults are the paper's where the paper has a number.

    Attributes:
        stop: chance that there is no further hint; their number is geometric (1/8 in the paper).
        most_hints: more than so many are not given.
        whole: share of photographs whose whole truth is revealed.
        reveal: how often each of histogram and saturation is given (the global-hints network).
        delta: of the Huber loss, in ab units.
        neighbors, sigma: of the soft encoding: bins, and ab units.
        huber, bins: weights of the losses; the bins train the side branch alone.
        old: half of the photographs get the lightness of old ones.
        start: folder of a run whose weights the network begins with: of zhang2016, as in the paper, or for the
            global-hints network of zhang2017. "" begins anew.
    Raises:
        OptionError: if a number is out of its range.
    """

    stop: float = 0.125
    most_hints: int = 64
    whole: float = 0.01
    reveal: float = 0.5
    delta: float = 1.0
    neighbors: int = 10
    sigma: float = 5.0
    huber: float = 0.1
    bins: float = 1.0
    old: bool = False
    start: str = ""

    def __post_init__(self) -> None:
        check_above_zero(self, "stop", "most_hints", "delta", "sigma")
        check_from_zero(self, "huber", "bins")
        check_range(self, 0, 1, "whole", "reveal")
        check_range(self, 0, LARGEST_STOP, "stop")
        check_range(self, 1, AB_BIN_COUNT, "neighbors")


class Zhang2017Training(AutomaticTraining):
    """The training of both networks; the config says which (`global_hints`)."""

    kinds = (Zhang2017, Zhang2017Config, Zhang2017Recipe)

    def prepare(self, pool: Pool) -> None:
        """Read the weights to start from."""
        begun = ("zhang2017", FROM_ZHANG2017) if self.network.global_hints else ("zhang2016", FROM_ZHANG2016)
        self.start = weights_to_start_from(self.recipe.start, *begun)

    def build(self) -> nn.Module:
        """A network before its first step."""
        model = super().build()
        start_from(model, self.start)
        return model

    def given(self, batch: Batch) -> tuple[Tensor, ...]:
        """Random hints, and for the global-hints network histogram and saturation, each at random."""
        r = self.recipe
        hints = random_hints(batch.ab, r.stop, r.most_hints, r.whole)
        if not self.network.global_hints:
            return (hints,)
        shown = torch.rand(len(hints), 2, device=hints.device) < r.reveal
        return hints, self._global_hints(batch, shown.float())

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """Huber loss of ab (equations 1 and 2), in ab units; cross-entropy of the side branch (equation 4)."""
        assert outputs.ab is not None
        assert outputs.bins is not None
        r = self.recipe
        found, wanted = outputs.ab.float() * AB_SCALE, batch.ab * AB_SCALE
        huber = F.huber_loss(found, wanted, delta=r.delta, reduction="none").sum(1).mean()
        return {
            "huber": r.huber * huber,
            "bins": r.bins * distribution_loss(outputs.bins, self._encoded(batch)),
        }

    def answers(self, model: Any, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Without help, with 1, 10 and 100 hints; by the global-hints network, with the truth's global colors."""
        none = torch.zeros_like(batch.rgb)
        place = torch.randn(len(none), max(VALIDATED), 2, generator=generator) * SPREAD + 0.5
        hints = {"automatic": none}
        for count in VALIDATED:
            hints[f"hints{count}"] = square_patches(batch.ab, place[:, :count].to(none.device))
        found = {name: model.colors(model(batch.lightness, given)) for name, given in hints.items()}
        if self.network.global_hints:
            for name, shown in (("histogram", (1.0, 0.0)), ("saturation", (0.0, 1.0))):
                whole = self._global_hints(batch, none.new_tensor(shown).expand(len(none), 2))
                found[name] = model.colors(model(batch.lightness, none, whole))
        return found

    def _encoded(self, batch: Batch) -> SoftBins:
        return soft_encoding(batch.ab_at(LABEL_STRIDE), self.recipe.neighbors, self.recipe.sigma)

    def _global_hints(self, batch: Batch, shown: Tensor) -> Tensor:
        """Histogram at 1/4 and mean saturation, each where it is shown, (B, 2)."""
        colors = histogram(self._encoded(batch), AB_BIN_COUNT)
        return global_hints(colors, saturation(batch.rgb), shown)


def global_hints(colors: Tensor, mean_saturation: Tensor, shown: Tensor) -> Tensor:
    """The global hints of photographs, as the global-hints network takes them, (B, 316).

    Args:
        colors: histogram over the ab bins, (B, 313), sums to 1.
        mean_saturation: (B, 1), 0..1.
        shown: (B, 2): 1 where the histogram, and where the saturation, is given.
    """
    first, second = shown[:, :1], shown[:, 1:]
    return torch.cat([colors * first, first, mean_saturation * second, second], 1)


def saturation(rgb: Tensor) -> Tensor:
    """Mean saturation, of HSV, of sRGB (B, 3, H, W): (B, 1)."""
    highest, lowest = rgb.amax(1), rgb.amin(1)
    return ((highest - lowest) / highest.clamp_min(1e-6)).mean((1, 2))[:, None]


def random_hints(ab: Tensor, stop: float, most: int, whole: float) -> Tensor:
    """Square patches of 1..9 pixels around the center, in number geometric; a share of photographs all revealed.

    Args:
        ab: the truth, (B, 2, size, size), a* b* / 110.
    Returns:
        (B, 3, size, size): mean ab of the patch over it, and 1 there; 0 elsewhere.
    """
    count, device = len(ab), ab.device
    place = torch.randn(count, most, 2, device=device) * SPREAD + 0.5
    number = (torch.rand(count, 1, device=device).clamp_min(1e-12).log() / math.log(1 - stop)).floor()
    valid = (torch.arange(most, device=device) < number).float()
    side = torch.randint(1, LARGEST_PATCH + 1, (count, most), device=device)
    hints = patches(ab, place, side, valid)
    everything = torch.cat([ab, torch.ones_like(ab[:, :1])], 1)
    return torch.where(torch.rand(count, 1, 1, 1, device=device) < whole, everything, hints)


def square_patches(ab: Tensor, place: Tensor, side: int = 6) -> Tensor:
    """Hints at all of the places (B, M, 2), with the side of the published sweep; see `random_hints`."""
    ones = torch.ones(place.shape[:2], device=ab.device)
    return patches(ab, place, (ones * side).long(), ones)


def patches(ab: Tensor, place: Tensor, side: Tensor, valid: Tensor) -> Tensor:
    """Hints at places (B, M, 2), x and y divided by the size, with sides (B, M), where valid (B, M) is 1."""
    size = ab.shape[-1]
    before = side // 2
    edges = patch_boxes(place.clamp(0, 0.999), before, side - 1 - before, size)
    return painted(box_means(ab, *edges), valid, *edges, size)
