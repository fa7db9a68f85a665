"""How `tinct.networks.zhang2016.network` is trained: rebalanced cross-entropy, or the L2 baseline."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tinct.color.bins import AB_BIN_COUNT
from tinct.networks.layers.outputs import Outputs
from tinct.networks.zhang2016.network import Zhang2016, Zhang2016Config
from tinct.tables import check_above_zero, check_range
from tinct.training.automatic import LABEL_STRIDE, AutomaticTraining, Batch
from tinct.training.color_distribution import distribution_loss, own_prior, soft_encoding
from tinct.training.losses import color_weights, l2
from tinct.training.pool import Pool


@dataclass(frozen=True)
class Zhang2016Recipe:
    """The numbers of the losses; the defaults are the paper's.

    Attributes:
        neighbors, sigma: of the soft encoding: bins, and ab units.
        rebalance: count rare colors more, by the pool's own prior.
        uniform: share of the uniform distribution that is mixed into the prior.
        old: half of the photographs get the lightness of old ones.
    Raises:
        OptionError: if a number is out of its range.
    """

    neighbors: int = 5
    sigma: float = 5.0
    rebalance: bool = True
    uniform: float = 0.5
    old: bool = False

    def __post_init__(self) -> None:
        check_above_zero(self, "sigma")
        check_range(self, 0, 1, "uniform")
        check_range(self, 1, AB_BIN_COUNT, "neighbors")


class Zhang2016Training(AutomaticTraining):
    """The training of the network, of the L2 baseline and of the ablations; the config says which."""

    kinds = (Zhang2016, Zhang2016Config, Zhang2016Recipe)

    def prepare(self, pool: Pool) -> None:
        """Count how rare each color is."""
        self.weights = None
        if self.recipe.rebalance and not self.network.regression:
            self.weights = color_weights(own_prior(pool), self.recipe.uniform)

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """Equation 1 for the L2 baseline, in units of 110; else equation 2."""
        truth, r = batch.ab_at(LABEL_STRIDE), self.recipe
        if outputs.ab is not None:
            return {"l2": l2(outputs.ab, truth)}
        assert outputs.bins is not None
        target = soft_encoding(truth, r.neighbors, r.sigma)
        return {"bins": distribution_loss(outputs.bins, target, self.weights)}
