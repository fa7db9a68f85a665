"""The training loop: one process or many, any device, resumable, logged. A network's training defines the batches."""

from __future__ import annotations

import math
import re
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tinct.errors import OptionError, TrainingError
from tinct.files import write_whole
from tinct.tables import check_above_zero, check_from_zero, check_range
from tinct.training.averaged import Averaged
from tinct.training.log import RunLog, Tell
from tinct.training.mixed_precision import mixed_precision
from tinct.training.pool import Pool
from tinct.training.processes import first_says, rank_and_world, share_gradients
from tinct.training.training import Training

CHECKPOINT = "checkpoint.pt"
"""Name of the checkpoint in a run's folder."""

MOST_SEED = 2**23 - 1
"""Greatest seed, which leaves room for the numbers of steps and parts in the 64 bits of PyTorch's seeds."""

Validate = Callable[[Any], dict[str, float]]
Draw = Callable[[Any, Path], None]


@dataclass(frozen=True)
class LoopConfig:
    """The loop's numbers.

    Attributes:
        sizes: (share of the run, side in pixels) in order; the side trained at until that share is reached.
        batch: photographs a step, over all processes together.
        accumulate: parts that each process works its share of the batch off in, one after another: memory for time.
        steps: length of the run.
        hours: where above 0, the run's length in hours instead of `steps`. Such a run ends in time and cannot be
            repeated to the bit.
        rate: the learning rate; it warms up over the share `warmup` of the run, stays, and falls to zero along a
            cosine from the share `decay` on.
        falls: (share of the run, factor) in order; from that share on the rate is so many times. Such a rate falls in
            steps, as the papers' do, and along no cosine.
        backbone_rate: of a pretrained backbone, times `rate`.
        backbone_decay: times that for each stage of the backbone before its last.
        betas: of AdamW: how much of the old averages of gradients and of their squares a step keeps.
        weight_decay: of AdamW, on matrices and kernels only; without any, AdamW is Adam.
        ema: decay of the averaged weights, which are what is validated and released.
        clip: greatest norm of the gradient.
        seed: what weights, batches and dropout start from.
        log_every: steps between lines of the log.
        save_minutes, validate_minutes: between checkpoints, and between validations with their sheets.
        compile: torch.compile the network's parts.
    Raises:
        OptionError: if a number is out of its range.
    """

    sizes: tuple[tuple[float, int], ...] = ((0.5, 128), (1.0, 192))
    batch: int = 32
    accumulate: int = 1
    steps: int = 20_000
    hours: float = 0.0
    rate: float = 2e-3
    falls: tuple[tuple[float, float], ...] = ()
    backbone_rate: float = 0.2
    backbone_decay: float = 1.0
    betas: tuple[float, float] = (0.9, 0.98)
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

    def __post_init__(self) -> None:
        check_above_zero(self, "batch", "accumulate", "steps", "rate", "clip", "log_every")
        check_from_zero(self, "hours", "backbone_rate", "backbone_decay", "weight_decay")
        check_from_zero(self, "save_minutes", "validate_minutes")
        check_range(self, 0, MOST_SEED, "seed")
        for name in ("warmup", "decay", "ema"):
            if not 0 <= getattr(self, name) < 1:
                raise OptionError(f"{name} is {getattr(self, name)}; it must be 0 or more, and below 1.")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise OptionError(f"betas are {self.betas}; two numbers of 0 or more, and below 1, are wanted.")
        if any(len(fall) != 2 or not 0 < fall[0] < 1 or fall[1] <= 0 for fall in self.falls):
            raise OptionError(
                f"falls are {self.falls}; (share, factor) with a share in 0..1 and a factor above 0 are wanted."
            )
        if list(self.sizes) != sorted(self.sizes):
            raise OptionError(f"sizes are {self.sizes}; write them in order of their shares.")
        if not self.sizes or any(not 0 < share <= 1 or side < 32 or side % 32 for share, side in self.sizes):
            raise OptionError(
                f"sizes are {self.sizes}; (share, side) with a share in 0..1 and sides in multiples of 32 are wanted."
            )


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
        self.optimizer = torch.optim.AdamW(
            _groups(self.model, config), lr=config.rate, betas=config.betas, fused=True
        )
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
        start = saved = looked = time.monotonic()
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
            if now - looked > 60 * self.config.validate_minutes:
                self._look(validate, draw)
                looked = now
            if now - saved > 60 * self.config.save_minutes:
                self.save()
                saved = now
        if sums.steps:
            sums.means(self.step)  # refuses what is no number
        if self.progress() >= 1 and self.rank == 0:
            self._finish()
        self._look(validate, draw)
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
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * self.config.rate * _schedule(self.progress(), self.config)
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
        file = self.out / CHECKPOINT
        if not file.exists():
            return
        state = read_checkpoint(file, self.device, *PARTS)
        if state["network"] != self.training.name:
            raise OptionError(
                f"{file} is of {state['network']}, not of {self.training.name}; give another folder for this run."
            )
        asked = [{k: v for k, v in group.items() if k != "params"} for group in self.optimizer.param_groups]
        own = {name: value.shape for name, value in self.model.state_dict().items()}
        if not own == shapes_of(state["model"]) == shapes_of(state["averaged"]):
            raise OptionError(
                f"{file} is of another network than the config's; give another folder for this run."
            )
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self._check_moments()
        except (RuntimeError, ValueError, TypeError, KeyError, AttributeError):
            raise OptionError(f"{file} is damaged (its optimizer); remove it to begin anew.") from None
        for group, own in zip(self.optimizer.param_groups, asked, strict=True):
            group.update(own)  # what the config says now; the rate follows from the step
        self.averaged.state, self.averaged.steps = state["averaged"], state["averaged_steps"]
        self.step, self.seconds = state["step"], state["seconds"]

    def _check_moments(self) -> None:
        """Refuse an optimizer's averages of other shapes than the weights, which the fused step would write beside.

        Raises:
            ValueError: if there is such an average, or another one than AdamW has.
        """
        for weight, kept in self.optimizer.state.items():
            shapes = {"step": torch.Size(), "exp_avg": weight.shape, "exp_avg_sq": weight.shape}
            if shapes_of(kept) != shapes:
                raise ValueError(f"averages of {shapes_of(kept)}")

    def _look(self, validate: Validate | None, draw: Draw | None) -> None:
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


_STAGE = re.compile(r"backbone\.stages\.(\d+)\.")
"""The part of a parameter's name that says to which of a pretrained backbone's stages it belongs."""


def _seed(seed: int, step: int, part: int) -> int:
    return (seed << 40) + (step << 12) + part


def _groups(model: nn.Module, config: LoopConfig) -> list[dict[str, Any]]:
    """Parameter groups: weight decay for matrices and kernels alone, and a smaller rate for a backbone's stages."""
    by_share: dict[float, list[nn.Parameter]] = {1.0: []}
    stages = {int(found[1]) for name, _ in model.named_parameters() if (found := _STAGE.search(name))}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        share = 1.0
        if "backbone." in name:
            found = _STAGE.search(name)
            before_last = max(stages) - int(found[1]) if found else len(stages) * ("backbone.stem." in name)
            share = config.backbone_rate * config.backbone_decay**before_last
        by_share.setdefault(share, []).append(parameter)
    groups = []
    for share, parameters in by_share.items():
        if not parameters:
            continue
        many = [p for p in parameters if p.ndim >= 2]
        few = [p for p in parameters if p.ndim < 2]
        groups += [
            {"params": many, "weight_decay": config.weight_decay, "share": share},
            {"params": few, "weight_decay": 0.0, "share": share},
        ]
    return groups


def _schedule(done: float, config: LoopConfig) -> float:
    """The learning rate as a share of its maximum."""
    if done < config.warmup:
        return max(done / config.warmup, 0.01)
    if config.falls:
        return math.prod(factor for share, factor in config.falls if done >= share)
    if done < config.decay:
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (done - config.decay) / (1 - config.decay)))
