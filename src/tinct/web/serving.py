"""Running the studio under uvicorn: time limits of connections, the address to open, and a clean end."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

from tinct.errors import MissingExtraError, OptionError
from tinct.web.app import create_app
from tinct.web.decoding import decoder_pool
from tinct.web.settings import Settings

try:
    import uvicorn

    from tinct.web.connection import protocol_class
except ImportError as missing:
    raise MissingExtraError(f"the studio needs uvicorn ({missing}): pip install 'tinct[web]'.") from None

GRACE_SECONDS = 17
"""Seconds that requests in progress may take after the server was told to end; then they get 503."""

EXIT_SECONDS = 20
"""Seconds after which the process ends once it was told to, whatever its threads still compute."""

BACKLOG = 1024
"""Connections that the system holds for the server to accept."""


class StudioServer(uvicorn.Server):
    """A uvicorn server that runs the studio, and tells its address once it answers.

    Args:
        settings: the server's settings.
        ready: called with the address, once requests are answered.
    """

    def __init__(self, settings: Settings, ready: Callable[[str], None]) -> None:
        self._listening = listening_socket(settings)
        self._ready, self._settings = ready, settings
        self._studio = create_app(settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(
            uvicorn.Config(
                self._studio,
                http=protocol_class(settings),
                ws="none",
                loop="asyncio",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=GRACE_SECONDS + 1,
                backlog=BACKLOG,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then call `ready` with the address."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if not self.should_exit:
            port = self._listening.getsockname()[1]
            await asyncio.to_thread(self._ready, browser_url(self._settings, port))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the server at SIGINT or SIGTERM; a second SIGINT ends it at once.

        uvicorn would raise the signal again after its end, so that a clean end looked like a failure.
        """
        self.force_exit = self.should_exit and sig == signal.SIGINT
        if not self.should_exit:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(
                    self._loop.call_later, GRACE_SECONDS, self._studio.abort_requests
                )
            last = threading.Timer(EXIT_SECONDS, end_process)
            last.daemon = True
            last.start()
        self.should_exit = True

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer requests until interrupted, then close the socket."""
        with self._listening:
            super().run(sockets=sockets or [self._listening])


def end_process() -> None:
    """End the process, whatever its threads do, as no thread that computes can be stopped in another way."""
    decoder_pool().close()
    os._exit(0)


def listening_socket(settings: Settings) -> socket.socket:
    """The socket that the server answers on.

    Raises:
        OptionError: if the address is in use, is not this machine's, or may not be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((settings.host, settings.port))
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        do = (
            "choose another --port"
            if error.errno in (errno.EADDRINUSE, errno.EACCES)
            else "choose another --host"
        )
        said = error.strerror or str(error)
        raise OptionError(f"{settings.host}:{settings.port} cannot be answered on ({said}); {do}.") from None
    return found


def browser_url(settings: Settings, port: int) -> str:
    """The address to open in a browser on this machine, with the token if there is one."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    shown = f"[{host}]" if ":" in host else host
    query = f"?token={settings.token}" if settings.token else ""
    return f"http://{shown}:{port}/{query}"


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Answer requests until interrupted.

    Args:
        settings: the server's settings.
        ready: called with the address, once requests are answered.
    Raises:
        OptionError: if the address cannot be used.
    """
    StudioServer(settings, ready).run()
