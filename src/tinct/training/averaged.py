"""Averaged weights, which are validated and released."""

from __future__ import annotations

import torch
from torch import nn


class Averaged:
    """Exponential moving average of weights and buffers, with a short memory at the start.

    Args:
        model: whose state is followed.
        decay: share of the old average that a step keeps, once enough steps are past.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.state = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move a little toward the model."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        old, new = [], []
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                old.append(self.state[name])
                new.append(value)
            else:
                self.state[name].copy_(value)
        torch._foreach_lerp_(old, new, 1 - keep)
