"""The protocol `hints`: PSNR against the number of revealed points.

Source: Zhang et al., Real-Time User-Guided Image Colorization with Learned Deep Priors, SIGGRAPH 2017, section 4.1 and
the sweep of its public code. Photographs are squashed to 256x256. For each of 26 counts k, k square 6x6 patches reveal
the mean true a*, b* of their pixels; positions are drawn from a normal distribution around the center whose standard
deviation is a quarter of the size, and clipped to the picture. PSNR is taken on 8-bit RGB. The first patches of a
larger count are those of the smaller count: every count has the published distribution, and curves are smoother than
with fresh draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.photographs.sets import Photograph
from tinct.evaluation.protocols.case import Case, Patch
from tinct.evaluation.protocols.protocol import Protocol

# fmt: off
COUNTS = (
    0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 63, 79, 100, 126, 158, 200, 251, 316, 398, 501,
)
"""Numbers of revealed points: 10^(0, 0.1, ..., 2.7), rounded, and 0."""

PUBLISHED_PSNR = (
    24.43, 25.37, 26.20, 26.69, 27.08, 27.39, 27.65, 28.10, 28.42, 28.79, 29.04, 29.34, 29.60, 29.91, 30.17,
    30.42, 30.68, 30.90, 31.13, 31.34, 31.52, 31.70, 31.85, 31.97, 32.07, 32.14,
)
"""PSNR in dB of the published siggraph17 network at COUNTS, on 1000 ImageNet validation photographs; standard error
about 0.14 dB. Reports draw the published curve for its shape: on other photographs its values would be others."""
# fmt: on

PATCH_SIDE = 6
"""Side in pixels of a patch."""

SPREAD = 0.25
"""Standard deviation of a patch's position, as a share of the positions that lie inside the picture."""


class HintSweep(Protocol):
    """The sweep of Zhang et al. 2017 over the number of revealed points."""

    name: ClassVar[str] = "hints"
    summary: ClassVar[str] = "0 to 501 revealed 6x6 patches of true color, squashed to 256x256 (Zhang 2017)"
    shown_case: ClassVar[str] = "10"
    baseline_case: ClassVar[str] = "0"
    metrics: ClassVar[tuple[str, ...]] = ("psnr", "ciede2000", "hint_error", "hint_radius")
    square: ClassVar[int | None] = 256

    def __init__(self, counts: Sequence[int] = COUNTS) -> None:
        """Take the published counts of revealed points, or others."""
        self.counts = tuple(counts)

    @property
    def labels(self) -> tuple[str, ...]:
        """The numbers of revealed points, as texts."""
        return tuple(str(count) for count in self.counts)

    def parameters(self) -> dict[str, object]:
        """The numbers that define the protocol."""
        return {"square": 256, "counts": list(self.counts), "patch_side": PATCH_SIDE, "spread": SPREAD}

    def cases(self, photograph: Photograph, pool: Sequence[Photograph], seed: int) -> list[Case]:
        """One case for each number of revealed points."""
        plain = self.plain(photograph, "0")
        assert plain.truth is not None
        patches = draw_patches(plain.truth, max(self.counts), photograph.generator(seed, "hints"))
        return [replace(plain, label=str(count), patches=patches[:count]) for count in self.counts]


def draw_patches(truth: Image, count: int, generator: np.random.Generator) -> tuple[Patch, ...]:
    """Draw the positions of `count` patches and reveal the truth, sRGB, shape (H, W, 3), uint8, in them."""
    from tinct.color.lab import rgb_to_lab

    lab = rgb_to_lab(truth)
    room = np.array(truth.shape[:2]) - PATCH_SIDE
    drawn = generator.normal((room + 1) / 2, (room + 1) * SPREAD, (count, 2))
    corners = np.clip(drawn, 0, room).astype(int)
    return tuple(_reveal(lab, int(top), int(left)) for top, left in corners)


def _reveal(lab: NDArray[np.float32], top: int, left: int) -> Patch:
    mean = lab[top : top + PATCH_SIDE, left : left + PATCH_SIDE].mean((0, 1), dtype=np.float64)
    return Patch(left, top, PATCH_SIDE, (float(mean[0]), float(mean[1]), float(mean[2])))
