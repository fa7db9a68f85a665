"""`LoopConfig`: the numbers of a training's loop, the table [loop] of a config."""

from __future__ import annotations

from dataclasses import dataclass

from tinct.errors import OptionError
from tinct.tables import check_above_zero, check_from_zero, check_range

MOST_SEED = 2**23 - 1
"""Greatest seed, which leaves room for the numbers of steps and parts in the 64 bits of PyTorch's seeds."""


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
