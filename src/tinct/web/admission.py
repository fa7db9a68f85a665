"""Admission of requests to a few places: nobody gets more by asking more often, or by files that are dear to decode.

Of the addresses that wait, the one whose files cost least of late is let in next; addresses that spent about the same
take turns. Two rules keep places for others: the last free place is for an address that has none, and an address
that has spent more than its budget while others ask has one place at a time.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from tinct.web.accounts import Accounts


class Admission:
    """Places that requests take and leave.

    Args:
        places: how many requests are in at once.
        accounts: what addresses have spent.
    """

    def __init__(self, places: int, accounts: Accounts | None = None) -> None:
        self._free = places
        self._accounts = accounts or Accounts()
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def free(self) -> int:
        """The number of places that nobody has."""
        return self._free

    @property
    def waiting(self) -> int:
        """The number of requests that wait."""
        return sum(map(len, self._waiting.values()))

    def waiting_of(self, address: str) -> int:
        """The number of an address's requests that wait."""
        return len(self._waiting.get(address, ()))

    def enter_at_once(self, address: str) -> bool:
        """Take a place, if there is one for an address.

        Args:
            address: of the client's machine.
        Returns:
            False if the address has to wait.
        """
        self._accounts.charge(address, 0.0)
        if not self._may_enter(address):
            return False
        self._free -= 1
        self._held[address] += 1
        return True

    def wait(self, address: str) -> asyncio.Future[None]:
        """Wait for a place; the future that is returned is done once the address has one more.

        Only `withdraw` ends the wait before that; the future must not be cancelled.

        Args:
            address: of the client's machine.
        """
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(ticket)
        return ticket

    def withdraw(self, address: str, ticket: asyncio.Future[None]) -> None:
        """Wait no more; a place that was given meanwhile is given back.

        Args:
            address: whose request waited.
            ticket: as `wait` returned it.
        """
        if ticket in self._waiting.get(address, ()):
            self._remove(address, ticket)
        elif not ticket.cancelled() and ticket.exception() is None:
            self.leave(address)

    def leave(self, address: str) -> None:
        """Give a place of an address back; whoever may have a place now is let in.

        Args:
            address: whose request leaves.
        """
        self._held[address] -= 1
        if not self._held[address]:
            del self._held[address]
        self._free += 1
        while self._free and (chosen := self._next()) is not None:
            queue = self._waiting.pop(chosen)
            ticket = queue.popleft()
            if queue:
                self._waiting[chosen] = queue  # behind all others
            self._free -= 1
            self._held[chosen] += 1
            ticket.set_result(None)

    def has_more(self, address: str) -> bool:
        """True if another address waits with more requests than this one would with one more."""
        return self._longest(address) is not None

    def send_away(self, address: str, error: Exception) -> bool:
        """End the newest wait of the address that waits with most requests, for a newcomer's sake.

        Args:
            address: of the newcomer; its own requests stay.
            error: raised where the request waits.
        Returns:
            False if no address waits with more requests than the newcomer's would.
        """
        longest = self._longest(address)
        if longest is None:
            return False
        newest = self._waiting[longest][-1]
        self._remove(longest, newest)
        newest.set_exception(error)
        return True

    def _may_enter(self, address: str) -> bool:
        if not self._free:
            return False
        return not self._held[address] or (self._free > 1 and not self._accounts.restrained(address))

    def _next(self) -> str | None:
        """The address whose turn it is: the first of those that have spent about least."""
        able = [each for each in self._waiting if self._may_enter(each)]
        number = self._accounts.first(able)
        return None if number is None else able[number]

    def _longest(self, address: str) -> str | None:
        most = max(self._waiting, key=self.waiting_of, default=address)
        return most if self.waiting_of(most) > self.waiting_of(address) + 1 else None

    def _remove(self, address: str, ticket: asyncio.Future[None]) -> None:
        queue = self._waiting[address]
        queue.remove(ticket)
        if not queue:
            del self._waiting[address]
