"""The cards of Zhang 2017: the local-hints and the global-hints network."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = (
    "Zhang, Zhu, Isola, Geng, Lin, Yu, Efros, Real-Time User-Guided Image Colorization with Learned Deep Priors, "
    "SIGGRAPH, 2017"
)
"""The paper: authors, title, venue and year."""

_FOLDER = "tinct.networks.zhang2017"
_TRAINING, _RELEASE = f"{_FOLDER}.training:Zhang2017Training", f"{_FOLDER}.network:RELEASE"

CARDS = (
    Card("zhang2017", PAPER, f"{_FOLDER}.method:ZHANG2017", _TRAINING, _RELEASE),
    Card(
        "zhang2017-global",
        PAPER,
        f"{_FOLDER}.method:ZHANG2017_GLOBAL",
        _TRAINING,
        _RELEASE,
        ("network.global_hints",),
    ),
)
"""The cards of the folder's networks."""
