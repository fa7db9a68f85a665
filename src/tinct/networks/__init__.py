"""The networks, a folder each, and the one table of them, collected from the folders' `card.py`.

A folder holds all of a network: `card.py` (names, without torch or numpy), `network.py` (PyTorch, for training and
export), `method.py` (the method that runs its exported files), `training.py` and its configs. Only `network.py` and
`training.py` need the `train` extra.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tinct.networks.card import Card

FOLDER = Path(__file__).parent
"""The folder of the networks' folders."""

RELEASED = "tinct"
"""The folder of the released network, which heads the table; the others follow by name."""


def _cards() -> tuple[Card, ...]:
    folders = sorted(
        (file.parent.name for file in FOLDER.glob("*/card.py")), key=lambda n: (n != RELEASED, n)
    )
    return tuple(card for name in folders for card in import_module(f"{__name__}.{name}.card").CARDS)


CARDS: dict[str, Card] = {card.name: card for card in _cards()}
"""The cards of all networks by name."""
