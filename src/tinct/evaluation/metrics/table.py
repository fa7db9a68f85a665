"""The table of metrics, `METRICS`.

Adding a metric means adding one entry; its name then works in `--metric`, protocols, reports and comparisons.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.errors import EvaluationError
from tinct.evaluation.metrics.bleeding import bleeding
from tinct.evaluation.metrics.colorfulness import colorfulness, colorfulness_difference
from tinct.evaluation.metrics.comparison import Comparison
from tinct.evaluation.metrics.error import ab_error_auc, l2_ab, mean_ciede2000, psnr, ssim
from tinct.evaluation.metrics.guidance import hint_error, hint_reach, reference_use
from tinct.evaluation.metrics.metric import Metric, PictureFeatures, Score

FEW_HINTS = 20
"""Revealed points up to which their reach is measured: with more, few pixels are left that no hint touches."""

SAMPLED_PIXELS = 16_384
"""Pixels of a picture, about, whose a*, b* enter a palette's histogram: plenty for 313 bins."""


def check_metrics(names: Iterable[str]) -> None:
    """Refuse a metric that no protocol about photographs can have.

    Raises:
        EvaluationError: if a name is unknown or belongs to the protocol `runtime`; the message lists the known names.
    """
    known = [metric.name for metric in METRICS.values() if not metric.of_runtime]
    for name in names:
        if name not in known:
            raise EvaluationError(f"no metric is called {name!r}; choose among {', '.join(known)}.")


def _hint_error(found: Comparison) -> float | None:
    return hint_error(found.lab, found.case.hint_field()) if found.case.patches else None


def _hint_radius(found: Comparison) -> float | None:
    if found.unhelped_ab is None or not 1 <= len(found.case.patches) <= FEW_HINTS:
        return None
    return hint_reach(found.ab, found.unhelped_ab, found.case.hint_field()).radius


def _gain(found: Comparison) -> float | None:
    if found.unhelped is None:
        return None
    return psnr(found.result, found.truth) - psnr(found.unhelped, found.truth)


def _gain_ab(found: Comparison) -> float | None:
    if found.unhelped_ab is None:
        return None
    return reference_use(found.ab, found.unhelped_ab, found.true_ab).gain


def _moved_ab(found: Comparison) -> float | None:
    return None if found.unhelped_ab is None else l2_ab(found.ab, found.unhelped_ab)


def _palette_distance(found: Comparison) -> float | None:
    """Hellinger distance of the ab histograms of the result and of the first reference."""
    from tinct.color.lab import rgb_to_lab
    from tinct.color.palettes import ab_histogram, histogram_distance

    if not found.case.references:
        return None
    reference = rgb_to_lab(found.case.references[0])[..., 1:]
    return histogram_distance(ab_histogram(_sampled(found.ab)), ab_histogram(_sampled(reference)))


def _sampled(ab: NDArray[np.float32]) -> NDArray[np.float32]:
    """The a*, b* of an even grid of pixels."""
    step = max(1, round((ab.shape[0] * ab.shape[1] / SAMPLED_PIXELS) ** 0.5))
    return ab[::step, ::step]


def _load_lpips(frozen: Path | None) -> Score:
    from tinct.evaluation.metrics.perceptual import Lpips

    network = Lpips(frozen)
    return lambda found: network.distance(found.result, found.known.once(network.features))


def _load_semantic(frozen: Path | None) -> Score:
    from tinct.evaluation.metrics.semantic import Classifier

    classifier = Classifier(frozen)
    return lambda found: float(classifier.top1(found.result) == found.known.once(classifier.top1))


def _open_inception(frozen: Path | None) -> PictureFeatures:
    from tinct.evaluation.metrics.inception import InceptionFeatures

    return InceptionFeatures(frozen)


def _open_squeezenet(frozen: Path | None) -> PictureFeatures:
    from tinct.evaluation.metrics.perceptual import SqueezeNetFeatures

    return SqueezeNetFeatures(frozen)


FRECHET = "Fréchet distance from the true photographs, all together"
"""How the meaning of each metric of a whole run begins."""

ALL = (
    Metric(
        name="psnr",
        title="PSNR",
        better="higher",
        digits=2,
        meaning="dB, on 8-bit RGB",
        score=lambda found: psnr(found.result, found.truth),
    ),
    Metric(
        name="ssim",
        title="SSIM",
        better="higher",
        digits=3,
        meaning="structural similarity, mean over R, G, B, 0 to 1",
        score=lambda found: ssim(found.result, found.truth),
    ),
    Metric(
        name="l2_ab",
        title="L2_ab",
        better="lower",
        digits=2,
        meaning="root mean square error of a*, b*, CIE units",
        score=lambda found: l2_ab(found.ab, found.true_ab),
    ),
    Metric(
        name="ciede2000",
        title="ΔE00",
        better="lower",
        digits=2,
        meaning="mean CIEDE2000 color difference",
        score=lambda found: mean_ciede2000(found.lab, found.true_lab),
    ),
    Metric(
        name="auc",
        title="AuC",
        better="higher",
        digits=1,
        meaning="area under the cumulative ab-error curve, %",
        score=lambda found: ab_error_auc(found.ab, found.true_ab),
    ),
    Metric(
        name="auc_rebalanced",
        title="AuC rebal.",
        better="higher",
        digits=1,
        meaning="the same with rare colors weighted up, %",
        score=lambda found: ab_error_auc(found.ab, found.true_ab, rebalanced=True),
    ),
    Metric(
        name="colorfulness",
        title="Colorful",
        better="",
        digits=1,
        meaning="colorfulness (Hasler & Süsstrunk), 8-bit units",
        score=lambda found: colorfulness(found.result),
        needs_truth=False,
    ),
    Metric(
        name="colorfulness_difference",
        title="ΔColorful",
        better="zero",
        digits=1,
        meaning="colorfulness minus the truth's; below 0 is duller",
        score=lambda found: colorfulness_difference(found.result, found.truth),
    ),
    Metric(
        name="bleeding",
        title="Bleeding",
        better="lower",
        digits=3,
        meaning="chroma edges without a lightness edge",
        score=lambda found: bleeding(found.ab, found.case.lightness),
        needs_truth=False,
        of_color=True,
    ),
    Metric(
        name="lpips",
        title="LPIPS",
        better="lower",
        digits=3,
        meaning="learned perceptual distance (squeeze)",
        load=_load_lpips,
        networks=("squeezenet", "lpips-heads"),
    ),
    Metric(
        name="semantic",
        title="Semantic",
        better="higher",
        digits=3,
        meaning="share where a frozen classifier sees the same as in the truth",
        load=_load_semantic,
        networks=("classifier",),
    ),
    Metric(
        name="fid",
        title="FID",
        better="lower",
        digits=1,
        meaning=f"{FRECHET}, Inception v3's features; in brackets of how many",
        features=_open_inception,
        networks=("inception",),
    ),
    Metric(
        name="fid_squeeze",
        title="FD squeeze",
        better="lower",
        digits=1,
        meaning=f"{FRECHET}, SqueezeNet 1.1's features; on no published scale",
        features=_open_squeezenet,
        networks=("squeezenet",),
    ),
    Metric(
        name="hint_error",
        title="Hint ΔE00",
        better="lower",
        digits=2,
        meaning="CIEDE2000 from the revealed color under the hints",
        score=_hint_error,
        needs_truth=False,
    ),
    Metric(
        name="hint_radius",
        title="Reach",
        better="",
        digits=1,
        meaning="pixels around a hint that follow it, as the radius of a disc",
        score=_hint_radius,
        needs_truth=False,
    ),
    Metric(
        name="palette_distance",
        title="To reference",
        better="lower",
        digits=2,
        meaning="Hellinger distance of ab histograms, 0 to 1",
        score=_palette_distance,
        needs_truth=False,
    ),
    Metric(
        name="gain",
        title="Gain dB",
        better="higher",
        digits=2,
        meaning="PSNR with the help minus without (plain grey if it needs help)",
        score=_gain,
    ),
    Metric(
        name="gain_ab",
        title="Gain ab",
        better="higher",
        digits=2,
        meaning="fall of L2_ab against no help (plain grey if it needs help)",
        score=_gain_ab,
    ),
    Metric(
        name="moved_ab",
        title="Moved ab",
        better="",
        digits=2,
        meaning="root mean square change of a*, b* that the reference made",
        score=_moved_ab,
        needs_truth=False,
    ),
    Metric(
        name="seconds",
        title="Seconds",
        better="lower",
        digits=3,
        meaning="wall time of one colorization, median",
    ),
    Metric(
        name="ratio",
        title="Ratio",
        better="lower",
        digits=2,
        meaning="wall time over the baseline's at the same size in the same run",
    ),
    Metric(
        name="peak_megabytes",
        title="Peak MB",
        better="lower",
        digits=0,
        meaning="peak resident memory of a process that does only this",
    ),
)
"""Every metric."""

METRICS: dict[str, Metric] = {metric.name: metric for metric in ALL}
"""Every metric by its name."""
