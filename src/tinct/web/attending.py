"""Work for somebody who may go away: what they no longer wait for is not done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import Request

from tinct.web.pool import WorkPool
from tinct.web.requests import gone_away
from tinct.web.sessions import Session

Result = TypeVar("Result")


async def attended(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Await work as long as its client is there.

    Work that waits is dropped; what a thread has begun is finished first, as its files must stay open until then.

    Raises:
        Refusal: if the client went away.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise gone_away()
    finally:
        leaving.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await working


async def on_session(
    session: Session, pool: WorkPool, work: Callable[[], Result], *, urgent: bool = False
) -> Result:
    """Work on a session in the pool, when nothing else works on it."""
    async with session.lock:
        session.check_open()
        return await pool.run(work, urgent=urgent)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
