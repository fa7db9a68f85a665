"""Cancellation: work of a request ends when the client disconnects or the server ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import Request

from tinct.web.accounts import client_network
from tinct.web.decoding import DecodingTask, decoder_pool
from tinct.web.parsing import client_disconnected
from tinct.web.responses import RequestError
from tinct.web.worker_pool import BusyError, WorkerPool

Result = TypeVar("Result")
Decoded = TypeVar("Decoded")


async def cancel_on_disconnect(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Await work until it is done, its client disconnects, or the server ends.

    Queued work is dropped and decoding is stopped. A job that a thread has begun is awaited first, because the files
    must stay open until the job ends, unless the server ends.

    Raises:
        RequestError: 499 if the client disconnected, 503 if the server ends.
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
    """Decode uploaded files in processes, then run work on them; both end as in `cancel_on_disconnect`.

    Args:
        request: the request that the files came with.
        pool: admits the request, and decodes in a thread.
        decode: decodes the files; blocks.
        work: takes the result of `decode`.
    Raises:
        RequestError: as `cancel_on_disconnect`.
        BusyError: if the queue is full, or decoding took long while other requests waited.
    """

    async def decode_then_work() -> Result:
        address = client_network(request.scope)
        async with pool.admitted(decoder_pool().cancel_longest, address):
            task, refused = DecodingTask(lowered=pool.accounts.restrained(address)), True
            try:
                decoded = await pool.decode(task, decode)
                refused = False
            except (asyncio.CancelledError, BusyError):
                refused = False
                raise
            finally:
                refused = refused or task.refused
                pool.accounts.charge_files(address, task.spent, task.files, task.pixels, refused=refused)
            return await work(decoded)

    return await cancel_on_disconnect(request, decode_then_work())


async def _client_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
