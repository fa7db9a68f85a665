"""VGG-19's convolutions as encoders of style transfer use them: average pooling, reflection padding, any width.

Source: Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015, configuration E; average pooling as in
Gatys et al., CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from tinct.errors import WeightsError

CHANNELS: dict[str, int] = {
    "conv1_1": 64,
    "conv1_2": 64,
    "conv2_1": 128,
    "conv2_2": 128,
    "conv3_1": 256,
    "conv3_2": 256,
    "conv3_3": 256,
    "conv3_4": 256,
    "conv4_1": 512,
    "conv4_2": 512,
    "conv4_3": 512,
    "conv4_4": 512,
    "conv5_1": 512,
}
"""Layers in order with their channels, as far as stylization looks; a pooling stands before conv2_1, 3_1, 4_1, 5_1."""

TORCHVISION = dict(zip(CHANNELS, (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28), strict=True))
"""Each layer's place in torchvision's `features`."""

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of R, G and B over ImageNet, sRGB in 0..1."""


def layers_to(last: str) -> tuple[str, ...]:
    """The layers from conv1_1 to `last`."""
    names = tuple(CHANNELS)
    return names[: names.index(last) + 1]


def scaled(channels: int, width: float) -> int:
    """Channels of a layer at a width; at least 4."""
    return max(4, round(channels * width))


class VGG19(nn.Module):
    """conv1_1 to `last`, each with ReLU, behind a 1x1 color transform `conv0` that is part of the weights.

    Args:
        width: multiplies channels; 1.0 is VGG-19.
        last: the deepest layer.
    """

    def __init__(self, width: float = 1.0, last: str = "conv4_1") -> None:
        super().__init__()
        self.width, self.names = width, layers_to(last)
        self.conv0 = nn.Conv2d(3, 3, 1)
        self.conv0.requires_grad_(False)
        self._start_color_transform()
        inputs = 3
        for name in self.names:
            outputs = scaled(CHANNELS[name], width)
            conv = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
            self.add_module(name, conv)
            inputs = outputs

    def channels(self, name: str) -> int:
        """How many channels a layer has at this width."""
        return scaled(CHANNELS[name], self.width)

    def features(self, rgb: Tensor, wanted: Iterable[str]) -> dict[str, Tensor]:
        """Features of layers, after their ReLU, of sRGB (B, 3, H, W) in 0..1; H and W at least 16 for conv4_1."""
        wanted, found, x = set(wanted), {}, self.conv0(rgb)
        for name in self.names:
            if not wanted:
                break
            x = self.run(F.avg_pool2d(x, 2) if _after_pooling(name) else x, (name,))
            if name in wanted:
                found[name] = x
                wanted.discard(name)
        return found

    def run(self, features: Tensor, names: Sequence[str]) -> Tensor:
        """Apply some layers in order, each with its ReLU; poolings are left to the caller."""
        for name in names:
            features = F.relu(self.get_submodule(name)(features))
        return features

    def load(self, weights: Mapping[str, Tensor]) -> tuple[str, ...]:
        """Take weights by layer (`layers_of` makes them) and freeze the layers that have some.

        Returns:
            The layers that are left to train.
        Raises:
            WeightsError: if a layer's shape differs.
        """
        try:
            missing, _ = self.load_state_dict(dict(weights), strict=False)
        except RuntimeError:
            raise WeightsError(
                f"these weights are not of a VGG-19 of width {self.width:g}; give torchvision's, or a student's."
            ) from None
        lacking = {name.split(".")[0] for name in missing}
        for name in self.names:
            self.get_submodule(name).requires_grad_(name in lacking)
        return tuple(name for name in self.names if name in lacking)

    def _start_color_transform(self) -> None:
        """ImageNet's normalization, until weights bring their own."""
        deviation = torch.tensor(IMAGENET_DEVIATION)
        with torch.no_grad():
            self.conv0.weight.copy_(torch.diag(1 / deviation)[..., None, None])
            self.conv0.bias.copy_(-torch.tensor(IMAGENET_MEAN) / deviation)  # type: ignore[union-attr]


def layers_of(state: Mapping[str, NDArray[np.generic]]) -> dict[str, Tensor]:
    """Weights of VGG-19 by this module's names, from either layout in which they are published.

    Args:
        state: torchvision's state dict (`features.0.weight`, input normalized by ImageNet's mean and deviation),
            or arrays `conv1_1_w`, `conv1_1_b` and so on with the color transform `conv0` ("normalised" VGG).
    Returns:
        `conv1_1.weight`, ...; layers that the file lacks are left out.
    Raises:
        WeightsError: if it is neither.
    """
    if "features.0.weight" in state:
        found = {
            f"{name}.{kind}": state[f"features.{place}.{kind}"]
            for name, place in TORCHVISION.items()
            for kind in ("weight", "bias")
            if f"features.{place}.{kind}" in state
        }
        deviation = np.array(IMAGENET_DEVIATION)
        found["conv0.weight"] = np.diag(1 / deviation)[..., None, None]
        found["conv0.bias"] = -np.array(IMAGENET_MEAN) / deviation
    elif "conv1_1_w" in state and "conv0_w" in state:
        whole = [name for name in ("conv0", *CHANNELS) if f"{name}_w" in state and f"{name}_b" in state]
        found = {f"{name}.weight": state[f"{name}_w"] for name in whole}
        found |= {f"{name}.bias": state[f"{name}_b"] for name in whole}
    else:
        raise WeightsError("this file holds no VGG-19; give torchvision's vgg19-dcbb9e9d.pth.")
    return {name: torch.from_numpy(np.array(value, np.float32)) for name, value in found.items()}


def _after_pooling(name: str) -> bool:
    return name.endswith("_1") and name != "conv1_1"
