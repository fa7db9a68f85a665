"""The training loop: one process or many, any device, resumable, logged. A network's training defines the batches."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tinct.errors import OptionError, TrainingError
from tinct.files import write_whole
from tinct.training.averaged import Averaged
from tinct.training.checkpoint import CHECKPOINT, PARTS, check_moments, read_checkpoint, shapes_of
from tinct.training.log import RunLog, Tell
from tinct.training.loop_config import LoopConfig
from tinct.training.mixed_precision import mixed_precision
from tinct.training.optimizer import adamw, set_rates
from tinct.training.pool import Pool
from tinct.training.processes import first_says, rank_and_world, share_gradients
from tinct.training.training import Training

Validate = Callable[[Any], dict[str, float]]
Draw = Callable[[Any, Path], None]


class Loop:
    """Trains one network. A loop made again on the same folder goes on at the last checkpoint, as if never stopped.

    Args:
        training: the network's.
        pool: what to train on, on the same device.
        config: the loop's numbers.
        out: folder of checkpoint, log and sheets.
        device: "cpu" or "cuda".
        tell: is called with every line of the log.
    Raises:
        OptionError: if the batch cannot be shared out, or the folder's checkpoint is of another network.
    """

    def __init__(
        self,
        training: Training,
        pool: Pool,
        config: LoopConfig,
        out: Path,
        device: torch.device,
        tell: Tell | None = None,
    ) -> None:
        self.training, self.pool, self.config, self.out, self.device = training, pool, config, out, device
        self.rank, self.world = rank_and_world()
        if config.batch % (self.world * config.accumulate):
            raise OptionError(
                f"a batch of {config.batch} cannot be shared out evenly over {self.world} process(es) times "
                f"{config.accumulate}; give a multiple of {self.world * config.accumulate}."
            )
        torch.manual_seed(config.seed)
        self.model = self._build()
        self.optimizer = adamw(self.model, config)
        self.averaged = Averaged(self.model, config.ema)
        self.step, self.seconds = 0, 0.0
        self._resume()
        if config.compile:
            _compile(self.model)
        if self.rank == 0:
            out.mkdir(parents=True, exist_ok=True)
            self.log = RunLog(out, self.step, tell)

    def run(
        self, validate: Validate | None = None, draw: Draw | None = None, stop_after: float = math.inf
    ) -> None:
        """Train until the run's end, or for `stop_after` seconds; checkpoint, log, validate and draw on the way.

        Raises:
            TrainingError: if the loss is no longer a number.
        """
        start = saved = validated = time.monotonic()
        before, sums = self.seconds, _Sums()
        while self.progress() < 1:
            now = time.monotonic()
            spent, stop = first_says([now - start, float(now - start >= stop_after)], self.device)
            self.seconds = before + spent
            if stop:
                break
            sums.add(self.one_step())
            if self.step % self.config.log_every == 0:
                self._log("training", sums.means(self.step))
            if now - validated > 60 * self.config.validate_minutes:
                self._validate(validate, draw)
                validated = now
            if now - saved > 60 * self.config.save_minutes:
                self.save()
                saved = now
        if sums.steps:
            sums.means(self.step)  # refuses what is no number
        if self.progress() >= 1 and self.rank == 0:
            self._finish()
        self._validate(validate, draw)
        self.save()

    def progress(self) -> float:
        """Share of the run that is done, 0..1."""
        if self.config.hours > 0:
            return min(1.0, self.seconds / (self.config.hours * 3600))
        return min(1.0, self.step / self.config.steps)

    def one_step(self) -> dict[str, Tensor]:
        """One optimizer step; returns the losses, still on the device."""
        self.optimizer.zero_grad(set_to_none=True)
        losses = self.gradients()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        set_rates(self.optimizer, self.progress(), self.config)
        self.optimizer.step()
        self.averaged.update(self.model)
        self.step += 1
        return losses | {"norm": norm}

    def gradients(self) -> dict[str, Tensor]:
        """Gradients of the step's batch, the mean over parts and processes; returns this process's losses."""
        config = self.config
        losses: dict[str, Tensor] = {}
        count = config.batch // (self.world * config.accumulate)
        self.model.train()
        for part in range(config.accumulate):
            # Every part of every step has its own seed: a run that is resumed sees what it would have seen, and
            # two processes see what one sees in two parts.
            torch.manual_seed(_seed(config.seed, self.step, self.rank * config.accumulate + part))
            with mixed_precision(self.device):
                parts = self.training.losses(self.model, self.pool, count, self._size())
            (torch.stack(list(parts.values())).sum() / config.accumulate).backward()
            for name, value in parts.items():
                losses[name] = losses.get(name, torch.zeros_like(value)) + value.detach() / config.accumulate
        share_gradients(self.model)
        return losses

    def averaged_model(self) -> nn.Module:
        """A copy of the network with the averaged weights, ready to predict."""
        model = self._build()
        model.load_state_dict(self.averaged.state)
        return model.eval()

    def _finish(self) -> None:
        """Let the training change the averaged network at the run's end."""
        model = self.averaged_model()
        with torch.no_grad():
            self.training.finish(model, self.pool)
        self.averaged.state = {name: value.clone() for name, value in model.state_dict().items()}

    def save(self) -> None:
        """Write the checkpoint, atomically; only the first process does."""
        if self.rank:
            return
        state = {
            "network": self.training.name,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "averaged": self.averaged.state,
            "averaged_steps": self.averaged.steps,
            "step": self.step,
            "seconds": self.seconds,
        }
        write_whole(self.out / CHECKPOINT, lambda stream: torch.save(state, stream))

    def _build(self) -> nn.Module:
        model: nn.Module = self.training.build().to(self.device)
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def _size(self) -> int:
        done = self.progress()
        return next((side for share, side in self.config.sizes if done < share), self.config.sizes[-1][1])

    def _resume(self) -> None:
        """Go on at the folder's checkpoint, if there is one.

        Raises:
            OptionError: if the checkpoint is damaged, or of another network.
        """
        file = self.out / CHECKPOINT
        if not file.exists():
            return
        state = read_checkpoint(file, self.device, *PARTS)
        self._check_network(file, state)
        settings = [
            {k: v for k, v in group.items() if k != "params"} for group in self.optimizer.param_groups
        ]
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            check_moments(self.optimizer)
        except (RuntimeError, ValueError, TypeError, KeyError, AttributeError):
            raise OptionError(f"{file} is damaged (its optimizer); remove it to begin anew.") from None
        for group, own in zip(self.optimizer.param_groups, settings, strict=True):
            group.update(own)  # what the config says now; the rate follows from the step
        self.averaged.state, self.averaged.steps = state["averaged"], state["averaged_steps"]
        self.step, self.seconds = state["step"], state["seconds"]

    def _check_network(self, file: Path, state: dict[str, Any]) -> None:
        """Refuse a checkpoint of another network.

        Raises:
            OptionError: if its name, or the shape of a weight, is another.
        """
        if state["network"] != self.training.name:
            raise OptionError(
                f"{file} is of {state['network']}, not of {self.training.name}; give another folder for this run."
            )
        own = {name: value.shape for name, value in self.model.state_dict().items()}
        if not own == shapes_of(state["model"]) == shapes_of(state["averaged"]):
            raise OptionError(
                f"{file} is of another network than the config's; give another folder for this run."
            )

    def _validate(self, validate: Validate | None, draw: Draw | None) -> None:
        """Log the validation of the averaged weights, and draw their sheet; only the first process does."""
        if self.rank or (validate is None and draw is None):
            return
        model = self.averaged_model()
        with mixed_precision(self.device):
            if validate is not None:
                self._log("validation", validate(model))
            if draw is not None:
                draw(model, self.out / f"sheet-{self.step:07d}.png")

    def _log(self, kind: str, values: dict[str, float]) -> None:
        if self.rank == 0:
            self.log.write(kind, self.step, self.seconds, values)


class _Sums:
    """Losses since the last line of the log, added up on the device."""

    def __init__(self) -> None:
        self.values: dict[str, Tensor] = {}
        self.steps = 0

    def add(self, losses: dict[str, Tensor]) -> None:
        self.steps += 1
        for name, value in losses.items():
            self.values[name] = self.values.get(name, torch.zeros_like(value)) + value

    def means(self, step: int) -> dict[str, float]:
        """Means since the last time."""
        means = {name: float(value) / self.steps for name, value in self.values.items()}
        self.values, self.steps = {}, 0
        if wrong := [name for name, value in means.items() if not math.isfinite(value)]:
            raise TrainingError(
                f"{wrong[0]} is no number at step {step}; go on from the last checkpoint with a smaller rate."
            )
        return means


def _compile(model: nn.Module) -> None:
    """Compile the parts that convolve; in place, so that names stay."""
    for part in model.children():
        if any(parameter.ndim == 4 for parameter in part.parameters()):
            part.compile()


def _seed(seed: int, step: int, part: int) -> int:
    return (seed << 40) + (step << 12) + part
