"""The routes of editing sessions: the photograph is sent and read once, then hints and options alone."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from starlette.responses import JSONResponse

from tinct.errors import OptionError
from tinct.photo.formats import named_format
from tinct.web import work
from tinct.web.answers import Refusal, download, picture
from tinct.web.attending import attended, with_files
from tinct.web.desk import Desk
from tinct.web.documentation import binary, example, form
from tinct.web.guard import OWNER_COOKIE, cookie_of
from tinct.web.pool import WorkPool
from tinct.web.requests import (
    Edit,
    Places,
    Save,
    Spot,
    Strip,
    View,
    check_known,
    check_references,
    files_of,
    json_of,
    one_file,
    upload_form,
)
from tinct.web.sessions import Session, Sessions, Upload
from tinct.web.settings import Settings

Name = Annotated[str, Path(max_length=64)]
LongerSide = Annotated[int, Query(ge=16, le=2048)]
_HINTS = """{"hints": {"points": [{"x": 40, "y": 30, "color": "#8c5a3c", "radius": 2}]}"""


def add_routes(api: FastAPI, settings: Settings, pool: WorkPool, sessions: Sessions) -> None:
    """Add them to the application."""
    desk = Desk(settings, pool, sessions)
    router = APIRouter(prefix="/api/sessions")
    _add_sessions(router, desk)
    _add_references(router, desk)
    _add_pictures(router, desk)
    _add_questions(router, desk)
    _add_files(router, desk)
    api.include_router(router)


def _add_sessions(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "",
        status_code=201,
        openapi_extra=form(photo="file")
        | example("curl -s -F photo=@photo.png $SERVER/api/sessions", keeps="ID"),
    )
    async def begin(request: Request) -> Response:
        """Begin with a photograph. The id is the key to it: it is asked for in every other route."""
        async with upload_form(request, desk.settings) as fields:
            check_known(fields, ("photo",))
            photo = one_file(fields, "photo")
            decode = partial(work.decode, desk.settings, photo, ())
            opening = partial(desk.pool.run, partial(work.open_photo, desk.settings, photo), urgent=True)
            colorizer = await with_files(request, desk.pool, decode, lambda _: opening())
            owner = cookie_of(request.headers, OWNER_COOKIE)
            address = request.client.host if request.client else ""
            session = await desk.sessions.begin(photo, colorizer, owner, address)
            keep(fields, [photo])
        return JSONResponse(described(session), 201, {"Location": f"/api/sessions/{session.id}"})

    @router.get("/{name}", openapi_extra=example("curl -s $SERVER/api/sessions/$ID"))
    async def look(name: Name, request: Request) -> dict[str, Any]:
        """What a session holds."""
        return described(desk.find(request, name))

    @router.delete(
        "/{name}", status_code=204, openapi_extra=example("curl -s -X DELETE $SERVER/api/sessions/$ID")
    )
    async def end(name: Name, request: Request) -> None:
        """End a session: all that was sent is removed."""
        await desk.sessions.end(desk.find(request, name))


def _add_references(router: APIRouter, desk: Desk) -> None:
    @router.put(
        "/{name}/references",
        openapi_extra=form(
            reference="files: all references, in their order",
            weights="text: JSON list, 0 (not at all) to 1; alone, it weighs the references there are",
        )
        | example(
            "curl -s -X PUT -F reference=@reference.png -F 'weights=[1]' $SERVER/api/sessions/$ID/references"
        ),
    )
    async def put(name: Name, request: Request) -> dict[str, Any]:
        """Set the references in place of those there were; none clears them."""
        async with upload_form(request, desk.settings) as fields:
            check_known(fields, ("reference", "weights"))
            session, uploads = desk.find(request, name), files_of(fields, "reference")
            weights = weights_of(fields)
            try:
                if not uploads and weights and session.references:
                    await desk.work(request, name, work.set_weights, weights)
                else:
                    await put_references(desk, request, session, uploads, weights or [1.0] * len(uploads))
            finally:  # also if the client went away in the middle of it
                keep(fields, session.references)
        desk.sessions.settle()
        return described(session)

    @router.get(
        "/{name}/references/{number}.png",
        responses=binary("a thumbnail"),
        openapi_extra=example("curl -s $SERVER/api/sessions/$ID/references/0.png -o thumbnail.png"),
    )
    async def thumbnail(name: Name, number: int, request: Request) -> Response:
        """A reference, small."""
        if not 0 <= number < len(desk.find(request, name).references):
            raise Refusal(404, "there is no such reference.")
        return picture(await desk.work(request, name, work.thumbnail, number))


def _add_pictures(router: APIRouter, desk: Desk) -> None:
    @router.get(
        "/{name}/gray",
        responses=binary("a JPEG"),
        openapi_extra=example("curl -s $SERVER/api/sessions/$ID/gray?longer_side=512 -o gray.jpg"),
    )
    async def gray(name: Name, request: Request, longer_side: LongerSide = work.PREVIEW) -> Response:
        """The photograph as it is, at a bounded size."""
        return picture(await desk.work(request, name, work.gray, longer_side))

    @router.post(
        "/{name}/preview",
        responses=binary("a JPEG"),
        openapi_extra=_json_example("preview", ', "longer_side": 512}', "preview.jpg"),
    )
    async def preview(name: Name, view: View, request: Request) -> Response:
        """The photograph in color at a bounded size, with these hints and options and no others."""
        return picture(await desk.work(request, name, work.preview, view))

    @router.post(
        "/{name}/confidence",
        responses=binary("a gray PNG"),
        openapi_extra=_json_example("confidence", "}", "sure.png"),
    )
    async def confidence(name: Name, view: View, request: Request) -> Response:
        """How sure the method is of each place, black (not at all) to white, at its own working size."""
        return picture(await desk.work(request, name, work.confidence, view))

    @router.post(
        "/{name}/gains",
        responses=binary("a gray PNG"),
        openapi_extra=_json_example("gains", "}", "gains.png"),
    )
    async def gains(name: Name, edit: Edit, request: Request) -> Response:
        """How much one more hint would help at each place, black (not at all) to white (most)."""
        return picture(await desk.work(request, name, work.gains, edit))

    @router.get("/{name}/alternatives/{number}.webp", responses=binary("a WebP"))
    async def alternative(name: Name, number: int, request: Request) -> Response:
        """One of the pictures that `alternatives` answered with."""
        pictures = desk.find(request, name).pictures
        if not 0 <= number < len(pictures):
            raise Refusal(404, "there is no such picture; ask for alternatives first.")
        return picture(pictures[number])


def _add_questions(router: APIRouter, desk: Desk) -> None:
    @router.post("/{name}/suggest", openapi_extra=_json_example("suggest", ', "x": 50, "y": 40, "count": 6}'))
    async def suggest(name: Name, spot: Spot, request: Request) -> dict[str, Any]:
        """Likely colors of a place, likeliest first."""
        return {"suggestions": await desk.work(request, name, work.suggest, spot)}

    @router.post("/{name}/where", openapi_extra=_json_example("where", ', "count": 3}'))
    async def where(name: Name, places: Places, request: Request) -> dict[str, Any]:
        """Where one more hint would help most, best first."""
        return {"places": await desk.work(request, name, work.where, places)}

    @router.post("/{name}/alternatives", openapi_extra=_json_example("alternatives", ', "count": 2}'))
    async def alternatives(name: Name, strip: Strip, request: Request) -> dict[str, Any]:
        """Other plausible colorizations: values for the option `seed`, and a picture of each."""
        seeds = await attended(request, desk.strip(desk.find(request, name), strip))
        desk.sessions.settle()
        root = f"/api/sessions/{name}/alternatives"
        return {
            "alternatives": [{"seed": seed, "preview": f"{root}/{k}.webp"} for k, seed in enumerate(seeds)]
        }


def _add_files(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/{name}/render",
        responses=binary("the photograph's file, to be saved"),
        openapi_extra=_json_example("render", ', "format": "png"}', "saved.png"),
    )
    async def render(name: Name, wanted: Save, request: Request) -> Response:
        """The photograph in color at full resolution with its metadata: what `tinct colorize` writes."""
        suffix = named_format(wanted.format or work.DEFAULT_FORMAT).suffixes[0]
        session = desk.find(request, name)
        stem = PurePath(session.photo.name).stem
        content, notes = await attended(request, desk.file(session, wanted))
        desk.sessions.settle()
        return download(content, f"{stem}.color{suffix}", [*session.notes, *notes])

    @router.post("/{name}/project", openapi_extra=_json_example("project", "}", "photo.tinct.json"))
    async def project(name: Name, edit: Edit, request: Request) -> Response:
        """The project: `tinct colorize --project FILE` does the same again, byte for byte."""
        content = await desk.work(request, name, work.project, edit)
        return JSONResponse(content)


async def put_references(
    desk: Desk, request: Request, session: Session, uploads: list[Upload], weights: list[float]
) -> None:
    """Read new references and let the old files go.

    Raises:
        OptionError: if they are too many, or the weights do not fit.
        PhotoError, ReferencePhotoError: if one cannot be used; the ones there were stay then.
    """
    check_references(uploads, desk.settings.references)
    decode = partial(work.decode_references, desk.settings, session, uploads)
    setting = partial(desk.alone, session, work.set_references, uploads, weights)
    await with_files(request, desk.pool, decode, lambda _: setting())
    desk.sessions.settle()


def described(session: Session) -> dict[str, Any]:
    """A session, as its owner sees it."""
    scale = min(1.0, work.PREVIEW / max(session.width, session.height))
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
                "name": its.name,
                "weight": weight,
                "thumbnail": f"/api/sessions/{session.id}/references/{number}.png",
            }
            for number, (its, weight) in enumerate(zip(session.references, weights, strict=True))
        ],
    }


def weights_of(fields: Any) -> list[float]:
    """The weights of a form.

    Raises:
        OptionError: if they are not a list of numbers.
    """
    found = json_of(fields, "weights")
    if not isinstance(found, list | None) or any(type(each) not in (int, float) for each in found or ()):
        raise OptionError("weights is not a JSON list of numbers; write [1, 0.5].")
    return [float(each) for each in found or ()]


def keep(fields: Any, uploads: list[Upload]) -> None:
    """Take files over from a form, which would close them at its end."""
    kept = {id(upload.file) for upload in uploads}
    fields._list = [
        (name, value) for name, value in fields._list if id(getattr(value, "file", None)) not in kept
    ]


def _json_example(route: str, rest: str, file: str | None = None) -> dict[str, Any]:
    body = f"{_HINTS}{rest}"
    out = f" -o {file}" if file else ""
    return example(
        f"curl -s -H 'Content-Type: application/json' -d '{body}' $SERVER/api/sessions/$ID/{route}{out}"
    )
