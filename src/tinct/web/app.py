"""The ASGI application: routes, middleware, error handlers, and tasks that run beside requests."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from tinct.errors import MissingExtraError, TinctError

try:
    import python_multipart  # noqa: F401 (forms with files)
    from fastapi import FastAPI, Request, Response
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.types import Message, Receive, Scope, Send
except ImportError as missing:
    raise MissingExtraError(f"the studio needs a web server ({missing}): pip install 'tinct[web]'.") from None

from tinct.version import __version__
from tinct.web import album_routes, archive_routes, colorize_routes, page_routes, session_routes
from tinct.web.access import AccessMiddleware, HeadMiddleware, SecurityHeadersMiddleware
from tinct.web.body_limits import BodyLimitMiddleware
from tinct.web.decoding import decoder_pool
from tinct.web.parsing import json_fault
from tinct.web.responses import RequestError, error_response, status_of_error
from tinct.web.session_work import SessionWork
from tinct.web.sessions import Sessions
from tinct.web.settings import Settings
from tinct.web.targets import with_origin_form
from tinct.web.unrouted import unrouted
from tinct.web.worker_pool import BusyError, WorkerPool

_EXPIRY_SECONDS = 30.0
_logger = logging.getLogger("tinct.web")


class Studio:
    """The server as an ASGI application.

    Attributes:
        settings: the server's settings.
        pool: the threads that colorize.
        sessions: the editing sessions.
        album: the color photographs that references are suggested from, or None.
        api: the routes without middleware; the OpenAPI description is made of them.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pool = WorkerPool(settings.workers, settings.waiting)
        self.sessions = Sessions(settings)
        self.album = album_routes.Album(settings.album) if settings.album else None
        self.api = FastAPI(
            title="tinct",
            version=__version__,
            summary="Colorize black-and-white photographs.",
            docs_url=None,
            redoc_url=None,
            openapi_url="/openapi.json",
            redirect_slashes=False,
            lifespan=self._lifespan,
        )
        self.api.state.ending = asyncio.Event()
        _add_errors(self.api)
        colorize_routes.add_routes(self.api, settings, self.pool, self.album)
        archive_routes.add_routes(self.api, settings, self.pool)
        work = SessionWork(settings, self.pool, self.sessions)
        album_routes.add_routes(self.api, work, self.album)
        session_routes.add_routes(self.api, work)
        page_routes.add_routes(self.api)
        guarded = AccessMiddleware(HeadMiddleware(self.api), settings)
        self._app = SecurityHeadersMiddleware(
            BodyLimitMiddleware(guarded, settings, self.pool, lambda: self.sessions.upload_bytes)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; ASGI's interface."""
        began = False

        async def send_noting(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(with_origin_form(scope), receive, send_noting)
        except asyncio.CancelledError:
            if not self.api.state.ending.is_set() or scope["type"] != "http":
                raise
            if not began:  # the server ends while a body is still coming
                await error_response(503, "the server ends; ask it again later.")(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        beside = [asyncio.create_task(self._expire()), asyncio.create_task(self._warm())]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            in_time = not self.api.state.ending.is_set()
            if in_time:
                await self.sessions.close()
            await asyncio.to_thread(self.pool.close, wait=in_time)
            decoder_pool().close()

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(_EXPIRY_SECONDS)
            await self.sessions.expire()

    def abort_requests(self) -> None:
        """Answer 503 to all requests in progress; call this in the event loop's thread."""
        self.api.state.ending.set()

    async def _warm(self) -> None:
        """Compile the network, and start what decodes, before the first photograph is dropped."""
        decoder_pool().warm_up()
        with suppress(TinctError, BusyError):
            await self.pool.run(partial(colorize_routes.warm_up, 256))


def create_app(settings: Settings | None = None) -> Studio:
    """The studio's application, for any ASGI server; `tinct serve` runs the application under uvicorn.

    Args:
        settings: the server's settings; None takes the defaults.
    Raises:
        MissingExtraError: if the extra `web` is not installed.
    """
    return Studio(settings or Settings())


def _add_errors(api: FastAPI) -> None:
    """Let errors of the library, of the parser and of the server itself become answers with a status and one line."""
    handlers: dict[Any, Callable[[Any], Response]] = {
        RequestError: lambda e: e.response,
        RequestValidationError: lambda e: error_response(422, _validation(e)),
        TinctError: lambda e: error_response(status_of_error(e), str(e)),
        BusyError: lambda e: error_response(429, str(e), {"Retry-After": str(e.retry_after)}),
        MemoryError: lambda e: error_response(413, "there is not enough memory for this photograph."),
        OSError: _storage_error,
        Exception: lambda e: error_response(500, "the server failed at this; its log says how."),
    }
    for kind, answer in handlers.items():
        api.add_exception_handler(kind, _handler(answer))
    api.add_exception_handler(HTTPException, _http_error)


async def _http_error(request: Request, error: Any) -> Response:
    """The answer to an error that the router or the parser of forms raised."""
    if error.status_code in (404, 405):
        return unrouted(request)
    if isinstance(error.__cause__, ValueError | RecursionError):  # FastAPI's: of json.loads
        return error_response(
            422, f"the body is not JSON ({json_fault(error.__cause__)}); send a JSON object."
        )
    return error_response(error.status_code, str(error.detail), error.headers)


def _storage_error(error: OSError) -> Response:
    """The answer where the system lacks room for what was sent: 507 (RFC 4918), as for a full or missing folder."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS) or isinstance(error, FileNotFoundError):
        return error_response(507, "the server has no room for what was sent; ask it again later.")
    _logger.error("a request failed", exc_info=error)
    return error_response(500, "the server failed at this; its log says how.")


def _handler(answer: Callable[[Any], Response]) -> Callable[[Request, Any], Awaitable[Response]]:
    async def handle(request: Request, error: Any) -> Response:
        return answer(error)

    return handle


def _validation(error: RequestValidationError) -> str:
    """The first thing that is wrong with a body or a query, in one line."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    if first["type"] == "json_invalid":
        return f"the body is not JSON ({first['ctx']['error']}, at character {where}); send a JSON object."
    if not where:
        return "the body is not a JSON object; send one, with Content-Type: application/json."
    if first["type"] == "extra_forbidden":
        return f"'{where}' is not understood; /docs says what this address takes."
    return f"{where}: {first['msg']}."


__all__ = ["RequestError", "Studio", "create_app"]
