"""How the lighter Xu 2020 is trained, with the course report's losses: its transfer sub-net, then the whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.errors import OptionError
from tinct.networks.layers.vgg19 import VGG19
from tinct.networks.xu2020.colorization_network import sampled, weighted_huber
from tinct.networks.xu2020.encoder_weights import TEACHER, encoder_weights, teacher
from tinct.networks.xu2020.feature_statistics_torch import gram_matrix
from tinct.networks.xu2020.lite_network import LiteTransfer, Xu2020Lite
from tinct.networks.xu2020.network import Following, Xu2020Config
from tinct.networks.xu2020.places import LITE_PROBABILITY
from tinct.networks.xu2020.training import (
    CHUNK,
    ROWS,
    as_bytes,
    reconstruction,
    style_left,
    whole_photographs,
)
from tinct.tables import check_above_zero, check_from_zero, check_range
from tinct.training.checkpoint import averaged_state
from tinct.training.pool import Pool, choose_references
from tinct.training.sheets import write_sheet
from tinct.training.training import Training
from tinct.training.validation import mean_over, psnr, result_rgb
from tinct.training.views import photographs_at, random_view

STYLE_WEIGHTS = {"conv1_1": 1.0, "conv2_1": 0.75, "conv3_1": 0.2, "conv4_1": 0.2, "conv5_1": 0.2}
"""The report's; layers that the loss network's file lacks are left out."""

RELATIVES_ONLY = (0.0, 1.0, 0.0)
"""Shares of the kinds of references (itself, relatives, strangers) in a batch of relatives alone."""


@dataclass(frozen=True)
class LiteRecipe:
    """The report's numbers.

    Attributes:
        encoder: where the encoder's weights come from, as in `tinct.networks.xu2020.encoder_weights.encoder_weights`.
        reconstruction, perceptual: weights of the mean squared error and of the perceptual loss.
        content, style: weights of the perceptual loss's halves.
    Raises:
        OptionError: if a number is out of its range.
    """

    encoder: str = TEACHER
    reconstruction: float = 0.8
    perceptual: float = 0.2
    content: float = 1.0
    style: float = 1e6

    def __post_init__(self) -> None:
        check_from_zero(self, "reconstruction", "perceptual", "content", "style")


class LiteTraining(Training):
    """The transfer sub-net: the photograph's content in a relative's style."""

    kinds = (LiteTransfer, Xu2020Config, LiteRecipe)

    def prepare(self, pool: Pool) -> None:
        """Read the encoder's weights and open the loss network."""
        self.weights = encoder_weights(self.recipe.encoder)
        self.loss_network, self.known = teacher("conv5_1")
        self.loss_network.to(pool.weights.device)

    def build(self) -> LiteTransfer:
        """A fresh decoder behind the encoder's weights."""
        model = LiteTransfer(self.network.transfer)
        model.encoder.load(self.weights)
        return model

    def losses(self, model: LiteTransfer, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; a photograph without a relative is its own."""
        recipe = self.recipe
        content, _, style = related_photographs(pool, count, size)
        found = model(content, style).float()
        feature, gram = perceptual_losses(self.loss_network, self.known, found, content, style)
        return {
            "reconstruction": recipe.reconstruction * F.mse_loss(found, content),
            "content": recipe.perceptual * recipe.content * feature,
            "style": recipe.perceptual * recipe.style * gram,
        }

    @torch.no_grad()
    def validate(self, model: LiteTransfer, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """As of the whole network's transfer sub-net: PSNR against the photograph, and the share of style left."""

        def figures(index: Tensor) -> dict[str, float]:
            rgb = whole_photographs(pool, index)[0]
            style = rgb.roll(1, 0)
            found = model(rgb, style).float().clamp(0, 1)
            return {
                "reconstruction": reconstruction(found, rgb),
                "style": style_left(self.loss_network, found, rgb, style),
            }

        return mean_over(held_out, CHUNK, figures)

    @torch.no_grad()
    def draw(self, model: LiteTransfer, pool: Pool, held_out: Tensor, file: Path) -> None:
        """A photograph a row: itself, the style, what comes out."""
        rgb = whole_photographs(pool, held_out[:ROWS], 160)[0]
        columns = [rgb, rgb.roll(1, 0), model(rgb, rgb.roll(1, 0))]
        write_sheet([as_bytes(column) for column in columns], file)


@dataclass(frozen=True)
class LiteTotalRecipe:
    """The report's numbers for the whole network.

    Attributes:
        transfer, colorization: folders of the runs of `xu2020-lite` and `xu2020-colorization` to begin from.
        kept: share of T_ab's pixels that is shown; the report masks with a probability of 0.99.
        empty: share of batches whose T_ab is taken away wholly, so that the network goes on pre-coloring.
        known, delta, scale: as in `tinct.networks.xu2020.colorization_training.ColorizationRecipe`.
    Raises:
        OptionError: if a number is out of its range.
    """

    transfer: str = "runs/xu2020-lite"
    colorization: str = "runs/xu2020-colorization"
    kept: float = LITE_PROBABILITY
    empty: float = 0.1
    known: float = 10.0
    delta: float = 1.0
    scale: float = 0.01

    def __post_init__(self) -> None:
        check_above_zero(self, "known", "delta", "scale")
        check_range(self, 0, 1, "kept", "empty")


class LiteTotalTraining(Training):
    """Both sub-nets together: the transfer's T_ab, sampled, must lead to the photograph's own ab."""

    kinds = (Xu2020Lite, Xu2020Config, LiteTotalRecipe)

    def prepare(self, pool: Pool) -> None:
        """Read the weights of both sub-nets' runs."""
        self.transfer = averaged_state(Path(self.recipe.transfer), "xu2020-lite")
        self.colorization = averaged_state(Path(self.recipe.colorization), "xu2020-colorization")

    def build(self) -> Xu2020Lite:
        """Both sub-nets as their own runs left them; the transfer sub-net stays so.

        Raises:
            OptionError: if the runs are of other widths than the config's.
        """
        model = Xu2020Lite(self.network)
        try:
            model.transfer.load_state_dict(self.transfer)
            model.colorization.load_state_dict(self.colorization)
        except RuntimeError:
            raise OptionError(
                "the runs named in [recipe] have other widths than [network]; write theirs."
            ) from None
        model.transfer.requires_grad_(False)
        return model

    def losses(self, model: Xu2020Lite, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """The weighted Huber loss of one random batch, each photograph after a relative."""
        recipe = self.recipe
        _, lab, reference = related_photographs(pool, count, size)
        lightness, ab = lab[:, :1], lab[:, 1:] / AB_SCALE
        coarse = self._coarse(model, lightness, reference)
        kept, mask = sampled(coarse, "pixels", recipe.kept)
        shown = (torch.rand(count, 1, 1, 1, device=ab.device) >= recipe.empty).to(ab.dtype)
        found = model.colorization(lightness, kept * shown, mask * shown)
        loss = weighted_huber(found, ab, mask * shown, recipe.known, recipe.delta)
        return {"huber": recipe.scale * loss}

    @torch.no_grad()
    def validate(self, model: Xu2020Lite, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """Mean PSNR (dB) alone and after an unrelated photograph, the next one."""

        def figures(index: Tensor) -> dict[str, float]:
            rgb, lightness, _ = whole_photographs(pool, index, 256)
            steps = model(lightness, rgb.roll(1, 0), generator=torch.Generator().manual_seed(0))
            answers = {"empty": steps.precolor, "unrelated": steps.ab}
            return {name: psnr(lightness, ab, (rgb * 255).round()) for name, ab in answers.items()}

        return mean_over(held_out, CHUNK // 2, figures)

    @torch.no_grad()
    def draw(self, model: Xu2020Lite, pool: Pool, held_out: Tensor, file: Path) -> None:
        """A photograph a row, as in the paper's Figure 4: truth, reference, pre-color, coarse, refined."""
        rgb, lightness, _ = whole_photographs(pool, held_out[:ROWS], 160)
        steps = model(lightness, rgb.roll(1, 0), generator=torch.Generator().manual_seed(1))
        colored = [result_rgb(lightness, ab) for ab in (steps.precolor, steps.coarse, steps.ab)]
        write_sheet([rgb * 255, rgb.roll(1, 0) * 255, *colored], file)

    @torch.no_grad()
    def _coarse(self, model: Xu2020Lite, lightness: Tensor, reference: Tensor) -> Tensor:
        """T_ab with everything at rest: batch statistics stay what training the sub-nets made them."""
        was = model.training
        model.eval()
        coarse = model.coarse(lightness, model.precolor(lightness).float(), reference, None, Following())
        model.train(was)
        return coarse


def perceptual_losses(
    network: VGG19, known: tuple[str, ...], found: Tensor, content: Tensor, style: Tensor
) -> tuple[Tensor, Tensor]:
    """Content and style loss of Johnson 2016 (equations 2 and 4) at the report's layers.

    Gram matrices are compared by the mean over their entries and not, as in equation 4, by the sum: that is what the
    report's weight of a million goes with. By the sum style weighs ten million times as much as all the rest.

    Args:
        network: the loss network.
        known: its layers that have weights; content is compared at the deepest style layer among them.
        found, content, style: sRGB, (B, 3, H, W), 0..1.
    """
    layers = [name for name in STYLE_WEIGHTS if name in known]
    with torch.no_grad():
        wanted, source = network.features(content, layers[-1:]), network.features(style, layers)
    seen = network.features(found, layers)
    feature = F.mse_loss(seen[layers[-1]].float(), wanted[layers[-1]].float())
    with torch.autocast(found.device.type, enabled=False):
        gaps = [gram_matrix(seen[x].float()) - gram_matrix(source[x].float()) for x in layers]
    weighted = [STYLE_WEIGHTS[x] * gap.square().mean() for x, gap in zip(layers, gaps, strict=True)]
    return feature, torch.stack(weighted).sum()


def related_photographs(pool: Pool, count: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """sRGB and Lab of random photographs, and sRGB of a relative of each."""
    index = pool.draw(count)
    other = choose_references(pool, index, RELATIVES_ONLY)[0]
    with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
        rgb, lightness, ab = photographs_at(pool, index, random_view(pool.sizes[index]).grid(size))
        style = photographs_at(pool, other, random_view(pool.sizes[other]).grid(size))[0]
    return rgb, torch.cat([lightness, ab * AB_SCALE], 1), style
