"""The cards of Larsson 2016."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = "Larsson, Maire, Shakhnarovich, Learning Representations for Automatic Colorization, ECCV, 2016"
"""The paper: authors, title, venue and year."""

CARDS = (
    Card(
        "larsson2016",
        PAPER,
        "tinct.networks.larsson2016.method:LARSSON2016",
        "tinct.networks.larsson2016.training:Larsson2016Training",
        "tinct.networks.larsson2016.network:RELEASE",
    ),
    Card("larsson2016-layers", PAPER, training="tinct.networks.larsson2016.layers_training:LayersTraining"),
)
"""The cards of the folder's networks."""
