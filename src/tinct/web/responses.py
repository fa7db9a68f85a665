"""What goes back: errors in one line with a fitting status, pictures and files in pieces."""

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

NOTES_HEADER = "Tinct-Notes"
MOST_NOTES = 16
"""Notes that the header holds: 200 characters each, beside which other headers have room in 8 KiB."""

PREVIEW_QUALITY = 90
MEDIA_TYPES = {name: f"image/{name.lower()}" for name in FORMATS}


class RequestError(HTTPException):
    """A request that is answered with an error, in one line for people."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status, one_line(message), named)

    @property
    def response(self) -> JSONResponse:
        """The answer."""
        return error_response(self.status_code, self.detail, self.headers)


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as JSON, the same form for all: {"error": one line}."""
    return JSONResponse({"error": one_line(message)}, status, headers)


def status_of_error(error: TinctError) -> int:
    """The HTTP status that a library's error stands for: 413 too large, 501 not installed, 502 a store that does
    not answer, 500 ours, 422 theirs."""
    if isinstance(error, PhotoTooLargeError):
        return 413
    if isinstance(error, MissingExtraError):
        return 501
    if isinstance(error, StorageError):
        return 502
    return 500 if isinstance(error, WeightsError) else 422


def picture_response(content: bytes) -> Response:
    """A small picture, of whatever kind its first bytes say."""
    return Response(content, media_type=_media_type(content))


def file_response(content: bytes, name: str | None = None, notes: Sequence[str] = ()) -> Response:
    """A photograph's file, sent in pieces, so that a slow receiver is noticed.

    Args:
        content: the file.
        name: what the browser shall call it; None leaves that to whoever asked.
        notes: what was decided about the photograph, for the header `Tinct-Notes`: a JSON list of texts.
    """
    headers = {"Content-Length": str(len(content))}
    if notes:
        headers[NOTES_HEADER] = json.dumps(list(dict.fromkeys(notes))[:MOST_NOTES])
    if name is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return StreamingResponse(_pieces(content), media_type=_media_type(content), headers=headers)


def safe_file_name(name: str | None, otherwise: str = "photograph") -> str:
    """A file's own name out of whatever a client calls it: no folders, no control characters, not too long."""
    name = PureWindowsPath(PurePosixPath((name or "").replace("\0", "")).name).name
    kept = "".join(each for each in name if each.isprintable() and each not in '"<>:|?*').strip(" .")
    return kept[-120:] or otherwise


def encode_preview(rgb: NDArray[np.uint8]) -> bytes:
    """JPEG without chroma subsampling: color is what is looked at.

    Args:
        rgb: sRGB, shape (H, W, 3), or gray, shape (H, W).
    """
    return _encoded(rgb, "JPEG", quality=PREVIEW_QUALITY, subsampling=0)


def encode_webp(rgb: NDArray[np.uint8]) -> bytes:
    """A small WebP for strips of thumbnails; shape (H, W, 3)."""
    return _encoded(rgb, "WEBP", quality=85, method=2)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG, for maps and thumbnails; shape (H, W) or (H, W, 3)."""
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
