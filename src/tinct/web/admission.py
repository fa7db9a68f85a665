"""Admission of requests to a few places, in turns by client address, so that nobody gets more by asking more often."""

from __future__ import annotations

import asyncio
from collections import deque


class Admission:
    """Places that requests take and leave; those that wait are let in by turns of their addresses.

    Args:
        places: how many requests are in at once.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def free(self) -> int:
        """The number of places that nobody has."""
        return self._free

    async def enter(self, address: str) -> None:
        """Take a place, or wait for one.

        Args:
            address: of the client's machine.
        Raises:
            Exception: the error that `send_away` was given.
        """
        if self._free > 0:
            self._free -= 1
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(ticket)
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled() and ticket.exception() is None:
                self.leave()
            raise
        finally:
            self._forget(address, ticket)

    def leave(self) -> None:
        """Give a place back: the address whose turn it is gets the place for its oldest request."""
        for address in list(self._waiting):
            queue = self._waiting.pop(address)
            while queue:
                ticket = queue.popleft()
                if queue:
                    self._waiting[address] = queue  # behind all others
                if not ticket.done():
                    ticket.set_result(None)
                    return
        self._free += 1

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
        next(each for each in reversed(self._waiting[longest]) if not each.done()).set_exception(error)
        return True

    def _longest(self, address: str) -> str | None:
        counts = {each: sum(not ticket.done() for ticket in queue) for each, queue in self._waiting.items()}
        most = max(counts, key=lambda each: counts[each], default=address)
        return most if counts.get(most, 0) > counts.get(address, 0) + 1 else None

    def _forget(self, address: str, ticket: asyncio.Future[None]) -> None:
        queue = self._waiting.get(address)
        if queue is not None and ticket in queue:
            queue.remove(ticket)
        if queue is not None and not queue:
            self._waiting.pop(address, None)
