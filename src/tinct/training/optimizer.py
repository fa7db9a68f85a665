"""The optimizer of a training: AdamW with rates for parts of a network, and their schedule."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
from torch import nn

from tinct.training.loop_config import LoopConfig

_STAGE = re.compile(r"backbone\.stages\.(\d+)\.")
"""The part of a parameter's name that says to which of a pretrained backbone's stages it belongs."""


def adamw(model: nn.Module, config: LoopConfig) -> torch.optim.Optimizer:
    """AdamW of all parameters that are trained, in groups of one rate and one weight decay."""
    groups = _parameter_groups(model, config)
    return torch.optim.AdamW(groups, lr=config.rate, betas=config.betas, fused=True)


def set_rates(optimizer: torch.optim.Optimizer, done: float, config: LoopConfig) -> None:
    """Give all parameters their learning rates of this moment.

    Args:
        optimizer: one that `adamw` made.
        done: share of the run that is done, 0..1.
        config: the loop's numbers.
    """
    for group in optimizer.param_groups:
        group["lr"] = group["share"] * config.rate * _schedule(done, config)


def _schedule(done: float, config: LoopConfig) -> float:
    """The learning rate as a share of its maximum."""
    if done < config.warmup:
        return max(done / config.warmup, 0.01)
    if config.falls:
        return math.prod(factor for share, factor in config.falls if done >= share)
    if done < config.decay:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (done - config.decay) / (1 - config.decay)))


def _parameter_groups(model: nn.Module, config: LoopConfig) -> list[dict[str, Any]]:
    """Parameter groups: weight decay for matrices and kernels alone, and a smaller rate for a backbone's stages."""
    stages = {int(found[1]) for name, _ in model.named_parameters() if (found := _STAGE.search(name))}
    by_share: dict[float, list[nn.Parameter]] = {1.0: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            by_share.setdefault(_rate_of(name, stages, config), []).append(parameter)
    groups = []
    for share, parameters in by_share.items():
        if not parameters:
            continue
        matrices = [p for p in parameters if p.ndim >= 2]
        vectors = [p for p in parameters if p.ndim < 2]
        groups += [
            {"params": matrices, "weight_decay": config.weight_decay, "share": share},
            {"params": vectors, "weight_decay": 0.0, "share": share},
        ]
    return groups


def _rate_of(name: str, stages: set[int], config: LoopConfig) -> float:
    """The rate of a parameter as a share of the network's: less for a backbone, least for its first stages.

    Args:
        name: of the parameter.
        stages: numbers of the backbone's stages.
        config: the loop's numbers.
    """
    if "backbone." not in name:
        return 1.0
    found = _STAGE.search(name)
    before_last = max(stages) - int(found[1]) if found else len(stages) * ("backbone.stem." in name)
    return config.backbone_rate * config.backbone_decay**before_last
