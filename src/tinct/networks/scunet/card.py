"""The cards of the thesis's network: with all its branches, and its two ablations."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = (
    "Nguyen-Quynh, Kim, Do, Image Colorization Using the Global Scene-Context Style and Pixel-Wise Semantic "
    "Segmentation, IEEE Access, 2020"
)
"""The paper: authors, title, venue and year."""

_FOLDER = "tinct.networks.scunet"
_TRAINING, _RELEASE = f"{_FOLDER}.training:ScunetTraining", f"{_FOLDER}.network:RELEASE"
_BRANCHES = ("network.branches",)

CARDS = (
    Card("scunet", PAPER, f"{_FOLDER}.method:SCUNET", _TRAINING, _RELEASE, _BRANCHES, for_study=True),
    Card(
        "scunet-classregsoft",
        PAPER,
        f"{_FOLDER}.method:SCUNET_CLASSREGSOFT",
        _TRAINING,
        _RELEASE,
        _BRANCHES,
        for_study=True,
    ),
    Card(
        "scunet-regsoft",
        PAPER,
        f"{_FOLDER}.method:SCUNET_REGSOFT",
        _TRAINING,
        _RELEASE,
        _BRANCHES,
        for_study=True,
    ),
    Card(
        "scunet-guides",
        PAPER,
        training=f"{_FOLDER}.guides_training:ScunetGuidesTraining",
        release=f"{_FOLDER}.guides:RELEASE",
    ),
)
"""The cards of the folder's networks."""
