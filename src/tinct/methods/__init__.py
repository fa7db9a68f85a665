"""The table of methods, from the cards of networks and of classical methods; modules are imported on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from tinct.errors import MethodError, shown
from tinct.methods.classical.card import CARDS as CLASSICAL
from tinct.methods.method import (
    Method,
    Prediction,
    Reference,
    StagedMethod,
    WeighedReference,
)
from tinct.networks import CARDS as NETWORKS
from tinct.networks.card import named

__all__ = [
    "METHODS",
    "Method",
    "Prediction",
    "Reference",
    "StagedMethod",
    "WeighedReference",
    "get_method",
]


def _places() -> Iterator[tuple[str, str]]:
    """The released network first, then what needs no weights, then the papers' networks."""
    released, *papers = (card for card in NETWORKS.values() if card.method)
    for card in (released, *CLASSICAL, *papers):
        yield card.name, card.method


METHODS: dict[str, str] = dict(_places())
"""Every method's class or instance as "MODULE:NAME", by the method's name, from the cards."""


def unknown_method(name: str, known: Iterable[str]) -> str:
    """One line for a name that no method has: the names that are nearest to it, and where all are listed."""
    near = get_close_matches(name, list(known), cutoff=0.5)
    meant = f"; did you mean {' or '.join(near)}?" if near else "."
    return f"no method is called {shown(name)}: `tinct methods` lists them{meant}"


def get_method(name: str) -> Method:
    """Look a method up by its name.

    Raises:
        MethodError: if no method has that name.
    """
    if name not in METHODS:
        raise MethodError(unknown_method(name, METHODS))
    found = named(METHODS[name])
    method: Method = found() if isinstance(found, type) else found
    return method
