"""The cards of Zhang 2016: the network, two ways to read it, the paper's baseline and two ablations."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = "Zhang, Isola, Efros, Colorful Image Colorization, ECCV, 2016"
"""The paper: authors, title, venue and year."""

_FOLDER = "tinct.networks.zhang2016"
_TRAINING, _RELEASE = f"{_FOLDER}.training:Zhang2016Training", f"{_FOLDER}.network:RELEASE"

CARDS = (
    Card("zhang2016", PAPER, f"{_FOLDER}.method:ZHANG2016", _TRAINING, _RELEASE, for_study=True),
    Card("zhang2016-mode", PAPER, f"{_FOLDER}.method:ZHANG2016_MODE", for_study=True),
    Card(
        "zhang2016-l2", PAPER, f"{_FOLDER}.method:ZHANG2016_L2", _TRAINING, _RELEASE, ("network.regression",)
    ),
    Card(
        "zhang2016-five-blocks",
        PAPER,
        f"{_FOLDER}.method:ZHANG2016_FIVE_BLOCKS",
        _TRAINING,
        _RELEASE,
        ("network.blocks",),
        for_study=True,
    ),
    Card(
        "zhang2016-four-blocks",
        PAPER,
        f"{_FOLDER}.method:ZHANG2016_FOUR_BLOCKS",
        _TRAINING,
        _RELEASE,
        ("network.blocks",),
        for_study=True,
    ),
)
"""The cards of the folder's networks."""
