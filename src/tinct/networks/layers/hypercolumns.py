"""Hypercolumns: a place's features from many layers at once (Hariharan et al., CVPR 2015)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class HypercolumnLayer(nn.Module):
    """A fully connected layer over the concatenated features of many layers, brought to one size, then ReLU.

    Concatenating and multiplying is the sum of what each layer's features give; features coarser than the output are
    multiplied before they are enlarged, which is the same (both are linear) and costs a fraction.

    Args:
        channels: of each layer's features.
        strides: pixels of the photograph to one of each layer; one of them must be `stride`.
        outputs: channels of the result.
        stride: of the result.
    """

    def __init__(
        self, channels: Sequence[int], strides: Sequence[int], outputs: int, stride: int = 4
    ) -> None:
        super().__init__()
        self.strides, self.stride = tuple(strides), stride
        self.own = self.strides.index(stride)
        # one bias for the sum of all
        self.parts = nn.ModuleList(
            nn.Conv2d(c, outputs, 1, bias=i == self.own) for i, c in enumerate(channels)
        )
        total = sum(channels)
        for part in self.parts:
            nn.init.normal_(part.weight, std=(2 / total) ** 0.5)  # type: ignore[arg-type]

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Features (B, outputs, H/stride, W/stride) of the layers' features."""
        total: Tensor = self.parts[self.own](features[self.own])
        size = total.shape[-2:]
        for i, (part, maps, stride) in enumerate(zip(self.parts, features, self.strides, strict=True)):
            if i == self.own:
                continue
            if stride < self.stride:
                maps = F.avg_pool2d(maps, self.stride // stride)
            found = part(maps)
            if stride > self.stride:
                found = F.interpolate(found, size=size, mode="bilinear", align_corners=False)
            total = total + found
        return F.relu(total)
