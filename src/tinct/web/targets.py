"""Targets of requests: `GET http://localhost/healthz` asks for the same as `GET /healthz` of the host localhost."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.types import Scope

SCHEMES = (b"http", b"https")
"""Schemes of the addresses that a request's target may be."""

WHOLE_SERVER = "*"
"""The path of a request about the server and none of its addresses, which OPTIONS may be (RFC 9112, 3.2.4)."""


def with_origin_form(scope: Scope) -> Scope:
    """The scope of a request whose target is a path: a whole address is split into its path and the header Host.

    A server must take both forms, and must not heed the Host that was sent beside a whole address (RFC 9112, 3.2.2).
    """
    scheme, found, rest = scope.get("raw_path", b"").partition(b"://")
    if scope["type"] != "http" or not found or scheme.lower() not in SCHEMES:
        return scope
    authority, slash, path = rest.partition(b"/")
    raw_path = slash + path or (b"*" if scope["method"] == "OPTIONS" else b"/")
    others = [each for each in scope["headers"] if each[0] != b"host"]
    return {
        **scope,
        "raw_path": raw_path,
        "path": unquote(raw_path.decode("ascii")),
        "headers": [(b"host", authority), *others],
    }
