"""Iizuka 2016 as a method."""

from __future__ import annotations

from tinct.methods.automatic import Automatic
from tinct.networks.iizuka2016.card import PAPER

IIZUKA2016 = Automatic(
    name="iizuka2016",
    summary="by itself: global and local features fused, with a scene branch",
    source=PAPER,
)
"""The method of the paper's network."""
