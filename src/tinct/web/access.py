"""Access control: checks of a request's host, origin and token, and security headers of responses."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinct.web.responses import RequestError
from tinct.web.settings import LOOPBACK_NAMES, Settings

SAFE_METHODS = frozenset({"GET", "HEAD"})
"""HTTP methods that change nothing (RFC 9110, 9.2.1)."""

OPEN_PATHS = frozenset({"/healthz"})
"""Paths that need no token."""

ACCESS_COOKIE, OWNER_COOKIE = "tinct-access", "tinct-owner"
"""Names of cookies: one that shows the token, one that tells browsers apart."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of every response."""


class SecurityHeadersMiddleware:
    """Middleware that adds SECURITY_HEADERS to every response, and forbids caching unless a response allows it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; ASGI's interface."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class HeadMiddleware:
    """Middleware that answers HEAD as GET without the body, on every route (RFC 9110, 9.1 and 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; ASGI's interface."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


class AccessMiddleware:
    """Middleware that lets a request pass, or answers it with an error.

    - A request that states its length in two ways gets 400, as two programs could disagree where the request ends (RFC
      9112, 6.3).
    - A loopback server answers only to this machine's own names, so that no web site can reach the server through a
      DNS name of its own (rebinding): 421.
    - A request that changes something must come from the server's own page, or from no page at all: 403. Browsers tell
      by `Sec-Fetch-Site` and `Origin` (https://fetch.spec.whatwg.org/#origin-header); other clients send neither.
    - Where a token is set, a request must show it as `Authorization: Bearer`, or by the cookie that `/?token=` sets:
      401.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._key = secrets.token_bytes(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; ASGI's interface."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            _check_length(headers)
            self._check_host(headers)
            self._check_origin(scope["method"], headers)
            answer = self._redeemed(scope)
            if answer is None:
                self._check_token(scope["path"], headers)
        except RequestError as error:
            answer = error.response
        await (answer or self._app)(scope, receive, send)

    def _check_host(self, headers: Headers) -> None:
        host = host_name(headers.get("host", ""))
        if self._settings.is_local and host not in (*LOOPBACK_NAMES, self._settings.host):
            raise RequestError(
                421, f"this server does not answer to {host or 'nobody'!r}; open it as localhost."
            )

    def _check_origin(self, method: str, headers: Headers) -> None:
        if method in SAFE_METHODS:
            return
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        same_host = origin is None or origin_host(origin) == headers.get("host", "").lower()
        if site not in (None, "same-origin", "none") or not same_host:
            raise RequestError(403, "the request comes from another site's page; use this server's own page.")

    def _check_token(self, path: str, headers: Headers) -> None:
        """Refuse a request that does not show the server's token, if it has one.

        Raises:
            RequestError: 401.
        """
        token = self._settings.token
        if token is None or path in OPEN_PATHS:
            return
        kind, _, shown = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and _equal(shown.strip(), token):
            return
        if _equal(cookie_value(headers, self._cookie) or "", self._pass()):
            return
        raise RequestError(
            401,
            "the server wants its token: open /?token=TOKEN once, or send 'Authorization: Bearer TOKEN'.",
            WWW_Authenticate='Bearer realm="tinct"',
        )

    def _redeemed(self, scope: Scope) -> Response | None:
        """For /?token=: a cookie in exchange, and an address without the token in it."""
        token = self._settings.token
        shown = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if token is None or scope["path"] != "/" or scope["method"] != "GET" or shown is None:
            return None
        if not _equal(shown[0], token):
            raise RequestError(
                401, "this is not the server's token; copy the address that `tinct serve` printed."
            )
        answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        answer.set_cookie(self._cookie, self._pass(), httponly=True, samesite="strict")
        return answer

    @property
    def _cookie(self) -> str:
        """Cookies do not tell ports apart; two servers on one machine shall not take each other's away."""
        return f"{ACCESS_COOKIE}-{self._settings.port}"

    def _pass(self) -> str:
        """The cookie's value: good for this server's run, and does not tell the token."""
        return hmac.new(self._key, (self._settings.token or "").encode(), hashlib.sha256).hexdigest()


def _check_length(headers: Headers) -> None:
    if "content-length" in headers and "transfer-encoding" in headers:
        raise RequestError(
            400, "Content-Length and Transfer-Encoding were both sent; send one.", Connection="close"
        )


def host_name(host: str) -> str:
    """The name in a Host header, lower case and without the port: `[::1]:80` gives `::1`."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def origin_host(origin: str) -> str | None:
    """The host and port of an Origin header, lower case; None if it names none: it is `null`, or malformed."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def cookie_value(headers: Headers, name: str) -> str | None:
    """The value of a request's cookie, or None."""
    return cookie_parser(headers.get("cookie", "")).get(name)


def _equal(shown: str, wanted: str) -> bool:
    return secrets.compare_digest(shown.encode("utf-8", "replace"), wanted.encode())
