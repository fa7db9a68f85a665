"""The cards of Iizuka 2016."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = "Iizuka, Simo-Serra, Ishikawa, Let there be Color!, SIGGRAPH, 2016"
"""The paper: authors, title, venue and year."""

CARDS = (
    Card(
        "iizuka2016",
        PAPER,
        "tinct.networks.iizuka2016.method:IIZUKA2016",
        "tinct.networks.iizuka2016.training:Iizuka2016Training",
        "tinct.networks.iizuka2016.network:RELEASE",
    ),
)
"""The cards of the folder's networks."""
