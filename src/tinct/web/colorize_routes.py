"""Routes without a session: colorize one photograph, list the methods, tell the server's state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response

from tinct.colorizing.colorizer import Colorizer
from tinct.errors import HintError, OptionError
from tinct.methods import METHODS, get_method
from tinct.photo import Photo
from tinct.photo.formats import named_format
from tinct.version import __version__
from tinct.web import jobs
from tinct.web.accounts import client_network
from tinct.web.album_routes import Album
from tinct.web.cancellation import decode_and_run
from tinct.web.documentation import binary, example, form
from tinct.web.parsing import (
    check_field_names,
    check_reference_count,
    file_field,
    file_fields,
    json_field,
    read_options,
    text_field,
    upload_form,
)
from tinct.web.responses import file_response
from tinct.web.settings import Settings
from tinct.web.worker_pool import WorkerPool

_FIELDS = ("photo", "reference", "options", "hints", "format", "album")
AlbumReferences = Callable[[Photo], tuple[list[Photo], list[str]]]
"""Gives references of the server's album for a photograph, and a note on each."""

ALBUM_COUNTS = tuple(str(count) for count in range(1, 9))
"""Values of the form field `album`."""

_COLORIZE = form(
    photo="file",
    reference="files: color photographs to take colors from",
    options='text: JSON of the attributes of tinct.Options, {"vividness": 1.5}',
    hints="text: JSON as in a file for --hints; or a file: that JSON, or strokes on a transparent PNG",
    album="text: how many references to take from the server's album, 1 to 8, where it has one",
    format="text: png, jpg, tif, webp or bmp; the photograph's own otherwise",
)


def add_routes(api: FastAPI, settings: Settings, pool: WorkerPool, album: Album | None) -> None:
    """Add the routes to the application."""

    @api.get("/healthz", openapi_extra=example("curl -s $SERVER/healthz"))
    async def healthz() -> dict[str, Any]:
        """Whether the server answers, and how many requests wait for a worker; needs no token."""
        return {"status": "ok", "version": __version__, "waiting": pool.waiting}

    @api.get("/api/methods", openapi_extra=example("curl -s $SERVER/api/methods"))
    def methods() -> dict[str, Any]:
        """The methods that the option `method` takes, the most references, and whether the server has an album."""
        return {
            "methods": [method_json(name) for name in METHODS],
            "most_references": settings.references,
            "album": album is not None,
        }

    @api.post(
        "/api/colorize",
        responses=binary("the photograph in color, in its own format"),
        openapi_extra=_COLORIZE
        | example(
            "curl -s -F photo=@photo.png -F reference=@reference.png "
            """-F 'hints={"points": [{"x": 40, "y": 30, "color": "#8c5a3c"}]}' """
            """-F 'options={"vividness": 1.2}' $SERVER/api/colorize -o colored.png"""
        ),
    )
    async def colorize(request: Request) -> Response:
        """Colorize a photograph: the same bytes as `tinct.colorize` gives for the same bytes."""
        async with upload_form(request, settings) as fields:
            check_field_names(fields, _FIELDS)
            photo, references = file_field(fields, "photo"), file_fields(fields, "reference")
            check_reference_count(references, settings.references)
            options, format = (
                read_options(json_field(fields, "options"), settings.max_size),
                text_field(fields, "format"),
            )
            if format is not None:
                named_format(format)
            hints, retrieved = hints_field(fields), album_field(fields, album)
            decode = partial(jobs.decode_files, settings, photo, references, hints)

            async def colorized(strokes: jobs.FileHints | None) -> jobs.ColoredFile:
                given = hints if strokes is None else strokes
                job = partial(
                    jobs.colorize_upload, settings, photo, references, given, options, format, retrieved
                )
                return await pool.run(job, address=client_network(request.scope))

            content, notes = await decode_and_run(request, pool, decode, colorized)
            named = [f"{each.name}: {note}" for each in references for note in each.notes]
            return file_response(content, notes=[*photo.notes, *named, *notes])


def hints_field(fields: Any) -> Any:
    """The hints of a form: an upload for a file, objects and lists for JSON, None for no hints.

    Raises:
        HintError: if several files were sent.
        OptionError: if the text is not JSON.
    """
    if isinstance(fields.get("hints"), str | None):
        return json_field(fields, "hints")
    files = file_fields(fields, "hints")
    if len(files) > 1:
        raise HintError(f"{len(files)} files of hints were sent; send one.")
    return files[0] if files else None


def album_field(fields: Any, album: Album | None) -> AlbumReferences | None:
    """A function that finds references in the album, where the form asks for some; otherwise None.

    Raises:
        OptionError: if the field is no number from 1 to 8, or the server has no album.
    """
    text = text_field(fields, "album")
    if text is None:
        return None
    if album is None:
        raise OptionError("this server has no album to take references from; send references instead.")
    if text not in ALBUM_COUNTS:
        raise OptionError(f"album is {text[:20]!r}; write how many references to take, 1 to 8.")
    return partial(album.references, count=int(text))


def method_json(name: str) -> dict[str, Any]:
    """A method as JSON, as the page's menu of methods needs it."""
    method = get_method(name)
    return {
        "name": name,
        "summary": method.summary,
        "source": method.source,
        "needs_reference": method.needs_reference,
        "needs_hints": method.needs_hints,
        "uses_references": method.uses_references,
        "uses_swatches": method.uses_swatches,
        "suggests": method.suggests,
        "working_size": method.working_size,
        "installed": not method.missing_weights(),
    }


def warm_up(size: int) -> None:
    """Colorize a gray square of `size` by `size` pixels, so that the network is compiled before the first request."""
    Colorizer(np.full((size, size), 128, np.uint8)).preview(size)
