"""Work for somebody who may go away, on a server that may end: what nobody waits for any more is not done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import Request

from tinct.web.decoding import DecodingTask, decoder_pool
from tinct.web.parsing import client_disconnected
from tinct.web.responses import RequestError
from tinct.web.worker_pool import WorkerPool

Result = TypeVar("Result")
Decoded = TypeVar("Decoded")


async def cancel_on_disconnect(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Await work as long as its client is there, and the server does not end.

    Work that waits is dropped, decoding is ended; what a thread has begun is finished first, as its files must stay
    open until then, unless the server ends.

    Raises:
        RequestError: if the client went away, or the server ends.
    """
    ending: asyncio.Event = request.app.state.ending
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_client_left(request))
    closing = asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait({working, leaving, closing}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise (
            RequestError(503, "the server ends; ask it again later.")
            if ending.is_set()
            else client_disconnected()
        )
    finally:
        for each in (leaving, closing, working):
            each.cancel()
        with suppress(asyncio.CancelledError, Exception):
            if not ending.is_set():
                await working


async def decode_and_run(
    request: Request,
    pool: WorkerPool,
    decode: Callable[[], Decoded],
    work: Callable[[Decoded], Coroutine[Any, Any, Result]],
) -> Result:
    """Work on files that were sent: they are decoded by processes that can be ended, then the work is done.

    Args:
        decode: reads the files; blocks.
        work: takes what `decode` gives.
    Raises:
        RequestError: as `cancel_on_disconnect`.
        BusyError: if as many wait as may, or the files take long to decode and others wait.
    """

    async def both() -> Result:
        async with pool.admitted(decoder_pool().cancel_longest):
            return await work(await pool.decode(DecodingTask(), decode))

    return await cancel_on_disconnect(request, both())


async def _client_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
