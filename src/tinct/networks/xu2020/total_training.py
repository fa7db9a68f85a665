"""How Xu 2020's refinement learns what to believe: from the transfer sub-net's real T_ab to the photograph's own ab."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tinct.errors import OptionError
from tinct.networks.tinct.training.batch import turned
from tinct.networks.tinct.training.validation import TURN
from tinct.networks.xu2020.coarse_pairs import (
    ITSELF,
    KINDS,
    RELATIVE,
    STRANGER,
    CoarsePairs,
    is_made,
    make_pairs,
)
from tinct.networks.xu2020.colorization_network import Xu2020Colorization, empty, sampled, weighted_huber
from tinct.networks.xu2020.likeness import believed, shown_share
from tinct.networks.xu2020.network import Xu2020Config
from tinct.networks.xu2020.places import PROBABILITY
from tinct.networks.xu2020.released import RELEASED, take_released_colorization, take_released_transfer
from tinct.networks.xu2020.training import CHUNK, ROWS
from tinct.networks.xu2020.transfer_network import Xu2020Transfer
from tinct.tables import check_above_zero, check_range
from tinct.training.lightness import some
from tinct.training.pool import Pool
from tinct.training.sheets import write_sheet
from tinct.training.training import Training
from tinct.training.validation import mean_over, psnr, result_rgb
from tinct.training.views import photographs_at, whole_view

HELD_OUT = 48
"""Held-out photographs that get references, at most."""

FEWEST = 0.01
"""The least share of pixels that are shown of photographs whose reference is not asked how alike it is."""

TRUSTED = 0.4
"""Share of photographs whose reference is trusted more than by itself, so that more of it is shown."""


@dataclass(frozen=True)
class TotalRecipe:
    """What a batch is made of, and what is minimized.

    Attributes:
        transfer, colorization: where the sub-nets come from: "released", or the folder of a run.
        pairs: folder of the T_ab that are trained on; they are made if they are not there.
        count, side: photographs that get references, and the height and width of their maps.
        empty: share of photographs without any ab (the paper: 5 epochs of their own).
        truth: share that is shown its own ab; the rest is shown T_ab.
        itself, stranger: shares, among those shown T_ab, whose reference is another view of the photograph, and an
            unrelated photograph; the rest have a relative.
        turned: share of T_ab whose hues are turned, and the truth's with them, so that the likely color of a thing
            does not decide by itself whether a reference is believed.
        pixels: share of the maps that are sampled by pixels; the rest by points.
        believed: share of those by pixels of which as much is shown as the method shows where nothing is known of
            colors (`tinct.networks.xu2020.likeness.believed`), at trusts of 1 to 3: how dense the pixels are then says
            how far they are believed.
        sparse: share of the others by pixels that are shown fewer than the paper's eighth, down to a hundredth.
        known, delta, scale: as in `tinct.networks.xu2020.colorization_training.ColorizationRecipe`.
    Raises:
        OptionError: if a share is not in 0..1 or another number not above 0.
    """

    transfer: str = RELEASED
    colorization: str = RELEASED
    pairs: str = "runs/xu2020-pairs"
    count: int = 3000
    side: int = 128
    empty: float = 0.2
    truth: float = 0.15
    itself: float = 0.25
    stranger: float = 0.3
    turned: float = 0.25
    pixels: float = 0.9
    believed: float = 0.75
    sparse: float = 0.2
    known: float = 10.0
    delta: float = 1.0
    scale: float = 0.01

    def __post_init__(self) -> None:
        check_range(
            self, 0, 1, "empty", "truth", "itself", "stranger", "turned", "pixels", "believed", "sparse"
        )
        check_above_zero(self, "count", "side", "known", "delta", "scale")


class TotalTraining(Training):
    """The colorization sub-net behind a transfer sub-net that stays as it is."""

    kinds = (Xu2020Colorization, Xu2020Config, TotalRecipe)

    def prepare(self, pool: Pool) -> None:
        """Open the pairs, or make them.

        Raises:
            OptionError: if the folder has other pairs than those that are wanted.
        """
        recipe, folder = self.recipe, Path(self.recipe.pairs)
        if not is_made(folder):
            transfer, colorization = Xu2020Transfer(self.network.transfer), self.build()
            take_released_transfer(transfer, recipe.transfer)
            held_out = torch.nonzero(pool.weights == 0)[:HELD_OUT, 0].tolist()
            networks = transfer.eval(), colorization.eval()
            make_pairs(pool, held_out, networks, folder, recipe.count, recipe.side, self.tell)
        self.pairs = CoarsePairs.load(folder)
        if self.pairs.side != recipe.side or self.pairs.photographs.max(initial=-1) >= len(pool.weights):
            raise OptionError(
                f"{folder} has pairs of another pool or another side than {recipe.side}; name another folder."
            )
        self.trained_on = torch.nonzero(pool.weights[torch.from_numpy(self.pairs.photographs)])[:, 0]

    def build(self) -> Xu2020Colorization:
        """The colorization sub-net as it is released, or as its own run left it."""
        model = Xu2020Colorization(self.network.colorization)
        take_released_colorization(model, self.recipe.colorization)
        return model

    def losses(self, model: Xu2020Colorization, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """The weighted Huber loss of one random batch; `size` is that of the pairs."""
        recipe = self.recipe
        rows = self.trained_on[torch.randint(len(self.trained_on), (count,))]
        shares = torch.tensor(
            [recipe.itself, *([(1 - recipe.itself - recipe.stranger) / 2] * 2), recipe.stranger]
        )
        kinds = torch.multinomial(shares.clamp_min(0), count, replacement=True)
        with torch.autocast(pool.weights.device.type, enabled=False):
            lightness, ab = self._photographs(pool, rows)
            shown = self.pairs.ab(rows, kinds)
            fits = self.pairs.fit(rows, kinds)
            lightness, ab, shown = _mirrored(lightness, ab, shown)
            turns = some(ab, recipe.turned)[:, 0, 0, 0] * torch.rand(count) * 2 * math.pi
            ab, shown = turned(ab, turns), turned(shown, turns)
            true = some(ab, recipe.truth)
            fits = torch.where(true[:, 0, 0, 0], torch.ones_like(fits), fits)
            kept, mask = self.sample(torch.where(true, ab, shown), fits)
        found = model(lightness, kept, mask)
        return {"huber": recipe.scale * weighted_huber(found, ab, mask, recipe.known, recipe.delta)}

    def sample(self, ab: Tensor, fits: Tensor) -> tuple[Tensor, Tensor]:
        """Each photograph's ab by pixels, as many as the method shows, an eighth or fewer, by points, or not at all.

        Args:
            ab: what may be shown, (B, 2, H, W).
            fits: as of `tinct.networks.xu2020.coarse_pairs.CoarsePairs.fit`, (B,).
        """
        recipe = self.recipe
        few = PROBABILITY * (FEWEST / PROBABILITY) ** torch.rand(len(ab), 1, 1, 1)
        share = torch.where(some(ab, recipe.sparse), few, PROBABILITY)
        trusts = 1 + 2 * torch.rand(len(ab)) * (torch.rand(len(ab)) < TRUSTED)
        told = [
            shown_share(believed(one), trust)
            for one, trust in zip(fits.tolist(), trusts.tolist(), strict=True)
        ]
        share = torch.where(some(ab, recipe.believed), torch.tensor(told)[:, None, None, None], share)
        by_pixels = (torch.rand_like(ab[:, :1]) < share).to(ab.dtype)
        points, by_points = sampled(ab, "points")
        pixels, shown = some(ab, recipe.pixels), (~some(ab, recipe.empty)).to(ab.dtype)
        kept, mask = torch.where(pixels, ab * by_pixels, points), torch.where(pixels, by_pixels, by_points)
        return kept * shown, mask * shown

    def _mask(self, rows: Tensor, kinds: Tensor, generator: torch.Generator) -> Tensor:
        """The pixels that the method shows by the fit alone, at a trust of 1, (B, 1, side, side)."""
        told = [shown_share(believed(each)) for each in self.pairs.fit(rows, kinds).tolist()]
        shape = len(rows), 1, self.pairs.side, self.pairs.side
        return (torch.rand(shape, generator=generator) < torch.tensor(told)[:, None, None, None]).float()

    def _photographs(self, pool: Pool, rows: Tensor) -> tuple[Tensor, Tensor]:
        """L* and ab / 110 of the pairs' photographs, as T_ab lies on them."""
        index = torch.from_numpy(np.asarray(self.pairs.photographs))[rows]
        grid = whole_view(pool.sizes[index]).grid(self.pairs.side)
        _, lightness, ab = photographs_at(pool, index, grid)
        return lightness, ab

    @torch.no_grad()
    def validate(self, model: Xu2020Colorization, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """Mean PSNR (8-bit RGB, dB) of held-out photographs: pre-color, and answers by kind of reference.

        `turned` is of photographs whose hues are turned by a third of a circle, with their relatives', and `unturned`
        of their pre-color. `coarse_...` is of T_ab itself.
        """
        rows = torch.nonzero(pool.weights[torch.from_numpy(self.pairs.photographs)] == 0)[:, 0]
        if len(rows) == 0:
            rows = self.trained_on[:HELD_OUT]
        generator = torch.Generator().manual_seed(0)

        def figures(some_rows: Tensor) -> dict[str, float]:
            with torch.autocast(pool.weights.device.type, enabled=False):
                lightness, ab = self._photographs(pool, some_rows)
            truth = result_rgb(lightness, ab).round()
            pre = model(lightness, *empty(ab)).float()
            out = {"precolor": psnr(lightness, pre, truth)}
            for name, kind in ((ITSELF, 0), (RELATIVE, 1), (STRANGER, len(KINDS) - 1)):
                kinds = torch.full_like(some_rows, kind)
                shown, mask = self.pairs.ab(some_rows, kinds), self._mask(some_rows, kinds, generator)
                found = model(lightness, shown * mask, mask).float()
                out[name] = psnr(lightness, found, truth)
                out[f"coarse_{name}"] = psnr(lightness, shown, truth)
                if name == RELATIVE:
                    angle = torch.full((len(ab),), TURN)
                    other = result_rgb(lightness, turned(ab, angle)).round()
                    followed = model(lightness, turned(shown, angle) * mask, mask).float()
                    out["turned"] = psnr(lightness, followed, other)
                    out["unturned"] = psnr(lightness, pre, other)
            return out

        return mean_over(rows, CHUNK, figures)

    @torch.no_grad()
    def draw(self, model: Xu2020Colorization, pool: Pool, held_out: Tensor, file: Path) -> None:
        """A photograph a row: truth, pre-color; T_ab and answer after itself, after a relative, after a stranger."""
        rows = torch.nonzero(pool.weights[torch.from_numpy(self.pairs.photographs)] == 0)[:ROWS, 0]
        rows = rows if len(rows) else self.trained_on[:ROWS]
        lightness, ab = self._photographs(pool, rows)
        columns, generator = [ab, model(lightness, *empty(ab)).float()], torch.Generator().manual_seed(1)
        for kind in (0, 1, len(KINDS) - 1):
            kinds = torch.full_like(rows, kind)
            shown, mask = self.pairs.ab(rows, kinds), self._mask(rows, kinds, generator)
            columns += [shown, model(lightness, shown * mask, mask).float()]
        write_sheet([result_rgb(lightness, column) for column in columns], file)


def _mirrored(*maps: Tensor) -> list[Tensor]:
    """Half of the photographs mirrored, all their maps alike."""
    mirror = some(maps[0], 0.5)
    return [torch.where(mirror, each.flip(-1), each) for each in maps]
