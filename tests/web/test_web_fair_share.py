"""Laws of sharing: one client's sessions give way before anybody else is turned away."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from studio_server import answer_of, png, running
from tinct.web.fair_share import evictable

GRAY = png(np.linspace(20, 230, 64 * 48).reshape(48, 64).astype(np.uint8))


@dataclass(frozen=True)
class Place:
    address: str
    owner: str | None
    last_used: float


CLIENTS = st.tuples(st.sampled_from("abc"), st.sampled_from([None, "x", "y"]))
HELD = st.lists(CLIENTS, max_size=24).map(lambda all: [Place(*who, float(n)) for n, who in enumerate(all)])


def count(held: list[Place], **who: str | None) -> int:
    return sum(all(getattr(each, name) == value for name, value in who.items()) for each in held)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is slow to draw them
@given(HELD, CLIENTS)
def test_nobody_gives_way_to_somebody_who_holds_as_much(
    held: list[Place], newcomer: tuple[str, str | None]
) -> None:
    address, owner = newcomer
    for given_up in evictable(held, address, owner):
        if given_up.address == address:
            assert (
                count(held, address=address, owner=given_up.owner)
                > count(held, address=address, owner=owner) + 1
            )
        else:
            assert count(held, address=given_up.address) > count(held, address=address) + 1


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is slow to draw them
@given(HELD, CLIENTS)
def test_whoever_holds_two_more_than_a_newcomer_gives_one(
    held: list[Place], newcomer: tuple[str, str | None]
) -> None:
    address, owner = newcomer
    most = max((count(held, address=each.address) for each in held), default=0)
    if most > count(held, address=address) + 1:
        found = evictable(held, address, owner)
        assert found
        assert found == sorted(found, key=lambda each: each.last_used)


def test_a_client_that_takes_all_sessions_keeps_nobody_out() -> None:
    with running_here(sessions=4) as server:
        greedy = [server.begin(GRAY)["id"] for _ in range(4)]
        files = {"photo": ("a.png", GRAY)}
        assert server.client.post("/api/sessions", files=files).status_code == 429
        for cookie in ("one", "two"):
            with httpx.Client(base_url=server.url, cookies={"tinct-owner": cookie}) as other:
                assert other.post("/api/sessions", files=files).status_code == 201
        assert server.client.post("/api/sessions", files=files).status_code == 429
        left = [server.client.get(f"/api/sessions/{name}").status_code for name in greedy]
        assert left == [404, 404, 200, 200]


def running_here(**settings: int):
    from pathlib import Path
    from tempfile import gettempdir

    return running(Path(gettempdir()), **settings)


def test_head_is_answered_like_get_without_its_body(tmp_path) -> None:
    with running(tmp_path) as server:
        session = server.begin(GRAY)["id"]
        routes = server.studio.api.openapi()["paths"]
        places = [path.replace("{name}", session) for path, methods in routes.items() if "get" in methods]
        places += ["/", "/docs", "/docs.css", "/studio.js", "/nothing", "/openapi.json"]
        for place in (each for each in places if "{" not in each):
            got, head = server.client.get(place), server.client.head(place)
            assert head.status_code == got.status_code, place
            assert head.content == b""
            assert head.headers.get("content-length") == got.headers.get("content-length"), place
            assert head.headers["content-type"] == got.headers["content-type"]
        assert (
            server.client.head("/api/colorize").status_code == server.client.get("/api/colorize").status_code
        )


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_length_stated_in_two_ways_is_refused(method: str, tmp_path) -> None:
    lines = (
        f"{method} /api/colorize HTTP/1.1",
        "Host: localhost",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
    )
    head = "\r\n".join((*lines, "", ""))
    with running(tmp_path) as server, server.connect() as connection:
        connection.sendall(head.encode() + b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = answer_of(connection)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert b"healthz" not in answer


def test_sixteen_references_are_sixteen(tmp_path) -> None:
    color = np.dstack([np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))] * 3)
    color[..., 2] = 255 - color[..., 2]
    with running(tmp_path) as server:
        for number, status in ((16, 200), (17, 422)):
            files = [
                ("photo", ("a.png", GRAY)),
                *(("reference", ("r.png", png(color))) for _ in range(number)),
            ]
            answer = server.client.post(
                "/api/colorize", files=files, data={"options": '{"method": "reinhard"}'}
            )
            assert answer.status_code == status, answer.text
            session = server.begin(GRAY)["id"]
            put = server.client.put(f"/api/sessions/{session}/references", files=files[1:])
            assert put.status_code == status, put.text


def test_an_error_of_the_server_is_short_and_commands_no_terminal(tmp_path) -> None:
    with running(tmp_path) as server:
        name = "\x1b]0;owned\x07" + "x" * 3000
        answer = server.client.post("/api/colorize", files={"photo": ("a.png", GRAY), name: ("b", b"1")})
        assert answer.status_code == 422
        assert len(answer.json()["error"]) <= 200
        assert answer.json()["error"].isprintable()
