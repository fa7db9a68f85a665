"""The training of He 2018: one network under two losses, which of them a pair's kind says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tinct.errors import OptionError
from tinct.networks.he2018.network import Answer, He2018, He2018Config, result, upsampled
from tinct.networks.he2018.training.losses import gate_loss, length, perceptual_loss, place_weights, smooth_l1
from tinct.networks.he2018.training.pairs import (
    ALONE,
    ITSELF,
    REAL,
    STRANGE,
    Pairs,
    draw_pairs,
    held_out_pairs,
)
from tinct.networks.he2018.training.start import (
    RELEASED,
    ZHANG2017,
    gone_on_with,
    he2018_weights,
    started,
    zhang2017_weights,
)
from tinct.networks.layers.blocks import without_batch_norm
from tinct.networks.layers.efficientnet_lite import EfficientNetLite2, Levels, take_pretrained
from tinct.tables import check_from_zero, check_range
from tinct.training.frozen_backbone import FrozenBackbone
from tinct.training.labels import NOT_RELATED
from tinct.training.pool import Pool
from tinct.training.sheets import ROWS, write_sheet
from tinct.training.training import Training
from tinct.training.validation import mean_over, psnr, result_rgb

CHUNK, SIDE, SHEET_SIDE = 8, 256, 160
"""Held-out photographs validated at a time, their side in pixels, and the side of a sheet's."""


@dataclass(frozen=True)
class He2018Recipe:
    """What a batch is made of, and what is minimized.

    Attributes:
        shares: how often the kinds of pairs are drawn (`tinct.networks.he2018.training.pairs`): carried, itself, real,
            strange, alone. The paper: half carried, half real.
        strangers: share of carried and real pairs whose reference is any photograph rather than a relative.
        chrominance: weight of smooth L1, in units of a* b*.
        saturation: how much more colorful places count (`place_weights`).
        perceptual: weight of the perceptual loss.
        gate: weight of the gate's cross-entropy.
        gate_of_real: how much of that weight real pairs get, whose carried colors are the reference's own.
        start: "zhang2017" begins with its released weights, "released" goes on from he2018's own, "" begins anew.
    Raises:
        OptionError: if the shares are not five of 0 or more, or another number is out of its range.
    """

    shares: tuple[float, ...] = (0.5, 0.0, 0.5, 0.0, 0.0)
    strangers: float = 0.1
    chrominance: float = 0.05
    saturation: float = 0.0
    perceptual: float = 1.0
    gate: float = 0.1
    gate_of_real: float = 0.0
    start: str = ""

    def __post_init__(self) -> None:
        if len(self.shares) != 5 or min(self.shares) < 0 or sum(self.shares) <= 0:
            raise OptionError(f"shares are {self.shares}; five of 0 or more are wanted, one for each kind.")
        check_range(self, 0, 1, "strangers")
        check_from_zero(self, "chrominance", "saturation", "perceptual", "gate", "gate_of_real")
        if self.start not in ("", ZHANG2017, RELEASED):
            raise OptionError(f"start is {self.start!r}; it must be {ZHANG2017!r}, {RELEASED!r} or empty.")


class He2018Training(Training):
    """The training of the colorization sub-net; features and correspondence are not trained."""

    kinds = (He2018, He2018Config, He2018Recipe)

    def prepare(self, pool: Pool) -> None:
        """Open the frozen networks and read the weights to start from."""
        device = pool.weights.device
        self.backbone = EfficientNetLite2()
        take_pretrained(self.backbone)
        self.backbone.requires_grad_(False).eval().to(device)
        self.fast = FrozenBackbone(self.backbone) if device.type == "cpu" else None
        color = EfficientNetLite2(3)
        take_pretrained(color)
        self.color = without_batch_norm(color).requires_grad_(False).to(device)
        self.color = self.color.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        starts = {ZHANG2017: zhang2017_weights, RELEASED: he2018_weights}
        self.start = starts[self.recipe.start]() if self.recipe.start else None

    def build(self) -> He2018:
        """A network before its first step."""
        model = He2018(self.network)
        if self.start is not None:
            begin = gone_on_with if self.recipe.start == RELEASED else started
            begin(model, self.start)
        return model

    def see(self, lightness: Tensor) -> Levels:
        """EfficientNet-Lite2's levels of L*, (B, 1, H, W), 0..100."""
        scaled = (lightness - 50) / 50
        found: Levels = self.backbone(scaled) if self.fast is None else self.fast(scaled, self.backbone)
        return found

    def losses(self, model: He2018, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch."""
        recipe = self.recipe
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            pairs = draw_pairs(pool, count, size, recipe.shares, recipe.strangers, self.see)
        return self.compare(model(pairs.given), pairs)

    def compare(self, answer: Answer, pairs: Pairs) -> dict[str, Tensor]:
        """Weighted losses of the network's answer; each counts by its pairs' share of the batch."""
        found = result(answer, pairs.given.colors, pairs.present)
        real = pairs.kind == REAL
        truth = self.chrominance(found, pairs.ab, pairs.ab)
        losses = {"chrominance": _mean(truth, ~real)}
        if answer.gate is not None:
            gate = gate_loss(answer.gate, pairs.given.colors, pairs.ab)
            gate = torch.where(real, self.recipe.gate_of_real * gate, gate)
            losses["gate"] = self.recipe.gate * _mean(gate, pairs.kind != ALONE)
            losses["follow"] = _mean(self.follow(answer.gate, found, truth, pairs), real)
        losses["perceptual"] = found.sum() * 0
        if self.recipe.perceptual and bool(real.any()):
            some = pairs.given.lightness[real], found[real], pairs.ab[real]
            each = perceptual_loss(self.color, *some)
            losses["perceptual"] = self.recipe.perceptual * each.sum() / len(real)
        return losses

    def chrominance(self, found: Tensor, wanted: Tensor, ab: Tensor) -> Tensor:
        """Weighted smooth L1 of each place, (B, H, W)."""
        return self.recipe.chrominance * smooth_l1(found, wanted) * place_weights(ab, self.recipe.saturation)

    def follow(self, gate: Tensor, found: Tensor, truth: Tensor, pairs: Pairs) -> Tensor:
        """Of each place, (B, H, W): the reference's colors where the gate is open, else the truth."""
        share = torch.sigmoid(gate.float()).detach()[:, 0]
        colors = upsampled(pairs.given.colors, found)
        return share * self.chrominance(found, colors, pairs.ab) + (1 - share) * truth

    @torch.no_grad()
    def validate(self, model: He2018, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """Mean PSNR (8-bit RGB, dB) and the gate's mean with each kind of reference, on held-out photographs."""
        torch.manual_seed(0)
        others = self._others(pool, held_out)
        position = {int(index): at for at, index in enumerate(held_out)}

        def figures(index: Tensor) -> dict[str, float]:
            rows = torch.tensor([position[int(each)] for each in index])
            found: dict[str, float] = {}
            for name, (kind, other) in others.items():
                found |= self._figures(
                    model, held_out_pairs(pool, index, other[rows], kind, SIDE, self.see), name
                )
            return found

        return mean_over(held_out, CHUNK, figures)

    def _figures(self, model: He2018, pairs: Pairs, name: str) -> dict[str, float]:
        answer, lightness = model(pairs.given), pairs.given.lightness
        ab = result(answer, pairs.given.colors, pairs.present)
        truth = result_rgb(lightness, pairs.ab)
        found = {name: psnr(lightness, ab, truth), f"{name}_vividness": _vividness(ab, pairs.ab)}
        if name == "alone":
            return {"gray": psnr(lightness, torch.zeros_like(ab), truth), **found}
        if answer.gate is not None:
            found[f"{name}_gate"] = float(torch.sigmoid(answer.gate.float()).mean())
        return found | {f"{name}_carried": psnr(lightness, pairs.given.colors, truth)}

    def _others(self, pool: Pool, held_out: Tensor) -> dict[str, tuple[int, Tensor]]:
        """Kinds and references of held-out photographs, by the names of the figures."""
        related = held_out if pool.related is None else pool.related[held_out, 0]
        related = torch.where(related == NOT_RELATED, held_out, related)
        strange = torch.roll(held_out, 1)
        return {
            "alone": (ALONE, held_out),
            "itself": (ITSELF, held_out),
            "related": (REAL, related),
            "strange": (STRANGE, strange),
        }

    @torch.no_grad()
    def draw(self, model: He2018, pool: Pool, held_out: Tensor, file: Path) -> None:
        """A photograph a row: truth, alone, itself; relative, its colors carried, result; the same of a stranger."""
        index = held_out[:ROWS]
        columns: list[Tensor] = []
        for name, (kind, other) in self._others(pool, index).items():
            pairs = held_out_pairs(pool, index, other, kind, SHEET_SIDE, self.see)
            lightness, colors = pairs.given.lightness, pairs.given.colors
            if name == "alone":
                columns.append(result_rgb(lightness, pairs.ab))
            if name in ("related", "strange"):
                columns += [pairs.reference * 255, result_rgb(lightness, colors)]
            columns.append(result_rgb(lightness, result(model(pairs.given), colors, pairs.present)))
        write_sheet(columns, file)


def _mean(values: Tensor, rows: Tensor) -> Tensor:
    """The sum over some rows of their means, over the number of all rows."""
    return (values.flatten(1).mean(1) if values.ndim > 1 else values)[rows].sum() / len(rows)


def _vividness(ab: Tensor, truth: Tensor) -> float:
    return float(length(ab.float()).mean() / length(truth).mean())
