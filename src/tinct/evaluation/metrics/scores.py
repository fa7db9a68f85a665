"""Scores a record's metrics: where each of them is called, on what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinct.errors import EvaluationError, WeightsError
from tinct.evaluation.metrics.columns import OF_A_RUN, WITH_NETWORK, check_metrics
from tinct.evaluation.metrics.whole import open_network
from tinct.evaluation.protocols.case import Case, Image
from tinct.weights.frozen import locate

if TYPE_CHECKING:
    from tinct.evaluation.metrics.guidance import ReferenceUse

Array = NDArray[np.float32]
T = TypeVar("T")


FEW_HINTS = 20
"""Revealed points up to which their reach is measured."""


def check_scores(names: Sequence[str], frozen: Path | None = None) -> None:
    """Refuse what cannot be scored, before anything is measured.

    Args:
        names, frozen: as in `Scorer`.
    Raises:
        EvaluationError: if a metric is unknown.
        WeightsError: if a frozen network is not there.
    """
    check_metrics(names)
    for name in names:
        for network in WITH_NETWORK.get(name, ()):
            try:
                locate(network, frozen)
            except WeightsError as error:
                hint = (
                    " Or compare a smaller network's features: --metric fid_squeeze." if name == "fid" else ""
                )
                raise WeightsError(f"{error}{hint}") from None


class Truth:
    """A true photograph, and what was computed of it while it is asked about.

    Attributes:
        rgb: sRGB, (H, W, 3), uint8.
    """

    def __init__(self, rgb: Image) -> None:
        self.rgb = rgb
        self._found: dict[Callable[[Image], Any], Any] = {}

    def once(self, compute: Callable[[Image], T]) -> T:
        """What a function gives for it, computed when first asked for."""
        if compute not in self._found:
            self._found[compute] = compute(self.rgb)
        found: T = self._found[compute]
        return found


class Answer:
    """A result beside what it is measured against; conversions happen once, when first needed.

    Attributes:
        case, result: the question, and the answer as sRGB, (H, W, 3), uint8.
        unhelped: the same method's answer to the baseline case, plain grey if it cannot answer that; None
            where there is no help that could be measured.
    """

    def __init__(self, case: Case, result: Image, known: Truth | None, unhelped: Image | None) -> None:
        self.case, self.result, self.unhelped = case, result, unhelped
        self._known = known

    @cached_property
    def lab(self) -> Array:
        return rgb8_to_lab(self.result)

    @property
    def known(self) -> Truth:
        """The truth and what was computed of it."""
        if self._known is None:
            raise EvaluationError(f"{self.case.photograph.name} has no truth; choose a protocol without one.")
        return self._known

    @property
    def truth(self) -> Image:
        return self.known.rgb

    @property
    def true_lab(self) -> Array:
        return self.known.once(rgb8_to_lab)


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
        EvaluationError, WeightsError: as `check_scores`.
    """

    def __init__(self, names: Sequence[str], frozen: Path | None = None) -> None:
        check_scores(names, frozen)
        self._functions = [(n, self._function(n, frozen)) for n in names if n not in OF_A_RUN]
        self._networks = {name: open_network(name, frozen) for name in names if name in OF_A_RUN}
        self._known: Truth | None = None

    def scores(self, case: Case, result: Image, unhelped: Image | None = None) -> dict[str, float | None]:
        """Metric -> score of one result, sRGB, (H, W, 3), uint8; None where it has no value.

        Args:
            case, result: the question and the answer.
            unhelped: the answer without the case's help, where there is help.
        """
        answer = Answer(case, result, self._truth(case), unhelped)
        return {name: function(answer) for name, function in self._functions}

    def features(self, case: Case, result: Image) -> dict[tuple[str, bool], Array]:
        """(metric, of the truth) -> features of the truth and of one result, for the scores of the whole run."""
        known = self._truth(case)
        found = {(name, False): network(result) for name, network in self._networks.items()}
        if known is not None:
            found |= {(name, True): known.once(network) for name, network in self._networks.items()}
        return found

    def _truth(self, case: Case) -> Truth | None:
        """A case's truth, the one before if that is the same picture."""
        if case.truth is None:
            return None
        if self._known is None or self._known.rgb is not case.truth:
            self._known = Truth(case.truth)
        return self._known

    def _function(self, name: str, frozen: Path | None) -> Callable[[Answer], float | None]:
        if name == "lpips":
            return _lpips(frozen)
        if name == "semantic":
            return _semantic(frozen)
        return FUNCTIONS[name]


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


def _hint_error(answer: Answer) -> float | None:
    from tinct.evaluation.metrics.guidance import hint_error

    return hint_error(answer.lab, answer.case.hint_field()) if answer.case.patches else None


def _hint_radius(answer: Answer) -> float | None:
    """How far few hints spread; with many there is little left that no hint touches."""
    from tinct.evaluation.metrics.guidance import hint_reach

    if answer.unhelped is None or not 1 <= len(answer.case.patches) <= FEW_HINTS:
        return None
    unhinted = rgb8_to_lab(answer.unhelped)[..., 1:]
    return hint_reach(answer.lab[..., 1:], unhinted, answer.case.hint_field()).radius


def _gain(answer: Answer) -> float | None:
    from tinct.evaluation.metrics.error import psnr

    if answer.unhelped is None:
        return None
    return psnr(answer.result, answer.truth) - psnr(answer.unhelped, answer.truth)


def _gain_ab(answer: Answer) -> float | None:
    return None if answer.unhelped is None else _reference_use(answer).gain


def _moved_ab(answer: Answer) -> float | None:
    return None if answer.unhelped is None else _reference_use(answer).moved


def _reference_use(answer: Answer) -> ReferenceUse:
    from tinct.evaluation.metrics.guidance import reference_use

    assert answer.unhelped is not None
    unguided = rgb8_to_lab(answer.unhelped)[..., 1:]
    return reference_use(answer.lab[..., 1:], unguided, answer.true_lab[..., 1:])


def _palette_distance(answer: Answer) -> float | None:
    """Hellinger distance of the two ab histograms; some 16,000 pixels of each are plenty for 313 bins."""
    from tinct.color.palettes import ab_histogram, histogram_distance

    if not answer.case.references:
        return None
    reference = rgb8_to_lab(answer.case.references[0])
    return histogram_distance(ab_histogram(_sampled(answer.lab)), ab_histogram(_sampled(reference)))


def _sampled(lab: Array, pixels: int = 16_384) -> Array:
    """a*, b* of an even grid of pixels."""
    step = max(1, round((lab.shape[0] * lab.shape[1] / pixels) ** 0.5))
    return lab[::step, ::step, 1:]


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
    "hint_error": _hint_error,
    "hint_radius": _hint_radius,
    "gain": _gain,
    "gain_ab": _gain_ab,
    "moved_ab": _moved_ab,
    "palette_distance": _palette_distance,
}


def _lpips(frozen: Path | None) -> Callable[[Answer], float | None]:
    from tinct.evaluation.metrics.perceptual import Lpips

    network = Lpips(frozen)
    return lambda answer: network.distance(answer.result, answer.known.once(network.features))


def _semantic(frozen: Path | None) -> Callable[[Answer], float | None]:
    from tinct.evaluation.metrics.semantic import Classifier

    classifier = Classifier(frozen)
    return lambda answer: float(classifier.top1(answer.result) == answer.known.once(classifier.top1))
