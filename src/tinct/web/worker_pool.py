"""A pool of threads with a bounded, prioritized queue, and admission of requests with files."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from time import monotonic
from typing import Protocol, TypeVar

from tinct.web.accounts import Accounts
from tinct.web.admission import Admission

Result = TypeVar("Result")
MAX_RETRY_AFTER = 60
"""The most seconds after which a refused client is told to try again."""

EXTRA_DECODERS = 3
"""Requests with files that are admitted beside those that workers colorize: being decoded, or waiting for a worker."""

RESTRAINED_WAITING = 4
"""Requests with files of an address over its budget that may wait while others ask; further ones are told when to come
again."""

_POLL_SECONDS = 0.5
"""How often those that wait to be let in look whether somebody takes too long."""


class Cancellable(Protocol):
    """Work in other processes that can be cancelled; see `tinct.web.decoding.DecodingTask`."""

    def run(self, work: Callable[[], Result]) -> Result:
        """Run the work; blocks."""
        ...

    def cancel(self, reason: str) -> None:
        """Cancel the work, for a reason that is told to the client."""
        ...


class BusyError(Exception):
    """The queue of work is full.

    Attributes:
        retry_after: seconds after which a place in the queue is likely.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the server is busy; ask again in {retry_after} s.")
        self.retry_after = retry_after


class WorkerPool:
    """Threads that run jobs for one event loop.

    Attributes:
        accounts: what each address's files took to decode of late.
    Args:
        workers: how many jobs run at once; an urgent job may take one more thread, so that it need not wait for long
            ones.
        waiting: how many jobs may wait.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(workers + 1, thread_name_prefix="tinct")
        self._workers, self._limit = workers, waiting
        self._busy = 0
        self._queue: list[tuple[bool, str, asyncio.Future[None]]] = []
        self._seconds = 1.0  # the mean of recent work
        self.accounts = Accounts()
        self._admission = Admission(workers + EXTRA_DECODERS, self.accounts)
        self._readers = ThreadPoolExecutor(workers + EXTRA_DECODERS, thread_name_prefix="tinct-decoding")

    @property
    def waiting(self) -> int:
        """The number of requests that wait, for a worker or for decoding."""
        return self._admission.waiting + self._queued

    def full(self, address: str = "") -> bool:
        """True if the next request with files would be refused.

        Args:
            address: of the client's machine; while another one waits with more requests, this one is not refused.
        """
        if self._waits_enough(address):
            return True
        busy = self._busy >= self._workers or self._admission.waiting > 0
        return busy and self.waiting >= self._limit and not self._admission.has_more(address)

    def retry_after(self, address: str = "") -> int:
        """Seconds after which a place in the queue is likely, 1 to MAX_RETRY_AFTER.

        Args:
            address: of the client's machine.
        """
        expected = self._seconds * (self.waiting + 1) / self._workers / 2
        if self.accounts.restrained(address):
            expected = max(expected, self.accounts.seconds_over(address))
        return min(max(1, math.ceil(expected)), MAX_RETRY_AFTER)

    async def run(self, work: Callable[[], Result], *, urgent: bool = False, address: str = "") -> Result:
        """Run a job in a thread, after the jobs that came before; those of addresses that spent more go last.

        Args:
            work: the job; may block. A job whose caller is cancelled while the job waits is not run.
            urgent: True puts the job before all jobs that are not urgent; for previews.
            address: of the client's machine.
        Raises:
            BusyError: if the queue is full.
        """
        await self._wait_for_worker(urgent, address)
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
    async def admitted(self, on_wait: Callable[[], None], address: str = "") -> AsyncIterator[None]:
        """Admit a request with files; few are admitted at once, as decoded photographs take memory, and others wait.

        Whose turn it is, `tinct.web.admission` says. Where the queue is full, a newcomer takes the place of the
        newest request of the address that waits with most.

        Args:
            on_wait: called now and then while a request waits; it may cancel a long decoding.
            address: of the client's machine.
        Raises:
            BusyError: if the queue is full, the place was given to somebody who had fewer, or the address is over its
                budget and has others waiting.
        """
        if not self._admission.enter_at_once(address):
            busy = BusyError(self.retry_after(address))
            full = self.waiting >= self._limit
            if self._waits_enough(address) or (full and not self._admission.send_away(address, busy)):
                raise busy
            await self._entered(on_wait, address)
        try:
            yield
        finally:
            self._admission.leave(address)

    async def decode(self, task: Cancellable, work: Callable[[], Result]) -> Result:
        """Run work that decodes files in other processes, in a thread beside the workers.

        A cancelled caller cancels the work.

        Args:
            task: runs the work, and can cancel it.
            work: decodes files.
        Raises:
            BusyError: if the work was cancelled because other requests wait.
        """
        running = asyncio.get_running_loop().run_in_executor(self._readers, task.run, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            task.cancel("disconnected")
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()
            raise

    def close(self, *, wait: bool = True) -> None:
        """Drop all jobs that wait, and end the threads once running jobs are done.

        Args:
            wait: False returns at once, though jobs may still run.
        """
        for *_, ticket in self._queue:
            ticket.cancel()
        self._readers.shutdown(wait=wait, cancel_futures=True)
        self._threads.shutdown(wait=wait, cancel_futures=True)

    @property
    def _queued(self) -> int:
        """The number of jobs that wait for a worker."""
        return sum(not ticket.done() for *_, ticket in self._queue)

    def _waits_enough(self, address: str) -> bool:
        """True if an address is over its budget and has as many requests waiting as it may have."""
        return self._admission.waiting_of(address) >= RESTRAINED_WAITING and self.accounts.restrained(address)

    async def _entered(self, on_wait: Callable[[], None], address: str) -> None:
        """Wait for a place; whoever waits long has others ended that take long."""
        ticket = self._admission.wait(address)
        try:
            while not ticket.done():
                await asyncio.wait([ticket], timeout=_POLL_SECONDS)
                if not ticket.done():
                    on_wait()
        except BaseException:
            self._admission.withdraw(address, ticket)
            raise
        ticket.result()

    async def _wait_for_worker(self, urgent: bool, address: str) -> None:
        """Take a worker, or wait in the queue until one is free.

        Raises:
            BusyError: if the queue is full.
        """
        if self._has_place(urgent):
            self._busy += 1
            return
        if self._queued >= self._limit:
            raise BusyError(self.retry_after())
        ticket = asyncio.get_running_loop().create_future()
        self._queue.append((urgent, address, ticket))
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
        while (found := self._first_in_line()) is not None and self._has_place(found[0]):
            self._queue.remove(found)
            self._busy += 1
            found[2].set_result(None)

    def _first_in_line(self) -> tuple[bool, str, asyncio.Future[None]] | None:
        """Whose turn it is: what is urgent first, then who spent about least, then who came first."""
        self._queue = [each for each in self._queue if not each[2].done()]
        line = [each for each in self._queue if each[0]] or self._queue
        number = self.accounts.first(address for _, address, _ in line)
        return None if number is None else line[number]
