"""How Xu 2020's colorization sub-net is trained: photographs with some of their ab at random, or none of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tinct.networks.xu2020.colorization_network import (
    Xu2020Colorization,
    empty,
    sampled,
    weighted_huber,
)
from tinct.networks.xu2020.network import Xu2020Config
from tinct.networks.xu2020.places import PROBABILITY
from tinct.networks.xu2020.training import CHUNK, ROWS, random_photographs, whole_photographs
from tinct.tables import check_above_zero, check_range
from tinct.training.lightness import some
from tinct.training.pool import Pool
from tinct.training.sheets import write_sheet
from tinct.training.starting import Names, start_from, weights_to_start_from
from tinct.training.training import Training
from tinct.training.validation import mean_over, psnr, result_rgb

FROM_ZHANG2017: Names = (
    (r"main\.conv([1-7]\..*)", r"block\1"),
    (r"main\.conv(8|9|10)_up\.(.*)", r"block\1.up.\2"),
    (r"main\.conv3_8\.(.*)", r"block8.shortcut.\1"),
    (r"main\.conv2_9\.(.*)", r"block9.shortcut.\1"),
    (r"main\.conv1_10\.(.*)", r"block10.shortcut.\1"),
    (r"main\.conv(8|9|10)\.0\.(.*)", r"block\1.body.1.\2"),
    (r"main\.conv(8|9)\.2\.(.*)", r"block\1.body.3.\2"),
    (r"main\.conv8\.4\.(.*)", r"block8.body.5.\1"),
    (r"ab\.(.*)", r"output.\1"),
)
"""Weights of `tinct.networks.zhang2017.network`'s main branch, all of which are this network's too."""


@dataclass(frozen=True)
class ColorizationRecipe:
    """What a batch is made of, and what is minimized.

    Attributes:
        empty: share of photographs without any ab, so that the network pre-colors (the paper: 5 epochs of their own).
        pixels: share of the others whose ab is sampled by pixels; the rest by points.
        probability: of the sampling.
        known: lambda, how much more the sampled places count.
        delta: of the Huber loss, in units of a* b*.
        scale: of the loss; changes the gradient's clipping and nothing else.
        start: folder of a run of zhang2017, the same network but for its loss, whose weights this one begins with.
            "" begins anew.
    Raises:
        OptionError: if a share is not in 0..1 or another number not above 0.
    """

    empty: float = 0.25
    pixels: float = 0.5
    probability: float = PROBABILITY
    known: float = 10.0
    delta: float = 1.0
    scale: float = 0.01
    start: str = ""

    def __post_init__(self) -> None:
        check_range(self, 0, 1, "empty", "pixels", "probability")
        check_above_zero(self, "probability", "known", "delta", "scale")


class ColorizationTraining(Training):
    """The training of the colorization sub-net by itself."""

    kinds = (Xu2020Colorization, Xu2020Config, ColorizationRecipe)

    def prepare(self, pool: Pool) -> None:
        """Read the weights to start from."""
        self.start = weights_to_start_from(self.recipe.start, "zhang2017", FROM_ZHANG2017)

    def build(self) -> Xu2020Colorization:
        """A network before its first step."""
        model = Xu2020Colorization(self.network.colorization)
        start_from(model, self.start)
        if self.start:
            _shift_mask(model.block1[0])  # type: ignore[arg-type]
        return model

    def losses(self, model: Xu2020Colorization, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """The weighted Huber loss of one random batch."""
        recipe = self.recipe
        _, lightness, ab = random_photographs(pool, count, size)
        kept, mask = self.sample(ab)
        found = model(lightness, kept, mask)
        return {"huber": recipe.scale * weighted_huber(found, ab, mask, recipe.known, recipe.delta)}

    def sample(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """Each photograph's ab by pixels, by points, or not at all."""
        recipe = self.recipe
        by_pixels, by_points = (sampled(ab, kind, recipe.probability) for kind in ("pixels", "points"))
        pixels = some(ab, recipe.pixels)
        kept, mask = (torch.where(pixels, x, y) for x, y in zip(by_pixels, by_points, strict=True))
        shown = (~some(ab, recipe.empty)).to(ab.dtype)
        return kept * shown, mask * shown

    @torch.no_grad()
    def validate(self, model: Xu2020Colorization, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """Mean PSNR (8-bit RGB, dB) of held-out photographs in gray, from no ab, from points and from pixels."""
        generator = torch.Generator().manual_seed(0)

        def figures(index: Tensor) -> dict[str, float]:
            rgb, lightness, ab = whole_photographs(pool, index, 256)
            answers = _answers(model, lightness, ab, generator)
            return {name: psnr(lightness, found, (rgb * 255).round()) for name, found in answers.items()}

        return mean_over(held_out, CHUNK, figures)

    @torch.no_grad()
    def draw(self, model: Xu2020Colorization, pool: Pool, held_out: Tensor, file: Path) -> None:
        """A photograph a row: truth, gray, and colored from no ab, from points, from pixels."""
        rgb, lightness, ab = whole_photographs(pool, held_out[:ROWS], 160)
        answers = _answers(model, lightness, ab, torch.Generator().manual_seed(1))
        write_sheet([rgb * 255, *(result_rgb(lightness, found) for found in answers.values())], file)


def _answers(
    model: Xu2020Colorization, lightness: Tensor, ab: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """ab / 110 from each kind of input."""
    given = {"empty": empty(ab)}
    given |= {kind: sampled(ab, kind, generator=generator) for kind in ("points", "pixels")}
    return {"gray": torch.zeros_like(ab)} | {
        name: model(lightness, *shown).float() for name, shown in given.items()
    }


@torch.no_grad()
def _shift_mask(first: nn.Conv2d) -> None:
    """Let a first layer that knew masks of 0 and 1 see those of -0.5 and 0.5."""
    assert first.bias is not None
    first.bias.add_(0.5 * first.weight[:, 3].sum((1, 2)))
