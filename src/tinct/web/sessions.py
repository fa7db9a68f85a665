"""What is kept between requests: uploads in nameless files, photographs in memory as long as there is room."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import BinaryIO

from starlette.datastructures import UploadFile

from tinct.colorizing.colorizer import Colorizer
from tinct.errors import PhotoError, one_line
from tinct.photo import Photo
from tinct.web.decoding import read_photo
from tinct.web.fair_share import evictable
from tinct.web.responses import RequestError, safe_file_name
from tinct.web.settings import Settings

_EVICTED_AFTER = 300.0
"""Seconds without a request after which a session gives its place to a new one, if all places are taken."""


class Upload:
    """A file that was sent.

    It lies in memory while it is small, else in a temporary file that has no name: nothing is left behind,
    however the process ends.

    Attributes:
        file: its bytes.
        name: its own name, for people; never a path.
        size: in bytes.
        notes: what was decided as it was decoded, one sentence each.
    """

    def __init__(self, upload: UploadFile) -> None:
        self.file: BinaryIO = upload.file
        self.name = safe_file_name(upload.filename)
        self.size = upload.size or 0
        self.notes: tuple[str, ...] = ()
        self._decoded: Photo | None = None

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of its bytes."""
        digest = hashlib.sha256()
        self.file.seek(0)
        while piece := self.file.read(1 << 20):
            digest.update(piece)
        return digest.hexdigest()

    def decode(self, max_pixels: int) -> Photo:
        """Decode it for the next `read`, which takes the photograph away.

        Raises:
            PhotoError, PhotoTooLargeError: as `read`.
        """
        self._decoded = self.read(max_pixels)
        return self._decoded

    def read(self, max_pixels: int) -> Photo:
        """The photograph: decoded in a process that can be ended, unless that was done already.

        Raises:
            PhotoError: if it is not a photograph; PhotoTooLargeError if it declares more than `max_pixels`.
            BusyError: if it took long and others waited.
        """
        if self._decoded is not None:
            decoded, self._decoded = self._decoded, None
            return decoded
        try:
            photo = read_photo(self.bytes(), max_pixels)
            self.notes = tuple(one_line(note) for note in photo.notes)
            return photo
        except PhotoError as error:
            raise type(error)(f"{self.name}: {error}") from None

    def bytes(self) -> bytes:
        """Its bytes."""
        self.file.seek(0)
        return self.file.read()

    def close(self) -> None:
        """Give its place free."""
        self._decoded = None
        self.file.close()


def read_references(
    uploads: Iterable[Upload], max_pixels: int, known: Mapping[str, Photo] | None = None
) -> list[Photo]:
    """Decode references; all together may have as many pixels as one photograph.

    Args:
        known: photographs that are decoded already, by the SHA-256 of their file.
    Raises:
        PhotoError, PhotoTooLargeError: as `Photo.read`.
    """
    photos: list[Photo] = []
    for upload in uploads:
        decoded = known.get(upload.sha256) if known else None
        if decoded is not None:
            upload.notes = tuple(one_line(note) for note in decoded.notes)
        photos.append(decoded if decoded is not None else upload.read(max_pixels))
        max_pixels -= photos[-1].width * photos[-1].height
    return photos


@dataclass(slots=True, eq=False)
class Session:
    """A photograph being edited.

    Attributes:
        id: unguessable; whoever knows it may edit, and only from the browser that began it, if one did.
        owner: that browser's cookie, or None.
        address: of the machine that began it.
        photo, references, weights: what was sent.
        width, height: of the photograph, in pixels.
        pictures: the last alternatives, as files.
        lock: one request at a time works on a session.
        used: when it was last asked for.
        closed: True once its files are gone.
        memory: bytes that its decoded photographs, and what was found for them, took after the last request.
    """

    id: str
    owner: str | None
    photo: Upload
    width: int
    height: int
    address: str = ""
    references: list[Upload] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    alternatives: list[bytes] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    used: float = field(default_factory=monotonic)
    memory: int = 0
    closed: bool = False
    _colorizer: Colorizer | None = None

    @property
    def stored(self) -> int:
        """Bytes of its uploads."""
        return self.photo.size + sum(reference.size for reference in self.references)

    def colorizer(self, max_pixels: int) -> Colorizer:
        """The photograph with its references, read again if there was no room to keep it; blocks."""
        if self._colorizer is None:
            colorizer = Colorizer(self.photo.read(max_pixels))
            colorizer.set_references(read_references(self.references, max_pixels), self.weights)
            self.keep_decoded(colorizer)
        assert self._colorizer is not None
        return self._colorizer

    @property
    def notes(self) -> list[str]:
        """What was decided as its files were decoded, one sentence each."""
        named = [f"{each.name}: {note}" for each in self.references for note in each.notes]
        return [*self.photo.notes, *named]

    def check_open(self) -> None:
        """See that the session was not ended while somebody waited for it.

        Raises:
            RequestError: 404.
        """
        if self.closed:
            raise RequestError(404, "the session has ended; send the photograph again.")

    def keep_decoded(self, colorizer: Colorizer) -> None:
        """Keep the decoded photograph."""
        self._colorizer = colorizer
        self.update_memory()

    def update_memory(self) -> None:
        """Note how much memory is taken; for whoever has the lock."""
        self.memory = self._colorizer.memory if self._colorizer is not None else 0

    def drop_decoded(self) -> None:
        """Let the decoded photograph go; the upload stays."""
        self._colorizer, self.memory = None, 0

    def close(self) -> None:
        """Give all its files free."""
        self.closed = True
        self.drop_decoded()
        self.alternatives.clear()
        for upload in (self.photo, *self.references):
            upload.close()


class Sessions:
    """All sessions of a server; used from its event loop alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: dict[str, Session] = {}

    @property
    def stored(self) -> int:
        """Bytes of all uploads kept."""
        return sum(session.stored for session in self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    async def create(
        self, photo: Upload, colorizer: Colorizer, owner: str | None, address: str = ""
    ) -> Session:
        """Keep a photograph that was read.

        Args:
            photo, colorizer: as it was sent, and as it was read.
            owner, address: the browser's cookie, if it has one, and the address it asks from.
        Raises:
            RequestError: 429 if all places are taken by sessions in use, and nobody has more than a fair share.
        """
        await self.expire()
        await self._make_room(address, owner)
        its = colorizer.photo
        session = Session(secrets.token_urlsafe(24), owner, photo, its.width, its.height, address)
        session.keep_decoded(colorizer)
        self._sessions[session.id] = session
        self.limit_memory()
        return session

    def find(self, name: str, owner: str | None) -> Session:
        """The session of an id.

        Raises:
            RequestError: 404 if there is none (any more), or another browser began it.
        """
        session = self._sessions.get(name)
        if session is None or (session.owner is not None and session.owner != owner):
            raise RequestError(404, "there is no such session (any more); send the photograph again.")
        session.used = monotonic()
        return session

    async def end(self, session: Session) -> None:
        """Forget a session, as soon as nothing works on it."""
        self._sessions.pop(session.id, None)
        async with session.lock:
            session.close()
        self.limit_memory()

    async def expire(self) -> None:
        """Forget what nobody asked for in a long time."""
        before = monotonic() - self._settings.idle_seconds
        for session in [each for each in self._sessions.values() if each.used < before]:
            await self.end(session)

    async def close(self) -> None:
        """Forget all."""
        for session in list(self._sessions.values()):
            await self.end(session)

    def limit_memory(self) -> None:
        """Let decoded photographs go that there is no memory for, the oldest first."""
        by_use = sorted(self._sessions.values(), key=lambda each: each.used)
        over = sum(session.memory for session in by_use) - self._settings.memory
        for session in by_use[:-1]:
            if over > 0 and not session.lock.locked():
                over -= session.memory
                session.drop_decoded()

    async def _make_room(self, address: str, owner: str | None) -> None:
        if len(self._sessions) < self._settings.sessions:
            return
        idle = monotonic() - _EVICTED_AFTER
        held = sorted(self._sessions.values(), key=lambda each: each.used)
        may_go = [*evictable(held, address, owner), *(each for each in held if each.used < idle)]
        for session in may_go:
            if not session.lock.locked():
                await self.end(session)
                return
        raise RequestError(
            429, "as many photographs are edited as may be; try again later.", Retry_After="60"
        )
