"""How `tinct.networks.zhang2016.network` is trained: rebalanced cross-entropy, or the L2 baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from tinct.networks.layers.outputs import Outputs
from tinct.networks.tinct.training import bin_centers, own_prior
from tinct.networks.zhang2016.network import Zhang2016, Zhang2016Config
from tinct.training.automatic import LABEL_STRIDE, AutomaticTraining, Batch
from tinct.training.color_distribution import distribution_loss, soft_encoding
from tinct.training.losses import color_weights
from tinct.training.pool import Pool


@dataclass(frozen=True)
class Zhang2016Recipe:
    """What is minimized; the defaults are the paper's.

    Attributes:
        neighbors, sigma: of the soft encoding: bins, and ab units.
        rebalance: count rare colors more, by the pool's own prior.
        uniform: share of the uniform distribution that is mixed into the prior.
        old: half of the photographs get the lightness of old ones.
    """

    neighbors: int = 5
    sigma: float = 5.0
    rebalance: bool = True
    uniform: float = 0.5
    old: bool = False


class Zhang2016Training(AutomaticTraining):
    """What the loop asks of the network."""

    name: ClassVar[str] = "zhang2016"
    kinds: ClassVar[tuple[type[nn.Module], type, type]] = (Zhang2016, Zhang2016Config, Zhang2016Recipe)

    def prepare(self, pool: Pool) -> None:
        """Count how rare each color is."""
        self.weights = None
        if self.recipe.rebalance and not self.network.regression:
            prior = own_prior(pool, bin_centers().to(pool.weights.device))
            self.weights = color_weights(prior, self.recipe.uniform)

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """Equation 1 for the L2 baseline, in units of 110; else equation 2."""
        truth, r = batch.ab_at(LABEL_STRIDE), self.recipe
        if outputs.ab is not None:
            return {"l2": l2(outputs.ab, truth)}
        assert outputs.bins is not None
        target = soft_encoding(truth, r.neighbors, r.sigma)
        return {"bins": distribution_loss(outputs.bins, target, self.weights)}


class RegressionTraining(Zhang2016Training):
    """The paper's L2 baseline; the config says `regression`."""

    name: ClassVar[str] = "zhang2016-l2"


class FiveBlocksTraining(Zhang2016Training):
    """The ablation with five blocks before the last, one of them dilated; the config says which."""

    name: ClassVar[str] = "zhang2016-five-blocks"


class FourBlocksTraining(Zhang2016Training):
    """The ablation with four blocks before the last, none of them dilated; the config says which."""

    name: ClassVar[str] = "zhang2016-four-blocks"


def l2(predicted: Tensor, truth: Tensor) -> Tensor:
    """Half the squared distance between colors, its mean over all places."""
    return (predicted.float() - truth).square().sum(1).mean() / 2
