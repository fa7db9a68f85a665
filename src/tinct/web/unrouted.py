"""Answers to requests that no route takes: OPTIONS, HTTP methods that an address does not allow, unknown addresses."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.routing import Match

from tinct.web.responses import error_response
from tinct.web.targets import WHOLE_SERVER

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""HTTP methods that an address may take, besides OPTIONS, which all of them take."""


def unrouted(request: Request) -> Response:
    """The answer to a request that no route takes.

    OPTIONS gets 204, of an address or of the whole server, another method of an address that exists 405, each with the
    header Allow (RFC 9110, 9.3.7 and 15.5.6); an unknown address gets 404.
    """
    allowed = allowed_methods(request)
    if not allowed:
        return error_response(
            404, "there is nothing here; the page is at /, the interface is described at /docs."
        )
    headers = {"Allow": ", ".join(allowed)}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    told = f"{request.method} was sent, but this address takes {', '.join(allowed)}; see /docs."
    return error_response(405, told, headers)


def allowed_methods(request: Request) -> list[str]:
    """The HTTP methods that the request's address takes, whichever the request has; none if there is no such address.

    Several routes may be for one address, each for a method of its own. HEAD is answered where GET is. The whole
    server, which only OPTIONS may be about, takes those that any address takes.
    """
    if request.scope["path"] == WHOLE_SERVER:
        return _methods_of_all(request.app) if request.method == "OPTIONS" else []
    found = [each for each in _METHODS if _is_routed(request, "GET" if each == "HEAD" else each)]
    return [*found, "OPTIONS"] if found else []


def _methods_of_all(api: FastAPI) -> list[str]:
    """The HTTP methods of all routes that the interface's description has."""
    described = {method.upper() for methods in api.openapi()["paths"].values() for method in methods}
    found = (each for each in _METHODS if ("GET" if each == "HEAD" else each) in described)
    return [*found, "OPTIONS"]


def _is_routed(request: Request, method: str) -> bool:
    api: FastAPI = request.app
    scope = {
        key: request.scope[key] for key in ("type", "path", "root_path", "headers") if key in request.scope
    }
    return any(route.matches({**scope, "method": method})[0] is Match.FULL for route in api.routes)
