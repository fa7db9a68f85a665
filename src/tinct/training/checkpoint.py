"""Checkpoints: the state of a training in a file, checked as it is read."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tinct.errors import OptionError

CHECKPOINT = "checkpoint.pt"
"""Name of the checkpoint in a run's folder."""

PARTS: dict[str, Any] = {
    "network": str,
    "model": dict,
    "optimizer": dict,
    "averaged": dict,
    "averaged_steps": int,
    "step": int,
    "seconds": (int, float),
}
"""The parts of a checkpoint and their types; numbers are 0 or more."""


def read_checkpoint(file: Path, device: torch.device | str, *parts: str) -> dict[str, Any]:
    """The state that `Loop.save` wrote.

    Args:
        file: the checkpoint.
        device: where its tensors are wanted.
        parts: names of `PARTS` that are wanted of it.
    Raises:
        OptionError: if there is none, it cannot be read, or a part is missing or of another type.
    """
    try:
        # torch.load compares no checksums: of 400 flipped bits it took 363 for weights
        with zipfile.ZipFile(file) as archive:
            if changed := archive.testzip():
                raise OptionError(f"{file} is damaged ({changed} has changed); remove it to begin anew.")
        state: dict[str, Any] = torch.load(file, map_location=device, weights_only=True)
    except (FileNotFoundError, NotADirectoryError):
        raise OptionError(f"no {file}; give the folder of a run that `tinct train` has made.") from None
    except OptionError:
        raise
    except Exception as error:  # torch raises what its readers raise: RuntimeError, EOFError, UnpicklingError
        raise OptionError(
            f"{file} cannot be read ({type(error).__name__}); remove it to begin anew."
        ) from None
    for name in parts:
        part = state.get(name) if isinstance(state, dict) else None
        number = isinstance(part, int | float)
        if not isinstance(part, PARTS[name]) or (number and not 0 <= part < math.inf):
            raise OptionError(f"{file} is damaged (its {name}); remove it to begin anew.")
    return state


def averaged_state(run: Path, network: str) -> dict[str, Tensor]:
    """The averaged weights of a run.

    Raises:
        OptionError: if the folder holds none, or another network's.
    """
    state = read_checkpoint(run / CHECKPOINT, "cpu", "network", "averaged")
    if state["network"] != network:
        raise OptionError(f"{run} trains {state['network']!r}; a run of {network} is wanted.")
    averaged: dict[str, Tensor] = state["averaged"]
    if None in shapes_of(averaged).values():
        raise OptionError(f"{run / CHECKPOINT} is damaged (its averaged weights); train it again.")
    return averaged


def shapes_of(state: Mapping[str, object]) -> dict[str, torch.Size | None]:
    """The shapes of tensors by their names; None for what is no tensor."""
    return {name: value.shape if isinstance(value, Tensor) else None for name, value in state.items()}


def check_moments(optimizer: torch.optim.Optimizer) -> None:
    """Refuse an optimizer's averages of other shapes than the weights, which the fused step would write beside.

    Raises:
        ValueError: if there is such an average, or another one than AdamW has.
    """
    for weight, kept in optimizer.state.items():
        shapes = {"step": torch.Size(), "exp_avg": weight.shape, "exp_avg_sq": weight.shape}
        if shapes_of(kept) != shapes:
            raise ValueError(f"averages of {shapes_of(kept)}")
