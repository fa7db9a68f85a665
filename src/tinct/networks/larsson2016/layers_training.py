"""What stands in for Larsson 2016's start from an ImageNet classifier: layers that predict what such a network sees.

The paper begins with VGG-16's weights, which are not to be had under a free licence at this network's width. The
frozen EfficientNet-Lite2 that the package index holds shows the layers at 1/8, 1/16 and 1/32 what it sees there in the
same gray photograph; linear maps read the layers' features out, and are then dropped.
Source: Romero et al., FitNets, ICLR 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from tinct.networks.larsson2016.network import Larsson2016, Larsson2016Config
from tinct.networks.layers.efficientnet_lite import CHANNELS, EfficientNetLite2, Levels, take_pretrained
from tinct.training.automatic import draw_batch
from tinct.training.checkpoint import averaged_state
from tinct.training.frozen_backbone import FrozenBackbone
from tinct.training.losses import in_deviations, unexplained
from tinct.training.pool import Pool
from tinct.training.training import Training
from tinct.training.validation import mean_over
from tinct.training.views import photographs_at, whole_view

LAYERS = "larsson2016-layers"
"""Name of the training."""

SHOWN = {8: CHANNELS[2], 16: CHANNELS[3], 32: CHANNELS[4]}
"""Channels of what is shown, by stride; the last layer of each stride learns it."""

SIDE = 192
"""Side in pixels of held-out photographs."""


@dataclass(frozen=True)
class LayersRecipe:
    """The numbers of this training.

    Attributes:
        old: half of the photographs get the lightness of old ones.
    """

    old: bool = False


class TaughtLayers(nn.Module):
    """The network, and for each stride a linear map from its last layer there to what is shown."""

    def __init__(self, config: Larsson2016Config | None = None) -> None:
        super().__init__()
        self.network = Larsson2016(config)
        self.last = {stride: self._last(stride) for stride in SHOWN}
        widths = {stride: self.network.layers[at - 1][0].out_channels for stride, at in self.last.items()}  # type: ignore[index, union-attr]
        self.maps = nn.ModuleDict(
            {str(stride): nn.Conv2d(widths[stride], count, 1) for stride, count in SHOWN.items()}  # type: ignore[arg-type]
        )

    def forward(self, lightness: Tensor) -> dict[str, Tensor]:
        """What is read out of the layers, by the name of the stride; lightness as of `Larsson2016.forward`."""
        features = self.network.features(lightness)
        return {str(stride): self.maps[str(stride)](features[at]) for stride, at in self.last.items()}

    def _last(self, stride: int) -> int:
        return max(i for i, each in enumerate(self.network.strides) if each == stride)


class LayersTraining(Training):
    """Knowledge distillation of a frozen network's features into the layers."""

    kinds = (TaughtLayers, Larsson2016Config, LayersRecipe)

    def prepare(self, pool: Pool) -> None:
        """Open the network that shows what it sees."""
        self.backbone = EfficientNetLite2()
        take_pretrained(self.backbone)
        device = pool.weights.device
        self.backbone.requires_grad_(False).eval().to(device)
        self.frozen = FrozenBackbone(self.backbone) if device.type == "cpu" else None

    def losses(self, model: TaughtLayers, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """For each stride, the share of the variance of what is shown that the layers do not explain."""
        with torch.no_grad(), torch.autocast(pool.weights.device.type, enabled=False):
            lightness = draw_batch(pool, count, size, self.recipe.old).lightness
        return self._unexplained(model, lightness)

    @torch.no_grad()
    def validate(self, model: TaughtLayers, pool: Pool, held_out: Tensor) -> dict[str, float]:
        """The same shares on whole held-out photographs."""

        def figures(index: Tensor) -> dict[str, float]:
            lightness = photographs_at(pool, index, whole_view(pool.sizes[index]).grid(SIDE))[1]
            return {name: float(share) for name, share in self._unexplained(model, lightness).items()}

        return mean_over(held_out, 16, figures)

    def _unexplained(self, model: TaughtLayers, lightness: Tensor) -> dict[str, Tensor]:
        wanted = self._seen((lightness - 50) / 50)
        found = model(lightness)
        return {f"at {name}": unexplained(maps, wanted[name]) for name, maps in found.items()}

    @torch.no_grad()
    def _seen(self, shown: Tensor) -> dict[str, Tensor]:
        """What the frozen network sees, each channel in units of its own deviation, by the name of the stride."""
        levels: Levels = self.backbone(shown) if self.frozen is None else self.frozen(shown, self.backbone)
        maps = {"8": levels.eighth, "16": levels.sixteenth, "32": levels.thirtysecond}
        return {name: in_deviations(each) for name, each in maps.items()}


def start_from(network: Larsson2016, run: Path) -> None:
    """Give the network the layers of a run of this training.

    Raises:
        OptionError: if the folder holds no such run, or its network has another width.
    """
    from tinct.errors import OptionError

    prefix = "network.layers."
    state = averaged_state(run, LAYERS)
    layers = {name.removeprefix(prefix): each for name, each in state.items() if name.startswith(prefix)}
    try:
        network.layers.load_state_dict(layers)
    except RuntimeError:
        raise OptionError(f"{run} holds layers of another width than {network.config.width}.") from None
