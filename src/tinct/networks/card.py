"""What the table of networks says of each: a name, a paper, and where the parts are; needs neither torch nor numpy."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Card:
    """What is asked for by one name: a method that colorizes, a network that can be trained, or both.

    What a method needs (a reference, hints, weights) its class states; a card says where the class is.

    Attributes:
        name: what `-m` and `tinct train` take.
        paper: authors, title, venue and year.
        method: the method's class or instance, "MODULE:NAME"; "" for what only trains.
        training: the class that trains the network, a `tinct.training.training.Training`, likewise; "" for none.
        release: how a trained network becomes files, a `tinct.networks.graph.Release`, likewise; "" for none.
    """

    name: str
    paper: str
    method: str = ""
    training: str = ""
    release: str = ""


def named(place: str) -> Any:
    """The object at "MODULE:NAME"; its module is imported now."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
