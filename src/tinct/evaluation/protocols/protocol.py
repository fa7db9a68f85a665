"""The base class of protocols: named, seeded ways to ask every contestant the same questions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from tinct.errors import EvaluationError
from tinct.evaluation.photographs.rgb import Image, is_gray
from tinct.evaluation.photographs.sets import Photograph
from tinct.evaluation.protocols.case import Case, make_case


class Protocol(ABC):
    """Turns a photograph into the cases that a contestant is asked.

    Attributes:
        name: the name that `tinct evaluate` takes.
        summary: one line.
        has_truth: whether results are compared with the true photograph.
        shown_case: label of the case whose pictures and box plots a report shows.
        baseline_case: label of the case without help, against which gains and costs are measured; "" for none.
        metrics: names of the metrics of every record (`tinct.evaluation.metrics.table.METRICS`).
        square: the side in pixels to which photographs are squashed; None keeps their own size.
        draws: whether references are drawn from the other photographs of the set.
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
    draws: ClassVar[bool] = False

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """Labels of the cases, in order."""

    def files(self) -> list[tuple[str, Path]]:
        """Names and paths of the files beside the set that answers depend on."""
        return []

    @abstractmethod
    def cases(self, photograph: Photograph, pool: Sequence[Photograph], seed: int) -> list[Case]:
        """The cases of one photograph.

        Args:
            photograph: the photograph to measure on.
            pool: all photographs of the set, also those beyond a limit; references are drawn from the pool.
            seed: start of random choices; each photograph draws its own, so that subsets agree.
        Raises:
            EvaluationError: if the photograph cannot be measured on: its truth is gray, or its class is unknown.
        """

    def fits(self, photograph: Photograph) -> bool:
        """Whether a photograph has what the protocol needs beside color: a class, or a reference."""
        return True

    def parameters(self) -> dict[str, object]:
        """The numbers that define the protocol, for results files and reports."""
        return {} if self.square is None else {"square": self.square}

    def truth(self, photograph: Photograph) -> Image:
        """The true photograph at the protocol's size, sRGB, (H, W, 3), uint8.

        Raises:
            EvaluationError: if the photograph is gray or of a single tint.
        """
        truth = photograph.read()
        if is_gray(truth):
            raise EvaluationError(f"{photograph.name} is grey or of one tint; color is needed as the truth.")
        return truth if self.square is None else squash(truth, self.square)

    def plain(self, photograph: Photograph, label: str) -> Case:
        """The case without help.

        Raises:
            EvaluationError: as `Protocol.truth`.
        """
        return make_case(label, photograph, self.truth(photograph))


def squash(rgb: Image, side: int) -> Image:
    """Resize to a square, without regard to aspect: bilinear with antialiasing, as torchvision's Resize."""
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(rgb).resize((side, side), Pillow.Resampling.BILINEAR))
