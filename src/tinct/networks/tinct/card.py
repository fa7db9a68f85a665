"""The card of the released network."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = "this project; color memory after Xu et al. 2020 and Zhang et al. 2016, 2017"
"""The paper: authors, title, venue and year."""

CARDS = (
    Card(
        "tinct",
        PAPER,
        "tinct.networks.tinct.method:Tinct",
        "tinct.networks.tinct.training.training:TinctTraining",
        "tinct.networks.tinct.release:RELEASE",
    ),
)
"""The cards of the folder's networks."""
