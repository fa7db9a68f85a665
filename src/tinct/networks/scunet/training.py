"""How `tinct.networks.scunet.network` is trained: four branches, their losses summed (the thesis, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_BIN_COUNT
from tinct.errors import OptionError
from tinct.networks.layers.outputs import Outputs
from tinct.networks.scunet.network import Scunet, ScunetConfig
from tinct.tables import check_above_zero, check_from_zero, check_range
from tinct.training.automatic import LABEL_STRIDE, AutomaticTraining, Batch
from tinct.training.color_distribution import distribution_loss, own_prior, soft_encoding
from tinct.training.labels import SCENES, UNLABELED
from tinct.training.losses import color_weights, l2, soft_label_loss
from tinct.training.pool import Pool


@dataclass(frozen=True)
class ScunetRecipe:
    """The numbers of the losses. The thesis sums weighted losses and does not say the weights.

    Attributes:
        bins, scenes, segments, ab: weights of the losses. Squared errors of ab / 110 are a hundred times smaller
            than cross-entropies, which `ab` makes up for.
        smoothing: how many of the likeliest scenes make a photograph's label.
        neighbors, sigma: of the soft encoding: bins, and ab units.
        uniform: share of the uniform distribution that is mixed into the prior of colors.
        old: half of the photographs get the lightness of old ones.
    Raises:
        OptionError: if a number is out of its range.
    """

    bins: float = 1.0
    scenes: float = 0.1
    segments: float = 0.5
    ab: float = 20.0
    smoothing: int = 5
    neighbors: int = 5
    sigma: float = 5.0
    uniform: float = 0.5
    old: bool = False

    def __post_init__(self) -> None:
        check_above_zero(self, "sigma")
        check_from_zero(self, "bins", "scenes", "segments", "ab")
        check_range(self, 0, 1, "uniform")
        check_range(self, 1, AB_BIN_COUNT, "neighbors")
        check_range(self, 1, SCENES, "smoothing")


class ScunetTraining(AutomaticTraining):
    """The training of the network and of its ablations; the config says the branches."""

    kinds = (Scunet, ScunetConfig, ScunetRecipe)

    def prepare(self, pool: Pool) -> None:
        """Count how rare each color is.

        Raises:
            OptionError: if the pool lacks labels that a branch of a weight above 0 learns from.
        """
        for name, labels in (("scenes", pool.scenes), ("segments", pool.segments)):
            if name in self.network.branches and getattr(self.recipe, name) > 0 and labels is None:
                raise OptionError(f"the network learns {name} from labels; give --labels that have them.")
        self.weights = color_weights(own_prior(pool), self.recipe.uniform)

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """The losses of the branches that there are."""
        r, losses = self.recipe, {}
        if outputs.bins is not None:
            target = soft_encoding(batch.ab_at(LABEL_STRIDE), r.neighbors, r.sigma)
            losses["bins"] = r.bins * distribution_loss(outputs.bins, target, self.weights)
        if outputs.ab is not None:
            losses["ab"] = r.ab * l2(outputs.ab, batch.ab)
        if outputs.scenes is not None:
            labels = None if pool.scenes is None else likeliest(pool.scenes[batch.index].float(), r.smoothing)
            losses["scenes"] = r.scenes * soft_label_loss(outputs.scenes, labels)
        if outputs.segments is not None:
            losses["segments"] = r.segments * dice_loss(outputs.segments, batch.segments)
        return losses


def likeliest(labels: Tensor, count: int) -> Tensor:
    """Keep the `count` highest probabilities of each row, scaled to sum to 1; rows of zeros stay (top-5 smoothing)."""
    highest = labels.topk(count, 1)
    kept = torch.zeros_like(labels).scatter_(1, highest.indices, highest.values)
    return kept / kept.sum(1, keepdim=True).clamp_min(1e-6)


def dice_loss(logits: Tensor, labels: Tensor | None) -> Tensor:
    """1 - the Dice coefficient, its mean over the classes of the batch; unlabeled places do not count.

    The thesis prints (sum y)^2 + (sum p)^2 under the fraction, which a perfect answer would not bring to 1; this is
    the form of Milletari et al. (V-Net, 3DV 2016), sum y^2 + sum p^2.

    Args:
        logits: (B, C, h, w).
        labels: classes, (B, h, w), 255 where unknown; None if there are none.
    """
    if labels is None:
        return logits.sum() * 0
    known = (labels != UNLABELED).unsqueeze(1)
    truth = F.one_hot(labels.clamp_max(logits.shape[1] - 1), logits.shape[1]).permute(0, 3, 1, 2) * known
    share = torch.softmax(logits.float(), 1) * known
    there = truth.sum((0, 2, 3)) > 0
    both = (truth * share).sum((0, 2, 3))
    either = (truth + share.square()).sum((0, 2, 3))
    dice = 2 * both / either.clamp_min(1e-6)
    return ((1 - dice) * there).sum() / there.sum().clamp_min(1)
