"""Larsson 2016 as a method."""

from __future__ import annotations

from tinct.methods.automatic import Automatic
from tinct.networks.larsson2016.card import PAPER

LARSSON2016 = Automatic(
    name="larsson2016",
    summary="by itself: hypercolumns to histograms of hue and chroma",
    source=PAPER,
    multiple=32,
)
"""The method of the paper's network."""
