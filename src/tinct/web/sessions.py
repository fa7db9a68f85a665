"""Editing sessions: uploads in temporary files without names, and decoded photographs in memory while there is room."""

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
from tinct.colorizing.project import is_own_name
from tinct.errors import PhotoError, of_file, one_line
from tinct.photo import Photo
from tinct.web.decoding import read_photo
from tinct.web.fair_share import evictable
from tinct.web.responses import RequestError, safe_file_name
from tinct.web.settings import Settings

_EVICTED_AFTER = 300.0
"""Seconds without a request after which a session gives its place to a new one, if all places are taken."""


class Upload:
    """A file that a client sent.

    A small file lies in memory, a large one in a temporary file that has no name: nothing is left behind, however the
    process ends.

    Attributes:
        file: the open file.
        name: the client's name of the file, for people; never a path.
        own_name: the same in projects, with signs that `name` lacks as not all platforms have them, by which the file
            is found again.
        size: in bytes.
        pixels: of the photograph, once it was decoded; 0 before.
        notes: decisions of decoding, one sentence each.
    """

    def __init__(self, upload: UploadFile) -> None:
        self.file: BinaryIO = upload.file
        self.name = safe_file_name(upload.filename)
        given = upload.filename or ""
        self.own_name = (
            given if is_own_name(given) and given.isprintable() and len(given) <= 255 else self.name
        )
        self.size = upload.size or 0
        self.pixels = 0
        self.notes: tuple[str, ...] = ()
        self._decoded: Photo | None = None

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file, 64 hexadecimal digits."""
        digest = hashlib.sha256()
        self.file.seek(0)
        while piece := self.file.read(1 << 20):
            digest.update(piece)
        return digest.hexdigest()

    def decode(self, max_pixels: int) -> Photo:
        """Decode the photograph for the next call of `read`, which hands the decoded photograph over.

        Raises:
            PhotoError, PhotoTooLargeError, BusyError: as `read`.
        """
        self._decoded = self.read(max_pixels)
        return self._decoded

    def read(self, max_pixels: int) -> Photo:
        """The photograph, as `decode` left it, or else decoded now in a process.

        Raises:
            PhotoError: if the file is not a photograph.
            PhotoTooLargeError: if the file declares more than `max_pixels` pixels.
            BusyError: if decoding took long while other requests waited.
        """
        if self._decoded is not None:
            decoded, self._decoded = self._decoded, None
            return decoded
        try:
            photo = read_photo(self.bytes(), max_pixels)
            self.notes = tuple(one_line(note) for note in photo.notes)
            self.pixels = photo.width * photo.height
            return photo
        except PhotoError as error:
            raise type(error)(of_file(self.name, str(error))) from None

    def bytes(self) -> bytes:
        """The content of the file."""
        self.file.seek(0)
        return self.file.read()

    def close(self) -> None:
        """Close the file, which frees its disk space."""
        self._decoded = None
        self.file.close()


def read_references(
    uploads: Iterable[Upload], max_pixels: int, decoded_by_hash: Mapping[str, Photo] | None = None
) -> list[Photo]:
    """Decode references; together they may have as many pixels as one photograph.

    Args:
        uploads: the files.
        max_pixels: the most pixels of all references together.
        decoded_by_hash: photographs that are decoded already, by the SHA-256 of their files.
    Raises:
        PhotoError, PhotoTooLargeError: as `Upload.read`.
    """
    photos: list[Photo] = []
    for upload in uploads:
        decoded = decoded_by_hash.get(upload.sha256) if decoded_by_hash else None
        if decoded is not None:
            upload.notes = tuple(one_line(note) for note in decoded.notes)
            upload.pixels = decoded.width * decoded.height
        photos.append(decoded if decoded is not None else upload.read(max_pixels))
        max_pixels -= photos[-1].width * photos[-1].height
    return photos


KEPT_ALTERNATIVES = 32
"""Pictures of alternatives that a session keeps: those of some requests, as another tab may show them still."""


@dataclass(slots=True, eq=False)
class Session:
    """A photograph being edited.

    Attributes:
        id: an unguessable text; a request with the id may edit, from the browser that began the session, if one did.
        owner: the cookie of the browser that began the session, or None.
        photo: the photograph's file.
        width, height: of the photograph, in pixels.
        address: of the machine that began the session.
        references, weights: the references' files, and the weight of each, 0 to 1.
        alternatives: pictures of alternatives by the hash of each, the latest last; at most `KEPT_ALTERNATIVES`.
        lock: held by the one request that works on the session.
        last_used: time of the last request, in seconds.
        memory: bytes of decoded photographs and of computed values after the last request.
        closed: True once the session's files are closed.
    """

    id: str
    owner: str | None
    photo: Upload
    width: int
    height: int
    address: str = ""
    references: list[Upload] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    alternatives: dict[str, bytes] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last_used: float = field(default_factory=monotonic)
    memory: int = 0
    closed: bool = False
    _colorizer: Colorizer | None = None

    @property
    def upload_bytes(self) -> int:
        """Bytes of the session's uploads."""
        return self.photo.size + sum(reference.size for reference in self.references)

    def colorizer(self, max_pixels: int) -> Colorizer:
        """The photograph with its references, decoded again if `drop_decoded` let them go; blocks.

        Raises:
            PhotoError, PhotoTooLargeError, BusyError: as `Upload.read`.
        """
        if self._colorizer is None:
            colorizer = Colorizer(self.photo.read(max_pixels))
            colorizer.set_references(read_references(self.references, max_pixels), self.weights)
            self.keep_decoded(colorizer)
        assert self._colorizer is not None
        return self._colorizer

    @property
    def notes(self) -> list[str]:
        """Decisions of decoding the session's files, one sentence each."""
        named = [f"{each.name}: {note}" for each in self.references for note in each.notes]
        return [*self.photo.notes, *named]

    def keep_alternative(self, picture: bytes) -> str:
        """Keep a picture of an alternative, in place of the oldest one where there are many; returns its name."""
        name = hashlib.sha256(picture).hexdigest()[:20]
        self.alternatives.pop(name, None)
        self.alternatives[name] = picture
        while len(self.alternatives) > KEPT_ALTERNATIVES:
            del self.alternatives[next(iter(self.alternatives))]
        return name

    def check_open(self) -> None:
        """Check that the session did not end while a request waited for it.

        Raises:
            RequestError: 404 if the session has ended.
        """
        if self.closed:
            raise RequestError(404, "the session has ended; send the photograph again.")

    def keep_decoded(self, colorizer: Colorizer) -> None:
        """Keep the decoded photograph in memory."""
        self._colorizer = colorizer
        self.update_memory()

    def update_memory(self) -> None:
        """Measure the session's memory; only for a request that holds the lock."""
        self.memory = self._colorizer.memory if self._colorizer is not None else 0

    def drop_decoded(self) -> None:
        """Drop the decoded photograph from memory; the upload stays."""
        self._colorizer, self.memory = None, 0

    def close(self) -> None:
        """Close all files of the session."""
        self.closed = True
        self.drop_decoded()
        self.alternatives.clear()
        for upload in (self.photo, *self.references):
            upload.close()


class Sessions:
    """All sessions of a server; only the event loop's thread uses them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: dict[str, Session] = {}

    @property
    def upload_bytes(self) -> int:
        """Bytes of the uploads of all sessions."""
        return sum(session.upload_bytes for session in self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    async def create(
        self, photo: Upload, colorizer: Colorizer, owner: str | None, address: str = ""
    ) -> Session:
        """Begin a session.

        Args:
            photo: the photograph's file.
            colorizer: the decoded photograph.
            owner: the browser's cookie, or None.
            address: of the client's machine.
        Raises:
            RequestError: 429 if there are as many sessions as may be, all in use, and no client has more than a fair
                share.
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
            RequestError: 404 if there is no such session, or if another browser began it.
        """
        session = self._sessions.get(name)
        if session is None or (session.owner is not None and session.owner != owner):
            raise RequestError(404, "there is no such session (any more); send the photograph again.")
        session.last_used = monotonic()
        return session

    async def end(self, session: Session) -> None:
        """Remove a session, as soon as no request works on it."""
        self._sessions.pop(session.id, None)
        async with session.lock:
            session.close()
        self.limit_memory()

    async def expire(self) -> None:
        """Remove sessions that no request asked for within `Settings.idle_seconds`."""
        before = monotonic() - self._settings.idle_seconds
        for session in [each for each in self._sessions.values() if each.last_used < before]:
            await self.end(session)

    async def close(self) -> None:
        """Remove all sessions."""
        for session in list(self._sessions.values()):
            await self.end(session)

    def limit_memory(self) -> None:
        """Drop decoded photographs, the longest unused first, until the rest fits into `Settings.memory`."""
        by_use = sorted(self._sessions.values(), key=lambda each: each.last_used)
        over = sum(session.memory for session in by_use) - self._settings.memory
        for session in by_use[:-1]:
            if over > 0 and not session.lock.locked():
                over -= session.memory
                session.drop_decoded()

    async def _make_room(self, address: str, owner: str | None) -> None:
        """End a session that may go, if there are as many as may be.

        Raises:
            RequestError: 429 if none may go.
        """
        if len(self._sessions) < self._settings.sessions:
            return
        idle = monotonic() - _EVICTED_AFTER
        held = sorted(self._sessions.values(), key=lambda each: each.last_used)
        may_go = [*evictable(held, address, owner), *(each for each in held if each.last_used < idle)]
        for session in may_go:
            if not session.lock.locked():
                await self.end(session)
                return
        raise RequestError(
            429, "as many photographs are edited as may be; try again later.", Retry_After="60"
        )
