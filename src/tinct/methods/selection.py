"""Selection of a method: the one that was named, or the best one for the given references and hints."""

from __future__ import annotations

from tinct.errors import MethodError
from tinct.methods import METHODS, Method, get_method

NETWORK_METHOD = "tinct"
"""The released network's method, the best one wherever its weights are installed."""

SWATCH_METHOD = "welsh"
"""The method that takes colors from boxes that the user paired."""

REFERENCE_METHOD = "gupta"
"""The best method for references without a network: on 24 pairs of one class its mean difference to the truth was the
least of the five classical methods (CIEDE2000 12.5; pierre 12.9, histogram 13.1, reinhard 13.5, welsh 14.2)."""


def choose_method(
    name: str | None, has_reference: bool, has_hints: bool, has_swatches: bool = False
) -> Method:
    """The method of a name, or the best one for the given references, hints and swatches.

    Args:
        name: of a method; None asks for the best one.
        has_reference, has_hints, has_swatches: True if such are given.
    Raises:
        MethodError: if the name is unknown, or the method needs something that is not given, or cannot use something
            that is given.
    """
    method = get_method(name if name is not None else _fitting(has_reference, has_hints, has_swatches))
    if method.needs_reference and not has_reference:
        raise MethodError(
            f"{method.name} takes its colors from a reference and got none; give a color photograph."
        )
    if method.needs_hints and not has_hints:
        raise MethodError(f"{method.name} spreads hints and got none; give one.")
    if has_reference and not method.uses_references:
        raise MethodError(
            f"{method.name} makes no use of a reference; leave it out or choose another method."
        )
    if has_swatches and not method.uses_swatches:
        raise MethodError(
            f"{method.name} makes no use of swatches; leave them out or choose {SWATCH_METHOD}."
        )
    return method


def _fitting(has_reference: bool, has_hints: bool, has_swatches: bool) -> str:
    if has_swatches:
        return SWATCH_METHOD
    if NETWORK_METHOD in METHODS:
        return NETWORK_METHOD
    if has_reference:
        return REFERENCE_METHOD
    if has_hints:
        return "levin"
    raise MethodError(
        "there is neither a reference nor a hint, and no network is installed that colorizes by itself; "
        "give a color photograph as a reference, or a colored point as a hint."
    )
