"""The protocols without help: `auto`, `auto-256` and `legacy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tinct.evaluation.photographs.sets import Photograph
from tinct.evaluation.protocols.case import Case
from tinct.evaluation.protocols.protocol import Protocol


class Auto(Protocol):
    """No help, photographs at their own size."""

    name: ClassVar[str] = "auto"
    summary: ClassVar[str] = "no help, photographs at their own size"

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of the only case."""
        return ("auto",)

    def cases(self, photograph: Photograph, pool: Sequence[Photograph], seed: int) -> list[Case]:
        """The case of the gray photograph alone."""
        return [self.plain(photograph, "auto")]


class Auto256(Auto):
    """No help, photographs squashed to 256x256, as most papers measure."""

    name: ClassVar[str] = "auto-256"
    summary: ClassVar[str] = "no help, photographs squashed to 256x256"
    square: ClassVar[int | None] = 256


class Legacy(Protocol):
    """Black-and-white photographs, whose true colors are unknown: contact sheets for the eye."""

    name: ClassVar[str] = "legacy"
    summary: ClassVar[str] = "real black-and-white photographs, no truth: contact sheets"
    has_truth: ClassVar[bool] = False
    metrics: ClassVar[tuple[str, ...]] = ("colorfulness", "bleeding")

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of the only case."""
        return ("auto",)

    def cases(self, photograph: Photograph, pool: Sequence[Photograph], seed: int) -> list[Case]:
        """The case of the black-and-white photograph, without a truth."""
        from tinct.color.lab import rgb_to_lightness

        return [Case("auto", photograph, rgb_to_lightness(photograph.read()))]
