"""How Xu 2020's transfer sub-net is trained, and a student of its encoder whose weights are free to release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.errors import OptionError
from tinct.networks.layers.vgg19 import CHANNELS, VGG19, scaled
from tinct.networks.xu2020.encoder_weights import TEACHER, encoder_weights, teacher
from tinct.networks.xu2020.network import Xu2020Config
from tinct.networks.xu2020.transfer_network import DECODER_ONLY, ENCODER_ONLY, EVERYWHERE, Xu2020Transfer
from tinct.training.pool import Pool
from tinct.training.sheets import write_sheet
from tinct.training.training import Training
from tinct.training.validation import mean_over
from tinct.training.views import photographs_at, random_view, whole_view

SHOWN = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_4", "conv4_1")
"""The encoder's features that the transfer sub-net looks at; a student learns those that its teacher has."""

ROWS = 8
"""Photographs on a sheet."""

CHUNK = 16
"""Held-out photographs validated at a time."""


@dataclass(frozen=True)
class EncoderRecipe:
    """Whom the student learns from.

    Attributes:
        encoder: the teacher, as in `tinct.networks.xu2020.encoder_weights.encoder_weights`.
    """

    encoder: str = TEACHER


class StudentEncoder(nn.Module):
    """A narrower VGG-19, and for each layer it learns a linear map to the teacher's channels, which is then dropped."""

    def __init__(self, width: float, layers: Sequence[str]) -> None:
        super().__init__()
        self.encoder, self.layers = VGG19(width), tuple(layers)
        self.maps = nn.ModuleDict(
            {name: nn.Conv2d(scaled(CHANNELS[name], width), CHANNELS[name], 1) for name in layers}
        )

    def forward(self, rgb: Tensor) -> dict[str, Tensor]:
        """The teacher's features as this one sees them."""
        found = self.encoder.features(rgb, self.layers)
        return {name: self.maps[name](features) for name, features in found.items()}


class EncoderTraining(Training):
    """Knowledge distillation of the encoder: every layer's features, as a share of what varies in them.

    Source: Romero et al., FitNets, ICLR 2015, at every level instead of one.
    """

    kinds = (StudentEncoder, Xu2020Config, EncoderRecipe)

    def prepare(self, pool: Pool) -> None:
        """Open the published network."""
        self.teacher, known = teacher()
        self.teacher.to(pool.weights.device)
        self.layers = tuple(name for name in SHOWN if name in known)

    def build(self) -> StudentEncoder:
        """A fresh student, with ImageNet's normalization: the teacher's color transform reaches to 150."""
        return StudentEncoder(self.network.transfer, self.layers)

    def losses(self, model: StudentEncoder, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """One for each layer: the share of the teacher's variance that is not explained."""
        with torch.no_grad():
            rgb = random_photographs(pool, count, size)[0]
            wanted = self.teacher.features(rgb, self.layers)
        return {name: _unexplained(found, wanted[name]) for name, found in model(rgb).items()}

    @torch.no_grad()
    def validate(self, model: StudentEncoder, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """The same shares on held-out photographs, for each layer."""

        def figures(index: Tensor) -> dict[str, float]:
            rgb = whole_photographs(pool, index)[0]
            wanted = self.teacher.features(rgb, self.layers)
            return {name: float(_unexplained(found, wanted[name])) for name, found in model(rgb).items()}

        return mean_over(held_out, CHUNK, figures)


@dataclass(frozen=True)
class TransferRecipe:
    """What the decoder's training minimizes.

    Attributes:
        encoder: where the encoder's weights come from, as in `tinct.networks.xu2020.encoder_weights.encoder_weights`.
        reconstruction: weight of the mean squared error, sRGB 0..1.
        perceptual: weight of the mean squared error of the encoder's features of output and photograph.
        pooled: weight of predicting the pooled feature under conv4_1 from it, which keeps a conv4_1 that has no
            weights of its own from forgetting what it sees; unused where it has some.
    """

    encoder: str = TEACHER
    reconstruction: float = 0.8
    perceptual: float = 0.2
    pooled: float = 0.1


class TransferModel(nn.Module):
    """The transfer sub-net, and a head for training that reads pooled features back out of conv4_1."""

    def __init__(self, width: float) -> None:
        super().__init__()
        self.network = Xu2020Transfer(width)
        self.pooled = nn.Conv2d(scaled(512, width), scaled(256, width), 1)


class TransferTraining(Training):
    """The decoder learns to give photographs back; the encoder stays as it is, but for layers without weights."""

    kinds = (TransferModel, Xu2020Config, TransferRecipe)

    def prepare(self, pool: Pool) -> None:
        """Read the encoder's weights."""
        self.weights = encoder_weights(self.recipe.encoder)

    def build(self) -> TransferModel:
        """A fresh decoder behind the encoder's weights."""
        model = TransferModel(self.network.transfer)
        unknown = model.network.encoder.load(self.weights)
        if unknown not in ((), ("conv4_1",)) and self.recipe.encoder != "none":
            raise OptionError(f"{self.recipe.encoder} has no weights for {unknown[0]}; give a whole encoder.")
        model.pooled.requires_grad_(bool(unknown))
        _start_at_gray(model.network.decoder.conv1_1)
        return model

    def losses(self, model: TransferModel, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; no statistics are matched in training."""
        recipe, network = self.recipe, model.network
        rgb = random_photographs(pool, count, size)[0]
        encoded = network.encode(rgb)
        found = network.decoder(encoded)[0]
        out = {
            "reconstruction": recipe.reconstruction * F.mse_loss(found.float(), rgb),
            "perceptual": recipe.perceptual * perceptual_loss(network.encoder, found, rgb),
        }
        if model.pooled.weight.requires_grad:
            wanted = encoded.pooled[-1].detach()
            out["pooled"] = recipe.pooled * _unexplained(model.pooled(encoded.deepest), wanted)
        return out

    @torch.no_grad()
    def validate(self, model: TransferModel, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """PSNR of reconstructions (dB), and of transfers to another photograph the share of style that is left.

        `style` is how far the transfer's feature statistics are from the style's, over how far the photograph's are.
        """
        network = model.network

        def figures(index: Tensor) -> dict[str, float]:
            rgb = whole_photographs(pool, index)[0]
            style = rgb.roll(1, 0)
            found = network(rgb, style).clamp(0, 1)
            return {
                "reconstruction": reconstruction(network(rgb), rgb),
                "style": style_left(network.encoder, found, rgb, style),
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


def perceptual_loss(encoder: VGG19, found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of conv{i}_1 over the layers that are frozen (the feature loss of Johnson et al., 2016)."""
    layers = [name for name in ("conv1_1", "conv2_1", "conv3_1", "conv4_1") if _is_frozen(encoder, name)]
    if not layers:
        return found.sum() * 0
    with torch.no_grad():
        truth = encoder.features(wanted, layers)
    seen = encoder.features(found, layers)
    errors = [F.mse_loss(seen[name].float(), truth[name].float()) for name in layers]
    return torch.stack(errors).mean()


@torch.no_grad()
def _start_at_gray(output: nn.Conv2d) -> None:
    """Let a fresh decoder answer middle gray.

    From He's start it answers colors a hundred times too large, and the way back kills its units: after 500 steps at
    1e-3, 31 of 32 were dead and the answer gray for good (squared error 0.016); so begun it is at 0.006 after 60.
    """
    output.weight.mul_(0.01)
    assert output.bias is not None
    output.bias.fill_(0.5)


def style_distance(encoder: VGG19, found: Tensor, style: Tensor) -> Tensor:
    """Distance of means and deviations at conv1_1 to conv3_1, (B,)."""
    layers = ("conv1_1", "conv2_1", "conv3_1")
    one, other = encoder.features(found, layers), encoder.features(style, layers)
    gaps = []
    for name in layers:
        x, y = one[name].float().flatten(2), other[name].float().flatten(2)
        gaps.append((x.mean(2) - y.mean(2)).norm(dim=1) + (x.std(2) - y.std(2)).norm(dim=1))
    return torch.stack(gaps).sum(0)


def style_left(encoder: VGG19, found: Tensor, content: Tensor, style: Tensor) -> float:
    """How far the transfer's statistics are from the style's, over how far the photograph's are: the mean."""
    own = style_distance(encoder, content, style).clamp_min(1e-6)
    return float((style_distance(encoder, found, style) / own).mean())


def reconstruction(found: Tensor, rgb: Tensor) -> float:
    """Mean PSNR, dB, of sRGB (B, 3, H, W), clipped to 0..1."""
    error = (found.float().clamp(0, 1) - rgb).square().mean((1, 2, 3)).clamp_min(1e-7)
    return float((-10 * torch.log10(error)).mean())


def random_photographs(pool: Pool, count: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """sRGB, L* and ab / 110 of random photographs in random views."""
    index = pool.draw(count)
    with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
        return photographs_at(pool, index, random_view(pool.sizes[index]).grid(size))


def whole_photographs(pool: Pool, index: Tensor, size: int = 224) -> tuple[Tensor, Tensor, Tensor]:
    """sRGB, L* and ab / 110 of whole photographs, squashed to a square."""
    with torch.autocast(pool.weights.device.type, enabled=False):
        return photographs_at(pool, index, whole_view(pool.sizes[index]).grid(size))


def as_bytes(rgb: Tensor) -> Tensor:
    """sRGB 0..1, clipped, as values 0..255."""
    return rgb.float().clamp(0, 1) * 255


def _unexplained(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error over the variance of what is wanted."""
    found, wanted = found.float(), wanted.float()
    variance = (wanted - wanted.mean((0, 2, 3), keepdim=True)).square().mean()
    return F.mse_loss(found, wanted) / variance.clamp_min(1e-8)


def _is_frozen(encoder: VGG19, name: str) -> bool:
    return not next(encoder.get_submodule(name).parameters()).requires_grad
