"""How the semantic branch (`tinct.networks.semantics.network`) is trained, and the pretrained network's late stages.

The pretrained network costs five times what is trained behind it. On a CPU the features of many views can be computed
once (`SemanticsRecipe.views`), as far as they are not trained, and batches drawn from these.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.errors import OptionError
from tinct.networks.layers.efficientnet_lite import Levels, take_pretrained
from tinct.networks.layers.outputs import bin_centers
from tinct.networks.semantics.network import STRIDE, Answer, Semantics, SemanticsConfig, averaged
from tinct.networks.semantics.opinion import NAME
from tinct.networks.semantics.views_training import ALL_KEPT, Draw, FrozenViews, Seen
from tinct.tables import check_above_zero, check_from_zero, check_range
from tinct.training import losses
from tinct.training.automatic import draw_batch
from tinct.training.checkpoint import averaged_state
from tinct.training.color_distribution import own_prior
from tinct.training.frozen_backbone import FrozenBackbone
from tinct.training.pool import Pool
from tinct.training.preparing import Preparing
from tinct.training.processes import rank_and_world
from tinct.training.training import Training
from tinct.training.validation import mean_over, psnr
from tinct.training.views import photographs_at, whole_view

MEAN_OF = 2048
"""Photographs whose averaged features' mean signatures leave out."""


@dataclass(frozen=True)
class SemanticsRecipe:
    """The numbers of the losses and of the views.

    Attributes:
        huber, log_error, bins: weights of the losses of colors, of the logarithm of each photograph's squared error
            and of the distribution (`tinct.training.losses`).
        delta: of the Huber loss, ab / 110.
        mirrored: share of batches whose features are mirrored.
        views: of photographs whose features are computed once, before the first step, and drawn again and again; 0
            computes each batch's anew.
        view_sizes: sides in pixels of these views, taken in turn.
        old: half of the photographs get the lightness of old ones.
        start: the folder of a run to begin with; "" for a fresh branch.
        late: True to train the pretrained network's stages below 1/8 as well; their rate is `backbone_rate`'s and
            `backbone_decay`'s in [loop].
        skipped: see `tinct.networks.layers.efficientnet_lite.skip_blocks`.
    Raises:
        OptionError: if a number is out of its range, or the views' sides are not multiples of 32.
    """

    huber: float = 10.0
    log_error: float = 0.25
    bins: float = 0.1
    delta: float = 0.1
    mirrored: float = 0.3
    views: int = 0
    view_sizes: tuple[int, ...] = (192, 224)
    old: bool = True
    start: str = ""
    late: bool = False
    skipped: float = 0.1

    def __post_init__(self) -> None:
        check_above_zero(self, "delta")
        check_from_zero(self, "huber", "log_error", "bins")
        check_range(self, 0, 1, "mirrored", "skipped")
        if self.views < 0 or not self.view_sizes or any(side < 32 or side % 32 for side in self.view_sizes):
            raise OptionError(
                f"views is {self.views} with sides of {self.view_sizes}; take 0 or more, of multiples of 32."
            )


class SemanticsTraining(Training):
    """The training of the branch."""

    kinds = (Semantics, SemanticsConfig, SemanticsRecipe)

    def prepare(self, pool: Pool) -> None:
        """Count how rare each color is, let the pretrained network run fast, and look at the views, if any are kept."""
        device = pool.weights.device
        self.centers = bin_centers(1.0).to(device)
        self.weights = losses.color_weights(own_prior(pool))
        self._frozen: FrozenBackbone | None = None
        model = self.build()
        early = self.recipe.late
        self._frozen = FrozenBackbone(model.backbone, early=early) if device.type == "cpu" else None
        model.frozen = self._frozen
        self._views: list[FrozenViews] = []
        if not self.recipe.views:
            return
        rank, world = rank_and_world()
        sides = self.recipe.view_sizes
        share = -(-self.recipe.views // len(sides) // world)
        looked_at = Preparing("features of views", share * len(sides), self.tell)
        for side in sides:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(side * world + rank)
                draw = self._looked_at(model.to(device), pool)
                kept = ("eighth",) if self.recipe.late else ALL_KEPT
                self._views.append(FrozenViews(draw, share, side, device, kept, looked_at))

    def build(self) -> Semantics:
        """A fresh branch on the pretrained network, or both as another run has left them.

        Raises:
            OptionError: if the recipe's `start` is no run of this network with these numbers.
        """
        model = Semantics(self.network)
        take_pretrained(model.backbone)
        if self.recipe.start:
            try:
                model.load_state_dict(averaged_state(Path(self.recipe.start), NAME))
            except RuntimeError:
                raise OptionError(
                    f"{self.recipe.start} holds a network of other numbers than [network], or of an older version."
                ) from None
        if self.recipe.late:
            model.train_late(self.recipe.skipped)
        model.frozen = self._frozen
        return model

    def losses(self, model: Semantics, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; the loop adds them up."""
        r = self.recipe
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            if self._views:
                which = int(torch.randint(len(self._views), ()))
                seen = self._views[which].draw(count)
            else:
                seen = self._looked_at(model, pool)(count, size)
            if float(torch.rand(())) < r.mirrored:
                seen = seen.mirrored()
            truth = F.avg_pool2d(seen.ab, STRIDE // 4)
            some = losses.one_place_of_four()
            target = losses.soft_bins(truth[some], self.centers)
        levels = seen.levels
        if r.late:  # what was looked at is without gradients
            levels = model.backbone.late(levels.half, levels.quarter, levels.eighth)
        answer: Answer = model.branch(levels, (seen.lightness - 50) / 50)
        logits = model.branch.bins(answer.features[some])
        return {
            "huber": r.huber * losses.huber_per_photo(answer.ab, truth, r.delta).mean(),
            "log": r.log_error * losses.log_error(answer.ab, truth).mean(),
            "bins": r.bins * losses.rebalanced_cross_entropy(logits, target, self.weights),
        }

    @torch.no_grad()
    def validate(self, model: Semantics, pool: Pool, held_out: Tensor, size: int = 192) -> dict[str, float]:
        """Mean PSNR (8-bit RGB, dB) of held-out photographs squashed to `size` square: `gray` and `automatic`.

        `vividness` is the automatic result's mean chroma against the truth's, `loss` the distribution's.
        """

        def figures(index: Tensor) -> dict[str, float]:
            grid = whole_view(pool.sizes[index]).grid(size)
            rgb, lightness, ab = photographs_at(pool, index, grid)
            answer: Answer = model(lightness)
            truth, coarse = (rgb * 255).round(), F.avg_pool2d(ab, STRIDE)
            target = losses.soft_bins(coarse, self.centers)
            logits = model.branch.bins(answer.features)
            return {
                "gray": psnr(lightness, torch.zeros_like(ab), truth),
                "automatic": psnr(lightness, answer.ab, truth),
                "vividness": float(answer.ab.norm(dim=1).mean() / coarse.norm(dim=1).mean()),
                "loss": float(losses.rebalanced_cross_entropy(logits, target, self.weights)),
            }

        return mean_over(held_out, 32 if held_out.device.type == "cuda" else 8, figures)

    @torch.no_grad()
    def finish(self, model: Semantics, pool: Pool) -> None:
        """Measure what signatures leave out and how places are described, on whole photographs of the pool."""
        known = torch.nonzero(pool.weights > 0)[:, 0]
        chosen = known[:: max(1, len(known) // MEAN_OF)][:MEAN_OF]

        signatures, moments = [], []
        for index in chosen.split(8):
            grid = whole_view(pool.sizes[index]).grid(min(self.recipe.view_sizes))
            levels = model.levels((photographs_at(pool, index, grid)[1] - 50) / 50)
            signatures.append(averaged(levels))
            maps = [each.double() for each in (levels.eighth, levels.sixteenth)]
            powers = (torch.cat([(each**power).mean((0, 2, 3)) for each in maps]) for power in (1, 2))
            moments.append(torch.stack(list(powers)))
        model.mean.copy_(torch.cat(signatures).mean(0))
        mean, square = torch.stack(moments).mean(0)
        model.spread.copy_(torch.stack([mean, (square - mean**2).clamp_min(1e-6).sqrt()]))

    def _looked_at(self, model: Semantics, pool: Pool) -> Draw:
        """What draws so many views of a size, with the pretrained network's features of them."""

        @torch.no_grad()
        def draw(count: int, size: int) -> Seen:
            batch = draw_batch(pool, count, size, self.recipe.old)
            shown = (batch.lightness - 50) / 50
            if self.recipe.late:
                frozen = self._frozen
                half, quarter, eighth = (
                    model.backbone.early(shown) if frozen is None else frozen.frozen_levels(shown)
                )
                none = shown.new_zeros(count, 0, 1, 1)
                levels = Levels(half, quarter, eighth, none, none, none)
            else:
                levels = model.levels(shown)
            return Seen(levels, F.avg_pool2d(batch.lightness, 4), batch.ab_at(4))

        return draw
