"""How alike a photograph and a reference are, and how much of the transferred chroma the refinement is therefore shown.

Whole photographs are compared, by their signatures (`tinct.networks.he2018.release.FeaturesGraph`), and each place
with its likest, both ways, as in the bidirectional matching of He et al., Deep Exemplar-based Colorization, SIGGRAPH
2018. The first tells what is of the same kind, the second what is the same; what is neither is told by how expected its
colors are in the photograph (`tinct.methods.expectation`). The paper of Xu et al. shows an eighth of the pixels of
every reference.
"""

from __future__ import annotations

import numpy as np

from tinct.networks.xu2020.label_maps import Seen
from tinct.networks.xu2020.places import PROBABILITY

LEAST_SHOWN = 0.0004
"""Share of pixels that is shown of a reference that is not believed: 26 pixels of 256 x 256."""

STRANGE, ALIKE = 0.55, 0.7
"""Fit from which down a reference is shown least, and up most, where nothing is known of its colors. On held-out
photographs (eight of ten) it is 0.4 to 0.55 for strangers, 0.45 to 0.7 for class-mates and 0.75 to 0.98 for the
photograph itself from elsewhere; with these two limits a stranger costs little there, and class-mates of scenes half a
decibel (docs/experiments.md, "Xu 2020, alive")."""

USUAL, BELIEVED = 0.6, 0.5
"""A class-mate's usual fit, and how far a reference of that fit is believed whose colors are as expected in the
photograph as the pre-color."""

BY_FIT, BY_EXPECTATION = 2.0, 0.6
"""What the belief gains by a unit of fit, and by a nat by which its colors are more expected."""

MAYBE_SAME, SURELY_SAME = 0.66, 0.72
"""Fit from which up a reference begins to be believed whatever its colors, as it shows the same picture, and is."""

RELATED = 0.15
"""Likeness from which on a reference whose hues are turned as a whole turns the answer: those of a photograph's class
have it mostly (0 to 0.6 for eight of ten), strangers do not (-0.1 to 0.13)."""


def likeness(one: Seen, other: Seen) -> float:
    """How alike two photographs are as wholes, -1..1; about 0 for photographs of different things."""
    return float(one.signature @ other.signature)


def fit(one: Seen, other: Seen) -> float:
    """The mean cosine of each place with its likest, both ways, and a third of the likeness: -1.3..1.3."""
    cosines = one.units @ other.units.T
    places = (cosines.max(0).mean() + cosines.max(1).mean()) / 2
    return float(places + likeness(one, other) / 3)


def believed(fits: float, expected: float | None = None) -> float:
    """How far what the transfer brings from a reference is believed, 0..1.

    What is alike place by place is not what is of one color: on held-out photographs what a class-mate gains is told
    by how expected its transferred colors are there (rank correlations of 0.5 to 0.6), and less by its fit, of scenes
    not at all.

    Args:
        fits: of `fit`.
        expected: what the transferred chroma has more than the pre-color by
            `tinct.methods.expectation.expectation`, in nats; None if that is not known.
    """
    if expected is None:
        told = (fits - STRANGE) / (ALIKE - STRANGE)
    else:
        of_a_kind = BELIEVED + BY_FIT * (fits - USUAL) + BY_EXPECTATION * expected
        told = max(of_a_kind, (fits - MAYBE_SAME) / (SURELY_SAME - MAYBE_SAME))
    return float(np.clip(told, 0, 1))


def shown_share(belief: float, trust: float = 1.0) -> float:
    """Share of the transferred chroma's pixels that the refinement is shown.

    Args:
        belief: of `believed`.
        trust: as of `tinct.methods.Reference`; at 3 any reference is shown as much as the likest.
    """
    followed = np.clip(belief + (trust - 1) / 2, 0, 1)
    return float(LEAST_SHOWN * (PROBABILITY / LEAST_SHOWN) ** followed)


def turns(alike: float, trust: float = 1.0) -> bool:
    """Whether a reference of turned hues turns the answer: if it is related, or from trust 2 on."""
    return alike >= RELATED or trust >= 2
