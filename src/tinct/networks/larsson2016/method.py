"""Larsson 2016 as a method."""

from __future__ import annotations

from tinct.methods.automatic import Automatic

SOURCE = "Larsson, Maire, Shakhnarovich, Learning Representations for Automatic Colorization, ECCV, 2016"

LARSSON2016 = Automatic(
    name="larsson2016",
    summary="by itself: hypercolumns to histograms of hue and chroma",
    source=SOURCE,
    multiple=32,
)
