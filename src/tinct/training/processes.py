"""Several processes that train one network (`torchrun`): their ranks, and the numbers that they must agree on."""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import Tensor, nn


def rank_and_world() -> tuple[int, int]:
    """Which process this is, and how many there are."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def join(device: torch.device) -> None:
    """Meet the other processes, if `torchrun` started any: NCCL between GPUs, gloo between CPUs."""
    if rank_and_world()[1] > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")


def wait() -> None:
    """Wait until all processes are here."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()


def first_says(values: Iterable[float], device: torch.device) -> list[float]:
    """The first process's numbers, for all: clocks differ, and a process that stops alone would deadlock the others."""
    if rank_and_world()[1] == 1:
        return list(values)
    numbers = torch.tensor(list(values), dtype=torch.float64, device=device)
    torch.distributed.broadcast(numbers, 0)
    return [float(number) for number in numbers]


def share_gradients(model: nn.Module) -> None:
    """Average gradients over processes: with equal shares, the gradient of the whole batch."""
    world = rank_and_world()[1]
    if world == 1:
        return
    parameters = [p for p in model.parameters() if p.requires_grad]
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients: list[Tensor] = [p.grad for p in parameters if p.grad is not None]
    joined = torch.cat([gradient.flatten() for gradient in gradients])
    torch.distributed.all_reduce(joined)
    joined /= world
    for gradient, part in zip(gradients, joined.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
