"""Laws of HTTP methods: Allow lists what an address takes, whatever was sent (RFC 9110, 9.3.7 and 15.5.6)."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from studio_server import Running, answer_of, running

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


def asked(server: Running, target: str, method: str = "GET", host: str = "localhost") -> bytes:
    """The answer to a request of a target as it is written, which clients would not send."""
    with server.connect() as connection:
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        return answer_of(connection)


def test_options_of_the_whole_server_are_all_that_any_address_takes(server: Running) -> None:
    wanted = {"OPTIONS"}.union(*addresses(server).values())
    for target in ("*", "http://localhost"):
        head = asked(server, target, "OPTIONS").decode()
        assert head.startswith("HTTP/1.1 204")
        (line,) = [line for line in head.splitlines() if line.lower().startswith("allow:")]
        assert set(line.partition(": ")[2].split(", ")) == wanted
    assert asked(server, "*").startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/healthz", 200),
        ("/gray?longer_side=64", 404),
        ("/api/methods?x=http://evil.example/", 200),
        ("", 200),
        ("/nothing", 404),
        ("/http://localhost/healthz", 404),
    ],
)
def test_a_whole_address_as_target_asks_for_its_path(server: Running, target: str, status: int) -> None:
    """A server must take both forms (RFC 9112, 3.2.2)."""
    for start in ("http://localhost", f"HTTP://127.0.0.1:{server.port}", "https://localhost"):
        whole = asked(server, start + target)
        assert whole.startswith(f"HTTP/1.1 {status} ".encode()), start
        assert whole.partition(b"\r\n\r\n")[2] == asked(server, target or "/").partition(b"\r\n\r\n")[2]


def test_the_host_of_a_whole_address_counts_and_not_the_header(server: Running) -> None:
    assert asked(server, "http://evil.example/healthz").startswith(b"HTTP/1.1 421")
    assert asked(server, "http://localhost/healthz", host="evil.example").startswith(b"HTTP/1.1 200")
    assert asked(server, "http:///healthz").startswith(b"HTTP/1.1 421")
    assert asked(server, "ftp://localhost/healthz").startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/nothing", "/api/sessions/a/b/c", "/docs/", "/api/sessions/"]
)
def test_an_unknown_address_is_unknown_by_every_method(server: Running, path: str) -> None:
    for method in (*METHODS, "OPTIONS"):
        answer = server.client.request(method, path)
        assert answer.status_code == 404, (method, path)
        assert "allow" not in answer.headers
