"""The card of Xiao 2019: colors of a reference's histogram, put in place by a pyramid."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = (
    "Xiao, Han, Zhang, Qin, Wong, Han, He, Example-Based Colourization via Dense Encoding Pyramids, "
    "Computer Graphics Forum, 2020"
)
"""The paper: authors, title, venue and year."""

_FOLDER = "tinct.networks.xiao2019"

CARDS = (
    Card(
        "xiao2019",
        PAPER,
        f"{_FOLDER}.method:XIAO2019",
        f"{_FOLDER}.training:Xiao2019Training",
        f"{_FOLDER}.network:RELEASE",
    ),
)
"""The cards of the folder's networks."""
