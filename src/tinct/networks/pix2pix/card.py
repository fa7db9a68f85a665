"""The cards of Isola 2017 on colorization: the network, and its ablation without a discriminator."""

from __future__ import annotations

from tinct.networks.card import Card

PAPER = (
    "Isola, Zhu, Zhou, Efros, Image-to-Image Translation with Conditional Adversarial Networks, CVPR, 2017"
)
"""The paper: authors, title, venue and year."""

_FOLDER = "tinct.networks.pix2pix"
_TRAINING, _RELEASE = f"{_FOLDER}.training:Pix2PixTraining", f"{_FOLDER}.network:RELEASE"

CARDS = (
    Card("pix2pix", PAPER, f"{_FOLDER}.method:PIX2PIX", _TRAINING, _RELEASE),
    Card("pix2pix-l1", PAPER, f"{_FOLDER}.method:PIX2PIX_L1", _TRAINING, _RELEASE, ("recipe.adversarial",)),
)
"""The cards of the folder's networks."""
