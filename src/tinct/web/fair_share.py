"""Fair shares of sessions: when all are taken, a client with more than a fair share loses one to a newcomer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol, TypeVar


class Holder(Protocol):
    """Something that a client holds, such as a session.

    Attributes:
        address: of the client's machine.
        owner: the browser's cookie, or None for programs.
        last_used: time of the last request, in seconds.
    """

    address: str
    owner: str | None
    last_used: float


HolderType = TypeVar("HolderType", bound=Holder)


def evictable(held: Iterable[HolderType], address: str, owner: str | None) -> list[HolderType]:
    """Holdings that may be taken away for a newcomer when all places are taken, the longest unused first.

    Places are shared among addresses, then among the browsers of one address: cookies can be made up at will,
    addresses cannot. A newcomer gets a place from the address that holds most, and there from the browser that holds
    most, unless that is the newcomer itself: nobody gets more by asking more often.

    Args:
        held: all holdings.
        address: of the newcomer's machine.
        owner: the newcomer's cookie, or None.
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
    return sorted(taken, key=lambda each: each.last_used)
