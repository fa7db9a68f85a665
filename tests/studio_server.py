"""A studio that answers on a free port of this machine, in a thread, for tests that want real connections."""

from __future__ import annotations

import io
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from tinct.web.app import Studio
from tinct.web.serving import StudioServer
from tinct.web.settings import Settings


class Running:
    """A server that runs: where it answers, and what it holds."""

    def __init__(self, server: StudioServer, address: str) -> None:
        self.url = address.partition("?")[0].rstrip("/")
        self.port = int(self.url.rpartition(":")[2])
        self._state = server.server_state
        self.studio: Studio = server.config.app  # type: ignore[assignment]
        self.client = httpx.Client(base_url=self.url, timeout=120)

    def connect(self) -> socket.socket:
        found = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return found

    def connected(self) -> list[tuple[str, int]]:
        """The addresses that connections are open to."""
        return [each.client for each in list(self._state.connections)]  # type: ignore[union-attr,misc]

    def begin(self, photo: bytes, name: str = "photo.png", **given: Any) -> dict[str, Any]:
        answer = self.client.post("/api/sessions", files={"photo": (name, photo)}, **given)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def running(spool: Path, **settings: Any) -> Iterator[Running]:
    """Start a server whose uploads go below `spool`, and stop it."""
    before, tempfile.tempdir = tempfile.tempdir, str(spool)
    told: list[str] = []
    ready = threading.Event()

    def note(address: str) -> None:
        told.append(address)
        ready.set()

    server = StudioServer(Settings(**{"port": 0, "workers": 1, **settings}), note)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert ready.wait(120)
        found = Running(server, told[0])
        with found.client:
            yield found
    finally:
        server.should_exit = True
        thread.join(60)
        tempfile.tempdir = before
        assert not thread.is_alive()


def png(pixels: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return stream.getvalue()


def image(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def answer_of(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
