"""Accounts of what the files of each client cost of late, beyond what photographs cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv6Address
from time import monotonic
from typing import Any

HALF_LIFE = 10.0
"""Seconds after which half of what an address has spent is forgotten."""

BUDGET = 0.5
"""Seconds that an address may have spent of late before it has one place while others ask."""

ALIKE = 0.25
"""Seconds by which accounts may differ for addresses to take turns."""

ORDINARY = 0.02
"""Processor seconds of decoding for each file that are not counted."""

ORDINARY_MEGAPIXEL = 0.02
"""Processor seconds of decoding for each million pixels that are not counted: JPEG takes half of that."""

REFUSED = 0.25
"""Seconds that are counted for a file that is refused: sending it again is cheap, and photographs seldom are."""

_MOST_ADDRESSES = 4096
"""Addresses that are remembered; those that have spent least are forgotten first."""


def network_of(address: str) -> str:
    """The network that a client's address stands for: the first 64 bits of an IPv6 address.

    One machine has all addresses that begin with these.

    Args:
        address: of the client's machine; IPv4 addresses, names and an empty text stay as they are.
    """
    try:
        number = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return f"{IPv6Address(int(number) >> 64 << 64)}/64"


def client_network(scope: Mapping[str, Any]) -> str:
    """The network that a request came from, by ASGI's scope of the request; empty if the server does not know."""
    client = scope.get("client")
    return network_of(client[0]) if client else ""


class Accounts:
    """Processor seconds spent on decoding beyond the ordinary, by address; what was spent is forgotten by halves.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._spent: dict[str, tuple[float, float]] = {}  # seconds, and the time at which they were counted

    def charge(self, address: str, seconds: float) -> None:
        """Add seconds to an address's account; 0 only notes that the address has asked."""
        self._spent[address] = (self.spent(address) + seconds, self._clock())
        if len(self._spent) > _MOST_ADDRESSES:
            ordered = sorted(self._spent, key=self.spent)
            for least in ordered[: _MOST_ADDRESSES // 2]:
                del self._spent[least]

    def spent(self, address: str) -> float:
        """The seconds that an address has spent, less what is forgotten."""
        seconds, at = self._spent.get(address, (0.0, 0.0))
        return seconds * 0.5 ** ((self._clock() - at) / HALF_LIFE) if seconds else 0.0

    def charge_files(self, address: str, seconds: float, files: int, pixels: int, *, refused: bool) -> None:
        """Put the files of one request on an address's account.

        Args:
            address: of the client's machine.
            seconds: of the processor that decoding took.
            files: how many there were.
            pixels: of all that were decoded.
            refused: True if one of them was refused.
        """
        ordinary = ORDINARY * files + ORDINARY_MEGAPIXEL * pixels / 1e6
        self.charge(address, max(0.0, seconds - ordinary) + REFUSED * refused)

    def first(self, addresses: Iterable[str]) -> int | None:
        """The number of the first of some addresses that has spent about least; None if there are none."""
        spent = [self.spent(each) for each in addresses]
        least = min(spent, default=0.0)
        return next((number for number, each in enumerate(spent) if each <= least + ALIKE), None)

    def restrained(self, address: str) -> bool:
        """True if an address has spent more than BUDGET while another has asked within HALF_LIFE seconds."""
        if self.spent(address) <= BUDGET:
            return False
        since = self._clock() - HALF_LIFE
        return any(at >= since for each, (_, at) in self._spent.items() if each != address)

    def seconds_over(self, address: str) -> float:
        """Seconds after which an address that spends nothing more is within BUDGET."""
        return HALF_LIFE * max(0.0, math.log2(max(self.spent(address), 1e-9) / BUDGET))
