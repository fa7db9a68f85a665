"""The training that the papers' networks share: photographs without help, a validation curve and a sheet.

A network's own training defines the losses (`compare`), and the help that the network takes, if any (`given`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.layers.outputs import Outputs
from tinct.training.lightness import old_lightness
from tinct.training.pool import Pool
from tinct.training.sheets import ROWS, write_sheet
from tinct.training.training import Training
from tinct.training.validation import mean_over, psnr, result_rgb
from tinct.training.views import look_at_segments, photographs_at, random_view, whole_view

LABEL_STRIDE = 4
"""Pixels of the photograph to one of segments and of distributions."""


@dataclass
class Batch:
    """Photographs to learn from.

    Attributes:
        index: (B,), in the pool.
        rgb: sRGB, (B, 3, size, size), 0..1.
        lightness: L* as given to the network, (B, 1, size, size), 0..100.
        ab: the truth, (B, 2, size, size), a* b* / 110.
        segments: classes at 1/4, (B, size / 4, size / 4), or None.
    """

    index: Tensor
    rgb: Tensor
    lightness: Tensor
    ab: Tensor
    segments: Tensor | None

    def ab_at(self, stride: int) -> Tensor:
        """The truth's mean over squares of `stride` pixels."""
        return F.avg_pool2d(self.ab, stride)


def draw_batch(pool: Pool, count: int, size: int, old: bool) -> Batch:
    """A random batch; `old` gives half of it the lightness of old photographs."""
    index = pool.draw(count)
    grid = random_view(pool.sizes[index]).grid(size)
    rgb, lightness, ab = photographs_at(pool, index, grid)
    segments = look_at_segments(pool, index, grid, size // LABEL_STRIDE)
    return Batch(index, rgb, old_lightness(rgb, lightness) if old else lightness, ab, segments)


class AutomaticTraining(Training):
    """The training of a network that colors a photograph by itself, with or without help.

    Attributes:
        sheet_size: sides in pixels of the pictures on a sheet, which the network must take.
    """

    sheet_size: ClassVar[int] = 160

    def losses(self, model: nn.Module, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; the loop adds them up."""
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            batch = draw_batch(pool, count, size, self.recipe.old)
            given = self.given(batch)
        return self.compare(model(batch.lightness, *given), batch, pool)

    def given(self, batch: Batch) -> tuple[Tensor, ...]:
        """The network's inputs beside lightness."""
        return ()

    def compare(self, outputs: Outputs, batch: Batch, pool: Pool) -> dict[str, Tensor]:
        """Weighted losses of the network's outputs."""
        raise NotImplementedError

    def answers(self, model: Any, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """a* b* / 110 at any size, by the kind of help; "automatic" is without any."""
        return {"automatic": model.colors(model(batch.lightness))}

    @torch.no_grad()
    def validate(self, model: nn.Module, pool: Pool, held_out: Tensor, size: int = 256) -> dict[str, float]:
        """Mean PSNR (8-bit RGB, dB) of held-out photographs squashed to `size` square, and vividness.

        Returns:
            `gray`, a figure for each of `answers`, `vividness`, the automatic result's mean chroma against the
            truth's, and `loss`, the sum of the losses: PSNR does not tell whether a network that counts
            rare colors more still learns.
        """
        generator = torch.Generator().manual_seed(0)
        chunk = 32 if held_out.device.type == "cuda" else 8
        return mean_over(
            held_out, chunk, lambda index: self._figures(model, pool, _whole(pool, index, size), generator)
        )

    def _figures(
        self, model: nn.Module, pool: Pool, batch: Batch, generator: torch.Generator
    ) -> dict[str, float]:
        truth = (batch.rgb * 255).round()
        answers = self.answers(model, batch, generator)
        found = {"gray": psnr(batch.lightness, torch.zeros_like(batch.ab), truth)}
        found |= {name: psnr(batch.lightness, ab, truth) for name, ab in answers.items()}
        found["vividness"] = float(answers["automatic"].norm(dim=1).mean() / batch.ab.norm(dim=1).mean())
        return found | {"loss": self._loss(model, batch, pool)}

    def _loss(self, model: nn.Module, batch: Batch, pool: Pool) -> float:
        """The sum of the losses, with the same random help each time."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            given = self.given(batch)
        return float(sum(self.compare(model(batch.lightness, *given), batch, pool).values()))

    @torch.no_grad()
    def draw(self, model: nn.Module, pool: Pool, held_out: Tensor, file: Path) -> None:
        """Write a sheet of held-out photographs, one a row: truth, gray, and each of `answers`."""
        batch = _whole(pool, held_out[:ROWS], self.sheet_size)
        answers = self.answers(model, batch, torch.Generator().manual_seed(1))
        shown = [torch.zeros_like(batch.ab), *answers.values()]
        write_sheet([batch.rgb * 255, *(result_rgb(batch.lightness, ab) for ab in shown)], file)


def _whole(pool: Pool, index: Tensor, size: int) -> Batch:
    grid = whole_view(pool.sizes[index]).grid(size)
    rgb, lightness, ab = photographs_at(pool, index, grid)
    return Batch(index, rgb, lightness, ab, look_at_segments(pool, index, grid, size // LABEL_STRIDE))
