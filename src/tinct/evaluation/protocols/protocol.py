"""What a protocol is: named, seeded, documented, the same for every method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tinct.errors import EvaluationError
from tinct.evaluation.photographs.sets import Photograph, is_gray
from tinct.evaluation.protocols.case import Case, Image, make_case


class Protocol(ABC):
    """Turns a photograph into the cases that a method is asked.

    Attributes:
        name: what `tinct evaluate` takes.
        summary: one line.
        has_truth: whether results are compared with the true photograph.
        shown_case: the case whose pictures and box plots a report shows.
        baseline_case: the case that answers without help, for gains and costs; "" where there is none.
        metrics: the scores that its records have (tinct.evaluation.metrics.scores).
        square: the side in pixels to which photographs are squashed; None keeps their own size.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    has_truth: ClassVar[bool] = True
    shown_case: ClassVar[str] = "auto"
    baseline_case: ClassVar[str] = ""
    metrics: ClassVar[tuple[str, ...]] = (
        "psnr",
        "ssim",
        "l2_ab",
        "ciede2000",
        "auc",
        "auc_rebalanced",
        "colorfulness",
        "colorfulness_difference",
        "bleeding",
    )
    square: ClassVar[int | None] = None

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """The labels of its cases, in order."""

    @abstractmethod
    def cases(self, photograph: Photograph, pool: Sequence[Photograph], seed: int) -> list[Case]:
        """The questions about one photograph.

        Args:
            photograph: the one to measure on.
            pool: all photographs of the set, also those beyond a limit: where references are drawn from.
            seed: what random choices start from; each photograph draws its own, so that subsets agree.
        Raises:
            EvaluationError: if the photograph cannot be measured on: its truth is grey, it has no class.
        """

    def fits(self, photograph: Photograph) -> bool:
        """Whether a photograph has what the protocol needs beside color: a class, a reference."""
        return True

    def parameters(self) -> dict[str, object]:
        """The numbers that define it, for results files and reports."""
        return {} if self.square is None else {"square": self.square}

    def truth(self, photograph: Photograph) -> Image:
        """The true photograph at the protocol's size, sRGB, (H, W, 3), uint8.

        Raises:
            EvaluationError: if it is grey or of a single tint.
        """
        truth = photograph.read()
        if is_gray(truth):
            raise EvaluationError(f"{photograph.name} is grey or of one tint; color is needed as the truth.")
        return truth if self.square is None else squash(truth, self.square)

    def plain(self, photograph: Photograph, label: str) -> Case:
        """The case without any help."""
        return make_case(label, photograph, self.truth(photograph))


def squash(rgb: Image, side: int) -> Image:
    """Resize to a square without regard to aspect, bilinear with antialiasing (as torchvision's Resize
    does)."""
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(rgb).resize((side, side), Pillow.Resampling.BILINEAR))
