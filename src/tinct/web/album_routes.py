"""Routes of the server's album: color photographs of which the most alike become references of what clients send."""

from __future__ import annotations

import os
import threading
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from tinct.photo import Photo
from tinct.retrieval.collection import Folder
from tinct.retrieval.index import COLOR, Index, Progress, index_of
from tinct.retrieval.references import Retrieved, references_for
from tinct.web import reference_jobs
from tinct.web.documentation import binary, example
from tinct.web.responses import RequestError, file_response, picture_response
from tinct.web.session_work import SessionWork

CHECKED_EVERY = 60.0
"""Seconds for which the album's index is taken as current before the folder is listed again."""

Key = Annotated[str, InPath(pattern=r"^[0-9a-f]{16}$")]
"""An album photograph's key in a path: 16 hexadecimal digits."""


class ReferenceSuggestionRequest(BaseModel):
    """The body of a request for references from the album."""

    model_config = ConfigDict(extra="forbid")
    count: int = Field(default=3, ge=1, le=8)


class Album:
    """Color photographs in a folder of the server. Clients see names below the folder, and keys, never paths.

    Args:
        folder: the folder; folders below count as well.
    Raises:
        OptionError: if the folder is none.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Folder(folder)
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._checked = 0.0
        self._names: dict[str, str] = {}

    def index(self, progress: Progress | None = None) -> Index:
        """The index of the folder, brought up to date unless that was done within `CHECKED_EVERY`; may block for long.

        Args:
            progress: as `tinct.retrieval.index.index_of` takes it.
        """
        with self._lock:
            if self._index is None or monotonic() - self._checked > CHECKED_EVERY:
                self._index = index_of(self.folder, progress)
                colored = zip(self._index.names, self._index.kinds, strict=True)
                self._names = {self.key(name): name for name, kind in colored if kind == COLOR}
                self._checked = monotonic()
            return self._index

    def retrieve(self, photo: Photo, count: int) -> list[Retrieved]:
        """The most alike color photographs for a photograph; as `tinct.retrieve_references`."""
        return references_for(photo, self.index(), count)

    def references(self, photo: Photo, count: int) -> tuple[list[Photo], list[str]]:
        """References of the album for a photograph, and a note on each, or on that there are none."""
        found = self.retrieve(photo, count)
        notes = [f"colors from {self.shown_name(each.name)} (likeness {each.likeness:.2f})" for each in found]
        none = ["no photograph of the album is alike enough; it is colorized without one"]
        return [Photo.read(each.name) for each in found], notes or none

    def shown_name(self, name: str) -> str:
        """The name of a photograph for clients: its path below the folder, bytes that are not UTF-8 as U+FFFD."""
        return os.fsencode(self._below(name)).decode(errors="replace")

    def key(self, name: str) -> str:
        """The key of a photograph: 16 hexadecimal digits that tell nothing of its path."""
        return sha256(os.fsencode(self._below(name))).hexdigest()[:16]

    def _below(self, name: str) -> str:
        """The path of a photograph below the folder; Python's surrogates stand for bytes that are not UTF-8."""
        return Path(name).relative_to(self.folder.path).as_posix()

    def content(self, key: str) -> bytes:
        """The file of a color photograph of the album.

        Raises:
            RequestError: 404 if the album has no photograph of this key (any more).
        """
        self.index()
        try:
            return self.folder.read(self._names[key])
        except (KeyError, OSError):
            raise RequestError(404, "the album has no such photograph.") from None

    def thumbnail(self, key: str) -> bytes:
        """A color photograph of the album at a bounded size, as PNG.

        Raises:
            RequestError: 404 if the album has no photograph of this key (any more).
            PhotoError: if the file is no photograph any more.
        """
        from tinct.photo.reduced import read_reduced

        return reference_jobs.thumbnail_of(read_reduced(self.content(key), reference_jobs.THUMBNAIL))


def add_routes(api: FastAPI, work: SessionWork, album: Album | None) -> None:
    """Add the routes to the application, if the server has an album."""
    if album is None:
        return

    @api.post(
        "/api/sessions/{name}/references/suggest",
        openapi_extra=example(
            "curl -s -H 'Content-Type: application/json' -d '{\"count\": 3}' "
            "$SERVER/api/sessions/$ID/references/suggest"
        ),
    )
    async def suggest(name: str, body: ReferenceSuggestionRequest, request: Request) -> dict[str, Any]:
        """Photographs of the server's album that are most like the session's, the most alike first; none may be."""
        found = await work.run(
            request, name, partial(reference_jobs.retrieve_references, album.retrieve), body.count
        )
        return {
            "references": [
                {
                    "name": album.shown_name(each.name),
                    "likeness": each.likeness,
                    "same_picture": each.same_picture,
                    "thumbnail": f"/api/album/{album.key(each.name)}.png",
                    "file": f"/api/album/{album.key(each.name)}",
                }
                for each in found
            ]
        }

    @api.get("/api/album/{key}.png", responses=binary("a thumbnail"))
    async def thumbnail(key: Key) -> Response:
        """A photograph of the album, small."""
        return picture_response(await work.pool.run(partial(album.thumbnail, key), urgent=True))

    @api.get("/api/album/{key}", responses=binary("the photograph's file"))
    async def photograph(key: Key) -> Response:
        """A photograph of the album, as the file that can be sent as a reference."""
        return file_response(await work.pool.run(partial(album.content, key), urgent=True))
