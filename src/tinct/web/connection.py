"""Time limits of connections: for a request's head, and for receivers that read slowly."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tinct.web.settings import Settings


class DeadlineProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with deadlines.

    uvicorn bounds how long a connection idles between requests, but neither how long a first request takes to arrive
    ("slow loris") nor how slowly a response is read; and uvicorn answers too many connections with 503, this class
    with 429.

    Attributes:
        settings: the limits; `protocol_class` sets them.
    """

    settings = Settings()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline for a request's head, or refuse a connection beyond the limit."""
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._write_check: asyncio.TimerHandle | None = None
        if len(self.connections) > self.settings.connections:
            self._say_and_close(b"429 Too Many Requests", b"Retry-After: 5\r\n")
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._deadline = _stopped(self._deadline)
        self._write_check = _stopped(self._write_check)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Handle data, and stop the deadline once the head is complete."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Start the deadline again: for the next request, or for a body that no handler reads any more."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Start to check whether the receiver reads at all, as its buffer is full."""
        super().pause_writing()
        self._check_later(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Stop that check, as the receiver caught up."""
        super().resume_writing()
        self._write_check = _stopped(self._write_check)

    def _watch(self) -> None:
        """Run the deadline while something is owed by the other side that no handler waits for."""
        theirs = self.conn.their_state
        answered = self.cycle is not None and self.cycle.response_complete
        owed = theirs is h11.IDLE or (theirs is h11.SEND_BODY and answered)
        if not owed or self.transport.is_closing():
            self._deadline = _stopped(self._deadline)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.settings.head_seconds, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        began = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if began:
            self._say_and_close(b"408 Request Timeout")
        else:
            self.transport.close()

    def _say_and_close(self, status: bytes, header: bytes = b"") -> None:
        self.transport.write(
            b"HTTP/1.1 " + status + b"\r\n" + header + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
        )
        self.transport.close()

    def _check_later(self, size: int) -> None:
        self._write_check = _stopped(self._write_check)
        self._write_check = self.loop.call_later(self.settings.silence_seconds, self._check_progress, size)

    def _check_progress(self, before: int) -> None:
        """Cut a receiver off that read less since the last look than it must."""
        size = self.transport.get_write_buffer_size()
        wanted = self.settings.silence_seconds * self.settings.bytes_per_second
        if before - size < min(before, wanted):
            self.transport.abort()
        else:
            self._check_later(size)


def protocol_class(settings: Settings) -> type[DeadlineProtocol]:
    """The protocol with the limits of a server's settings."""
    limits = settings

    class ServerProtocol(DeadlineProtocol):
        settings = limits

    return ServerProtocol


def _stopped(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Cancel a timer; None takes its place."""
    if timer is not None:
        timer.cancel()
    return None
