"""The options of a colorization, the same in the library, the command line, the REST server and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any

from tinct.errors import OptionError, shown

WORKING_SIZE_RANGE = (32, 2048)
"""Least and largest working size, in pixels of the longer side."""

LARGEST_SEED = 2**63 - 1
"""The largest seed: the largest integer of 64 bits, which JSON and headers of files can hold."""

MOST_TRUST = 3.0
"""The option `trust` at its most."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to colorize a photograph.

    Attributes:
        method: a name that `tinct methods` lists; None takes the best one that can answer what was given.
        size: longer side in pixels at which chroma is predicted, 32..2048; None takes the method's own.
        strength: saturation; multiplies the predicted chroma, 0 (gray) .. 1 (as predicted) .. 2, as far as sRGB goes.
        vividness: how far to go from the safe mean answer to what is likely, 0 (the mean) .. 2; methods that know
            only one answer give it at every vividness.
        trust: how far to follow references where they fit only loosely, 0 (doubt them) .. 3; at 1 the released network
            doubts references that show something else than the photograph, from 2 on none.
        chroma_only: return the color layer alone: the predicted chroma at a constant mid lightness (L* = 50).
        seed: of random choices (Welsh's jittered sampling, alternatives), 0 .. 2^63 - 1.
    Raises:
        OptionError: if a value is of another kind, or out of its range.
    """

    method: str | None = None
    size: int | None = None
    strength: float = 1.0
    vividness: float = 1.0
    chroma_only: bool = False
    seed: int = 0
    trust: float = 1.0

    def __post_init__(self) -> None:
        low, high = WORKING_SIZE_RANGE
        if self.method is not None and not isinstance(self.method, str):
            raise OptionError(
                f"method is {shown(self.method)}; it must be a name that `tinct methods` lists."
            )
        if self.size is not None and not (_is_whole(self.size) and low <= self.size <= high):
            raise OptionError(
                f"size is {shown(self.size)}; it must be {low} to {high} pixels on the longer side."
            )
        if not (_is_number(self.strength) and 0.0 <= self.strength <= 2.0):
            raise OptionError(
                f"strength is {shown(self.strength)}; it must be 0 (gray) to 2 (1 is as predicted)."
            )
        if not (_is_number(self.vividness) and 0.0 <= self.vividness <= 2.0):
            raise OptionError(f"vividness is {shown(self.vividness)}; it must be 0 (the mean answer) to 2.")
        if not (_is_number(self.trust) and 0.0 <= self.trust <= MOST_TRUST):
            raise OptionError(
                f"trust is {shown(self.trust)}; it must be 0 (doubt references) to {MOST_TRUST:g}."
            )
        if not isinstance(self.chroma_only, bool):
            raise OptionError(f"chroma_only is {shown(self.chroma_only)}; it must be true or false.")
        if not (_is_whole(self.seed) and 0 <= self.seed <= LARGEST_SEED):
            raise OptionError(f"seed is {shown(self.seed)}; it must be a whole number, 0 to {LARGEST_SEED}.")

    @classmethod
    def from_mapping(cls, values: Any) -> Options:
        """Options by name, as JSON, a project or a command line gives them; missing names have their defaults.

        Args:
            values: a mapping of names and values, or None for the defaults.
        Raises:
            OptionError: if `values` is neither, a name is unknown, or a value is of another kind or out of range.
        """
        if not isinstance(values, Mapping | None):
            raise OptionError('the options are not a JSON object; write {"strength": 0.8}.')
        return cls().with_changes(values or {})

    def with_changes(self, changes: Mapping[str, Any]) -> Options:
        """These options with other values of some of them.

        Args:
            changes: values by name.
        Raises:
            OptionError: if a name is unknown, or a value is of another kind or out of range.
        """
        known = [each.name for each in fields(self)]
        if unknown := [name for name in changes if name not in known]:
            raise OptionError(f"{shown(unknown[0])} is not an option; use {', '.join(known)}.")
        return replace(self, **changes)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
