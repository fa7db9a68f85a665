"""The training of the released network: its first weights and its losses."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.errors import OptionError
from tinct.networks.layers.outputs import bin_centers
from tinct.networks.tinct.encoder import SharingEncoder
from tinct.networks.tinct.network import Tinct, TinctConfig
from tinct.networks.tinct.ports import MAP_CHANNELS_PER_HEAD
from tinct.networks.tinct.released_weights import installed_network
from tinct.networks.tinct.training.batch import Answer, Batch, answer, draw_batch
from tinct.networks.tinct.training.distillation import Teachers
from tinct.networks.tinct.training.looking import Look
from tinct.networks.tinct.training.mimicry import Mimicry, begin_with
from tinct.networks.tinct.training.recipe import TinctRecipe
from tinct.networks.tinct.training.sheets import draw_sheet
from tinct.networks.tinct.training.start import NETWORK, Distilled, has_folded_norms
from tinct.networks.tinct.training.start import Mimicry as StartByMimicry
from tinct.networks.tinct.training.validation import validate
from tinct.training import losses
from tinct.training.color_distribution import own_prior
from tinct.training.lightness import old_lightness
from tinct.training.pool import SELF, Pool
from tinct.training.training import Training
from tinct.training.views import photographs_at, random_view

MATCH_DELTA = 0.05
"""Delta of the Huber loss of attended colors, in a* b* / 110."""

REGRESSED = 320
"""Photographs on which an encoder that shares a backbone is first regressed, of 192 pixels a side."""


class TinctTraining(Training):
    """The training of the released network, wherever it begins (`tinct.networks.tinct.training.start`)."""

    kinds = (Tinct, TinctConfig, TinctRecipe)
    name = NETWORK

    def prepare(self, pool: Pool) -> None:
        """Count how rare each color is, and open the branch and the teachers, if any are wanted."""
        self._device = pool.weights.device
        self.centers = bin_centers(1.0).to(self._device)
        self.weights = losses.color_weights(own_prior(pool))
        start = self.recipe.start
        self._look = Look(self._device) if self.network.backbone else None
        self._begun: dict[str, Tensor] | None = None
        self._mimicry: Mimicry | None = None
        if isinstance(start, StartByMimicry):
            if self._look is None:
                raise OptionError(
                    'a start of kind "mimicry" wants a backbone; leave backbone of [network] out.'
                )
            self._mimicry = Mimicry(self._look)
            self._begun = self._begin(pool)
        self._teachers: Teachers | None = None
        if start.told is not None:
            begun = self.build().to(self._device).eval()
            self._teachers = Teachers(begun, start if isinstance(start, Distilled) else None)

    def build(self) -> Tinct:
        """A network before its first step, as the recipe's start has it."""
        model, start = Tinct(self.network), self.recipe.start
        encoder = model.encoder
        if isinstance(encoder, SharingEncoder):
            encoder.look = self._look
        start.begin(model)
        if self._begun is not None:
            encoder.load_state_dict(self._begun)
            model.requires_grad_(False)
            encoder.requires_grad_(True)
            for part in (encoder.stem, encoder.down4):
                part.requires_grad_(False)  # the installed network's already
        if not start.trains_encoder:
            model.encoder.requires_grad_(False)
        self._folded = [part for part in ("encoder", "decoder") if has_folded_norms(getattr(model, part))]
        return model

    def _begin(self, pool: Pool) -> dict[str, Tensor]:
        """The first weights of an encoder that is to say what the installed one says.

        Raises:
            OptionError: if it differs from the installed one in layers that both have.
        """
        encoder = SharingEncoder(self.network)
        encoder.look = self._look
        shown = self._shown_lightness(pool, REGRESSED, 192).cpu()
        begin_with(encoder, installed_network().encoder, (shown - 50) / 50)
        return {name: value.detach().clone() for name, value in encoder.state_dict().items()}

    def losses(self, model: Tinct, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; the loop adds them up."""
        self._hold_still(model)
        if self._mimicry is not None:
            return self._mimicry.losses(model, self._shown_lightness(pool, count, size))
        r = self.recipe
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            batch = draw_batch(pool, r, count, size)
            half = F.avg_pool2d(batch.ab, 2)
            quarter = F.avg_pool2d(half, 2)
            some = losses.one_place_of_four()
            target = losses.soft_bins(quarter[some], self.centers)
        found = answer(model, batch)
        told = torch.ones(len(half), dtype=torch.bool, device=half.device)
        if self._teachers is not None:
            told = batch.has(*r.start.told)
            ab, likely = self._teachers.answers(batch, found, some)
            half = torch.where(told[:, None, None, None], half, ab)
            target = torch.where(told[:, None, None, None], target, likely)
        meaning = self._meaning(model, pool, batch, found) if r.start.trains_encoder else {}
        return {
            "huber": r.huber * losses.huber_per_photo(found.ab, half, r.delta).mean(),
            # masked: for taught answers the log error would dominate the loss
            "log": r.log_error * (losses.log_error(found.ab, half) * told).mean(),
            "bins": r.bins * losses.rebalanced_cross_entropy(found.bins[some], target, self.weights),
            "match": r.match * match_loss(found.maps, quarter, batch, model.config.heads),
            **meaning,
        }

    def _hold_still(self, model: Tinct) -> None:
        """Set an encoder that stays, and parts whose batch normalizations are folded, to evaluation mode."""
        if not self.recipe.start.trains_encoder:
            model.encoder.eval()
        for part in self._folded:
            getattr(model, part).eval()

    def _shown_lightness(self, pool: Pool, count: int, size: int) -> Tensor:
        """Lightness of random views, half of them as old photographs, (B, 1, size, size)."""
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            index = pool.draw(count)
            rgb, lightness, _ = photographs_at(pool, index, random_view(pool.sizes[index]).grid(size))
            return old_lightness(rgb, lightness) if self.recipe.old else lightness

    def validate(self, model: Tinct, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """See `tinct.networks.tinct.training.validation.validate`."""
        chunk = 32 if held_out.device.type == "cuda" else 8  # of what 501 hints weigh
        return validate(model, pool, held_out, chunk=chunk)

    def draw(self, model: Tinct, pool: Pool, held_out: Tensor, file: Path) -> None:
        """See `tinct.networks.tinct.training.sheets.draw_sheet`."""
        draw_sheet(model, pool, held_out, file)

    def _meaning(self, model: Tinct, pool: Pool, batch: Batch, found: Answer) -> dict[str, Tensor]:
        """Losses of the heads that only training uses: scenes, objects and segments."""
        r, pooled = self.recipe, found.deep.mean((2, 3))
        scenes, objects = _rows(pool.scenes, batch.index), _rows(pool.objects, batch.index)
        segments = model.segment_head(found.features.eighth)
        return {
            "scenes": r.scenes * losses.soft_label_loss(model.scene_head(pooled), scenes),
            "objects": r.objects * losses.soft_label_loss(model.object_head(pooled), objects),
            "segments": r.segments * losses.segment_loss(segments, batch.segments),
        }


def match_loss(maps: Tensor, truth: Tensor, batch: Batch, heads: int) -> Tensor:
    """Attended color against the truth where the memory holds the truth: under hints, everywhere with a self-reference.

    Args:
        maps: from the matcher, (B, heads * 6, h, w) at 1/4.
        truth: a* b* / 110 at 1/4, (B, 2, h, w).
    """
    parts = maps.float().reshape(len(maps), heads, MAP_CHANNELS_PER_HEAD, *maps.shape[-2:])
    attended = parts[:, :, 0:2] + parts[:, :, 3:5]
    itself = batch.has(SELF).float()[:, None, None, None]
    known = torch.maximum(F.avg_pool2d(batch.hints.map[:, 2:], 2), itself)[:, 0]
    wanted = truth[:, None].expand_as(attended)
    error = F.huber_loss(attended, wanted, delta=MATCH_DELTA, reduction="none").mean((1, 2))
    return (error * known).sum() / known.sum().clamp_min(1)


def _rows(labels: Tensor | None, index: Tensor) -> Tensor | None:
    return None if labels is None else labels[index].float()
