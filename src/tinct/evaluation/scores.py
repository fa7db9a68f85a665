"""Which metrics a record can have, how each is written in a table, and the one place where they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.errors import EvaluationError
from tinct.evaluation.protocols.case import Case, Image
from tinct.evaluation.results import Record

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric stands in a table.

    Attributes:
        title: the head of its column.
        better: "higher", "lower" or "zero" (nearest to 0 is best); "" where none is better than another.
        digits: behind the point.
        meaning: one line, with unit and range.
    """

    title: str
    better: str
    digits: int
    meaning: str


METRICS: dict[str, Metric] = {
    "psnr": Metric("PSNR", "higher", 2, "dB, on 8-bit RGB"),
    "ssim": Metric("SSIM", "higher", 3, "structural similarity, mean over R, G, B, 0 to 1"),
    "l2_ab": Metric("L2_ab", "lower", 2, "root mean square error of a*, b*, CIE units"),
    "ciede2000": Metric("ΔE00", "lower", 2, "mean CIEDE2000 color difference"),
    "auc": Metric("AuC", "higher", 1, "area under the cumulative ab-error curve, %"),
    "auc_rebalanced": Metric("AuC rebal.", "higher", 1, "the same with rare colors weighted up, %"),
    "colorfulness": Metric("Colorful", "", 1, "colorfulness (Hasler & Süsstrunk), 8-bit units"),
    "colorfulness_difference": Metric(
        "ΔColorful", "zero", 1, "colorfulness minus the truth's; below 0 is duller"
    ),
    "bleeding": Metric("Bleeding", "lower", 3, "chroma edges without a lightness edge"),
    "lpips": Metric("LPIPS", "lower", 3, "learned perceptual distance (squeeze)"),
    "semantic": Metric(
        "Semantic", "higher", 3, "share whose frozen classifier's top-1 is the true photograph's"
    ),
    "hint_fidelity": Metric("Hint ΔE", "lower", 2, "distance in a*, b* from the revealed color at the hints"),
    "palette_distance": Metric(
        "To reference", "lower", 2, "distance of the ab histogram from the reference's"
    ),
    "gain": Metric("Gain", "higher", 2, "PSNR with the reference minus without, dB; below 0 it costs"),
    "seconds": Metric("Seconds", "lower", 3, "wall time of one colorization, median"),
    "ratio": Metric("Ratio", "lower", 2, "wall time over the baseline's at the same size in the same run"),
    "peak_megabytes": Metric("Peak MB", "lower", 0, "peak resident memory of a process that does only this"),
}

OPTIONAL_METRICS = ("lpips", "semantic")
"""Scores that need a frozen network, computed where asked for."""


def check_metrics(names: Iterable[str]) -> None:
    """Refuse a metric that nobody knows.

    Raises:
        EvaluationError: with the names that are known.
    """
    for name in names:
        if name not in METRICS:
            raise EvaluationError(f"no metric is called {name!r}; choose among {', '.join(METRICS)}.")


class Answer:
    """A result beside what it is measured against; conversions happen once, when first needed."""

    def __init__(self, case: Case, result: Image, truth_lab: Array | None) -> None:
        self.case, self.result, self.truth_lab = case, result, truth_lab

    @cached_property
    def lab(self) -> Array:
        return rgb8_to_lab(self.result)

    @property
    def truth(self) -> Image:
        if self.case.truth is None:
            raise EvaluationError(f"{self.case.photograph.name} has no truth; choose a protocol without one.")
        return self.case.truth

    @property
    def true_lab(self) -> Array:
        assert self.truth_lab is not None
        return self.truth_lab


def rgb8_to_lab(rgb: Image) -> Array:
    """8-bit sRGB, (H, W, 3), to CIE Lab, float32."""
    from tinct.color.lab import rgb_to_lab

    return rgb_to_lab(rgb.astype(np.float32) / 255)


class Scorer:
    """Scores answers by the metrics of a run.

    Args:
        names: of the metrics.
        frozen: folder with the frozen networks of "lpips" and "semantic"; None looks in the usual places.
    Raises:
        EvaluationError: if a metric is unknown.
        WeightsError: if a frozen network is not there: before anything is measured.
    """

    def __init__(self, names: Sequence[str], frozen: Path | None = None) -> None:
        check_metrics(names)
        self._functions = [(name, self._function(name, frozen)) for name in names if name != "gain"]
        self._truth: tuple[str, tuple[int, ...], Array] | None = None

    def scores(self, case: Case, result: Image) -> dict[str, float | None]:
        """Metric -> score of one result, sRGB, (H, W, 3), uint8; None where it has no value."""
        answer = Answer(case, result, self._true_lab(case))
        return {name: function(answer) for name, function in self._functions}

    def _true_lab(self, case: Case) -> Array | None:
        """The truth's Lab, kept while the same photograph is asked again."""
        if case.truth is None:
            return None
        if self._truth is None or self._truth[:2] != (case.photograph.name, case.truth.shape):
            self._truth = (case.photograph.name, case.truth.shape, rgb8_to_lab(case.truth))
        return self._truth[2]

    def _function(self, name: str, frozen: Path | None) -> Callable[[Answer], float | None]:
        if name == "lpips":
            return _lpips(frozen)
        if name == "semantic":
            return _semantic(frozen)
        return FUNCTIONS[name]


def gain(records: Sequence[Record], baseline_case: str) -> None:
    """Put into every record of one photograph and method how much PSNR it has over the baseline case, in dB."""
    baseline = next((r.scores["psnr"] for r in records if r.case == baseline_case), None)
    for record in records:
        psnr = record.scores["psnr"]
        known = record.case != baseline_case and psnr is not None and baseline is not None
        record.scores["gain"] = round(psnr - baseline, 5) if known else None  # type: ignore[operator]


def _psnr(answer: Answer) -> float:
    from tinct.evaluation.metrics.error import psnr

    return psnr(answer.result, answer.truth)


def _ssim(answer: Answer) -> float:
    from tinct.evaluation.metrics.error import ssim

    return ssim(answer.result, answer.truth)


def _l2_ab(answer: Answer) -> float:
    from tinct.evaluation.metrics.error import l2_ab

    return l2_ab(answer.lab[..., 1:], answer.true_lab[..., 1:])


def _ciede2000(answer: Answer) -> float:
    from tinct.evaluation.metrics.error import mean_ciede2000

    return mean_ciede2000(answer.lab, answer.true_lab)


def _auc(answer: Answer) -> float:
    from tinct.evaluation.metrics.error import ab_error_auc

    return ab_error_auc(answer.lab[..., 1:], answer.true_lab[..., 1:])


def _auc_rebalanced(answer: Answer) -> float:
    from tinct.evaluation.metrics.error import ab_error_auc

    return ab_error_auc(answer.lab[..., 1:], answer.true_lab[..., 1:], rebalanced=True)


def _colorfulness(answer: Answer) -> float:
    from tinct.evaluation.metrics.colorfulness import colorfulness

    return colorfulness(answer.result)


def _colorfulness_difference(answer: Answer) -> float:
    from tinct.evaluation.metrics.colorfulness import colorfulness_difference

    return colorfulness_difference(answer.result, answer.truth)


def _bleeding(answer: Answer) -> float:
    from tinct.evaluation.metrics.bleeding import bleeding

    return bleeding(answer.lab[..., 1:], answer.case.lightness)


def _hint_fidelity(answer: Answer) -> float | None:
    """Mean distance in a*, b* between the result and what was revealed, over the hinted pixels."""
    field = answer.case.hint_field()
    if not field:
        return None
    hinted = field.mask > 0
    return float(np.linalg.norm(answer.lab[..., 1:][hinted] - field.ab[hinted], axis=-1).mean())


def _palette_distance(answer: Answer) -> float | None:
    from tinct.color.palettes import histogram_distance

    if not answer.case.references:
        return None
    reference = rgb8_to_lab(answer.case.references[0])
    return float(histogram_distance(answer.lab[..., 1:], reference[..., 1:]))


FUNCTIONS: dict[str, Callable[[Answer], float | None]] = {
    "psnr": _psnr,
    "ssim": _ssim,
    "l2_ab": _l2_ab,
    "ciede2000": _ciede2000,
    "auc": _auc,
    "auc_rebalanced": _auc_rebalanced,
    "colorfulness": _colorfulness,
    "colorfulness_difference": _colorfulness_difference,
    "bleeding": _bleeding,
    "hint_fidelity": _hint_fidelity,
    "palette_distance": _palette_distance,
}


def _lpips(frozen: Path | None) -> Callable[[Answer], float | None]:
    from tinct.evaluation.metrics.perceptual import Lpips

    network = Lpips(frozen)
    return lambda answer: network(answer.result, answer.truth)


def _semantic(frozen: Path | None) -> Callable[[Answer], float | None]:
    from tinct.evaluation.metrics.semantic import Classifier

    classifier = Classifier(frozen)
    return lambda answer: float(classifier.top1(answer.result) == classifier.top1(answer.truth))
