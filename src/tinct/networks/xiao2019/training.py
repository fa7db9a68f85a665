"""The training of Xiao 2019: rebalanced cross-entropy on every level, with the histograms of more than the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT, AB_SCALE
from tinct.errors import OptionError
from tinct.networks.layers.outputs import Outputs
from tinct.networks.xiao2019.network import Xiao2019, Xiao2019Config
from tinct.networks.xiao2019.released import start_from_zhang2016, zhang2016_weights
from tinct.tables import check_above_zero, check_from_zero, check_range
from tinct.training.automatic import LABEL_STRIDE, AutomaticTraining, Batch, draw_batch
from tinct.training.color_distribution import (
    distribution_loss_per_photo,
    histogram,
    own_prior,
    soft_encoding,
)
from tinct.training.labels import NOT_RELATED
from tinct.training.losses import color_weights
from tinct.training.pool import Pool, relatives
from tinct.training.views import photographs_at, whole_view

FIRST_SIDE = 64
"""Side in pixels of the first level in training, as in the paper."""

COLORLESS = 5.0
"""Photographs none of whose a* b* is farther from gray do not count, as in Zhang 2016, in ab units."""

MEASURED = 24
"""Batches of 16 on which batch statistics are measured at the end."""

OWN, PERTURBED, TURNED, RELATED, NONE = range(5)
"""Kinds of references: the truth's histogram, the same perturbed, the truth's in turned hues, a relative's, none."""

SATURATION = (0.6, 1.4)
"""Range of the factor of a perturbed histogram's chroma."""

NOISE, SPIKES = 0.2, 0.05
"""Largest share of noise in a perturbed histogram, and the concentration of its Dirichlet distribution: few colors."""


@dataclass(frozen=True)
class Xiao2019Recipe:
    """The numbers of the losses and of the references.

    Attributes:
        neighbors, sigma: of the soft encoding: bins, and ab units; the histogram takes `histogram_neighbors`.
        uniform: share of the uniform distribution that is mixed into the prior that rebalances; 0.5 in the paper.
        shares: how often a reference is of each kind, in the order of `OWN` to `NONE`; in the paper all are `OWN`.
        related: weight of the cross-entropy where the histogram is a relative's.
        agreement: weight of the divergence of the mean answer from a relative's histogram.
        thinning: each level is trained on this share of the photographs of the level below.
        unseen: share of photographs whose reference the levels above the first do not see, so that they heed what the
            level below answered; 0 in the paper.
        old: half of the photographs get the lightness of old ones.
        start: "released" for the installed zhang2016, the folder of a run of it, or "" to begin anew.
    Raises:
        OptionError: if a number is out of its range.
    """

    neighbors: int = 5
    histogram_neighbors: int = 10
    sigma: float = 5.0
    uniform: float = 0.5
    shares: tuple[float, ...] = (0.45, 0.15, 0.1, 0.2, 0.1)
    related: float = 0.3
    agreement: float = 0.1
    thinning: float = 0.5
    unseen: float = 0.3
    old: bool = False
    start: str = "released"

    def __post_init__(self) -> None:
        check_above_zero(self, "sigma", "thinning")
        check_from_zero(self, "shares", "related", "agreement")
        check_range(self, 0, 1, "uniform", "thinning", "unseen")
        check_range(self, 1, AB_BIN_COUNT, "neighbors", "histogram_neighbors")
        if len(self.shares) != 5 or sum(self.shares) <= 0:
            raise OptionError(f"shares are {self.shares}; five are wanted, one for each kind, one above 0.")


class References(NamedTuple):
    """What photographs are given: the references' numbers (B, 314), and their kinds (B,)."""

    numbers: Tensor
    kinds: Tensor


class Xiao2019Training(AutomaticTraining):
    """The training of the pyramid, all levels at once."""

    kinds = (Xiao2019, Xiao2019Config, Xiao2019Recipe)

    def prepare(self, pool: Pool) -> None:
        """Count how rare each color is, and read the weights to start from."""
        self.weights = color_weights(own_prior(pool), self.recipe.uniform)
        self.start = zhang2016_weights(self.recipe.start)

    def build(self) -> nn.Module:
        """A network before its first step."""
        model = super().build()
        if self.start:
            start_from_zhang2016(model, self.start)
        return model

    def losses(self, model: Any, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """The loss of each level that fits the size, on fewer photographs the larger it is."""
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            batch = draw_batch(pool, count, size, self.recipe.old)
            batch, references = self._drawn_references(batch, pool)
        # with one more, that of no reference, in the same batch's statistics
        vectors = model.encode_reference(F.pad(references.numbers, (0, 0, 0, 1)))
        vector, none = vectors[:-1], vectors[-1:]
        unseen = torch.rand(count, 1, 1, 1, device=vector.device) < self.recipe.unseen
        below, found = None, {}
        levels = levels_at(size, self.network.levels)
        for level in range(levels):
            kept = max(1, round(count * self.recipe.thinning**level))
            part, given = (
                first(batch, kept, 2 ** (levels - 1 - level)),
                References(*(x[:kept] for x in references)),
            )
            below = model.answer(
                part.lightness, vector[:kept], None if below is None else below[:kept], level
            )
            vector = torch.where(unseen[:kept], none, vector[:kept])
            found[f"level{level + 1}"] = self._loss_at(below, part, given)
        return found

    def given(self, batch: Batch) -> tuple[Tensor, ...]:
        """The truth's histograms, by which the validation's loss is measured."""
        return (self._numbers(batch.ab),)

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """The last level's loss after the truth's histogram."""
        assert outputs.bins is not None
        own = torch.full_like(batch.index, OWN)
        return {"bins": self._loss_at(outputs.bins, batch, References(self._numbers(batch.ab), own))}

    def answers(self, model: Any, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Without a reference, with the truth's histogram, and with the next photograph's."""
        own = self._numbers(batch.ab)
        given = {"automatic": None, "histogram": own, "unrelated": own.roll(1, 0)}
        return {name: model.colors(model(batch.lightness, one), 1.0) for name, one in given.items()}

    def finish(self, model: Any, pool: Pool) -> None:
        """Measure the batch statistics anew, of the averaged weights.

        A moving average of statistics lags: those of the last level, which is trained last, would still hold a third of
        what they began with.
        """
        norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean of all batches
            norm.train()
        torch.manual_seed(0)
        side = FIRST_SIDE * 2 ** (self.network.levels - 1)
        for _ in range(MEASURED):
            batch, references = self._drawn_references(draw_batch(pool, 16, side, self.recipe.old), pool)
            model(batch.lightness, references.numbers)
        model.eval()

    def _loss_at(self, logits: Tensor, batch: Batch, references: References) -> Tensor:
        """Cross-entropy with rebalanced colors, less of it after relatives, whose histogram the mean shall meet."""
        r = self.recipe
        target = soft_encoding(batch.ab_at(LABEL_STRIDE), r.neighbors, r.sigma)
        loss = distribution_loss_per_photo(logits, target, self.weights)
        related = references.kinds == RELATED
        colored = (batch.ab.abs().amax((1, 2, 3)) * AB_SCALE > COLORLESS).float()
        counts = torch.where(related, r.related, 1.0) * colored
        apart = divergence(references.numbers[:, :-1], torch.softmax(logits.float(), 1).mean((2, 3)))
        return (counts * loss + r.agreement * related * apart).mean()

    def _drawn_references(self, batch: Batch, pool: Pool) -> tuple[Batch, References]:
        """References of random kinds; the photographs that are turned have turned hues from here on."""
        shares = batch.ab.new_tensor(self.recipe.shares)
        kinds = torch.multinomial(shares, len(batch.index), replacement=True)
        other = relatives(pool, batch.index)
        kinds = torch.where((kinds == RELATED) & (other == NOT_RELATED), OWN, kinds)
        batch = replace(batch, ab=torch.where(_at(kinds == TURNED), turned(batch.ab), batch.ab))
        numbers = self._numbers(batch.ab)
        if (some := kinds == RELATED).any():
            grid = whole_view(pool.sizes[other[some]]).grid(batch.ab.shape[-1])
            numbers[some] = self._numbers(photographs_at(pool, other[some], grid)[2])
        if (some := kinds == PERTURBED).any():
            numbers[some] = self._perturbed(batch.ab[some])
        numbers[kinds == NONE] = 0
        return batch, References(numbers, kinds)

    def _perturbed(self, ab: Tensor) -> Tensor:
        """The numbers of photographs in other saturations, with a share of a few random colors."""
        low, high = SATURATION
        factor = torch.rand(len(ab), 1, 1, 1, device=ab.device) * (high - low) + low
        numbers = self._numbers(ab * factor)
        noise = torch.distributions.Dirichlet(numbers.new_full((AB_BIN_COUNT,), SPIKES)).sample((len(ab),))
        share = torch.rand(len(ab), 1, device=ab.device) * NOISE
        numbers[:, :-1] = numbers[:, :-1] * (1 - share) + noise * share
        return numbers

    def _numbers(self, ab: Tensor) -> Tensor:
        """What describes references of a* b* / 110 (B, 2, H, W): see `tinct.networks.xiao2019.network.REFERENCE`."""
        r = self.recipe
        encoded = soft_encoding(F.avg_pool2d(ab, LABEL_STRIDE), r.histogram_neighbors, r.sigma)
        return F.pad(histogram(encoded, AB_BIN_COUNT), (0, 1), value=1.0)


def levels_at(size: int, most: int) -> int:
    """How many levels are trained on photographs of a size: the first at 64 pixels, each further one at twice that."""
    return min(most, max(1, 1 + int(math.log2(size / FIRST_SIDE))))


def first(batch: Batch, count: int, shrink: int) -> Batch:
    """The first photographs of a batch, shrunk by area means."""
    rgb, lightness, ab = (
        F.avg_pool2d(part[:count], shrink) for part in (batch.rgb, batch.lightness, batch.ab)
    )
    return Batch(batch.index[:count], rgb, lightness, ab, None)


def turned(ab: Tensor) -> Tensor:
    """a* b* (B, 2, H, W) with the hues of each photograph turned by a random angle."""
    angle = torch.rand(len(ab), 1, 1, device=ab.device) * 2 * math.pi
    a, b = ab.unbind(1)
    return torch.stack([angle.cos() * a - angle.sin() * b, angle.sin() * a + angle.cos() * b], 1)


def divergence(wanted: Tensor, found: Tensor) -> Tensor:
    """The Kullback-Leibler divergence of distributions (B, Q) from wanted ones, in nats, (B,)."""
    return (wanted * (wanted.clamp_min(1e-6).log() - found.clamp_min(1e-6).log())).sum(1)


def _at(chosen: Tensor) -> Tensor:
    return chosen[:, None, None, None]
