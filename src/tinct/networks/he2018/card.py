"""The card of He 2018."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = "He, Chen, Liao, Sander, Yuan, Deep Exemplar-based Colorization, SIGGRAPH, 2018"
"""The paper: authors, title, venue and year."""

_FOLDER = "tinct.networks.he2018"

CARDS = (
    Card(
        "he2018",
        PAPER,
        f"{_FOLDER}.method:HE2018",
        f"{_FOLDER}.training:He2018Training",
        f"{_FOLDER}.release:RELEASE",
        traits=("network.features", "network.gate"),
    ),
)
"""The card of the folder's network."""
