"""The knobs of one colorization, the same behind the library, the command line, the REST server and the page."""

from __future__ import annotations

from dataclasses import dataclass

from tinct.errors import OptionError

WORKING_SIZE_RANGE = (32, 2048)


@dataclass(frozen=True, slots=True)
class Options:
    """How to colorize a photograph.

    Attributes:
        method: a name that `tinct methods` lists; None takes the best one that can answer what was given.
        size: longer side in pixels at which chroma is predicted, 32..2048; None takes the method's own.
        strength: multiplies the predicted chroma, 0 (grey) .. 1 (as predicted).
        vividness: how far to go from the safe mean answer to what is likely, 0 (the mean) .. 2; methods that know
            only one answer give it at every vividness.
        chroma_only: return the color layer alone: the predicted chroma at a constant mid lightness (L* = 50).
        seed: what random choices start from (Welsh's jittered sampling, alternatives).
    Raises:
        OptionError: if a value is out of its range.
    """

    method: str | None = None
    size: int | None = None
    strength: float = 1.0
    vividness: float = 1.0
    chroma_only: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        low, high = WORKING_SIZE_RANGE
        if self.size is not None and not low <= self.size <= high:
            raise OptionError(f"size is {self.size}; it must be {low} to {high} pixels on the longer side.")
        if not 0.0 <= self.strength <= 1.0:
            raise OptionError(f"strength is {self.strength}; it must be 0 (grey) to 1 (as predicted).")
        if not 0.0 <= self.vividness <= 2.0:
            raise OptionError(f"vividness is {self.vividness}; it must be 0 (the mean answer) to 2.")
