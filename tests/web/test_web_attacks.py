"""Laws of the server under attack: a clear status for each, the server goes on, nothing is left on disk."""

from __future__ import annotations

import io
import json
import secrets
import socket
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tinct.errors import OptionError

pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from studio_server import Running, answer_of, png, running
from tinct.photo import Photo
from tinct.web.settings import MEBIBYTE, Settings

GRAY = png(np.linspace(20, 230, 64 * 48).reshape(48, 64).astype(np.uint8))
QUICK = {"options": '{"method": "levin"}', "hints": '{"points": [[9, 9, "#8c5a3c"]]}'}
TOKEN = "a token of the tests"
LIMITS = {"max_upload": 4 * MEBIBYTE, "max_text": MEBIBYTE, "max_pixels": 2_000_000}


@pytest.fixture(scope="module")
def spool(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def server(spool):
    """A server that waits for as long as a busy machine may need."""
    with running(spool, **LIMITS, head_seconds=60, silence_seconds=60) as found:
        yield found


@pytest.fixture(scope="module")
def impatient(spool):
    """A server that soon gives up who is slow, as this machine may be, too."""
    with running(spool, **LIMITS, head_seconds=0.6, silence_seconds=0.6) as found:
        yield found


@pytest.fixture(autouse=True)
def _goes_on(request, spool):
    """After each attack the server colorizes a photograph, and no file is left."""
    yield
    for name in {"server", "impatient"} & set(request.fixturenames):
        server = request.getfixturevalue(name)
        wanted = until(lambda: upload(server, GRAY).status_code != 408)  # noqa: B023
        assert wanted
        assert upload(server, GRAY).status_code in ((200,) if name == "server" else (200, 408))
        assert list(spool.rglob("*")) == []


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether a condition comes true in time, for which there is plenty: only what never comes fails."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def refused(answer: httpx.Response, status: int, names: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert names in answer.json()["error"]


def upload(server: Running, content: bytes, name: str = "a.png", kind: str = "image/png") -> httpx.Response:
    return server.client.post("/api/colorize", files={"photo": (name, content, kind)}, data=QUICK)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">II5B", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


def zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(size // MEBIBYTE)) + packer.flush()


def bomb_tiff(strip: bytes, compression: int = 8, side: int = 64) -> bytes:
    """A TIFF of `side` squared gray pixels in one strip."""
    tags = [
        (256, 3, side),
        (257, 3, side),
        (258, 3, 8),
        (259, 3, compression),
        (262, 3, 1),
        (273, 4, 0),
        (277, 3, 1),
    ]
    tags += [(278, 3, side), (279, 4, len(strip))]
    place = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", t, k, 1, place if t == 273 else v) for t, k, v in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + strip


def zip_bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100 * MEBIBYTE))
    return stream.getvalue()


NAMES = [
    "../../../etc/cron.d/x.png",
    "..\\..\\windows\\x.png",
    "/etc/passwd",
    "a\0b.png",
    "..",
    "x" * 500,
    "\u202egnp.exe",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_never_becomes_a_path(name, server, spool):
    said = server.begin(GRAY, name)
    assert "/" not in said["name"]
    assert "\\" not in said["name"]
    assert said["name"] not in ("", ".", "..")
    assert len(said["name"]) <= 120
    assert all(each.isprintable() for each in said["name"])
    assert [path for path in spool.rglob("*") if path.is_file()] == []
    saved = server.client.post(f"/api/sessions/{said['id']}/render", json={})
    assert saved.headers["content-disposition"].isascii()
    assert "/" not in saved.headers["content-disposition"].partition("filename")[2]
    server.client.delete(f"/api/sessions/{said['id']}")


@pytest.mark.parametrize(
    "path", ["/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/page/../../app.py", "//etc/passwd"]
)
def test_the_page_is_all_that_is_served(path, server):
    connection = server.connect()
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer_of(connection).startswith(b"HTTP/1.1 404")


def test_two_gigabytes_are_refused_by_their_announcement(server):
    connection = server.connect()
    head = (
        "POST /api/colorize HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    )
    connection.sendall(f"{head}Content-Length: {2 << 30}\r\n\r\n".encode())
    first = connection.recv(65536)  # nothing of the body was sent
    assert first.startswith(b"HTTP/1.1 413")
    connection.close()


def test_two_gigabytes_in_pieces_are_refused_as_they_come(server):
    sent = 0

    def pieces():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
        for _ in range(2048):
            sent += MEBIBYTE
            yield bytes(MEBIBYTE)

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    with suppress(
        httpx.WriteError
    ):  # the connection may be cut while we still send; what counts is how much was taken
        refused(server.client.post("/api/colorize", content=pieces(), headers=kind), 413, "4 MiB")
    assert sent < 64 * MEBIBYTE


def test_json_bodies_have_a_smaller_limit(server):
    session = server.begin(GRAY)
    place = f"/api/sessions/{session['id']}"
    refused(server.client.post(f"{place}/preview", content=b"[" * (2 * MEBIBYTE)), 413)
    refused(server.client.post(f"{place}/preview", content=b"[" * 500_000), 422)
    server.client.delete(place)


def test_whoever_sends_a_head_slowly_is_shown_out(impatient):
    began = time.monotonic()
    slow = [impatient.connect() for _ in range(30)]
    for connection in slow:
        connection.sendall(b"POST /api/colorize HTTP/1.1\r\nHost: localhost\r\nX-")
    assert httpx.get(f"{impatient.url}/healthz", timeout=60).status_code == 200
    for _ in range(4):
        time.sleep(0.25)
        for connection in slow[:5]:  # these go on, a letter at a time
            try:
                connection.sendall(b"a")
            except OSError:
                assert time.monotonic() - began > 0.5, "before its time"
    assert all(answer_of(connection).startswith(b"HTTP/1.1 408") for connection in slow[5:])


def test_a_connection_that_says_nothing_is_closed(impatient):
    assert answer_of(impatient.connect()) == b""


@pytest.mark.parametrize("trickle", [b"", b"a"])
def test_whoever_sends_a_body_slowly_is_shown_out(trickle, impatient):
    connection = impatient.connect()
    head = (
        "POST /api/colorize HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    )
    connection.sendall(f"{head}Content-Length: 100000\r\n\r\n--x\r\n".encode())
    connection.settimeout(0.2)
    answer = b""

    def answered() -> bool:
        nonlocal answer
        with suppress(TimeoutError):
            connection.sendall(trickle)
            answer = connection.recv(4096)
        return answer != b""

    assert until(answered)
    assert answer.startswith(b"HTTP/1.1 408")
    connection.close()


def test_whoever_reads_slowly_is_cut_off(impatient):
    noise = png(np.random.default_rng(0).integers(0, 255, (1300, 1500), np.uint8))
    begun: list[httpx.Response] = []

    def has_begun() -> bool:
        begun.append(impatient.client.post("/api/sessions", files={"photo": ("a.png", noise)}))
        return begun[-1].status_code == 201

    assert until(has_begun)
    place = f"/api/sessions/{begun[-1].json()['id']}"
    body = json.dumps({"format": "bmp", "options": {"strength": 0}}).encode()
    head = f"POST {place}/render HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    connection = socket.socket()

    def is_answered() -> bool:
        nonlocal connection
        connection.close()
        connection = socket.socket()
        connection.settimeout(60)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", impatient.port))
        connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        return connection.recv(1000).startswith(b"HTTP/1.1 200")

    assert until(is_answered)
    assert until(lambda: connection.getsockname() not in impatient.connected())
    assert len(answer_of(connection)) < 3 * 1300 * 1500
    assert impatient.client.delete(place).status_code == 204


BOMBS = {
    "zip named .png": (zip_bomb(), 422, "not"),
    "60000x60000 header": (png_header(60000, 60000), 413, "60000"),
    "just over the limit": (png_header(2000, 1001), 413, "2000x1001"),
    "PackBits bomb": (bomb_tiff(b"\x81\0" * MEBIBYTE, 32773), 422, "damaged"),
    "SVG with a script": (
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        422,
        "",
    ),
    "HTML": (b"<!doctype html><script>alert(1)</script>", 422, ""),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file", 422, ""),
    "half a PNG": (GRAY[:200], 422, "a.png"),
    "random bytes": (secrets.token_bytes(5000), 422, ""),
}


@pytest.mark.parametrize("side", [64, 1024])
def test_a_bomb_in_a_strip_is_decoded_as_far_as_its_picture_goes(side, server):
    """The decoder writes into the strip's own bytes; the 256 MiB behind them are never made."""
    answer = upload(server, bomb_tiff(zeros(256 * MEBIBYTE), side=side), "a.tif", "image/tiff")
    assert answer.status_code == 200
    assert Photo.read(answer.content).width == side


@pytest.mark.parametrize("case", BOMBS)
def test_what_is_no_photograph_is_refused(case, server):
    content, status, names = BOMBS[case]
    refused(upload(server, content), status, names)
    refused(server.client.post("/api/sessions", files={"photo": ("a.png", content)}), status)


def test_a_bomb_is_refused_as_a_reference_and_as_hints_too(server):
    bomb, photo = png_header(60000, 60000), ("a.png", GRAY)
    refused(server.client.post("/api/colorize", files={"photo": photo, "reference": ("r.png", bomb)}), 413)
    refused(
        server.client.post("/api/colorize", files={"photo": photo, "hints": ("h.png", bomb)}), 422, "60000"
    )


def test_references_together_have_a_limit_of_pixels(server):
    large = io.BytesIO()
    Image.effect_noise((1200, 1000), 90).convert("RGB").save(large, "JPEG", quality=20)
    files = [("photo", ("a.png", GRAY))] + [("reference", ("r.jpg", large.getvalue()))] * 2
    refused(server.client.post("/api/colorize", files=files), 413)


def test_a_forged_content_type_decides_nothing(server):
    answer = upload(server, GRAY, "a.html", "text/html")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    refused(upload(server, b"<script>alert(1)</script>", "a.png", "image/png"), 422)


def test_ten_thousand_hints_are_refused(server):
    points = {"points": [[n % 64, n % 48, "#8c5a3c"] for n in range(10_000)]}
    fields = {"hints": json.dumps(points)}
    refused(
        server.client.post("/api/colorize", files={"photo": ("a.png", GRAY)}, data=fields), 422, "10000 hints"
    )
    stroke = {"strokes": [{"points": [[n % 64, n % 48] for n in range(20_000)], "color": "#fff"}]}
    session = server.begin(GRAY)
    place = f"/api/sessions/{session['id']}"
    refused(server.client.post(f"{place}/preview", json={"hints": points}), 422, "10000 hints")
    refused(server.client.post(f"{place}/preview", json={"hints": stroke}), 422, "20000 points")
    server.client.delete(place)


@pytest.mark.parametrize(
    "charset", ["undefined", "punycode", "idna", "utf-16", "utf-7", "base64", "none", '""']
)
def test_a_form_in_another_encoding_is_refused(charset, server):
    head = b'--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n{"size": 64, "method": "\xff"}\r\n--b--\r\n'
    kind = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
    for path in ("/api/colorize", "/api/sessions"):
        refused(server.client.post(path, content=head, headers=kind), 415, "send UTF-8")


@pytest.mark.parametrize(
    "given", ["Multipart/Form-Data", "MULTIPART/FORM-DATA; Charset=UTF-8", "multipart/form-data "]
)
def test_a_form_is_known_by_its_type_however_that_is_written(given, server):
    """Media types and their parameters are of no case (RFC 9110, 8.3.1)."""
    sent = httpx.Request("POST", server.url, files={"photo": ("a.png", GRAY)}, data=QUICK)
    boundary = sent.headers["content-type"].partition(";")[2]
    kind = {"Content-Type": f"{given};{boundary}"}
    assert server.client.post("/api/colorize", content=sent.read(), headers=kind).status_code == 200
    for other in ("multipart/form-data-2", "multipart/mixed", "application/json"):
        kind = {"Content-Type": f"{other};{boundary}"}
        refused(server.client.post("/api/colorize", content=sent.read(), headers=kind), 415)


def test_a_working_size_beyond_the_server_s_is_refused_before_anything_is_computed(server):
    most = Settings().max_size
    for method in (None, "levin", "welsh"):
        options = {"method": method, "size": most + 1}
        form = {"options": json.dumps(options)}
        answer = server.client.post("/api/colorize", files={"photo": ("a.png", GRAY)}, data=form)
        refused(answer, 422, f"size is {most + 1}; this server takes at most {most} (its --max-size)")
        place = f"/api/sessions/{server.begin(GRAY)['id']}"
        for route, more in {"preview": {}, "render": {}, "suggest": {"x": 1, "y": 1}, "project": {}}.items():
            refused(
                server.client.post(f"{place}/{route}", json={"options": options, **more}), 422, "--max-size"
            )
        server.client.delete(place)


def test_a_server_s_working_size_is_its_own(spool):
    with running(spool, max_size=64) as server:
        for size, status in {64: 200, 65: 422}.items():
            form = {**QUICK, "options": json.dumps({"method": "levin", "size": size})}
            answer = server.client.post("/api/colorize", files={"photo": ("a.png", GRAY)}, data=form)
            assert answer.status_code == status, answer.text
    for size in (31, 2049):
        with pytest.raises(OptionError, match="32 to 2048"):
            Settings(max_size=size)


def test_a_name_of_pages_is_refused(server):
    refused(upload(server, GRAY, "x" * 50_000), 400)


def test_too_many_parts_are_refused(server):
    files = [("photo", ("a.png", GRAY))] + [("reference", ("r.png", b"x"))] * 200
    refused(server.client.post("/api/colorize", files=files), 400)


def test_another_person_s_session_is_not_there(server):
    with httpx.Client(base_url=server.url) as alice, httpx.Client(base_url=server.url) as bob:
        for browser in (alice, bob):
            browser.get("/")
        session = alice.post("/api/sessions", files={"photo": ("a.png", GRAY)}).json()
        place = f"/api/sessions/{session['id']}"
        assert alice.get(place).status_code == 200
        for stranger in (bob, server.client):
            refused(stranger.get(place), 404)
            refused(stranger.get(f"{place}/gray"), 404)
            refused(stranger.post(f"{place}/render", json={}), 404)
            refused(stranger.delete(place), 404)
        assert alice.delete(place).status_code == 204


def test_session_ids_cannot_be_guessed(server):
    names = [server.begin(GRAY)["id"] for _ in range(3)]
    assert len(set(names)) == 3
    assert min(map(len, names)) >= 32
    others_end = "y" if names[0].endswith("x") else "x"
    refused(server.client.get(f"/api/sessions/{names[0][:-1]}{others_end}"), 404)
    for name in names:
        server.client.delete(f"/api/sessions/{name}")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://["},
        {"Origin": "http://]:1"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
    ],
)
def test_another_site_s_page_may_not_post(headers, server):
    files = {"photo": ("a.png", GRAY)}
    refused(server.client.post("/api/colorize", files=files, headers=headers), 403)
    session = server.begin(GRAY)
    refused(server.client.delete(f"/api/sessions/{session['id']}", headers=headers), 403)
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert server.client.delete(f"/api/sessions/{session['id']}", headers=own).status_code == 204


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[", "localhost.evil"]
)
def test_a_name_that_points_here_opens_nothing(host, server):
    connection = server.connect()
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer_of(connection)[:12] in (b"HTTP/1.1 421", b"HTTP/1.1 400")


def test_every_answer_forbids_other_hosts(server):
    for path in ("/", "/docs", "/api/methods", "/nothing"):
        headers = server.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_whoever_goes_away_leaves_nothing(server, spool):
    for cut in (100, 1_500_000):
        connection = server.connect()
        head = "POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        part = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
        connection.sendall(f"{head}Content-Length: 3000000\r\n\r\n".encode() + part + bytes(cut))
        assert until(lambda: server.studio._app._app.spooled >= cut)  # noqa: B023
        connection.close()
        assert until(lambda: server.studio._app._app.spooled == 0)
    assert len(server.studio.sessions) == 0


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"A" * 200_000, b"\r\n" * 999]
)
def test_what_is_not_http_is_closed(junk, server):
    connection = server.connect()
    try:
        connection.sendall(junk)
    except OSError:
        return
    assert b" 200 " not in answer_of(connection)


def test_a_full_queue_says_when_to_come_again(spool):
    with running(spool, waiting=1) as server:
        held, started = threading.Event(), threading.Barrier(3)

        def hold() -> None:
            started.wait(60)
            held.wait(120)

        post = {
            "url": f"{server.url}/api/colorize",
            "files": {"photo": ("a.png", GRAY)},
            "data": QUICK,
            "timeout": 120,
        }
        answers: list[httpx.Response] = []
        loop_thread = threading.Thread(target=lambda: answers.append(httpx.post(**post)))
        for _ in range(2):  # the worker's thread, and the one for what is urgent
            server.studio.pool._threads.submit(hold)
        started.wait(60)
        workers = [loop_thread, threading.Thread(target=lambda: answers.append(httpx.post(**post)))]
        for thread in workers:
            thread.start()
        assert until(lambda: bool(server.studio.pool._queue))
        answer = httpx.post(**post)
        refused(answer, 429, "busy")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert httpx.get(f"{server.url}/healthz").json()["waiting"] == 1
        held.set()
        for thread in workers:
            thread.join(120)
        assert [each.status_code for each in answers] == [200, 200]


def test_sessions_are_bounded_and_expire(spool):
    with running(spool, sessions=2) as server:
        first = [server.begin(GRAY)["id"] for _ in range(2)]
        refused(server.client.post("/api/sessions", files={"photo": ("a.png", GRAY)}), 429)
        for session in server.studio.sessions._sessions.values():
            session.last_used -= 2 * server.studio.settings.idle_seconds
        server.begin(GRAY)
        assert len(server.studio.sessions) == 1
        refused(server.client.get(f"/api/sessions/{first[0]}"), 404)
    assert list(spool.rglob("*")) == []


def test_what_is_not_kept_in_memory_is_read_again(spool):
    with running(spool, memory=1) as server:
        sessions = [server.begin(GRAY) for _ in range(3)]
        looks = [
            server.client.post(f"/api/sessions/{each['id']}/preview", json={}).content
            for each in sessions * 2
        ]
        assert len(set(looks)) == 1
        assert sum(each.memory > 0 for each in server.studio.sessions._sessions.values()) == 1


def test_a_public_address_wants_a_token():
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(OptionError, match="token"):
            Settings(host=host)
        assert not Settings(host=host, token=TOKEN).is_local
    assert Settings(host="127.0.0.1").is_local
    with pytest.raises(OptionError, match="characters"):
        Settings(token="short")


def test_without_its_token_nothing_is_told(spool):
    with running(spool, token=TOKEN) as server:
        stranger = server.client
        assert stranger.get("/healthz").status_code == 200
        for path in ("/", "/docs", "/openapi.json", "/api/methods", "/?token=wrong", "/nothing"):
            refused(stranger.get(path), 401)
        refused(stranger.post("/api/sessions", files={"photo": ("a.png", GRAY)}), 401)
        refused(stranger.get("/api/methods", headers={"Authorization": "Bearer no"}), 401)
        assert stranger.get("/api/methods", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        with httpx.Client(base_url=server.url) as browser:
            entered = browser.get("/", params={"token": TOKEN})
            assert entered.status_code == 303
            assert TOKEN not in entered.headers["location"]
            assert TOKEN not in entered.headers["set-cookie"]
            assert "HttpOnly" in entered.headers["set-cookie"]
            assert "samesite=strict" in entered.headers["set-cookie"].lower()
            assert browser.get("/api/methods").status_code == 200


def test_stopping_waits_for_work_and_removes_everything(spool):
    with running(spool) as server:
        large = png(np.random.default_rng(0).integers(0, 255, (1500, 1500), np.uint8))
        session = server.begin(large, timeout=60)
        found: list[httpx.Response] = []
        place = f"{server.url}/api/sessions/{session['id']}/render"
        saving = threading.Thread(target=lambda: found.append(httpx.post(place, json={}, timeout=60)))
        saving.start()
        assert until(lambda: server.studio.pool._busy > 0)
    saving.join(60)
    assert found[0].status_code == 200
    assert list(spool.rglob("*")) == []
