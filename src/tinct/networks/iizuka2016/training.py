"""How `tinct.networks.iizuka2016.network` is trained: squared error of chroma, and the scene (section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tinct.errors import OptionError
from tinct.networks.iizuka2016.network import Iizuka2016, Iizuka2016Config
from tinct.networks.layers.outputs import Outputs
from tinct.tables import check_from_zero
from tinct.training.automatic import AutomaticTraining, Batch
from tinct.training.losses import soft_label_loss
from tinct.training.pool import Pool

OUTPUT_STRIDE = 2
"""Pixels of the photograph to one of the network's output."""


@dataclass(frozen=True)
class Iizuka2016Recipe:
    """The numbers of the losses.

    Attributes:
        scenes: the paper's alpha, the weight of the scene loss beside the squared error of the sigmoid's output.
        old: half of the photographs get the lightness of old ones.
    Raises:
        OptionError: if a number is out of its range.
    """

    scenes: float = 1 / 300
    old: bool = False

    def __post_init__(self) -> None:
        check_from_zero(self, "scenes")


class Iizuka2016Training(AutomaticTraining):
    """The training of the network."""

    kinds = (Iizuka2016, Iizuka2016Config, Iizuka2016Recipe)

    def prepare(self, pool: Pool) -> None:
        """Look for the labels of scenes.

        Raises:
            OptionError: if there are none, and the scene loss has a weight.
        """
        if self.recipe.scenes > 0 and pool.scenes is None:
            raise OptionError("the network learns scenes from labels; give --labels that have them.")

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """Squared error in units of the sigmoid, 0..1 for a* b* of -110..110, and the scene's cross-entropy."""
        assert outputs.ab is not None
        assert outputs.scenes is not None
        difference = (outputs.ab - batch.ab_at(OUTPUT_STRIDE)) / 2
        labels = None if pool.scenes is None else pool.scenes[batch.index].float()
        return {
            "ab": difference.square().sum(1).mean(),
            "scenes": self.recipe.scenes * soft_label_loss(outputs.scenes, labels),
        }
