"""How the released network is trained: what each of its parts must answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tinct.errors import OptionError
from tinct.networks.layers.efficientnet_lite import take_pretrained
from tinct.networks.tinct.batch import Answer, Batch, answer, answer_from, draw_batch
from tinct.networks.tinct.encoder import PyramidEncoder, start_signature
from tinct.networks.tinct.graphs import take_released
from tinct.networks.tinct.mimicry import Mimicry
from tinct.networks.tinct.network import MAP_CHANNELS_PER_HEAD, Tinct, TinctConfig
from tinct.networks.tinct.recipe import TinctRecipe
from tinct.networks.tinct.transplant import take_released_decoder
from tinct.tables import dataclass_from
from tinct.training import losses
from tinct.training.frozen_backbone import FrozenBackbone
from tinct.training.lightness import old_lightness
from tinct.training.loop import averaged_state
from tinct.training.pool import RELATED, SELF, UNRELATED, Pool
from tinct.training.sheets import draw_sheet
from tinct.training.validation import validate
from tinct.training.views import photographs_at, random_view, whole_view

MATCH_DELTA = 0.05

SIGNED = 512
"""Photographs whose principal components signatures begin with."""


class TinctTraining:
    """What the loop asks of a network; see `tinct.training.loop.Training`."""

    name = "tinct"

    def __init__(self, recipe: TinctRecipe, network: TinctConfig, centers: Tensor, prior: Tensor) -> None:
        self.recipe, self.network = recipe, network
        self.shown: Tensor | None = None
        self.centers, self.weights = centers, losses.color_weights(prior)
        self._other = averaged_state(Path(recipe.mean_with), self.name) if recipe.mean_with else None
        self._frozen: FrozenBackbone | None = None
        self._mimicry: Mimicry | None = None
        self._signature: tuple[Tensor, Tensor] | None = None
        self._teachers: tuple[Tinct, Tinct | None] | None = None

    @classmethod
    def from_config(cls, tables: Mapping[str, Mapping[str, Any]], pool: Pool) -> TinctTraining:
        """From the tables [recipe] and [network]; rare colors are those that are rare in the pool."""
        recipe = dataclass_from(TinctRecipe, tables.get("recipe", {}), "recipe")
        network = dataclass_from(TinctConfig, tables.get("network", {}), "network")
        centers = bin_centers().to(pool.weights.device)
        training = cls(recipe, network, centers, own_prior(pool, centers))
        if network.signature and not recipe.start:
            training.shown = some_photographs(pool, SIGNED).cpu()
        return training

    def build(self) -> Tinct:
        """A fresh network; with `decoder_only`, encoder and matcher are those of the installed weights, with `go_on`
        the decoder too."""
        model = Tinct(self.network)
        if self.recipe.released_decoder:
            take_released_decoder(model)
        if isinstance(model.encoder, PyramidEncoder):
            take_pretrained(model.encoder.backbone)
            self._start_signature(model.encoder)
        if self.recipe.start:
            model.load_state_dict(averaged_state(Path(self.recipe.start), self.name))
        if isinstance(model.encoder, PyramidEncoder):
            self._freeze(model.encoder)
        if self.recipe.decoder_only:
            take_released(model, decoder=self.recipe.go_on)
            model.encoder.requires_grad_(False)
        return model

    def _start_signature(self, encoder: PyramidEncoder) -> None:
        """Begin signatures with what the pretrained network sees in some photographs, looked at once."""
        layer = encoder.signature
        if self._signature is None and self.shown is not None:
            start_signature(encoder, self.shown)
            self._signature = layer.weight.detach().clone(), layer.bias.detach().clone()
        if self._signature is not None:
            layer.load_state_dict(dict(zip(("weight", "bias"), self._signature, strict=True)))

    def _freeze(self, encoder: PyramidEncoder) -> None:
        """Freeze what of the backbone is not to be trained; on a CPU it is run by OpenVINO then."""
        begin = self.recipe.backbone_from
        encoder.backbone.requires_grad_(begin != "none")
        encoder.backbone.train_early(begin == "stem")
        if begin != "stem" and self.centers.device.type == "cpu":
            self._frozen = self._frozen or FrozenBackbone(encoder.backbone, early=begin == "sixteenth")
            encoder.frozen = self._frozen

    def losses(self, model: Tinct, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; the loop adds them up."""
        r = self.recipe
        if r.mimicry:
            return self._mimicry_losses(model, pool, count, size)
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            batch = draw_batch(pool, r, count, size)
            half = F.avg_pool2d(batch.ab, 2)
            quarter = F.avg_pool2d(half, 2)
            row, column = torch.randint(2, (2,)).tolist()  # one place of four: the distribution costs most
            some = (..., slice(row, None, 2), slice(column, None, 2))
            target = losses.soft_bins(quarter[some], self.centers)
        if r.decoder_only:
            model.encoder.eval()
        if r.go_on or r.released_decoder:
            model.decoder.eval()  # its batch normalizations are folded away
        found = answer(model, batch)
        told = torch.ones(len(half), dtype=torch.bool, device=half.device)
        if r.keep_answers or r.mean_with:
            told = batch.has(SELF) if r.mean_with else batch.has(SELF, RELATED)
            before, likely = self._taught(batch, found, some)
            half = torch.where(told[:, None, None, None], half, before)
            target = torch.where(told[:, None, None, None], target, likely)
        meaning = {} if r.decoder_only else self._meaning(model, pool, batch, found)
        return {
            "huber": r.huber * losses.huber_per_photo(found.ab, half, r.delta).mean(),
            # of an answer that is kept it would say, louder than all else, how little it has changed
            "log": r.log_error * (losses.log_error(found.ab, half) * told).mean(),
            "bins": r.bins * losses.rebalanced_cross_entropy(found.bins[some], target, self.weights),
            "match": r.match * match_loss(found.maps, quarter, batch, model.config.heads),
            **meaning,
        }

    def _mimicry_losses(self, model: Tinct, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """How far the encoder is from the released one on random views, half of them as old photographs."""
        model.decoder.eval()
        self._mimicry = self._mimicry or Mimicry()
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            index = pool.draw(count)
            rgb, lightness, _ = photographs_at(pool, index, random_view(pool.sizes[index]).grid(size))
            shown = old_lightness(rgb, lightness) if self.recipe.old else lightness
        return self._mimicry.losses(model, shown)

    def validate(self, model: Tinct, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """See `tinct.training.validation.validate`."""
        chunk = 32 if held_out.device.type == "cuda" else 8  # of what 501 hints weigh
        return validate(model, pool, held_out, chunk=chunk)

    def draw(self, model: Tinct, pool: Pool, held_out: Tensor, file: Path) -> None:
        """See `tinct.training.sheets.draw_sheet`."""
        draw_sheet(model, pool, held_out, file)

    @torch.no_grad()
    def _taught(self, batch: Batch, found: Answer, some: Any) -> tuple[Tensor, Tensor]:
        """What the teachers answer: ab, and their distribution at some places."""
        r = self.recipe
        if self._teachers is None:
            self._teachers = self._open_teachers(found.ab.device)
        first, second = self._teachers
        if second is None:
            answers = [answer_from(first, batch, found)]
        else:
            trust, other = r.mean_trust
            answers = [answer_from(first, batch, found, trust), answer_from(second, batch, found, other)]
        share = r.mean_share * batch.has(RELATED, UNRELATED).float()[:, None, None, None]

        def mean(parts: list[Tensor]) -> Tensor:
            return parts[0] if second is None else torch.lerp(parts[0], parts[1], share)

        likely = [torch.softmax(each.bins[some].float(), 1) for each in answers]
        return mean([each.ab.float() for each in answers]), mean(likely)

    def _open_teachers(self, device: torch.device) -> tuple[Tinct, Tinct | None]:
        """The decoder that was begun with, and `mean_with`."""
        first, second = self.build(), None
        if self._other is not None:
            second = Tinct(self.network)
            try:
                second.load_state_dict(self._other)
            except RuntimeError:
                raise OptionError(
                    f"{self.recipe.mean_with} is another network: it has other numbers in [network], or an earlier "
                    "version's decoder."
                ) from None
            for name, own in first.encoder.state_dict().items():
                if not torch.allclose(own.float(), self._other[f"encoder.{name}"].float(), atol=1e-3):
                    raise OptionError(
                        f"{self.recipe.mean_with} is not over the encoder that is installed ({name} differs)."
                    )
            second = second.to(device).eval()
        return first.to(device).eval(), second

    def _meaning(self, model: Tinct, pool: Pool, batch: Batch, found: Answer) -> dict[str, Tensor]:
        """What teaches the encoder what is where: scenes, objects, segments."""
        r, pooled = self.recipe, found.deep.mean((2, 3))
        scenes, objects = _rows(pool.scenes, batch.index), _rows(pool.objects, batch.index)
        return {
            "scenes": r.scenes * losses.soft_label_loss(model.scene_head(pooled), scenes),
            "objects": r.objects * losses.soft_label_loss(model.object_head(pooled), objects),
            "segments": r.segments
            * losses.segment_loss(model.segment_head(found.features.eighth), batch.segments),
        }


def match_loss(maps: Tensor, truth: Tensor, batch: Batch, heads: int) -> Tensor:
    """Attended color against the truth where the memory must know it: under hints, and all over a self-reference.

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


def own_prior(pool: Pool, centers: Tensor, photographs: int = 1024, size: int = 16) -> Tensor:
    """How often each bin's color occurs in the pool, smoothed as in Zhang 2016: (313,), sums to 1."""
    total = torch.zeros(len(centers), device=centers.device)
    for _ in range(max(1, photographs // 64)):
        index = pool.draw(64)
        grid = random_view(pool.sizes[index], 1.0).grid(size)
        total += losses.soft_bins(photographs_at(pool, index, grid)[2], centers).sum((0, 2, 3))
    return total / total.sum()


def some_photographs(pool: Pool, count: int, size: int = 128) -> Tensor:
    """Whole photographs as the network is shown them: (L* - 50) / 50, (count, 1, size, size)."""
    views = []
    for index in pool.draw(count).split(64):
        grid = whole_view(pool.sizes[index]).grid(size)
        views.append((photographs_at(pool, index, grid)[1] - 50) / 50)
    return torch.cat(views)


def bin_centers() -> Tensor:
    """The 313 ab bins, (313, 2)."""
    from tinct.color.bins import AB_BINS

    return torch.from_numpy(AB_BINS.copy()).float()


def _rows(labels: Tensor | None, index: Tensor) -> Tensor | None:
    return None if labels is None else labels[index].float()
