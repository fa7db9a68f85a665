"""How Xu 2020's transfer sub-net is trained, and a student of its encoder whose weights are free to release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.networks.layers.blocks import smoothly_upsampled
from tinct.networks.layers.efficientnet_lite import EfficientNetLite2, take_pretrained
from tinct.networks.layers.vgg19 import CHANNELS, VGG19, scaled
from tinct.networks.xu2020.encoder_weights import TEACHER, encoder_weights, teacher
from tinct.networks.xu2020.even_start import evenly_started, normalize
from tinct.networks.xu2020.network import Xu2020Config
from tinct.tables import check_from_zero
from tinct.training.losses import in_deviations, unexplained
from tinct.training.pool import Pool
from tinct.training.training import Training
from tinct.training.validation import mean_over
from tinct.training.views import photographs_at, random_view, whole_view

SHOWN = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_4", "conv4_1")
"""The encoder's features that the transfer sub-net looks at; a student learns those that its teacher has."""

SEEN_CHANNELS = 48 + 120
"""Channels of EfficientNet-Lite2 at 1/8 and at 1/16, which a conv4_1 without a teacher of its own kind predicts."""

MEASURED = 8, 96
"""Photographs, and their side, by what is seen of which layers are started (`tinct.networks.xu2020.even_start`)."""

ROWS = 8
"""Photographs on a sheet."""

CHUNK = 16
"""Held-out photographs validated at a time."""


@dataclass(frozen=True)
class EncoderRecipe:
    """Whom the student learns from, and what conv4_1 learns where the teacher's file has no such layer.

    conv4_1 is left as it is where nobody teaches it.

    Attributes:
        encoder: the teacher, as in `tinct.networks.xu2020.encoder_weights.encoder_weights`; "none" where `start` gives
            all layers but conv4_1.
        start: the encoder whose layers are taken over and kept as they are, all but conv4_1, in the same words; "" for
            a fresh student.
        seen: weight of predicting from conv4_1 what a frozen EfficientNet-Lite2 sees at 1/8 and 1/16; at 0 it teaches
            nothing.
        pooled: weight of predicting from conv4_1 the pooled feature under it, colors included, meanwhile.
    Raises:
        OptionError: if a number is out of its range.
    """

    encoder: str = TEACHER
    start: str = ""
    seen: float = 0.0
    pooled: float = 1.0

    def __post_init__(self) -> None:
        check_from_zero(self, "seen", "pooled")


class StudentEncoder(nn.Module):
    """A narrower VGG-19, and for each layer it learns a linear map to the teacher's channels, which is then dropped.

    Args:
        width: multiplies the channels of VGG-19.
        layers: the layers that a teacher has shown.
        alone: True where conv4_1 learns without a teacher of its own kind; linear maps then read out of it what
            EfficientNet-Lite2 sees and the pooled feature under it.
    """

    def __init__(self, width: float, layers: Sequence[str], *, alone: bool = False) -> None:
        super().__init__()
        self.encoder, self.layers, self.alone = VGG19(width), tuple(layers), alone
        self.maps = nn.ModuleDict(
            {name: nn.Conv2d(scaled(CHANNELS[name], width), CHANNELS[name], 1) for name in layers}
        )
        if alone:
            deepest = self.encoder.channels("conv4_1")
            self.seen = nn.Conv2d(deepest, SEEN_CHANNELS, 1)
            self.pooled = nn.Conv2d(deepest, self.encoder.channels("conv3_4"), 1)

    def forward(self, rgb: Tensor) -> dict[str, Tensor]:
        """The teacher's features as the student sees them; of a conv4_1 without a teacher, what is read out of it."""
        found = self.encoder.features(rgb, {*self.layers, *(("conv3_4", "conv4_1") if self.alone else ())})
        answers = {name: self.maps[name](found[name]) for name in self.layers}
        if self.alone:
            answers |= {"seen": self.seen(found["conv4_1"]), "pooled": self.pooled(found["conv4_1"])}
            answers["under"] = F.avg_pool2d(found["conv3_4"], 2)
        return answers


class EncoderTraining(Training):
    """Knowledge distillation of the encoder: every layer's features, as a share of what varies in them.

    The teacher of conv4_1 is EfficientNet-Lite2 where the published VGG-19's file ends before it.
    Source: Romero et al., FitNets, ICLR 2015, at every level instead of one.
    """

    kinds = (StudentEncoder, Xu2020Config, EncoderRecipe)

    def prepare(self, pool: Pool) -> None:
        """Open the teachers."""
        recipe = self.recipe
        self.start = encoder_weights(recipe.start) if recipe.start else {}
        self.layers: tuple[str, ...] = ()
        if recipe.encoder != "none":
            self.teacher, known = teacher()
            self.teacher.to(pool.weights.device)
            self.layers = tuple(name for name in SHOWN if name in known)
        self.alone = recipe.seen > 0 and "conv4_1" not in self.layers
        if self.alone:
            self.backbone = EfficientNetLite2()
            take_pretrained(self.backbone)
            self.backbone.requires_grad_(False).eval().to(pool.weights.device)
            self.few = few_photographs(pool)

    def build(self) -> StudentEncoder:
        """A fresh student, with ImageNet's normalization: the teacher's color transform reaches to 150."""
        model = StudentEncoder(self.network.transfer, self.layers, alone=self.alone)
        if self.start:
            model.encoder.load({k: v for k, v in self.start.items() if not k.startswith("conv4_1")})
        if self.alone:
            encoder = model.encoder.to(self.few.device)
            normalize(encoder, self.few, encoder.names[:-1])
            under = encoder.features(self.few, ("conv3_4",))["conv3_4"]
            evenly_started(encoder.get_submodule("conv4_1"), F.avg_pool2d(under, 2))  # type: ignore[arg-type]
        return model

    def losses(self, model: StudentEncoder, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """One for each layer: the share of the teacher's variance that is not explained."""
        return self._unexplained(model, *random_photographs(pool, count, size)[:2])

    def _unexplained(self, model: StudentEncoder, rgb: Tensor, lightness: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            wanted = self.teacher.features(rgb, self.layers) if self.layers else {}
        found = model(rgb)
        losses = {name: unexplained(found[name], wanted[name]) for name in self.layers}
        if self.alone:
            seen = self._seen(lightness, found["seen"])
            losses["seen"] = self.recipe.seen * unexplained(found["seen"], seen)
            losses["pooled"] = self.recipe.pooled * unexplained(found["pooled"], found["under"].detach())
        return losses

    @torch.no_grad()
    def _seen(self, lightness: Tensor, like: Tensor) -> Tensor:
        """What EfficientNet-Lite2 sees at 1/8 and 1/16, each channel in units of its own deviation."""
        levels = self.backbone((lightness - 50) / 50)
        both = [level.float() for level in (levels.eighth, levels.sixteenth)]
        return in_deviations(torch.cat([smoothly_upsampled(level, like) for level in both], 1))

    @torch.no_grad()
    def validate(self, model: StudentEncoder, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """The same shares on held-out photographs, for each layer; and the share of conv4_1's live units."""

        def figures(index: Tensor) -> dict[str, float]:
            rgb, lightness, _ = whole_photographs(pool, index)
            shares = {name: float(x) for name, x in self._unexplained(model, rgb, lightness).items()}
            alive = model.encoder.features(rgb, ("conv4_1",))["conv4_1"].amax((0, 2, 3)) > 0
            return shares | {"alive": float(alive.float().mean())}

        return mean_over(held_out, CHUNK, figures)


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


def few_photographs(pool: Pool) -> Tensor:
    """sRGB of the photographs by which layers are started."""
    count, side = MEASURED
    drawn = torch.nonzero(pool.weights)[:, 0]
    return whole_photographs(pool, drawn[:: max(1, len(drawn) // count)][:count], side)[0]


def as_bytes(rgb: Tensor) -> Tensor:
    """sRGB 0..1, clipped, as values 0..255."""
    return rgb.float().clamp(0, 1) * 255


def _is_frozen(encoder: VGG19, name: str) -> bool:
    return not next(encoder.get_submodule(name).parameters()).requires_grad
