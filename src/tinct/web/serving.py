"""Running the studio under uvicorn: its own patience with connections, the address once it is known, a quiet end."""

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
"""How long requests in progress may go on after the server was told to stop; then they are answered 503."""

LAST_SECONDS = 20
"""When the process has ended after it was told to stop, whatever its threads still compute."""

BACKLOG = 1024


class StudioServer(uvicorn.Server):
    """uvicorn, telling when it answers.

    Args:
        settings: the server's numbers.
        ready: called with the address, once requests are answered.
    """

    def __init__(self, settings: Settings, ready: Callable[[str], None]) -> None:
        self._listening = listen(settings)
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
        """Begin to answer, then tell the address."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        if not self.should_exit:
            port = self._listening.getsockname()[1]
            await asyncio.to_thread(self._ready, address(self._settings, port))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop when interrupted or told to, and at once when interrupted again.

        uvicorn would raise the signal again after its end, so that a quiet end looked like a failure.
        """
        self.force_exit = self.should_exit and sig == signal.SIGINT
        if not self.should_exit:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.call_later, GRACE_SECONDS, self._studio.end)
            last = threading.Timer(LAST_SECONDS, end_process)
            last.daemon = True
            last.start()
        self.should_exit = True

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer until interrupted; the socket is closed at the end."""
        with self._listening:
            super().run(sockets=sockets or [self._listening])


def end_process() -> None:
    """End the process, whatever its threads do: a method's computing cannot be stopped in any other way."""
    decoder_pool().close()
    os._exit(0)


def listen(settings: Settings) -> socket.socket:
    """The socket the server answers on.

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


def address(settings: Settings, port: int) -> str:
    """What to open in a browser on this machine, with the token if there is one."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    shown = f"[{host}]" if ":" in host else host
    query = f"?token={settings.token}" if settings.token else ""
    return f"http://{shown}:{port}/{query}"


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Answer requests until interrupted.

    Args:
        settings: the server's numbers.
        ready: called with the address, once requests are answered.
    Raises:
        OptionError: if the address cannot be answered on.
    """
    StudioServer(settings, ready).run()
