"""Limits of request bodies: bytes, speed, and the disk space of all uploads, each checked as early as can be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinct.web.accounts import client_network
from tinct.web.responses import RequestError
from tinct.web.settings import MEBIBYTE, Settings
from tinct.web.worker_pool import WorkerPool

LINGER_SECONDS, LINGER_BYTES = 2.0, 16 * MEBIBYTE
"""Seconds and bytes for which the rest of a refused body is read and dropped.

A connection that is closed while the client still sends is reset, and many clients then never see the response.
"""

UPLOADS = ("/api/colorize", "/api/sessions", "/references")
"""The ends of the paths that take files."""


class BodyLimitMiddleware:
    """Middleware that counts and times request bodies.

    A body over the limit gets 413, at once where Content-Length tells its size; a body that pauses or comes too slowly
    gets 408. While the queue of work is full, or the disk space for uploads is used up, requests get 429 with
    Retry-After before their body is read.

    Args:
        app: the application behind the middleware.
        settings: the limits.
        pool: the queue of work.
        stored_bytes: tells how many bytes of uploads the sessions keep.
    Attributes:
        spooled: bytes of uploads in progress, without those of sessions.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, pool: WorkerPool, stored_bytes: Callable[[], int]
    ) -> None:
        self._app, self._settings, self._pool, self._stored_bytes = app, settings, pool, stored_bytes
        self.spooled = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; ASGI's interface."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "DELETE"):
            await self._app(scope, receive, send)
            return
        body = RequestBody(self, receive, self._limit(scope["path"]))
        answer = _EarlyResponse(send, body)
        try:
            self._check_announced(Headers(scope=scope), body.limit, client_network(scope))
            await self._app(scope, body.receive, answer.send)
        except RequestError as error:
            await error.response(scope, body.receive, answer.send)
        finally:
            self.spooled -= body.arrived

    def check_room(self) -> None:
        """Refuse uploads that would exceed the disk space for all uploads.

        Raises:
            RequestError: 429.
        """
        if self.spooled + self._stored_bytes() > self._settings.spooled:
            raise RequestError(
                429, "there is no room for more uploads now; ask again later.", Retry_After="30"
            )

    @property
    def settings(self) -> Settings:
        """The server's settings."""
        return self._settings

    def _limit(self, path: str) -> int:
        return self._settings.max_upload if path.endswith(UPLOADS) else self._settings.max_text

    def _check_announced(self, headers: Headers, limit: int, address: str) -> None:
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            raise too_large(limit)
        if self._pool.full(address):
            seconds = self._pool.retry_after(address)
            raise RequestError(
                429, f"the server is busy; ask again in {seconds} s.", Retry_After=str(seconds)
            )
        self.check_room()


class RequestBody:
    """A request's body as it arrives.

    Attributes:
        limit: bytes that the body may have.
        arrived: bytes that have arrived.
        ended: True once the whole body has arrived.
    """

    def __init__(self, limits: BodyLimitMiddleware, receive: Receive, limit: int) -> None:
        self._limits, self._receive = limits, receive
        self.limit, self.arrived, self.ended = limit, 0, False
        self._began = monotonic()

    async def receive(self) -> Message:
        """Receive the next piece of the body.

        Raises:
            RequestError: 408 if the body comes too slowly, 413 if it is too large, 429 if there is no room for it.
        """
        if self.ended:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._limits.settings.silence_seconds)
        except TimeoutError:
            raise too_slow() from None
        size = len(message.get("body", b""))
        self.arrived += size
        self._limits.spooled += size
        self.ended = not message.get("more_body", False)
        self._check()
        return message

    async def discard(self) -> None:
        """Read the rest of the body for a moment, and drop it."""
        until, most = monotonic() + LINGER_SECONDS, LINGER_BYTES
        while not self.ended and most > 0 and (left := until - monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left)
            except TimeoutError:
                return
            self.ended = not message.get("more_body", False)
            most -= len(message.get("body", b""))

    def _check(self) -> None:
        settings, seconds = self._limits.settings, monotonic() - self._began
        if self.arrived > self.limit:
            raise too_large(self.limit)
        if not self.ended and self.arrived < (seconds - settings.silence_seconds) * settings.bytes_per_second:
            raise too_slow()
        self._limits.check_room()


class _EarlyResponse:
    """An answer that may be given before the body has come; then the connection ends with it, a little later."""

    def __init__(self, send: Send, body: RequestBody) -> None:
        self._send, self._body, self._early = send, body, False

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self._early = not self._body.ended
            if self._early:
                MutableHeaders(scope=message)["Connection"] = "close"
        elif self._early and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._body.discard()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def too_large(limit: int) -> RequestError:
    """The error for a body of more than `limit` bytes."""
    shown = f"{limit / MEBIBYTE:.0f} MiB" if limit >= MEBIBYTE else f"{limit} bytes"
    return RequestError(413, f"the request is larger than {shown}; send less at once.")


def too_slow() -> RequestError:
    """The error for a client that sends too slowly."""
    return RequestError(408, "the request came too slowly and was given up; send it again.")
