"""A network's start from another's trained weights, as its paper does: layers that both have are taken over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from tinct.errors import OptionError
from tinct.training.checkpoint import averaged_state

Names = Sequence[tuple[str, str]]
"""Patterns of weights' names in the one network, and their names in the other; the first that fits counts."""


def weights_to_start_from(run: str, network: str, names: Names) -> dict[str, Tensor]:
    """The averaged weights of a run under the names that they have in another network.

    Args:
        run: folder of the run; "" gives no weights.
        network: what it trained.
        names: which of its weights go where; those that no pattern fits are left out.
    Raises:
        OptionError: if there is no such run.
    """
    state = averaged_state(Path(run), network) if run else {}
    found = {}
    for name, value in state.items():
        for pattern, other in names:
            if match := re.fullmatch(pattern, name):
                found[match.expand(other)] = value
                break
    return found


def start_from(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a fresh network these weights; parameters without one stay as they are.

    A convolution that takes more inputs than it did gets zeros for the new ones, which come last.

    Raises:
        OptionError: if a weight has another shape or no place (the networks differ in width or layers).
    """
    state = model.state_dict()
    for name, value in weights.items():
        if name not in state:
            raise OptionError(
                f"the run to start from has {name}, which this network lacks; train both alike."
            )
        own = state[name]
        if value.ndim == 4 and value.shape[1] < own.shape[1]:
            more = value.new_zeros(len(value), own.shape[1] - value.shape[1], *value.shape[2:])
            value = torch.cat([value, more], 1)
        if value.shape != own.shape:
            raise OptionError(f"the run to start from has {name} in another shape; train both at one width.")
        state[name] = value
    model.load_state_dict(state)
