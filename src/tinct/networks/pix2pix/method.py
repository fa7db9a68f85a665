"""Isola 2017 as methods: the network trained with a discriminator, and its ablation without one.

Dropout, the paper's noise, is off: the answer is the same for every seed.
"""

from __future__ import annotations

from tinct.methods.automatic import Automatic
from tinct.networks.pix2pix.card import PAPER

MULTIPLE = 256
"""Pixels to one of the U-Net's coarsest level: photographs are padded to multiples of it."""

PIX2PIX = Automatic(
    name="pix2pix",
    summary="by itself: a U-Net that a discriminator taught to be plausible, beside the absolute error",
    source=PAPER,
    multiple=MULTIPLE,
)
"""The method of the paper's network, L1 + cGAN."""

PIX2PIX_L1 = Automatic(
    name="pix2pix-l1",
    summary="by itself: the same U-Net with the absolute error alone, the paper's ablation",
    source=PAPER,
    multiple=MULTIPLE,
)
"""The method of the ablation, L1."""
