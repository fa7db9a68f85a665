"""The thesis's network as methods: with all its branches, and its two ablations."""

from __future__ import annotations

from tinct.methods.automatic import AutomaticDistribution
from tinct.networks.scunet.card import PAPER

SCUNET = AutomaticDistribution(
    name="scunet",
    summary="by itself: a U-Net that learned scenes and segments as well (SegClassRegSoft)",
    source=PAPER,
    multiple=16,
)
"""The method of the network with all branches."""

SCUNET_CLASSREGSOFT = AutomaticDistribution(
    name="scunet-classregsoft",
    summary="by itself: an ablation that learned scenes, but no segments",
    source=PAPER,
    multiple=16,
)
"""The method of the ablation without the branch of segments."""

SCUNET_REGSOFT = AutomaticDistribution(
    name="scunet-regsoft",
    summary="by itself: an ablation that learned neither scenes nor segments",
    source=PAPER,
    multiple=16,
)
"""The method of the ablation without the branches of scenes and segments."""
