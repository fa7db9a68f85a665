"""Routes of the page: its files, as they lie in the package, and the description of the REST interface."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import FastAPI, Request, Response

from tinct.web import documentation
from tinct.web.access import OWNER_COOKIE, cookie_value

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webp": "image/webp",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
}
"""Media types by file suffix; files with other suffixes are not served."""

_OWNED_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page.

    Attributes:
        content: the file's bytes.
        media_type: the file's media type.
        tag: an entity tag (RFC 9110, 8.8.3), which changes with the content.
    """

    content: bytes
    media_type: str
    tag: str

    def response(self, request: Request) -> Response:
        """The file as a response, or 304 if the browser has it.

        Browsers ask every time, so that a new version of the page shows at once.
        """
        headers = {"ETag": self.tag, "Cache-Control": "no-cache"}
        if is_known(self.tag, request.headers.getlist("if-none-match")):
            return Response(status_code=304, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


def is_known(tag: str, if_none_match: Sequence[str]) -> bool:
    """Whether a client has what an entity tag stands for, by weak comparison (RFC 9110, 8.8.3.2 and 13.1.2).

    Args:
        tag: the tag.
        if_none_match: values of the headers If-None-Match: tags with commas between, or `*` for whatever there is.
    """
    sent = [each.strip() for value in if_none_match for each in value.split(",")]
    return sent == ["*"] or tag in [each.removeprefix("W/") for each in sent]


def page_files() -> dict[str, PageFile]:
    """All files of the page by their paths below its folder.

    The files are read once, so that no path can lead to other files.
    """
    return dict(_below(files("tinct.web") / "page", ""))


def add_routes(api: FastAPI) -> None:
    """Add the routes to the application."""
    found = page_files()
    described: list[PageFile] = []

    @api.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        answer = found["index.html"].response(request)
        if not cookie_value(request.headers, OWNER_COOKIE):
            answer.set_cookie(
                OWNER_COOKIE, secrets.token_urlsafe(24), _OWNED_SECONDS, httponly=True, samesite="strict"
            )
        return answer

    @api.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        if not described:
            described.append(_file(documentation.html(api.openapi()).encode(), "html"))
        return described[0].response(request)

    @api.get("/docs.css", include_in_schema=False)
    async def docs_style(request: Request) -> Response:
        return _file(documentation.STYLE.encode(), "css").response(request)

    for path, page_file in found.items():
        api.get(f"/{path}", include_in_schema=False)(_sends(page_file))


def _sends(file: PageFile) -> Callable[[Request], Awaitable[Response]]:
    """A route of a file of the page; each has its own, so that other addresses are known to lead nowhere."""

    async def send(request: Request) -> Response:
        return file.response(request)

    return send


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, PageFile]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        suffix = entry.name.rpartition(".")[2]
        if entry.is_dir():
            yield from _below(entry, f"{prefix}{entry.name}/")
        elif suffix in MEDIA_TYPES:
            yield prefix + entry.name, _file(entry.read_bytes(), suffix)


def _file(content: bytes, suffix: str) -> PageFile:
    return PageFile(content, MEDIA_TYPES[suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
