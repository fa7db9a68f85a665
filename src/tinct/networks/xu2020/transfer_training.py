"""How Xu 2020's transfer sub-net is trained: to give photographs back, by every level, and to take another's look."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.color.bins import AB_SCALE
from tinct.color.lab_torch import lab_to_rgb, rgb_to_lab
from tinct.errors import OptionError
from tinct.networks.layers.vgg19 import VGG19, scaled
from tinct.networks.tinct.training.batch import turned
from tinct.networks.xu2020.colorization_network import Xu2020Colorization, empty
from tinct.networks.xu2020.encoder_weights import TEACHER, encoder_weights
from tinct.networks.xu2020.even_start import SIZE, normalize, start_evenly
from tinct.networks.xu2020.feature_statistics_torch import adain, matching
from tinct.networks.xu2020.label_maps import common_labels, seen
from tinct.networks.xu2020.network import Xu2020Config
from tinct.networks.xu2020.output_fit import fit_output
from tinct.networks.xu2020.released import take_released_colorization, take_released_transfer
from tinct.networks.xu2020.training import (
    CHUNK,
    ROWS,
    as_bytes,
    few_photographs,
    random_photographs,
    reconstruction,
    style_left,
    unexplained,
    whole_photographs,
)
from tinct.networks.xu2020.transfer_network import (
    DECODER_ONLY,
    ENCODER_ONLY,
    EVERYWHERE,
    LEVELS,
    Encoded,
    Xu2020Transfer,
)
from tinct.tables import check_from_zero, check_range
from tinct.training.labels import NOT_RELATED
from tinct.training.lightness import relit, some
from tinct.training.mixed_precision import mixed_precision
from tinct.training.pool import Pool, choose_references, relatives
from tinct.training.sheets import write_sheet
from tinct.training.training import Training
from tinct.training.validation import mean_over, psnr
from tinct.training.views import View, moved_view, photographs_at, random_bend, random_view

LOOKED_AT = ("conv1_1", "conv2_1", "conv3_1", "conv4_1")
"""Layers of the perceptual loss and of the style term."""

OTHERS = (0.0, 0.5, 0.5)
"""Of the references that are other photographs: relatives and strangers in equal shares."""


TURNED_ITSELF, TURNED_RELATIVE = 0.35, 0.6
"""Share of photographs whose hues are turned where a reference's colors are learned, by the kind of reference."""

BY_LABEL = 0.8
"""Share of steps in which colors are learned label by label."""

NEGLIGIBLE = 1.5 / AB_SCALE
"""Error in a* b* / 110 that is not worth making smaller."""

FIT_BATCHES, FIT_BATCH, FIT_SIDE = 20, 8, 112
"""Batches, photographs in each, and their side, by which the output convolution is fitted at the end."""


@dataclass(frozen=True)
class TransferRecipe:
    """What the decoder's training minimizes.

    The first two terms are the paper's. By these alone the decoder lives on the skips of the first two levels, and
    whatever the reference's deeper features say is lost.

    Attributes:
        encoder: where the encoder's weights come from, as in `tinct.networks.xu2020.encoder_weights.encoder_weights`.
        start: "released", or the folder of a run of the same network, to go on from its encoder and decoder; `encoder`
            is not read then. "" for a fresh decoder.
        reconstruction: weight of the mean squared error, sRGB 0..1.
        perceptual: weight of the mean squared error of the encoder's features of output and photograph, conv1_1 to
            conv4_1, whose channels are normalized (`tinct.networks.xu2020.even_start.normalize`).
        pooled: weight of predicting the pooled feature under conv4_1 from it, which keeps a conv4_1 that has no
            weights of its own from forgetting what it sees; unused where it has some.
        dropped: share of photographs of which the skips of level 1, of levels 1 and 2 or of all levels are dropped, so
            that the decoder learns to live on the deeper ones; these are compared at the scale that is left.
        following: share of photographs that follow a reference, with AdaIN at all places: after another view of
            themselves and after another photograph by turns.
        guided: weight of giving a photograph back with AdaIN at all places, from wrong colors or the pre-color, after
            another view of itself.
        style: weight of taking the statistics of another photograph's features with AdaIN at all places.
        colors: weight of the error in a* b* after another view of the photograph or a relative, with AdaIN at all
            places, label by label (`tinct.networks.xu2020.label_maps`) in four of five steps.
        colored: share of photographs that learn by `colors`.
        relatives: share of these whose reference is a relative. Of a third of all, and of three in five with a
            relative, hues are turned, the reference's alike, so that only the reference can tell them.
        lightness: weight of keeping the photograph's lightness meanwhile.
        colorization: where the colorization sub-net comes from that pre-colors: "released", the folder of a run, or ""
            for gray.
    Raises:
        OptionError: if a number is out of its range.
    """

    encoder: str = TEACHER
    start: str = ""
    reconstruction: float = 0.8
    perceptual: float = 0.2
    pooled: float = 0.1
    dropped: float = 0.5
    following: float = 0.5
    guided: float = 1.0
    style: float = 0.03
    colors: float = 0.0
    colored: float = 0.0
    relatives: float = 0.3
    lightness: float = 0.5
    colorization: str = ""

    def __post_init__(self) -> None:
        check_from_zero(
            self, "reconstruction", "perceptual", "pooled", "guided", "style", "colors", "lightness"
        )
        check_range(self, 0, 1, "dropped", "following", "colored", "relatives")


class TransferModel(nn.Module):
    """The transfer sub-net, and a head for training that reads pooled features back out of conv4_1."""

    def __init__(self, width: float) -> None:
        super().__init__()
        self.network = Xu2020Transfer(width)
        self.pooled = nn.Conv2d(scaled(512, width), scaled(256, width), 1)


class TransferTraining(Training):
    """The decoder learns to give photographs back and to follow references; the encoder stays as it is."""

    kinds = (TransferModel, Xu2020Config, TransferRecipe)

    def prepare(self, pool: Pool) -> None:
        """Read the encoder's weights, and look at a few photographs for the start."""
        self.weights = {} if self.recipe.start else encoder_weights(self.recipe.encoder)
        self.few = few_photographs(pool)
        self.colorization: Xu2020Colorization | None = None
        if self.recipe.colorization:
            self.colorization = Xu2020Colorization(self.network.colorization).eval().requires_grad_(False)
            take_released_colorization(self.colorization, self.recipe.colorization)
            self.colorization.to(pool.weights.device)

    def build(self) -> TransferModel:
        """A fresh decoder behind the encoder's weights, or the sub-net that training goes on from."""
        model = TransferModel(self.network.transfer)
        if self.recipe.start:
            take_released_transfer(model.network, self.recipe.start)
            model.network.encoder.requires_grad_(False)
            model.pooled.requires_grad_(False)
            return model
        unknown = model.network.encoder.load(self.weights)
        if unknown not in ((), ("conv4_1",)) and self.recipe.encoder != "none":
            raise OptionError(f"{self.recipe.encoder} has no weights for {unknown[0]}; give a whole encoder.")
        model.pooled.requires_grad_(bool(unknown))
        network = model.network.to(self.few.device)
        if not unknown:
            normalize(network.encoder, self.few, network.encoder.names)
        start_evenly(network, self.few)
        return model

    def losses(self, model: TransferModel, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch: a part of it follows a reference, the rest is given back as it is."""
        recipe = self.recipe
        following, colored = (round(count * share) for share in (recipe.following, recipe.colored))
        losses = self._given_back(model, pool, max(1, count - following - colored), size)
        if following:
            losses |= self._following(model.network, pool, following, size)
        if colored:
            losses |= self._colored(model.network, pool, colored, size)
        return losses

    def _given_back(self, model: TransferModel, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """The paper's losses, without statistics matched, and with skips dropped."""
        recipe, network = self.recipe, model.network
        rgb = random_photographs(pool, count, size)[0]
        encoded = network.encode(rgb)
        depth = depths(count, recipe.dropped, rgb.device)
        found = network.decoder(without_skips(encoded, depth))[0].float()
        out = {
            "reconstruction": recipe.reconstruction * error_at_scale(found, rgb, depth),
            "perceptual": recipe.perceptual
            * perceptual_loss(network.encoder, found[depth == 0], rgb[depth == 0]),
        }
        if model.pooled.weight.requires_grad:
            wanted = encoded.pooled[-1].detach()
            out["pooled"] = recipe.pooled * unexplained(model.pooled(encoded.deepest), wanted)
        return out

    def _following(self, network: Xu2020Transfer, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """AdaIN at all places: half after another view of the photograph itself, half after another photograph."""
        recipe = self.recipe
        index = pool.draw(count)
        itself = torch.arange(count, device=index.device) % 2 == 0
        other = torch.where(itself, index, choose_references(pool, index, OTHERS)[0])
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            rgb, lightness, ab = photographs_at(pool, index, random_view(pool.sizes[index]).grid(size))
            style = photographs_at(pool, other, random_view(pool.sizes[other]).grid(size))[0]
            content = self.recolored(lightness, ab)
        with torch.no_grad():
            guide = network.guide(style, adain)
            encoded = network.encode(content, guide)
        found = network.decoder(encoded, guide)[0].float()
        seen = network.encoder.features(found, LOOKED_AT)
        wanted = dict(zip(LOOKED_AT, guide.encoded.levels, strict=True))
        return {
            "guided": recipe.guided * F.mse_loss(found[itself], rgb[itself]),
            "lightness": recipe.lightness * F.mse_loss(luma(found), luma(content)),
            "style": recipe.style * statistics_gap(seen, wanted),
        }

    def _colored(self, network: Xu2020Transfer, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """AdaIN at all places, label by label: the photograph's own a* b* after another view of it, or a relative."""
        recipe = self.recipe
        index = pool.draw(count)
        related = relatives(pool, index)
        other = torch.where((torch.rand(count) < recipe.relatives) & (related != NOT_RELATED), related, index)
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            view = random_view(pool.sizes[index])
            moved, there = moved_view(view), random_view(pool.sizes[other])
            style_view = View(
                **{
                    each.name: torch.where(
                        other == index, getattr(moved, each.name), getattr(there, each.name)
                    )
                    for each in fields(View)
                }
            )
            _, lightness, ab = photographs_at(pool, index, view.grid(size))
            bend = random_bend(count, size, lightness.device)
            _, shades, colors = photographs_at(pool, other, style_view.grid(size, bend))
            shades = torch.where(some(shades, 0.5), relit(shades), shades)
            content = self.recolored(lightness, ab)
            often = torch.where(other == index, TURNED_ITSELF, TURNED_RELATIVE)
            turn = 2 * math.pi * torch.rand(count) * (torch.rand(count) < often)
            ab, colors = turned(ab, turn), turned(colors, turn)
            style = lab_to_rgb(torch.cat([shades, colors * AB_SCALE], 1)).clamp(0, 1)
            labels = self._labels(lightness, shades) if torch.rand(()) < BY_LABEL else ()
        with torch.no_grad():
            guide = network.guide(style, matching("adain", *labels))
            encoded = network.encode(content, guide)
        found = network.decoder(encoded, guide)[0].float()
        error = (rgb_to_lab(found.clamp(0, 1))[:, 1:] / AB_SCALE - ab).square().mean((1, 2, 3))
        return {
            "colors": recipe.colors * (error + NEGLIGIBLE**2).sqrt().mean(),
            "kept": recipe.lightness * F.mse_loss(luma(found), luma(content)),
        }

    def _labels(self, lightness: Tensor, shades: Tensor) -> tuple[Tensor, Tensor]:
        """Label maps that photographs and references have in common, (B, ., .) each."""
        common = [
            common_labels(seen(own), seen(other))
            for own, other in zip(lightness[:, 0].cpu().numpy(), shades[:, 0].cpu().numpy(), strict=True)
        ]
        own, other = (np.stack([each[at] for each in common]) for at in (0, 1))
        return torch.from_numpy(own).to(lightness.device), torch.from_numpy(other).to(lightness.device)

    @torch.no_grad()
    def finish(self, model: TransferModel, pool: Pool) -> None:
        """Fit the decoder's output convolution by least squares, on both tasks of the training."""
        fit_output(model.network.decoder.conv1_1, self._last_features(model.network, pool))

    def _last_features(self, network: Xu2020Transfer, pool: Pool) -> Iterator[tuple[Tensor, Tensor, float]]:
        """The decoder's features of photographs as they are, and of recolored ones after another view of themselves."""
        torch.manual_seed(0)
        for _ in range(FIT_BATCHES):
            index = pool.draw(FIT_BATCH)
            views = (random_view(pool.sizes[index]).grid(FIT_SIDE) for _ in range(2))
            (rgb, lightness, ab), (style, shades, _) = (photographs_at(pool, index, grid) for grid in views)
            with mixed_precision(rgb.device):
                plain = network.decoder(network.encode(rgb))[1][1]
                labels = self._labels(lightness, shades) if self.recipe.colored else ()
                guide = network.guide(style, matching("adain", *labels))
                guided = network.decoder(network.encode(self.recolored(lightness, ab), guide), guide)[1][1]
            yield plain, rgb, 1.0
            yield guided, rgb, 0.5

    @torch.no_grad()
    def recolored(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """sRGB of photographs whose colors are turned and weakened, or are those of the colorization sub-net."""
        angle = (torch.rand(len(ab), 1, 1, device=ab.device) - 0.5) * math.pi
        scale = torch.rand(len(ab), 1, 1, device=ab.device) * 1.2
        a, b = ab.unbind(1)
        wrong = torch.stack([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], 1)
        wrong = wrong * scale[:, None]
        wrong = torch.where(some(ab, 0.5), self.precolored(lightness, ab), wrong)
        return lab_to_rgb(torch.cat([lightness, wrong * AB_SCALE], 1)).clamp(0, 1)

    def precolored(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """ab / 110 of the colorization sub-net from lightness alone; gray where there is none."""
        if self.colorization is None:
            return torch.zeros_like(ab)
        with mixed_precision(ab.device):
            return self.colorization(lightness, *empty(ab)).float()

    @torch.no_grad()
    def validate(self, model: TransferModel, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """PSNR of reconstructions (dB), and of transfers to another photograph the share of style that is left.

        `style` is how far the transfer's feature statistics are from the style's, over how far the photograph's are.
        `precolor`, `self` and `other`: PSNR of the pre-color, of the photograph pre-colored and then transferred to
        itself mirrored, and to another photograph. The rest are the laws of a network that lives on all its levels:
        `without_levelN` is the PSNR of reconstructions without that level, and `encoderN`, `skipsN`, `decoderN` by how
        much a* b* change if statistics are not matched there.
        """
        network = model.network

        def figures(index: Tensor) -> dict[str, float]:
            rgb, lightness, ab = whole_photographs(pool, index, 128)
            style = rgb.roll(1, 0)
            found = network(rgb, style).clamp(0, 1)
            pre = self.precolored(lightness, ab)
            content = lab_to_rgb(torch.cat([lightness, pre * AB_SCALE], 1)).clamp(0, 1)
            truth = (rgb * 255).round()
            own, other = (
                coarse(network, content, x, labels=self._labels(lightness, rgb_to_lab(x)[:, :1]))
                for x in (rgb.flip(-1), style)
            )
            return {
                "reconstruction": reconstruction(network(rgb), rgb),
                "style": style_left(network.encoder, found, rgb, style),
                "precolor": psnr(lightness, pre, truth),
                "self": psnr(lightness, own, truth),
                "other": psnr(lightness, other, truth),
                "moved": AB_SCALE * float((other - pre).norm(dim=1).mean()),
                **without_levels(network, rgb),
                **places_worth(network, content, style),
            }

        return mean_over(held_out, CHUNK, figures)

    @torch.no_grad()
    def draw(self, model: TransferModel, pool: Pool, held_out: Tensor, file: Path) -> None:
        """A photograph a row: itself, the style, reconstruction, AdaIN everywhere, in the encoder, in the decoder."""
        rgb = whole_photographs(pool, held_out[:ROWS], 160)[0]
        style = rgb.roll(1, 0)
        columns = [rgb, style, model.network(rgb)]
        columns += [model.network(rgb, style, places=p) for p in (EVERYWHERE, ENCODER_ONLY, DECODER_ONLY)]
        write_sheet([as_bytes(column) for column in columns], file)


def depths(count: int, share: float, device: torch.device) -> Tensor:
    """How many of the levels' skips, from the first on, each photograph is to lose: 0..3, (B,)."""
    deep = torch.randint(1, len(LEVELS) + 1, (count,), device=device)
    return torch.where(torch.rand(count, device=device) < share, deep, 0)


def without_skips(encoded: Encoded, depth: Tensor) -> Encoded:
    """The encoded photographs without the skips of levels 1 to `depth` of each, (B,)."""
    kept = [(depth < level).to(encoded.deepest.dtype)[:, None, None, None] for level in LEVELS]
    pooled = tuple(x * keep for x, keep in zip(encoded.pooled, kept, strict=True))
    before = tuple(x * keep for x, keep in zip(encoded.before, kept, strict=True))
    return encoded._replace(pooled=pooled, before=before)


def error_at_scale(found: Tensor, rgb: Tensor, depth: Tensor) -> Tensor:
    """Mean squared error of photographs at the scale of the shallowest level that each still has."""
    gap, errors = found - rgb, found.new_zeros(len(found))
    for level in range(len(LEVELS) + 1):
        here = depth == level
        small = F.avg_pool2d(gap, 2**level) if level else gap
        errors = torch.where(here, small.square().mean((1, 2, 3)), errors)
    return errors.mean()


def perceptual_loss(encoder: VGG19, found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of the layers of `LOOKED_AT` that are frozen.

    Source: the feature loss of Johnson et al., Perceptual Losses for Real-Time Style Transfer, ECCV 2016.
    """
    layers = [name for name in LOOKED_AT if _is_frozen(encoder, name)]
    if not layers or len(found) == 0:
        return found.sum() * 0
    with torch.no_grad():
        truth = encoder.features(wanted, layers)
    seen = encoder.features(found, layers)
    return torch.stack([F.mse_loss(seen[name].float(), truth[name].float()) for name in layers]).mean()


def statistics_gap(seen: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
    """How far means and deviations of features are from a style's, over the style's own deviations: the layers' mean.

    Source: Huang and Belongie, Arbitrary Style Transfer in Real-Time with AdaIN, ICCV 2017, equation 13.
    """
    gaps = []
    for name, features in seen.items():
        x, y = features.float().flatten(2), wanted[name].float().flatten(2)
        unit = y.std(2).square().mean(1, keepdim=True).sqrt().clamp_min(0.2 * SIZE)
        gaps += [
            ((x.mean(2) - y.mean(2)) / unit).square().mean(),
            ((x.std(2) - y.std(2)) / unit).square().mean(),
        ]
    return torch.stack(gaps).mean()


def luma(rgb: Tensor) -> Tensor:
    """The weighted sum of sRGB's channels, (B, H, W)."""
    return (rgb * rgb.new_tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(1)


def coarse(network: Xu2020Transfer, content: Tensor, style: Tensor, **how: object) -> Tensor:
    """T_ab / 110 of a pre-colored photograph after a style, both sRGB (B, 3, H, W)."""
    found = network(content, style, **how)  # type: ignore[arg-type]
    return rgb_to_lab(found.float().clamp(0, 1))[:, 1:] / AB_SCALE


@torch.no_grad()
def without_levels(network: Xu2020Transfer, rgb: Tensor) -> dict[str, float]:
    """PSNR (dB) of reconstructions without each level: its skips, or conv4_1, zeroed."""
    encoded, left = network.encode(rgb), {}
    for level in (*LEVELS, 4):
        if level == 4:
            less = encoded._replace(deepest=torch.zeros_like(encoded.deepest))
        else:
            pooled, before = (
                tuple(x * (place != level) for place, x in enumerate(skips, 1))
                for skips in (encoded.pooled, encoded.before)
            )
            less = encoded._replace(pooled=pooled, before=before)
        left[f"without_level{level}"] = reconstruction(network.decoder(less)[0], rgb)
    return left


@torch.no_grad()
def places_worth(network: Xu2020Transfer, content: Tensor, style: Tensor) -> dict[str, float]:
    """By how much a* b* change, on average, if statistics are not matched at one place."""
    whole, moved = coarse(network, content, style), {}
    for name in ("encoder", "skips", "decoder"):
        for level in getattr(EVERYWHERE, name):
            fewer = tuple(each for each in getattr(EVERYWHERE, name) if each != level)
            places = EVERYWHERE.__class__(**{**EVERYWHERE.__dict__, name: fewer})
            gap = coarse(network, content, style, places=places) - whole
            moved[f"{name}{level}"] = AB_SCALE * float(gap.norm(dim=1).mean())
    return moved


def _is_frozen(encoder: VGG19, name: str) -> bool:
    return not next(encoder.get_submodule(name).parameters()).requires_grad
