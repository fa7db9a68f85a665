"""What came, understood: JSON bodies, forms with files, hints and options. Errors are the library's own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request

from tinct.errors import HintError, OptionError
from tinct.hints import HintLike, Stroke, hints_from_json
from tinct.web.responses import RequestError
from tinct.web.sessions import Upload
from tinct.web.settings import Settings


class EditRequest(BaseModel):
    """What every question about a session says: the hints and the options as they stand."""

    model_config = ConfigDict(extra="forbid")
    hints: dict[str, Any] | list[Any] | None = Field(default=None, description="as in a file for `--hints`")
    options: dict[str, Any] | None = Field(default=None, description="the attributes of `tinct.Options`")


class PreviewRequest(EditRequest):
    """A picture of the photograph at a bounded size."""

    longer_side: int = Field(default=1024, ge=16, le=2048, description="in pixels; never enlarged")


class SuggestRequest(EditRequest):
    """A place of the photograph."""

    x: float = Field(allow_inf_nan=False, description="in pixels from the left")
    y: float = Field(allow_inf_nan=False, description="in pixels from the top")
    count: int = Field(default=6, ge=1, le=32)


class WhereRequest(EditRequest):
    """Where one more hint would help."""

    count: int = Field(default=5, ge=1, le=64)


class AlternativesRequest(EditRequest):
    """Several colorizations beside each other."""

    count: int = Field(default=4, ge=1, le=12)
    longer_side: int = Field(default=320, ge=16, le=1024)


class RenderRequest(EditRequest):
    """A file at full resolution."""

    format: str | None = Field(
        default=None, max_length=8, description="jpg, tif, webp, bmp, or png as the command line writes it"
    )


@asynccontextmanager
async def upload_form(request: Request, settings: Settings) -> AsyncIterator[FormData]:
    """A form with files; what nobody took over is closed at the end.

    Raises:
        RequestError: if it is no form, has too many files, or its sender went away.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise RequestError(415, "a form with files (multipart/form-data) was wanted; see /docs for examples.")
    try:
        async with request.form(
            max_files=settings.references + 2, max_fields=8, max_part_size=settings.max_text
        ) as form:
            yield form
    except ClientDisconnect:
        raise client_disconnected() from None


def client_disconnected() -> RequestError:
    """Nobody reads this; 499 is what nginx notes in its log for a client that left."""
    return RequestError(499, "the client went away.")


def file_field(form: FormData, name: str) -> Upload:
    """The file of a field.

    Raises:
        RequestError: 422 if there is none, or several.
    """
    found = file_fields(form, name)
    if len(found) != 1:
        raise RequestError(422, f"{len(found)} files were sent as {name!r}; send one.")
    return found[0]


def file_fields(form: FormData, name: str) -> list[Upload]:
    """All files of a field; browsers send an empty one where none was chosen.

    Raises:
        RequestError: 422 if there is text in it.
    """
    found = form.getlist(name)
    if any(not isinstance(each, UploadFile) for each in found):
        raise RequestError(422, f"{name!r} holds text; send a file.")
    return [Upload(each) for each in found if isinstance(each, UploadFile) and (each.size or each.filename)]


def check_reference_count(uploads: Sequence[Upload], limit: int) -> None:
    """Bound how many references one colorization has.

    Raises:
        OptionError: if there are more.
    """
    if len(uploads) > limit:
        raise OptionError(f"{len(uploads)} references were sent; this server takes {limit}; send fewer.")


def text_field(form: FormData, name: str) -> str | None:
    """The text of a field, or None if it is missing or empty.

    Raises:
        RequestError: 422 if it holds a file.
    """
    found = form.get(name)
    if isinstance(found, UploadFile):
        raise RequestError(422, f"{name!r} holds a file; send text.")
    return found or None


def json_field(form: FormData, name: str) -> Any:
    """A field's JSON, or None.

    Raises:
        OptionError: if it is not JSON.
    """
    try:
        return json.loads(text_field(form, name) or "null")
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{name} is not JSON ({error}); write an object.") from None


def check_field_names(form: FormData, names: Sequence[str]) -> None:
    """Refuse fields that would be passed over in silence.

    Raises:
        RequestError: 422.
    """
    if unknown := [name for name in form if name not in names]:
        raise RequestError(422, f"{unknown[0][:40]!r} is not understood; send {', '.join(names)}.")


def read_hints(content: Any, photo_size: tuple[int, int], limit: int) -> tuple[HintLike, ...]:
    """Hints from JSON, as many as the server takes.

    Raises:
        HintError, ColorError: if they are malformed, or too many.
    """
    hints = hints_from_json(content, photo_size)
    check_hint_count(hints, limit)
    return hints


def check_hint_count(hints: Sequence[HintLike], limit: int) -> None:
    """Bound what has to be spread.

    Raises:
        HintError: if there are more hints than `limit`, or more than ten times as many points of strokes.
    """
    if len(hints) > limit:
        raise HintError(f"{len(hints)} hints were sent; this server takes {limit}; send fewer.")
    points = sum(len(hint.points) for hint in hints if isinstance(hint, Stroke))
    if points > 10 * limit:
        raise HintError(f"the strokes have {points} points; this server takes {10 * limit}; send fewer.")
