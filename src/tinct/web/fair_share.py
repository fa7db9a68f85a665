"""Whose session gives its place to a newcomer: that of whoever holds more than a fair share of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol, TypeVar


class Holder(Protocol):
    """What is held by a client.

    Attributes:
        address: of the machine that it was begun from.
        owner: the browser's cookie, or None for programs.
        used: when it was last asked for, in seconds.
    """

    address: str
    owner: str | None
    used: float


Kind = TypeVar("Kind", bound=Holder)


def evictable(held: Iterable[Kind], address: str, owner: str | None) -> list[Kind]:
    """What may be taken away for one more of a client, when all places are taken; the one to take first is first.

    WhereRequest are shared among addresses, then among the browsers of one address: cookies can be made up at will,
    addresses cannot. A client gets a place from the address that holds most, and there from the browser that holds
    most, unless that is the client itself: nobody gets more by asking more often.

    Args:
        held: what is held now.
        address, owner: of the newcomer.
    """
    everything = list(held)
    by_address = Counter(each.address for each in everything)
    most = max(by_address, key=lambda name: by_address[name], default=address)
    if by_address[most] <= by_address[address] + 1:
        most = address
    there = [each for each in everything if each.address == most]
    by_owner = Counter(each.owner for each in there)
    own = by_owner[owner] + 1 if most == address else 0
    largest = max(by_owner.values(), default=0)
    if most == address and largest <= own:
        return []
    taken = [each for each in there if by_owner[each.owner] == largest]
    return sorted(taken, key=lambda each: each.used)
