"""Work for somebody who may go away, on a server that may end: what nobody waits for any more is not done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import Request

from tinct.web.answers import Refusal
from tinct.web.decoding import Turn, decoders
from tinct.web.pool import WorkPool
from tinct.web.requests import gone_away
from tinct.web.sessions import Session

Result = TypeVar("Result")
Decoded = TypeVar("Decoded")


async def attended(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Await work as long as its client is there, and the server does not end.

    Work that waits is dropped, decoding is ended; what a thread has begun is finished first, as its files must stay
    open until then, unless the server ends.

    Raises:
        Refusal: if the client went away, or the server ends.
    """
    ending: asyncio.Event = request.app.state.ending
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(request))
    closing = asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait({working, leaving, closing}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Refusal(503, "the server ends; ask it again later.") if ending.is_set() else gone_away()
    finally:
        for each in (leaving, closing, working):
            each.cancel()
        with suppress(asyncio.CancelledError, Exception):
            if not ending.is_set():
                await working


async def with_files(
    request: Request,
    pool: WorkPool,
    decode: Callable[[], Decoded],
    work: Callable[[Decoded], Coroutine[Any, Any, Result]],
) -> Result:
    """Work on files that were sent: they are decoded by processes that can be ended, then the work is done.

    Args:
        decode: reads the files; blocks.
        work: takes what `decode` gives.
    Raises:
        Refusal: as `attended`.
        BusyError: if as many wait as may, or the files take long to decode and others wait.
    """

    async def both() -> Result:
        async with pool.admitted(decoders().relieve):
            return await work(await pool.decode(Turn(), decode))

    return await attended(request, both())


async def on_session(
    session: Session, pool: WorkPool, work: Callable[[], Result], *, urgent: bool = False
) -> Result:
    """Work on a session in the pool, when nothing else works on it."""
    async with session.lock:
        session.check_open()
        try:
            return await pool.run(work, urgent=urgent)
        finally:
            session.measure()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
