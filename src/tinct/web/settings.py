"""The numbers of one server: where it answers, and what it grants to whoever asks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address

from tinct.errors import OptionError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
DEFAULT_PORT = 8322
SHORTEST_TOKEN = 12
MEBIBYTE = 1 << 20


def default_workers() -> int:
    """Half the cores: the engine and OpenCV use several threads for one photograph by themselves."""
    return max(1, (os.cpu_count() or 2) // 2)


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's settings.

    Attributes:
        host, port: where it answers; port 0 takes a free one.
        token: what every request must show; required where other machines can reach the server.
        max_pixels: photographs that declare more are refused before anything is decoded.
        workers: photographs worked on at once.
        waiting: requests that may wait for a worker; the next one is answered 429.
        max_upload: bytes of one request, all its files together.
        max_text: bytes of one JSON body, or of one text field.
        spooled: bytes of all uploads together, those of sessions among them.
        sessions: how many there may be at once.
        idle_seconds: after which a session is forgotten.
        memory: bytes of decoded photographs that sessions may keep; what is beyond is read again when asked for.
        references: reference photographs of one colorization.
        hints: hints of one colorization, counted in points of strokes.
        head_seconds: within which a request's head must have come.
        silence_seconds: how long a sender may pause.
        bytes_per_second: what sender and receiver must reach on the mean once the first pause has passed.
        connections: how many may be open at once.
        archive: URI of a batch's output whose chroma files are rendered on demand; "" for none.
    Raises:
        OptionError: if one is out of its range, or a public address has no token.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    token: str | None = field(default=None, repr=False)
    max_pixels: int = 100_000_000
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

    def __post_init__(self) -> None:
        for name in ("max_pixels", "workers", "max_upload", "sessions"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} is {getattr(self, name)}; it must be at least 1.")
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
        if self.host in LOOPBACK_NAMES:
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
