"""Routes of editing sessions: a client sends the photograph once, then hints and options alone."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from starlette.responses import JSONResponse

from tinct.errors import OptionError
from tinct.photo.formats import named_format
from tinct.photo.sources import reference_weights
from tinct.web import jobs, reference_jobs
from tinct.web.access import OWNER_COOKIE, cookie_value
from tinct.web.accounts import client_network
from tinct.web.cancellation import cancel_on_disconnect, decode_and_run
from tinct.web.documentation import binary, example, form
from tinct.web.parsing import (
    AlternativesRequest,
    EditRequest,
    PreviewRequest,
    RenderRequest,
    SuggestRequest,
    WhereRequest,
    check_field_names,
    check_reference_count,
    file_field,
    file_fields,
    flag_field,
    json_field,
    upload_form,
)
from tinct.web.responses import RequestError, file_response, picture_response
from tinct.web.session_work import SessionWork
from tinct.web.sessions import Session, Upload

Name = Annotated[str, Path(max_length=64)]
LongerSide = Annotated[int, Query(ge=16, le=2048)]
_HINTS = """{"hints": {"points": [{"x": 40, "y": 30, "color": "#8c5a3c", "radius": 2}]}"""


def add_routes(api: FastAPI, work: SessionWork) -> None:
    """Add the routes to the application."""
    router = APIRouter(prefix="/api/sessions")
    _add_sessions(router, work)
    _add_references(router, work)
    _add_pictures(router, work)
    _add_questions(router, work)
    _add_files(router, work)
    api.include_router(router)


def _add_sessions(router: APIRouter, work: SessionWork) -> None:
    @router.post(
        "",
        status_code=201,
        openapi_extra=form(photo="file")
        | example("curl -s -F photo=@photo.png $SERVER/api/sessions", id_variable="ID"),
    )
    async def begin(request: Request) -> Response:
        """Begin with a photograph. The id is the key to it: it is asked for in every other route."""
        async with upload_form(request, work.settings) as fields:
            check_field_names(fields, ("photo",))
            photo = file_field(fields, "photo")
            decode = partial(jobs.decode_files, work.settings, photo, ())
            address = client_network(request.scope)
            opening = partial(
                work.pool.run, partial(jobs.open_photo, work.settings, photo), urgent=True, address=address
            )
            colorizer = await decode_and_run(request, work.pool, decode, lambda _: opening())
            owner = cookie_value(request.headers, OWNER_COOKIE)
            session = await work.sessions.create(photo, colorizer, owner, address)
            fields.keep([photo])
        return JSONResponse(session_json(session), 201, {"Location": f"/api/sessions/{session.id}"})

    @router.get("/{name}", openapi_extra=example("curl -s $SERVER/api/sessions/$ID"))
    async def look(name: Name, request: Request) -> dict[str, Any]:
        """What a session holds."""
        return session_json(work.find(request, name))

    @router.delete(
        "/{name}", status_code=204, openapi_extra=example("curl -s -X DELETE $SERVER/api/sessions/$ID")
    )
    async def end(name: Name, request: Request) -> None:
        """End a session: all that was sent is removed."""
        await work.sessions.end(work.find(request, name))


def _add_references(router: APIRouter, work: SessionWork) -> None:
    @router.put(
        "/{name}/references",
        openapi_extra=form(
            reference="files: all references, in their order",
            weights="text: JSON list, 0 (not at all) to 1; alone, it weighs the references there are",
            partial="text: true leaves out references that cannot be used, and says why in `refused`",
        )
        | example(
            "curl -s -X PUT -F reference=@reference.png -F 'weights=[1]' $SERVER/api/sessions/$ID/references"
        ),
    )
    async def put(name: Name, request: Request) -> dict[str, Any]:
        """Set the references in place of those there were; none clears them. One that cannot be used refuses all."""
        refused: dict[int, str] = {}
        async with upload_form(request, work.settings) as fields:
            check_field_names(fields, ("reference", "weights", "partial"))
            session, uploads = work.find(request, name), file_fields(fields, "reference")
            weights, leaves_out = weights_field(fields), flag_field(fields, "partial")
            try:
                if not uploads and weights and session.references:
                    await work.run(request, name, reference_jobs.set_weights, weights)
                else:
                    weights = weights or [1.0] * len(uploads)
                    set_all = put_usable_references if leaves_out else put_references
                    refused = await set_all(work, request, session, uploads, weights) or refused
            finally:  # also if the client went away in the middle of it
                fields.keep(session.references)
        work.sessions.limit_memory()
        told = [{"number": number, "error": why} for number, why in sorted(refused.items())]
        return {**session_json(session), "refused": told}

    @router.get(
        "/{name}/references/{number}.png",
        responses=binary("a thumbnail"),
        openapi_extra=example("curl -s $SERVER/api/sessions/$ID/references/0.png -o thumbnail.png"),
    )
    async def thumbnail(name: Name, number: int, request: Request) -> Response:
        """A reference, small."""
        return picture_response(await work.run(request, name, reference_jobs.thumbnail, number))


def _add_pictures(router: APIRouter, work: SessionWork) -> None:
    @router.get(
        "/{name}/gray",
        responses=binary("a JPEG"),
        openapi_extra=example('curl -s "$SERVER/api/sessions/$ID/gray?longer_side=512" -o gray.jpg'),
    )
    async def gray(name: Name, request: Request, longer_side: LongerSide = jobs.PREVIEW) -> Response:
        """The photograph as it is, at a bounded size."""
        return picture_response(await work.run(request, name, jobs.gray, longer_side))

    @router.post(
        "/{name}/preview",
        responses=binary("a JPEG"),
        openapi_extra=_json_example("preview", ', "longer_side": 512}', "preview.jpg"),
    )
    async def preview(name: Name, body: PreviewRequest, request: Request) -> Response:
        """The photograph in color at a bounded size, with these hints and options and no others."""
        return picture_response(*await work.run(request, name, jobs.preview, body))

    @router.post(
        "/{name}/confidence",
        responses=binary("a gray PNG"),
        openapi_extra=_json_example("confidence", "}", "sure.png"),
    )
    async def confidence(name: Name, body: PreviewRequest, request: Request) -> Response:
        """How sure the method is of each place, black (not at all) to white, at its own working size."""
        return picture_response(await work.run(request, name, jobs.confidence, body))

    @router.post(
        "/{name}/gains",
        responses=binary("a gray PNG"),
        openapi_extra=_json_example("gains", "}", "gains.png"),
    )
    async def gains(name: Name, body: EditRequest, request: Request) -> Response:
        """How much one more hint would help at each place, black (not at all) to white (most)."""
        return picture_response(await work.run(request, name, jobs.gains, body))

    @router.get("/{name}/alternatives/{picture}.webp", responses=binary("a WebP"))
    async def alternative(name: Name, picture: str, request: Request) -> Response:
        """One of the pictures that `alternatives` answered with; the oldest go where many were asked for."""
        found = work.find(request, name).alternatives.get(picture)
        if found is None:
            raise RequestError(404, "there is no such picture (any more); ask for alternatives first.")
        return picture_response(found)


def _add_questions(router: APIRouter, work: SessionWork) -> None:
    @router.post("/{name}/suggest", openapi_extra=_json_example("suggest", ', "x": 50, "y": 40, "count": 6}'))
    async def suggest(name: Name, body: SuggestRequest, request: Request) -> dict[str, Any]:
        """Likely colors of a place, likeliest first."""
        return {"suggestions": await work.run(request, name, jobs.suggest, body)}

    @router.post("/{name}/where", openapi_extra=_json_example("where", ', "count": 3}'))
    async def where(name: Name, body: WhereRequest, request: Request) -> dict[str, Any]:
        """Where one more hint would help most, best first."""
        return {"places": await work.run(request, name, jobs.where, body)}

    @router.post("/{name}/alternatives", openapi_extra=_json_example("alternatives", ', "count": 2}'))
    async def alternatives(name: Name, body: AlternativesRequest, request: Request) -> dict[str, Any]:
        """Other plausible colorizations: values for the option `seed`, and a picture of each."""
        rendering = work.render_alternatives(work.find(request, name), body)
        pictures = await cancel_on_disconnect(request, rendering)
        work.sessions.limit_memory()
        root = f"/api/sessions/{name}/alternatives"
        return {
            "alternatives": [
                {"seed": seed, "preview": f"{root}/{picture}.webp"} for seed, picture in pictures.items()
            ]
        }


def _add_files(router: APIRouter, work: SessionWork) -> None:
    @router.post(
        "/{name}/render",
        responses=binary("the photograph's file, to be saved"),
        openapi_extra=_json_example("render", ', "format": "png"}', "saved.png"),
    )
    async def render(name: Name, body: RenderRequest, request: Request) -> Response:
        """The photograph in color at full resolution with its metadata: what `tinct colorize` writes."""
        suffix = named_format(body.format or jobs.DEFAULT_FORMAT).suffixes[0]
        session = work.find(request, name)
        stem = PurePath(session.photo.name).stem
        content, notes = await cancel_on_disconnect(request, work.render_file(session, body))
        work.sessions.limit_memory()
        what = "chroma" if (body.options or {}).get("chroma_only") is True else "color"
        return file_response(content, f"{stem}.{what}{suffix}", [*session.notes, *notes])

    @router.post("/{name}/project", openapi_extra=_json_example("project", "}", "photo.tinct.json"))
    async def project(name: Name, body: EditRequest, request: Request) -> Response:
        """The project: `tinct colorize --project FILE` does the same again, byte for byte."""
        content = await work.run(request, name, jobs.project, body)
        return JSONResponse(content)


async def put_references(
    work: SessionWork, request: Request, session: Session, uploads: list[Upload], weights: list[float]
) -> None:
    """Read new references into a session, and close the files of its old ones.

    Raises:
        OptionError: if there are too many references, or the weights do not fit.
        PhotoError, ReferencePhotoError: if a reference cannot be used; the session keeps its old references then.
    """
    check_reference_count(uploads, work.settings.references)
    decode = partial(reference_jobs.decode_references, work.settings, session, uploads)
    setting = partial(work.run_exclusively, session, reference_jobs.set_references, uploads, weights)
    await decode_and_run(request, work.pool, decode, lambda _: setting())
    work.sessions.limit_memory()


async def put_usable_references(
    work: SessionWork, request: Request, session: Session, uploads: list[Upload], weights: list[float]
) -> dict[int, str]:
    """`put_references` without the references that cannot be used.

    Returns:
        Why references cannot be used, by their numbers.
    Raises:
        OptionError: as `put_references`.
    """
    check_reference_count(uploads, work.settings.references)
    reference_weights(weights, len(uploads))
    decode = partial(reference_jobs.decode_usable_references, work.settings, session, uploads)
    setting = partial(work.run_exclusively, session, reference_jobs.set_usable_references, uploads, weights)
    return await decode_and_run(request, work.pool, decode, setting)


def session_json(session: Session) -> dict[str, Any]:
    """A session as JSON, as its client sees it."""
    scale = min(1.0, jobs.PREVIEW / max(session.width, session.height))
    weights = session.weights or [1.0] * len(session.references)
    return {
        "id": session.id,
        "name": session.photo.name,
        "width": session.width,
        "height": session.height,
        "preview_width": max(1, round(session.width * scale)),
        "preview_height": max(1, round(session.height * scale)),
        "notes": session.notes,
        "references": [
            {
                "name": reference.name,
                "weight": weight,
                "thumbnail": f"/api/sessions/{session.id}/references/{number}.png",
            }
            for number, (reference, weight) in enumerate(zip(session.references, weights, strict=True))
        ],
    }


def weights_field(fields: Any) -> list[float]:
    """The weights of a form, as a list of numbers; empty if none were sent.

    Raises:
        OptionError: if the field is not a JSON list of numbers.
    """
    found = json_field(fields, "weights")
    if not isinstance(found, list | None) or any(type(each) not in (int, float) for each in found or ()):
        raise OptionError("weights is not a JSON list of numbers; write [1, 0.5].")
    return list(reference_weights(found, len(found))) if found else []


def _json_example(route: str, rest: str, file: str | None = None) -> dict[str, Any]:
    body = f"{_HINTS}{rest}"
    out = f" -o {file}" if file else ""
    return example(
        f"curl -s -H 'Content-Type: application/json' -d '{body}' $SERVER/api/sessions/$ID/{route}{out}"
    )
