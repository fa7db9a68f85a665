"""Parsing of requests: JSON bodies, forms with files, hints and options, with the library's own errors."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request

from tinct.errors import HintError, OptionError, shown
from tinct.hints import HintLike, Stroke, hints_from_json
from tinct.options import Options
from tinct.web.responses import RequestError
from tinct.web.sessions import Upload
from tinct.web.settings import Settings

FORM_CHARSETS = ("utf-8", "utf8", "us-ascii")
"""Encodings of the texts of forms, as the parameter `charset` names them: UTF-8, and what is a part of it."""


class EditRequest(BaseModel):
    """The body of a request about a session: hints and options. The server remembers neither."""

    model_config = ConfigDict(extra="forbid")
    hints: dict[str, Any] | list[Any] | None = Field(default=None, description="as in a file for `--hints`")
    options: dict[str, Any] | None = Field(default=None, description="the attributes of `tinct.Options`")


class PreviewRequest(EditRequest):
    """The body of a request for a picture at a bounded size."""

    longer_side: int = Field(default=1024, ge=16, le=2048, description="in pixels; never enlarged")


class SuggestRequest(EditRequest):
    """The body of a request for likely colors of a place."""

    x: float = Field(allow_inf_nan=False, description="in pixels from the left")
    y: float = Field(allow_inf_nan=False, description="in pixels from the top")
    count: int = Field(default=6, ge=1, le=32)


class WhereRequest(EditRequest):
    """The body of a request for places where a hint would help most."""

    count: int = Field(default=5, ge=1, le=64)


class AlternativesRequest(EditRequest):
    """The body of a request for other plausible colorizations."""

    count: int = Field(default=4, ge=1, le=12)
    longer_side: int = Field(default=320, ge=16, le=1024)


class RenderRequest(EditRequest):
    """The body of a request for a file at full resolution."""

    format: str | None = Field(
        default=None, max_length=8, description="jpg, tif, webp, bmp, or png as the command line writes it"
    )


class UploadForm(FormData):
    """A form whose files can be kept beyond the request."""

    def __init__(self, form: FormData) -> None:
        super().__init__(form.multi_items())
        self._kept: set[int] = set()

    def keep(self, uploads: Iterable[Upload]) -> None:
        """Leave the files of uploads open when the form is closed."""
        self._kept.update(id(upload.file) for upload in uploads)

    async def close(self) -> None:
        """Close all files that are not kept."""
        for _, value in self.multi_items():
            if isinstance(value, UploadFile) and id(value.file) not in self._kept:
                await value.close()


@asynccontextmanager
async def upload_form(request: Request, settings: Settings) -> AsyncIterator[UploadForm]:
    """Read a form with files, and close at the end all files that `UploadForm.keep` was not called for.

    Raises:
        RequestError: 415 if the request is no form in UTF-8, 400 if there are too many files, 499 if the client
            disconnected.
    """
    _check_form_type(request.headers.get("content-type", ""))
    limits = {"max_files": settings.references + 2, "max_fields": 8, "max_part_size": settings.max_text}
    try:
        form = UploadForm(await request.form(**limits))
        try:
            yield form
        finally:
            await form.close()
    except ClientDisconnect:
        raise client_disconnected() from None


def _check_form_type(content_type: str) -> None:
    """Refuse what is no form, or one whose texts are in another encoding than UTF-8, which no browser sends.

    Raises:
        RequestError: 415.
    """
    media_type, parameters = parse_options_header(content_type)
    if media_type != b"multipart/form-data":
        raise RequestError(415, "a form with files (multipart/form-data) was wanted; see /docs for examples.")
    charset = parameters.get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in FORM_CHARSETS:
        raise RequestError(415, f"the form's charset is {shown(charset)}; send UTF-8.")


def client_disconnected() -> RequestError:
    """The error of a request whose client left: status 499, as in nginx's logs. Nobody reads the response."""
    return RequestError(499, "the client went away.")


def file_field(form: FormData, name: str) -> Upload:
    """The one file of a field.

    Raises:
        RequestError: 422 if the field holds no file, several files, or text.
    """
    found = file_fields(form, name)
    if len(found) != 1:
        raise RequestError(422, f"{len(found)} files were sent as {name!r}; send one.")
    return found[0]


def file_fields(form: FormData, name: str) -> list[Upload]:
    """All files of a field; the empty file is left out that browsers send where none was chosen.

    Raises:
        RequestError: 422 if the field holds text.
    """
    found = form.getlist(name)
    if any(not isinstance(each, UploadFile) for each in found):
        raise RequestError(422, f"{name!r} holds text; send a file.")
    return [Upload(each) for each in found if isinstance(each, UploadFile) and (each.size or each.filename)]


def check_reference_count(uploads: Sequence[Upload], limit: int) -> None:
    """Check the number of references of one colorization.

    Raises:
        OptionError: if there are more than `limit`.
    """
    if len(uploads) > limit:
        raise OptionError(f"{len(uploads)} references were sent; this server takes {limit}; send fewer.")


def text_field(form: FormData, name: str) -> str | None:
    """The text of a field, or None if the text is missing or empty.

    Raises:
        RequestError: 422 if the field holds a file.
    """
    found = form.get(name)
    if isinstance(found, UploadFile):
        raise RequestError(422, f"{name!r} holds a file; send text.")
    return found or None


def flag_field(form: FormData, name: str) -> bool:
    """The field as true or false; false if it is missing.

    Raises:
        OptionError: if it is anything else.
    """
    found = json_field(form, name)
    if not isinstance(found, bool | None):
        raise OptionError(f"{name} is {shown(found)}; send true or false.")
    return bool(found)


def json_field(form: FormData, name: str) -> Any:
    """The JSON of a field, or None if the field is missing or empty.

    Raises:
        OptionError: if the text is not JSON.
    """
    try:
        return json.loads(text_field(form, name) or "null")
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{name} is not JSON ({json_fault(error)}).") from None


def json_fault(error: ValueError | RecursionError) -> str:
    """What is wrong with JSON, in a few words.

    Args:
        error: of `json.loads`: RecursionError for lists in lists without end, ValueError for the rest, for a number
            longer than Python's limit among it.
    """
    if isinstance(error, RecursionError):
        return "lists or objects are nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not {error.encoding}"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, at character {error.pos}"
    return f"a whole number has more than {sys.get_int_max_str_digits()} digits"


def check_field_names(form: FormData, names: Sequence[str]) -> None:
    """Refuse fields that no route reads.

    Raises:
        RequestError: 422 if a field's name is not among `names`.
    """
    if unknown := [name for name in form if name not in names]:
        raise RequestError(422, f"{unknown[0][:40]!r} is not understood; send {', '.join(names)}.")


def read_options(content: Any, max_size: int) -> Options:
    """Options from JSON, of a working size that the server takes.

    Args:
        content: JSON's object; None for the defaults.
        max_size: as `Settings.max_size`.
    Raises:
        OptionError: if the options are malformed, or the working size is larger.
    """
    options = Options.from_mapping(content)
    if options.size is not None and options.size > max_size:
        raise OptionError(
            f"size is {options.size}; this server takes at most {max_size} (its --max-size); ask for less."
        )
    return options


def read_hints(content: Any, photo_size: tuple[int, int], limit: int) -> tuple[HintLike, ...]:
    """Hints from JSON, at most as many as the server takes.

    Args:
        content: JSON's objects and lists.
        photo_size: width and height of the photograph in pixels.
        limit: as in `check_hint_count`.
    Raises:
        HintError, ColorError: if the hints are malformed, or too many.
    """
    hints = hints_from_json(content, photo_size)
    check_hint_count(hints, limit)
    return hints


def check_hint_count(hints: Sequence[HintLike], limit: int) -> None:
    """Check the number of hints, as each costs time.

    Raises:
        HintError: if there are more hints than `limit`, or more than ten times as many points of strokes.
    """
    if len(hints) > limit:
        raise HintError(f"{len(hints)} hints were sent; this server takes {limit}; send fewer.")
    points = sum(len(hint.points) for hint in hints if isinstance(hint, Stroke))
    if points > 10 * limit:
        raise HintError(f"the strokes have {points} points; this server takes {10 * limit}; send fewer.")
