"""Responses: errors as one line of JSON with a fitting status, pictures, and files sent in pieces."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from io import BytesIO
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse

from tinct.errors import (
    MissingExtraError,
    PhotoTooLargeError,
    StorageError,
    TinctError,
    WeightsError,
    one_line,
)
from tinct.photo.formats import FORMATS, sniff

PIECE = 1 << 18
"""Bytes of a file that are sent at once."""

NOTES_HEADER = "Tinct-Notes"
"""The response header that lists decisions about a photograph, as a JSON list of texts."""

MOST_NOTES = 16
"""Notes that the header holds, of 200 characters each."""

MOST_NOTE_BYTES = 5120
"""Bytes that the notes' header holds, beside which other headers have room in 8 KiB: a letter that is not ASCII takes
six or twelve, as headers carry no others. Notes beyond are left out."""

PREVIEW_QUALITY = 90
"""JPEG quality of previews, 0 to 100."""

MEDIA_TYPES = {name: f"image/{name.lower()}" for name in FORMATS}
"""Media types of the formats that tinct writes, by the names of the formats."""


class RequestError(HTTPException):
    """An error that ends a request: an HTTP status and a message of one line.

    Args:
        status: HTTP status, 400 to 599.
        message: one line for people.
        headers: further headers of the response; an underscore in a name stands for a hyphen.
    """

    def __init__(self, status: int, message: str, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status, one_line(message), named)

    @property
    def response(self) -> JSONResponse:
        """The error as a JSON response."""
        return error_response(self.status_code, self.detail, self.headers)


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as a JSON response, the same form for all errors: {"error": message}.

    Args:
        status: HTTP status.
        message: the error; cut to one line.
        headers: further headers of the response.
    """
    return JSONResponse({"error": one_line(message)}, status, headers)


def status_of_error(error: TinctError) -> int:
    """The HTTP status of a library's error.

    413 stands for a photograph that is too large, 501 for a part that is not installed, 502 for a store that does not
    answer, 500 for weights that cannot be used, 422 for all other errors, which the client can mend.
    """
    if isinstance(error, PhotoTooLargeError):
        return 413
    if isinstance(error, MissingExtraError):
        return 501
    if isinstance(error, StorageError):
        return 502
    return 500 if isinstance(error, WeightsError) else 422


def picture_response(content: bytes, notes: Sequence[str] = ()) -> Response:
    """A picture as a response; the first bytes of the picture tell its media type.

    Args:
        content: the picture's file.
        notes: wishes that the picture cannot meet, for the header `Tinct-Notes`.
    """
    return Response(content, media_type=_media_type(content), headers=_notes_header(notes))


def _notes_header(notes: Sequence[str]) -> dict[str, str]:
    """The header `Tinct-Notes` of at most MOST_NOTES notes and MOST_NOTE_BYTES bytes, the first ones; or no header."""
    kept = list(dict.fromkeys(map(one_line, notes)))[:MOST_NOTES]
    while len(written := json.dumps(kept)) > MOST_NOTE_BYTES:
        kept.pop()
    return {NOTES_HEADER: written} if notes else {}


def file_response(content: bytes, name: str | None = None, notes: Sequence[str] = ()) -> Response:
    """A photograph's file as a response, sent in pieces, so that a slow receiver is noticed.

    Args:
        content: the file.
        name: the file name that a browser saves under; None leaves the name to the client.
        notes: decisions about the photograph, for the header `Tinct-Notes`.
    """
    headers = {"Content-Length": str(len(content)), **_notes_header(notes)}
    if name is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return StreamingResponse(_pieces(content), media_type=_media_type(content), headers=headers)


def safe_file_name(name: str | None, otherwise: str = "photograph") -> str:
    """The file name within a name that a client sent: no folders, no control characters, at most 120 characters.

    Args:
        name: the client's name of the file, or None.
        otherwise: the name where nothing is left of the client's.
    """
    name = PureWindowsPath(PurePosixPath((name or "").replace("\0", "")).name).name
    kept = "".join(each for each in name if each.isprintable() and each not in '"<>:|?*').strip(" .")
    return kept[-120:] or otherwise


def encode_preview(rgb: NDArray[np.uint8]) -> bytes:
    """Encode a picture as JPEG without chroma subsampling, as previews are made to judge color.

    Args:
        rgb: sRGB, shape (H, W, 3), or gray, shape (H, W), 0..255.
    """
    return _encoded(rgb, "JPEG", quality=PREVIEW_QUALITY, subsampling=0)


def encode_webp(rgb: NDArray[np.uint8]) -> bytes:
    """Encode a thumbnail as WebP.

    Args:
        rgb: sRGB, shape (H, W, 3), 0..255.
    """
    return _encoded(rgb, "WEBP", quality=85, method=2)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode a map or a thumbnail as PNG.

    Args:
        pixels: gray, shape (H, W), or sRGB, shape (H, W, 3), 0..255.
    """
    return _encoded(pixels, "PNG", compress_level=1)


def _encoded(pixels: NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def _media_type(content: bytes) -> str:
    return MEDIA_TYPES.get(sniff(content[:16]) or "", "application/octet-stream")


async def _pieces(content: bytes) -> AsyncIterator[memoryview]:
    view = memoryview(content)
    for start in range(0, len(view), PIECE):
        yield view[start : start + PIECE]
