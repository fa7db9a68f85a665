"""The training loop: one process or many, any device, resumable, logged. A network's file says what a batch is."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from tinct.training.sampling import Pool

Validate = Callable[[Any], dict[str, float]]
Draw = Callable[[Any, Path], None]


class Training(Protocol):
    """What a network's training file provides; see `tinct.training.tinct` for one."""

    name: str

    def build(self) -> nn.Module:
        """A fresh network."""
        ...

    def losses(self, model: Any, pool: Pool, count: int, size: int) -> dict[str, Tensor]:
        """Weighted losses of one random batch; the loop adds them up."""
        ...


@dataclass(frozen=True)
class LoopConfig:
    """The loop's numbers.

    Attributes:
        sizes: (share of the run, side in pixels) in order; the side trained at until that share is reached.
        batch: photographs a step, over all processes together.
        steps: length of the run; the learning rate warms up, stays, and falls to zero along a cosine from `decay`.
        hours: where above 0, the run's length in hours instead of `steps`.
        ema: decay of the averaged weights, which are what is validated and released.
        compile: torch.compile the network's parts.
    """

    sizes: tuple[tuple[float, int], ...] = ((0.5, 128), (1.0, 192))
    batch: int = 32
    steps: int = 20_000
    hours: float = 0.0
    rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.02
    decay: float = 0.3
    ema: float = 0.999
    clip: float = 5.0
    seed: int = 0
    log_every: int = 50
    save_minutes: float = 5.0
    validate_minutes: float = 5.0
    compile: bool = False


class Averaged:
    """Exponential moving average of weights and buffers, with a short memory at the start."""

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


class Loop:
    """Trains one network. `run` may be called again on the same folder: it goes on where it was."""

    def __init__(
        self, training: Training, pool: Pool, config: LoopConfig, out: Path, device: torch.device
    ) -> None:
        self.training, self.pool, self.config, self.out, self.device = training, pool, config, out, device
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        if self.rank == 0:
            out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = training.build().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.compile:
            for part in self.model.children():
                if any(parameter.ndim == 4 for parameter in part.parameters()):
                    part.compile()
        self.optimizer = torch.optim.AdamW(
            _groups(self.model, config.weight_decay), lr=config.rate, betas=(0.9, 0.98), fused=True
        )
        self.averaged = Averaged(self.model, config.ema)
        self.step, self.seconds = 0, 0.0
        self._resume()
        torch.manual_seed(config.seed + 1000 * self.rank + self.step)

    def run(
        self, validate: Validate | None = None, draw: Draw | None = None, stop_after: float = math.inf
    ) -> None:
        """Train until the run's end, or for `stop_after` seconds; checkpoint, log, validate and draw on the way."""
        start = last_save = last_look = time.monotonic()
        before = self.seconds
        sums: dict[str, Any] = {}
        while self.progress() < 1 and time.monotonic() - start < stop_after:
            for name, value in self.one_step().items():
                sums[name] = sums.get(name, 0) + value
            now = time.monotonic()
            self.seconds = before + now - start
            if self.step % self.config.log_every == 0:
                self._log({k: float(v) / self.config.log_every for k, v in sums.items()})
                sums = {}
            if self.rank == 0 and now - last_look > 60 * self.config.validate_minutes:
                self._look(validate, draw)
                last_look = now
            if self.rank == 0 and now - last_save > 60 * self.config.save_minutes:
                self.save()
                last_save = now
        if self.rank == 0:
            self._look(validate, draw)
            self.save()

    def progress(self) -> float:
        """Share of the run that is done, 0..1."""
        if self.config.hours > 0:
            return min(1.0, self.seconds / (self.config.hours * 3600))
        return min(1.0, self.step / self.config.steps)

    def one_step(self) -> dict[str, Tensor]:
        """One optimizer step; returns the losses, still on the device."""
        config, done = self.config, self.progress()
        rate = config.rate * _schedule(done, config.warmup, config.decay)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        size = next((side for share, side in config.sizes if done < share), config.sizes[-1][1])
        self.model.train()
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            parts = self.training.losses(self.model, self.pool, config.batch // self.world, size)
        total = torch.stack(list(parts.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self._share_gradients()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        self.optimizer.step()
        self.averaged.update(self.model)
        self.step += 1
        return {name: value.detach() for name, value in parts.items()} | {"norm": norm}

    def averaged_model(self) -> nn.Module:
        """A copy of the network with the averaged weights, ready to predict."""
        model = self.training.build().to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        model.load_state_dict(self.averaged.state)
        return model.eval()

    def save(self) -> None:
        """Write the checkpoint, atomically."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "averaged": self.averaged.state,
            "averaged_steps": self.averaged.steps,
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, self.out / "checkpoint.part")
        os.replace(self.out / "checkpoint.part", self.out / "checkpoint.pt")

    def _resume(self) -> None:
        file = self.out / "checkpoint.pt"
        if not file.exists():
            return
        state = torch.load(file, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.averaged.state, self.averaged.steps = state["averaged"], state["averaged_steps"]
        self.step, self.seconds = state["step"], state["seconds"]

    def _share_gradients(self) -> None:
        """Average gradients over processes (`torchrun`); with equal shares that is the gradient of the whole batch."""
        if self.world == 1:
            return
        for parameter in self.model.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= self.world

    def _look(self, validate: Validate | None, draw: Draw | None) -> None:
        model = self.averaged_model()
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            if validate is not None:
                self._log(validate(model), kind="validation")
            if draw is not None:
                draw(model, self.out / f"sheet-{self.step:07d}.png")

    def _log(self, values: dict[str, float], kind: str = "training") -> None:
        if self.rank:
            return
        line = {"kind": kind, "step": self.step, "seconds": round(self.seconds, 1)}
        line |= {name: round(value, 5) for name, value in values.items()}
        with (self.out / "log.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Decay only what multiplies (matrices and kernels), not biases, norms, temperatures."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]


def _schedule(done: float, warmup: float, decay: float) -> float:
    if done < warmup:
        return max(done / warmup, 0.01)
    if done < decay:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (done - decay) / (1 - decay)))
