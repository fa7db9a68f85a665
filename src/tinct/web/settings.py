"""Settings of a server: its address, and its limits for clients."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from tinct.errors import OptionError
from tinct.options import WORKING_SIZE_RANGE

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
"""Host names of this machine that other machines cannot reach."""

DEFAULT_PORT = 8322
"""The port of `tinct serve`."""

DEFAULT_MAX_SIZE = 512
"""Working size in pixels up to which a request for a square photograph takes about 1 GiB, by whatever method."""

SHORTEST_TOKEN = 12
"""The least number of characters of a token."""

MEBIBYTE = 1 << 20
"""Bytes of a mebibyte."""


def default_workers() -> int:
    """Half the number of cores: OpenVINO and OpenCV use several threads for one photograph."""
    return max(1, (os.cpu_count() or 2) // 2)


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's settings.

    Attributes:
        host, port: the address; port 0 takes a free port.
        token: a secret that every request must show; required where other machines can reach the server.
        max_pixels: a photograph that declares more pixels is refused before it is decoded.
        max_size: the largest working size (`Options.size`) of a request, in pixels of the longer side, 32 to 2048;
            memory and time of all methods grow with its square.
        workers: photographs that are colorized at once.
        waiting: requests that may wait for a worker; the next one gets 429.
        max_upload: bytes of one request with files, all its files together.
        max_text: bytes of one JSON body, or of one text field.
        spooled: bytes of all uploads together, those of sessions among them.
        sessions: the most sessions at once.
        idle_seconds: a session without requests ends after so many seconds.
        memory: bytes of decoded photographs that sessions keep in memory; others are decoded again when needed.
        references: reference photographs of one colorization.
        hints: hints of one colorization.
        head_seconds: within which a request's head must arrive.
        silence_seconds: for which a client may pause while it sends a body.
        bytes_per_second: mean speed that sender and receiver must reach, after the first `silence_seconds`.
        connections: the most open connections.
        archive: URI of a batch's output whose chroma files are rendered on demand; "" for none.
        album: folder of color photographs of which the most alike are suggested as references; "" for none.
    Raises:
        OptionError: if a value is out of its range, or a public address has no token.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    token: str | None = field(default=None, repr=False)
    max_pixels: int = 100_000_000
    max_size: int = DEFAULT_MAX_SIZE
    workers: int = field(default_factory=default_workers)
    waiting: int = 64
    max_upload: int = 256 * MEBIBYTE
    max_text: int = 2 * MEBIBYTE
    spooled: int = 4096 * MEBIBYTE
    sessions: int = 64
    idle_seconds: float = 3600.0
    memory: int = 1024 * MEBIBYTE
    references: int = 16
    hints: int = 1000
    head_seconds: float = 10.0
    silence_seconds: float = 15.0
    bytes_per_second: int = 8192
    connections: int = 512
    archive: str = ""
    album: str = ""

    def __post_init__(self) -> None:
        for name in ("max_pixels", "workers", "max_upload", "sessions"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        low, high = WORKING_SIZE_RANGE
        if not low <= self.max_size <= high:
            raise OptionError(f"max_size is {self.max_size}; it must be {low} to {high}.")
        if not 0 <= self.port <= 65535:
            raise OptionError(f"port is {self.port}; it must be 1 to 65535, or 0 for a free one.")
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise OptionError(
                f"the token has {len(self.token)} characters; give at least {SHORTEST_TOKEN} that nobody guesses."
            )
        if self.token is not None and not (self.token.isascii() and self.token.isprintable()):
            raise OptionError("the token has characters that headers cannot carry; use letters and digits.")
        if self.token is None and not self.is_local:
            raise OptionError(
                f"{self.host} can be reached from other machines and there is no token; "
                "give --token, or answer on 127.0.0.1."
            )

    @property
    def is_local(self) -> bool:
        """True if only this machine can reach the server."""
        from ipaddress import ip_address

        if self.host in LOOPBACK_NAMES:
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
