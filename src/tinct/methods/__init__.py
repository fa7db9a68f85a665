"""The table of methods, from the cards of networks and of classical methods; a method is imported when asked for."""

from __future__ import annotations

from collections.abc import Iterator

from tinct.errors import MethodError
from tinct.methods.classical.card import CARDS as CLASSICAL
from tinct.methods.method import (
    DistributionMethod,
    EditableMethod,
    EncodedReference,
    Method,
    Prediction,
    Reference,
)
from tinct.networks import CARDS as NETWORKS
from tinct.networks.card import named

__all__ = [
    "METHODS",
    "DistributionMethod",
    "EditableMethod",
    "EncodedReference",
    "Method",
    "Prediction",
    "Reference",
    "get_method",
    "missing_weights",
    "uses_references",
]


def _places() -> Iterator[tuple[str, str]]:
    """The released network first, then what needs no weights, then the papers' networks."""
    released, *papers = (card for card in NETWORKS.values() if card.method)
    for card in (released, *CLASSICAL, *papers):
        yield card.name, card.method


METHODS: dict[str, str] = dict(_places())
"""Every method's class or instance, "MODULE:NAME", by the method's name: from the cards."""


def get_method(name: str) -> Method:
    """Look a method up by its name.

    Raises:
        MethodError: if no method has that name.
    """
    if name not in METHODS:
        raise MethodError(f"no method is called {name!r}; choose one of {', '.join(METHODS)}.")
    found = named(METHODS[name])
    method: Method = found() if isinstance(found, type) else found
    return method


def uses_references(method: Method) -> bool:
    """Whether a reference changes what a method answers; of one that does not say, unless it lives by hints alone."""
    return bool(getattr(method, "uses_references", method.needs_reference or not method.needs_hints))


def missing_weights(method: Method) -> list[str]:
    """Exported files that a method needs and that are not installed, by their names in the manifest; usually none."""
    from tinct.weights import installed

    return [name for name in getattr(method, "weights", ()) if not installed(name)]
