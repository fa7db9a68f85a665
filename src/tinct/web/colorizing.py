"""The routes that need no session: one photograph in, one out; the methods; whether the server is well."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response

from tinct.colorizing.colorizer import Colorizer
from tinct.errors import HintError
from tinct.methods import METHODS, get_method
from tinct.options import Options
from tinct.photo.formats import named_format
from tinct.version import __version__
from tinct.web import work
from tinct.web.answers import download
from tinct.web.attending import with_files
from tinct.web.documentation import binary, example, form
from tinct.web.pool import WorkPool
from tinct.web.requests import (
    check_known,
    check_references,
    files_of,
    json_of,
    one_file,
    text_of,
    upload_form,
)
from tinct.web.settings import Settings

_FIELDS = ("photo", "reference", "options", "hints", "format")
_COLORIZE = form(
    photo="file",
    reference="files: color photographs to take colors from",
    options='text: JSON of the attributes of tinct.Options, {"vividness": 1.5}',
    hints="text: JSON as in a file for --hints; or a file: that JSON, or strokes on a transparent PNG",
    format="text: png, jpg, tif, webp or bmp; the photograph's own otherwise",
)


def add_routes(api: FastAPI, settings: Settings, pool: WorkPool) -> None:
    """Add them to the application."""

    @api.get("/healthz", openapi_extra=example("curl -s $SERVER/healthz"))
    async def healthz() -> dict[str, Any]:
        """Whether the server answers, and how many requests wait for a worker; needs no token."""
        return {"status": "ok", "version": __version__, "waiting": pool.waiting}

    @api.get("/api/methods", openapi_extra=example("curl -s $SERVER/api/methods"))
    def methods() -> dict[str, Any]:
        """The methods that the option `method` takes."""
        return {"methods": [described(name) for name in METHODS]}

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
            check_known(fields, _FIELDS)
            photo, references = one_file(fields, "photo"), files_of(fields, "reference")
            check_references(references, settings.references)
            options, format = Options.from_mapping(json_of(fields, "options")), text_of(fields, "format")
            if format is not None:
                named_format(format)
            hints = hints_of(fields)
            decode = partial(work.decode, settings, photo, references, hints)

            async def colorized(strokes: work.HintFile | None) -> work.Colored:
                given = hints if strokes is None else strokes
                job = partial(work.colorize_upload, settings, photo, references, given, options, format)
                return await pool.run(job)

            content, notes = await with_files(request, pool, decode, colorized)
            named = [f"{each.name}: {note}" for each in references for note in each.notes]
            return download(content, notes=[*photo.notes, *named, *notes])


def hints_of(fields: Any) -> Any:
    """Hints as a file, or as JSON's objects and lists; None if there are none.

    Raises:
        HintError: if there are several files.
    """
    if isinstance(fields.get("hints"), str | None):
        return json_of(fields, "hints")
    files = files_of(fields, "hints")
    if len(files) > 1:
        raise HintError(f"{len(files)} files of hints were sent; send one.")
    return files[0] if files else None


def described(name: str) -> dict[str, Any]:
    """A method, as the page's picker needs it."""
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
    """Colorize a gray square, so that the network is compiled."""
    Colorizer(np.full((size, size), 128, np.uint8)).preview(size)
