"""The decoder's output convolution by least squares: it is linear, and noise of the last steps goes out of it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RIDGE = 2e-5
"""Weight of small weights, as a share of the features' mean square."""


@torch.no_grad()
def fit_output(conv: nn.Conv2d, examples: Iterable[tuple[Tensor, Tensor, float]]) -> None:
    """Set a 3x3 convolution with reflection padding to the least squared error.

    Args:
        conv: the convolution, with a bias.
        examples: features (B, C, H, W), what is wanted of them (B, D, H, W), and the examples' weight.
    """
    size = conv.in_channels * 9 + 1
    among = torch.zeros(size, size, dtype=torch.float64)
    across = torch.zeros(size, conv.out_channels, dtype=torch.float64)
    for features, wanted, weight in examples:
        padded = F.pad(features.float(), (1, 1, 1, 1), mode="reflect")
        rows = F.unfold(padded, 3).transpose(1, 2).flatten(0, 1).cpu()
        rows = torch.cat([rows, torch.ones(len(rows), 1)], 1)
        answers = wanted.float().permute(0, 2, 3, 1).flatten(0, 2).cpu()
        among += weight * (rows.T @ rows).double()
        across += weight * (rows.T @ answers).double()
    ridge = RIDGE * among.diagonal().mean() * torch.eye(size, dtype=torch.float64)
    found = torch.linalg.solve(among + ridge, across).T.to(conv.weight)
    conv.weight.copy_(found[:, :-1].reshape(conv.weight.shape))
    assert conv.bias is not None
    conv.bias.copy_(found[:, -1])
