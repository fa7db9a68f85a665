"""The card of a network: its names, its paper and the places of its parts; without torch and numpy."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

FOR_STUDY = "trained on too little: for study"
"""The note on a method whose released weights are worse than gray by every error; see `Card`."""


@dataclass(frozen=True)
class Card:
    """One name of a network: of a method that colorizes, of a network that can be trained, or of both.

    What a method needs (a reference, hints, weights) its class states; a card says where the class is.

    Attributes:
        name: what `-m` and `tinct train` take.
        paper: authors, title, venue and year.
        method: the method's class or instance, "MODULE:NAME"; "" for what only trains.
        training: the class that trains the network, a `tinct.training.training.Training`, likewise; "" for none.
        release: how a trained network becomes files, a `tinct.networks.graph.Release`, likewise; "" for none.
        traits: what tells the network from others of the same training, or from the defaults of its tables: keys of its
            config, "TABLE.KEY". Their values are those of the config that ships by its name; another config gets them
            where it leaves them out, and may not give others (`tinct.training.traits`).
        for_study: True if the released weights, on photographs without help, are worse than gray by every error
            (PSNR, SSIM, L2_ab, CIEDE2000, AuC; `auto` and `auto-256`): trained on too little to color with.
    """

    name: str
    paper: str
    method: str = ""
    training: str = ""
    release: str = ""
    traits: tuple[str, ...] = ()
    for_study: bool = False

    @property
    def note(self) -> str:
        """The line that `tinct methods` adds to the method's summary; "" for none."""
        return FOR_STUDY if self.for_study else ""


def named(place: str) -> Any:
    """The object at "MODULE:NAME"; its module is imported now."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
