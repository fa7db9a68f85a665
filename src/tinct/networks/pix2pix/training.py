"""How `tinct.networks.pix2pix.network` is trained: absolute error of chroma, and a discriminator (section 3.1).

Generator and discriminator are the two parts of one module, so that one optimizer, one checkpoint and one resumption
serve both. Each part has its own loss. Adam scales every weight's gradient by itself, so one Adam over both is the
paper's two; both parts step at once, where the paper steps the discriminator first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from tinct.networks.layers.outputs import Outputs
from tinct.networks.pix2pix.network import Discriminator, Pix2Pix, Pix2PixConfig
from tinct.tables import check_from_zero
from tinct.training.automatic import AutomaticTraining, Batch, draw_batch
from tinct.training.pool import Pool


@dataclass(frozen=True)
class Pix2PixRecipe:
    """The numbers of the losses; the defaults are the paper's.

    Attributes:
        l1: weight of the absolute error, the paper's lambda.
        adversarial: weight of the generator's adversarial loss; 0 trains without a discriminator.
        old: half of the photographs get the lightness of old ones.
    Raises:
        OptionError: if a number is out of its range.
    """

    l1: float = 100.0
    adversarial: float = 1.0
    old: bool = False

    def __post_init__(self) -> None:
        check_from_zero(self, "l1", "adversarial")


class Adversaries(nn.Module):
    """A generator, which answers, and the discriminator that teaches it, or None."""

    def __init__(self, generator: Pix2Pix, discriminator: Discriminator | None) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator

    def forward(self, lightness: Tensor) -> Outputs:
        """The generator's answer to L* (B, 1, H, W), 0..100."""
        found: Outputs = self.generator(lightness)
        return found

    def colors(self, outputs: Outputs) -> Tensor:
        """a* b* / 110, (B, 2, H, W)."""
        return self.generator.colors(outputs)


class Pix2PixTraining(AutomaticTraining):
    """The training of the network and of its ablation; the config says which."""

    kinds = (Pix2Pix, Pix2PixConfig, Pix2PixRecipe)
    sheet_size = Pix2Pix.multiple

    def build(self) -> Adversaries:
        """A generator and, where the recipe has an adversarial loss, a discriminator, before their first step."""
        width = self.network.width
        return Adversaries(
            Pix2Pix(self.network), Discriminator(width) if self.recipe.adversarial > 0 else None
        )

    def losses(self, model: nn.Module, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch: the generator's and, for its own weights alone, the discriminator's."""
        assert isinstance(model, Adversaries)
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            batch = draw_batch(pool, count, size, self.recipe.old)
        outputs = model(batch.lightness)
        found = self.compare(outputs, batch, pool)
        if model.discriminator is None:
            return found
        ab = model.colors(outputs)
        return found | {
            "adversarial": self.recipe.adversarial
            * adversarial_loss(model.discriminator, batch.lightness, ab),
            "discriminator": discriminator_loss(model.discriminator, batch.lightness, ab, batch.ab),
        }

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """Absolute error of the hyperbolic tangent's output, -1..1 for a* b* of -110..110."""
        assert outputs.ab is not None
        return {"l1": self.recipe.l1 * (outputs.ab - batch.ab).abs().mean()}


def adversarial_loss(discriminator: Discriminator, lightness: Tensor, ab: Tensor) -> Tensor:
    """What the generator minimizes: the cross-entropy of its patches with "real".

    The discriminator's weights get no gradient from it.
    """
    fixed = {name: value.detach() for name, value in discriminator.named_parameters()}
    return _cross_entropy(functional_call(discriminator, fixed, (lightness, ab)), 1.0)


def discriminator_loss(discriminator: Discriminator, lightness: Tensor, ab: Tensor, truth: Tensor) -> Tensor:
    """What the discriminator minimizes: the mean of its cross-entropies of true and generated patches.

    The mean of both is the paper's halved objective; the generator gets no gradient from it.
    """
    both = discriminator(torch.cat([lightness, lightness]), torch.cat([truth, ab.detach()]))
    real, generated = both.chunk(2)
    return (_cross_entropy(real, 1.0) + _cross_entropy(generated, 0.0)) / 2


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
