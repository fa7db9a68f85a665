"""Laws of HTTP methods: Allow lists what an address takes, whatever was sent (RFC 9110, 9.3.7 and 15.5.6)."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from studio_server import Running, running

PAGE = {"/": {"get"}, "/studio.js": {"get"}, "/docs": {"get"}, "/docs.css": {"get"}, "/openapi.json": {"get"}}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with running(tmp_path_factory.mktemp("spool")) as found:
        yield found


def addresses(server: Running) -> dict[str, set[str]]:
    """The HTTP methods of each address that the description of the interface or the page has."""
    described = server.studio.api.openapi()["paths"]
    found = {path: {method.upper() for method in methods} for path, methods in described.items()}
    found |= {path: {method.upper() for method in methods} for path, methods in PAGE.items()}
    heads = {path: {"HEAD"} if "GET" in methods else set() for path, methods in found.items()}
    return {path: methods | heads[path] for path, methods in found.items()}


def allowed(answer) -> set[str]:
    return set(answer.headers["allow"].split(", "))


def test_a_method_that_an_address_does_not_take_gets_those_that_it_takes(server: Running) -> None:
    for path, methods in addresses(server).items():
        for method in METHODS:
            if method in methods:
                continue
            answer = server.client.request(method, path)
            assert answer.status_code == 405, (method, path)
            assert allowed(answer) == {*methods, "OPTIONS"}, (method, path)
            if method != "HEAD":
                assert set(answer.json()) == {"error"}
                assert method in answer.json()["error"]


def test_options_are_told_everywhere(server: Running) -> None:
    for path, methods in addresses(server).items():
        answer = server.client.options(path)
        assert (answer.status_code, answer.content) == (204, b""), path
        assert allowed(answer) == {*methods, "OPTIONS"}, path


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/nothing", "/api/sessions/a/b/c", "/docs/", "/api/sessions/"]
)
def test_an_unknown_address_is_unknown_by_every_method(server: Running, path: str) -> None:
    for method in (*METHODS, "OPTIONS"):
        answer = server.client.request(method, path)
        assert answer.status_code == 404, (method, path)
        assert "allow" not in answer.headers
