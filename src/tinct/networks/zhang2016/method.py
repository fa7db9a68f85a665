"""Zhang 2016 as methods: the released networks and the ways to read their distributions."""

from __future__ import annotations

from tinct.methods.automatic import Automatic, AutomaticDistribution
from tinct.networks.zhang2016.card import PAPER

WORKING_SIZE = 160
"""Working size at which things are about as large as in the released networks' training; on held-out photographs
zhang2016 has 20.35 dB at it, 19.98 at 256 and 20.50 at 128."""

ZHANG2016 = AutomaticDistribution(
    name="zhang2016",
    summary="by itself: a rebalanced distribution over 313 colors, read as its annealed mean",
    source=PAPER,
    working_size=WORKING_SIZE,
)
"""The method of the paper's network, read by the annealed mean."""

ZHANG2016_MODE = AutomaticDistribution(
    name="zhang2016-mode",
    summary="the same network, read as its likeliest color: vivid and patchy",
    source=PAPER,
    working_size=WORKING_SIZE,
    network="zhang2016",
    temperature=1e-4,
)
"""The method of the same network, read by the distribution's mode."""

ZHANG2016_L2 = Automatic(
    name="zhang2016-l2",
    summary="by itself: the same network with a squared error, the paper's baseline",
    source=PAPER,
    working_size=WORKING_SIZE,
)
"""The method of the paper's baseline, which regresses a* b*."""

ZHANG2016_FIVE_BLOCKS = AutomaticDistribution(
    name="zhang2016-five-blocks",
    summary="by itself: an ablation with five blocks, one of them dilated",
    source=PAPER,
    working_size=WORKING_SIZE,
)
"""The method of the ablation with five blocks."""

ZHANG2016_FOUR_BLOCKS = AutomaticDistribution(
    name="zhang2016-four-blocks",
    summary="by itself: an ablation with four blocks, none of them dilated",
    source=PAPER,
    working_size=WORKING_SIZE,
)
"""The method of the ablation with four blocks."""
