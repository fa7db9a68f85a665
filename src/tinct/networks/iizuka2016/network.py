"""Iizuka, Simo-Serra, Ishikawa: Let there be Color!, SIGGRAPH 2016.

Low-level features of the photograph become mid-level features, place by place; low-level features of the same
photograph squashed to 224 square become one global vector, which the scene branch teaches; both are fused and decoded
to chroma. Layers are those of the paper's Table 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.errors import OptionError
from tinct.networks.graph import Release
from tinct.networks.layers.blocks import ConvNorm, upsampled
from tinct.networks.layers.outputs import Outputs, scaled
from tinct.networks.paper_graph import paper_graphs
from tinct.tables import check_above_zero

Layer = tuple[int, int]

LOW_LEVEL: tuple[Layer, ...] = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1))
"""Channels and stride of the 3x3 convolutions of the low-level features."""

GLOBAL: tuple[Layer, ...] = ((512, 2), (512, 1), (512, 2), (512, 1))
"""Channels and stride of the 3x3 convolutions of the global features."""

MID_LEVEL: tuple[Layer, ...] = ((512, 1), (256, 1))
"""Channels and stride of the 3x3 convolutions of the mid-level features."""

GLOBAL_CONNECTED = (1024, 512, 256)
"""Channels of the fully connected layers of the global features."""

SCENE_HIDDEN = 256
"""Channels of the scene branch's hidden layer."""

GLOBAL_STRIDE = 32
"""Pixels of the squashed photograph to one of the global features before they are connected fully."""


@dataclass(frozen=True)
class Iizuka2016Config:
    """The numbers of the network.

    Attributes:
        width: multiplies the channels of every layer; 1 is the paper's.
        global_size: side of the square that global features are computed on; a multiple of 32.
        scenes: size of the scene branch (the paper: Places' 205; here its 365 later classes).
    Raises:
        OptionError: if the global size is no multiple of 32, or another number is not above 0.
    """

    width: float = 1.0
    global_size: int = 224
    scenes: int = 365

    def __post_init__(self) -> None:
        check_above_zero(self, "width", "scenes")
        if self.global_size < GLOBAL_STRIDE or self.global_size % GLOBAL_STRIDE:
            raise OptionError(f"global_size is {self.global_size}; a multiple of {GLOBAL_STRIDE} is wanted.")


class GlobalFeatures(nn.Module):
    """Low-level features of the squashed photograph to one vector for fusion and one for the scene."""

    def __init__(self, config: Iizuka2016Config) -> None:
        super().__init__()
        inputs = scaled(LOW_LEVEL[-1][0], config.width)
        self.convolutions = _stack(inputs, GLOBAL, config.width)
        cells = (config.global_size // GLOBAL_STRIDE) ** 2
        first, second, third = (scaled(count, config.width) for count in GLOBAL_CONNECTED)
        self.connected = nn.Sequential(
            _connected(scaled(GLOBAL[-1][0], config.width) * cells, first), _connected(first, second)
        )
        self.last = _connected(second, third)

    def forward(self, low: Tensor) -> tuple[Tensor, Tensor]:
        """The vector for fusion and the vector for the scene, of low-level features (B, C, H, W)."""
        scene: Tensor = self.connected(self.convolutions(low).flatten(1))
        return self.last(scene), scene


class ColorizationNetwork(nn.Module):
    """Fused features at 1/8 to chroma at 1/2, enlarging by nearest neighbors; a sigmoid at the end."""

    def __init__(self, width: float) -> None:
        super().__init__()
        c256, c128, c64, c32 = (scaled(count, width) for count in (256, 128, 64, 32))
        self.at8 = ConvNorm(c256, c128)
        self.at4 = nn.Sequential(ConvNorm(c128, c64), ConvNorm(c64, c64))
        self.at2 = nn.Sequential(ConvNorm(c64, c32), nn.Conv2d(c32, 2, 3, padding=1))

    def forward(self, fused: Tensor) -> Tensor:
        """Chroma (B, 2, H/2, W/2), 0..1, of fused features (B, C, H/8, W/8)."""
        quarter = self.at4(F.interpolate(self.at8(fused), scale_factor=2.0, mode="nearest"))
        half: Tensor = self.at2(F.interpolate(quarter, scale_factor=2.0, mode="nearest"))
        return torch.sigmoid(half)


class Iizuka2016(nn.Module):
    """L* to ab at 1/2, and scenes."""

    multiple: ClassVar[int] = 8
    inputs: ClassVar[tuple[str, ...]] = ("lightness",)

    def __init__(self, config: Iizuka2016Config | None = None) -> None:
        super().__init__()
        self.config = config = config or Iizuka2016Config()
        low, mid = scaled(LOW_LEVEL[-1][0], config.width), scaled(MID_LEVEL[-1][0], config.width)
        self.low_level = _stack(1, LOW_LEVEL, config.width)
        self.mid_level = _stack(low, MID_LEVEL, config.width)
        self.global_features = GlobalFeatures(config)
        second, third = (scaled(count, config.width) for count in GLOBAL_CONNECTED[1:])
        self.fusion = ConvNorm(mid + third, mid, 1)
        self.colorization = ColorizationNetwork(config.width)
        hidden = scaled(SCENE_HIDDEN, config.width)
        self.scenes = nn.Sequential(_connected(second, hidden), nn.Linear(hidden, config.scenes))

    def forward(self, lightness: Tensor) -> Outputs:
        """Read a photograph.

        Args:
            lightness: CIE L*, (B, 1, H, W), 0..100; H and W multiples of 8.
        Returns:
            `ab` at (H/2, W/2), which the sigmoid keeps within a* b* of -110..110, and `scenes`.
        """
        shown = lightness / 100
        low = self.low_level(shown)
        side = self.config.global_size
        squashed = F.interpolate(shown, size=(side, side), mode="bilinear", align_corners=False)
        vector, scene = self.global_features(self.low_level(squashed))
        mid = self.mid_level(low)
        everywhere = upsampled(vector[:, :, None, None], mid)
        fused = self.fusion(torch.cat([mid, everywhere.to(mid.dtype)], 1))
        return Outputs(ab=2 * self.colorization(fused).float() - 1, scenes=self.scenes(scene))

    def colors(self, outputs: Outputs) -> Tensor:
        """a* b* / 110, (B, 2, H/2, W/2)."""
        assert outputs.ab is not None
        return outputs.ab


def _stack(inputs: int, layers: tuple[Layer, ...], width: float) -> nn.Sequential:
    convolutions = []
    for outputs, stride in layers:
        convolutions.append(ConvNorm(inputs, scaled(outputs, width), 3, stride))
        inputs = scaled(outputs, width)
    return nn.Sequential(*convolutions)


def _connected(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU(inplace=True)
    )


RELEASE = Release(Iizuka2016Config, Iizuka2016, paper_graphs)
"""The form in which trained networks become files."""
