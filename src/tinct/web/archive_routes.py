"""`GET /api/render`: pictures rendered on demand from the chroma files of an archive."""

from __future__ import annotations

import re
import threading
from functools import partial
from typing import Any

from fastapi import FastAPI, Response

from tinct.errors import one_line
from tinct.photo.formats import named_format
from tinct.web.documentation import binary, example
from tinct.web.responses import RequestError, file_response
from tinct.web.settings import Settings
from tinct.web.worker_pool import WorkerPool

KEY = re.compile(r"[0-9a-f]{16}")
"""The form of a key: 16 hexadecimal digits, as the ledger's outputs are named."""


class Archive:
    """The outputs of a batch by their keys. An unknown key makes the archive read its ledger again.

    Args:
        uri: URI of the batch's output.
    """

    def __init__(self, uri: str) -> None:
        from tinct.archive.storage import Store

        self.store = Store(uri)
        self._photographs: dict[str, str] = {}
        self._lock = threading.Lock()

    def check_exists(self) -> None:
        """Check that the URI is a batch's output.

        Raises:
            StorageError: if it is none.
        """
        from tinct.archive.ledger import Ledger

        Ledger(self.store).check_exists()

    def rendered(self, key: str, format: str | None) -> tuple[bytes, tuple[str, ...]]:
        """The picture of a key, as the bytes of a file, and decisions of reading and writing, one sentence each.

        Args:
            key: 16 hexadecimal digits.
            format: name of the file format; None takes the format of the batch.
        Raises:
            RequestError: 404 if the archive has no chroma file of this key.
            StorageError: if the store or the photograph cannot be read.
        """
        from tinct.archive.chroma import SUFFIX, rendered
        from tinct.archive.storage import read_uri

        uri = self._photograph(key)
        result, recipe = rendered(self.store.read(f"{key}{SUFFIX}"), read_uri(uri))
        content = result.encode(format or recipe.format or None)
        return content, tuple(one_line(note) for note in result.notes)

    def _photograph(self, key: str) -> str:
        """Where the photograph of a key is."""
        with self._lock:
            if key not in self._photographs:
                self._photographs = self._read()
        if key not in self._photographs:
            raise RequestError(404, f"the archive has no chroma file {key}.")
        return self._photographs[key]

    def _read(self) -> dict[str, str]:
        from tinct.archive.chroma import SUFFIX
        from tinct.archive.entry import DONE
        from tinct.archive.ledger import Ledger

        done = (entry for entry in Ledger(self.store).entries() if entry.status == DONE)
        return {each.output.removesuffix(SUFFIX): each.uri for each in done if each.output.endswith(SUFFIX)}


def add_routes(api: FastAPI, settings: Settings, pool: WorkerPool) -> None:
    """Add the route `/api/render` to the application, if the settings name an archive."""
    if not settings.archive:
        return
    archive = Archive(settings.archive)
    archive.check_exists()
    parameters = example("curl -s '$SERVER/api/render?id=00f3a1b2c4d5e6f7&format=png' -o colored.png")

    @api.get("/api/render", responses=binary("the photograph in color"), openapi_extra=parameters)
    async def render(id: str, format: str | None = None) -> Response:
        """Render a photograph of the archive from its chroma file: the same bytes as a whole run gives.

        Of a photograph of several pages this is the first one, which the header `Tinct-Notes` says.
        """
        if not KEY.fullmatch(id):
            raise RequestError(422, "id must be 16 hexadecimal digits, as the ledger's outputs are named.")
        if format is not None:
            named_format(format)
        work: Any = partial(archive.rendered, id, format)
        content, notes = await pool.run(work)
        return file_response(content, notes=notes)
