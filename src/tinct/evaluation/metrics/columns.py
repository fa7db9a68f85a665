"""Which metrics there are, and how each is written in a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinct.errors import EvaluationError

FRECHET = "Fréchet distance from the true photographs, all together"


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric stands in a table.

    Attributes:
        title: the head of its column.
        better: "higher", "lower" or "zero" (nearest to 0 is best); "" where none is better than another.
        digits: behind the point.
        meaning: one line, with unit and range.
        of_color: says nothing about a picture without color, which is not ranked by it.
    """

    title: str
    better: str
    digits: int
    meaning: str
    of_color: bool = False


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
    "bleeding": Metric("Bleeding", "lower", 3, "chroma edges without a lightness edge", of_color=True),
    "lpips": Metric("LPIPS", "lower", 3, "learned perceptual distance (squeeze)"),
    "semantic": Metric(
        "Semantic", "higher", 3, "share where a frozen classifier sees the same as in the truth"
    ),
    "fid": Metric("FID", "lower", 1, f"{FRECHET}, Inception v3's features; in brackets of how many"),
    "fid_squeeze": Metric(
        "FD squeeze", "lower", 1, f"{FRECHET}, SqueezeNet 1.1's features; on no published scale"
    ),
    "hint_error": Metric("Hint ΔE00", "lower", 2, "CIEDE2000 from the revealed color under the hints"),
    "hint_radius": Metric("Reach", "", 1, "pixels around a hint that follow it, as the radius of a disc"),
    "palette_distance": Metric("To reference", "lower", 2, "Hellinger distance of ab histograms, 0 to 1"),
    "gain": Metric("Gain dB", "higher", 2, "PSNR with the help minus without (plain grey if it needs help)"),
    "gain_ab": Metric("Gain ab", "higher", 2, "fall of L2_ab against no help (plain grey if it needs help)"),
    "moved_ab": Metric("Moved ab", "", 2, "root mean square change of a*, b* that the reference made"),
    "seconds": Metric("Seconds", "lower", 3, "wall time of one colorization, median"),
    "ratio": Metric("Ratio", "lower", 2, "wall time over the baseline's at the same size in the same run"),
    "peak_megabytes": Metric("Peak MB", "lower", 0, "peak resident memory of a process that does only this"),
}

OF_RUNTIME = ("seconds", "ratio", "peak_megabytes")
"""Scores of the protocol `runtime` alone."""

OF_A_RUN = ("fid", "fid_squeeze")
"""Scores of all photographs of a run together, where asked for."""

WITH_NETWORK = {
    "lpips": ("squeezenet", "lpips-heads"),
    "semantic": ("classifier",),
    "fid": ("inception",),
    "fid_squeeze": ("squeezenet",),
}
"""Scores that need a truth and frozen networks (`tinct.weights.frozen`), where asked for."""


def check_metrics(names: Iterable[str]) -> None:
    """Refuse a metric that no photograph has.

    Raises:
        EvaluationError: with the names that are known.
    """
    known = [*WITH_NETWORK, *(name for name in METRICS if name not in (*WITH_NETWORK, *OF_RUNTIME))]
    for name in names:
        if name not in known:
            raise EvaluationError(f"no metric is called {name!r}; choose among {', '.join(known)}.")
