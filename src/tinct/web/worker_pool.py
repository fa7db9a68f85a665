"""A bounded pool: so many at work, so many waiting, and a clear no to the next; what is looked at goes first."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic
from typing import Protocol, TypeVar

Result = TypeVar("Result")
LONGEST_ADVICE = 60

DECODED_BESIDE = 3
"""Requests with files that are let in beside those at work: being decoded, or decoded and waiting for a worker."""

_LOOK_SECONDS = 0.5
"""How often those that wait to be let in look whether somebody takes too long."""


class Cancellable(Protocol):
    """Work that other processes do, and that can be ended."""

    def run(self, work: Callable[[], Result]) -> Result:
        """Do it; blocks."""
        ...

    def end(self, why: str) -> None:
        """End it."""
        ...


class BusyError(Exception):
    """As many wait as may.

    Attributes:
        retry_after: seconds after which a place is likely.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the server is busy; ask again in {retry_after} s.")
        self.retry_after = retry_after


class WorkerPool:
    """Threads for work that takes long, used from one event loop.

    Args:
        workers: how many work at once; what is urgent may take one more thread, so that it need not wait for
            all of them.
        waiting: how many may wait besides.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(workers + 1, thread_name_prefix="tinct")
        self._workers, self._limit = workers, waiting
        self._busy = 0
        self._queue: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._order = count()
        self._seconds = 1.0  # the mean of recent work
        self._admitted = asyncio.Semaphore(workers + DECODED_BESIDE)
        self._outside = 0
        self._readers = ThreadPoolExecutor(workers + DECODED_BESIDE, thread_name_prefix="tinct-decoding")

    @property
    def waiting(self) -> int:
        """How many wait now, for a worker or to be decoded."""
        return self._outside + sum(not ticket.done() for *_, ticket in self._queue)

    @property
    def full(self) -> bool:
        """True if the next one would be refused."""
        return (self._busy >= self._workers or self._outside > 0) and self.waiting >= self._limit

    @property
    def retry_after(self) -> int:
        """Seconds after which a place is likely, 1..60."""
        expected = self._seconds * (self.waiting + 1) / self._workers
        return min(max(1, math.ceil(expected / 2)), LONGEST_ADVICE)

    async def run(self, work: Callable[[], Result], *, urgent: bool = False) -> Result:
        """Do the work in a thread, after those that came before.

        Args:
            work: may block; whoever asks and goes away while it waits is taken off the queue.
            urgent: goes before all that is not; for what somebody looks at while they drag a hint.
        Raises:
            BusyError: if as many wait as may.
        """
        await self._wait_for_worker(urgent)
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        began = monotonic()
        running.add_done_callback(lambda _: self._finished(monotonic() - began))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])  # a thread cannot be stopped, and it still uses what it was given
            if not running.cancelled():
                running.exception()
            raise

    @asynccontextmanager
    async def admitted(self, cancel_longest: Callable[[], None]) -> AsyncIterator[None]:
        """Let in whoever comes with files: so many at once, as decoded photographs take memory; the others wait.

        Args:
            cancel_longest: called now and then while somebody waits; it may end what takes too long.
        Raises:
            BusyError: if as many wait as may.
        """
        if self._admitted.locked() and self.waiting >= self._limit:
            raise BusyError(self.retry_after)
        self._outside += 1
        try:
            await self._entered(cancel_longest)
        finally:
            self._outside -= 1
        try:
            yield
        finally:
            self._admitted.release()

    async def decode(self, task: Cancellable, work: Callable[[], Result]) -> Result:
        """Do work whose files other processes decode, in a thread beside the workers; ended if nobody waits for it.

        Raises:
            BusyError: if it was ended for the sake of others.
        """
        running = asyncio.get_running_loop().run_in_executor(self._readers, task.run, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            task.end("left")
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()
            raise

    def close(self, *, wait: bool = True) -> None:
        """Let running work end; what waits is dropped.

        Args:
            wait: False returns at once, though threads still run.
        """
        for *_, ticket in self._queue:
            ticket.cancel()
        self._readers.shutdown(wait=wait, cancel_futures=True)
        self._threads.shutdown(wait=wait, cancel_futures=True)

    async def _entered(self, cancel_longest: Callable[[], None]) -> None:
        """Wait for a place; whoever waits long has others ended that take long."""
        entering = asyncio.ensure_future(self._admitted.acquire())
        try:
            while not entering.done():
                await asyncio.wait([entering], timeout=_LOOK_SECONDS)
                if not entering.done():
                    cancel_longest()
        except asyncio.CancelledError:
            if not entering.cancel() and not entering.cancelled():
                self._admitted.release()
            raise

    async def _wait_for_worker(self, urgent: bool) -> None:
        if self._has_place(urgent):
            self._busy += 1
            return
        if self.waiting >= self._limit:
            raise BusyError(self.retry_after)
        ticket = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (not urgent, next(self._order), ticket))
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled():
                self._pass_on()
            raise

    def _has_place(self, urgent: bool) -> bool:
        return self._busy < self._workers + urgent

    def _finished(self, seconds: float) -> None:
        self._seconds += 0.1 * (seconds - self._seconds)
        self._pass_on()

    def _pass_on(self) -> None:
        """The worker that is free now goes to the first who still waits, if it is one for him."""
        self._busy -= 1
        while self._queue and self._has_place(not self._queue[0][0]):
            *_, ticket = heapq.heappop(self._queue)
            if not ticket.done():
                self._busy += 1
                ticket.set_result(None)
