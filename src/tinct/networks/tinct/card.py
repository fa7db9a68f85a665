"""The cards of the released network and of its semantic branch."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = "this project; color memory after Xu et al. 2020 and Zhang et al. 2016, 2017"
"""The papers: authors, title, venue and year."""

SEMANTICS = "this project; EfficientNet-Lite2 (Tan and Le 2019), distribution after Zhang et al. 2016"
"""Those of the semantic branch."""

CARDS = (
    Card(
        "tinct",
        PAPER,
        "tinct.networks.tinct.method:Tinct",
        "tinct.networks.tinct.training.training:TinctTraining",
        "tinct.networks.tinct.release:RELEASE",
    ),
    Card(
        "tinct-semantics",
        SEMANTICS,
        "",
        "tinct.networks.semantics.training:SemanticsTraining",
        "tinct.networks.semantics.network:RELEASE",
    ),
)
"""The cards of the folder's networks."""
