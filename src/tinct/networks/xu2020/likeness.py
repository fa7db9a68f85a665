"""How alike a photograph and a reference are, and how much of the transferred chroma the refinement is therefore shown.

Whole photographs are compared, by their signatures (`tinct.networks.he2018.release.FeaturesGraph`); the paper of Xu et
al. shows an eighth of the pixels of every reference.
"""

from __future__ import annotations

import numpy as np

from tinct.networks.xu2020.label_maps import Seen
from tinct.networks.xu2020.places import PROBABILITY

LEAST_SHOWN = 0.0004
"""Share of pixels that is shown of a reference that is not alike: 26 pixels of 256 x 256."""

STRANGE, ALIKE = 0.4, 0.8
"""Likeness from which down a reference is shown least, and up most. On held-out photographs it is 0.2 for strangers
(0.1 to 0.4 for eight of ten), 0.5 for class-mates (0.25 to 0.75) and 0.9 for the photograph itself mirrored; with these
two limits neither a class-mate nor a stranger costs much there (docs/experiments.md, "Xu 2020, alive")."""


def likeness(one: Seen, other: Seen) -> float:
    """How alike two photographs are as wholes, -1..1; about 0 for photographs of different things."""
    return float(one.signature @ other.signature)


def shown_share(alike: float, trust: float = 1.0) -> float:
    """Share of the transferred chroma's pixels that the refinement is shown.

    Args:
        alike: of `likeness`.
        trust: as of `tinct.methods.Reference`; at 3 any reference is shown as much as the likest.
    """
    fits = np.clip((alike - STRANGE) / (ALIKE - STRANGE), 0, 1)
    followed = np.clip(fits + (trust - 1) / 2, 0, 1)
    return float(LEAST_SHOWN * (PROBABILITY / LEAST_SHOWN) ** followed)
