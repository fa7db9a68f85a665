"""Laws of decoding beside the server: what takes too long is ended and answered in a line, and the server goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from studio_server import Running, answer_of, png, running
from tinct.errors import PhotoError
from tinct.web import decoder_process, decoding
from tinct.web.worker_pool import BusyError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")

GRAY = png(np.linspace(20, 230, 64 * 48).reshape(48, 64).astype(np.uint8))
QUICK = {"options": '{"method": "levin"}', "hints": '{"points": [[9, 9, "#8c5a3c"]]}'}

HOGS = """
import sys, time; sys.path[:] = sys.argv[1:]
from tinct.web import decoder_worker
def read(content, max_pixels):
    if content.startswith(b"computes"):
        while True:
            pass
    if content.startswith(b"sleeps"):
        time.sleep(1000)
    if content.startswith(b"grows"):
        return bytearray(1 << 40)
    if content.startswith(b"dies"):
        import os; os._exit(3)
    if content.startswith(b"fails"):
        raise ZeroDivisionError("a defect")
    return decoder_worker.read_photo(content, max_pixels)
decoder_worker.TASKS["photo"] = read
decoder_worker.main()
"""
"""A decoder that files of a few letters make do what hostile ones do."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(decoder_process, "_START", HOGS)
    monkeypatch.setattr(decoding, "DECODE_SECONDS", 1.0)
    monkeypatch.setattr(decoding.DecodingTask.__init__, "__defaults__", (1.0,))
    decoding.decoder_pool.cache_clear()
    with running(tmp_path, max_pixels=2_000_000) as found:
        yield found
    decoding.decoder_pool().close()
    decoding.decoder_pool.cache_clear()


def send(server: Running, photo: bytes, path: str = "/api/colorize") -> httpx.Response:
    data = QUICK if path == "/api/colorize" else {}
    return httpx.post(server.url + path, files={"photo": ("a.png", photo)}, data=data, timeout=120)


def goes_on(server: Running) -> bool:
    """Whether a sound photograph is colorized; a busy machine may need several tries, as the limit here is 3 s."""
    return any(send(server, GRAY).status_code == 200 for _ in range(30))


@pytest.mark.parametrize("path", ["/api/colorize", "/api/sessions"])
@pytest.mark.parametrize(
    ("photo", "status", "told"),
    [
        (b"computes", 422, "a.png: takes too long to decode"),
        (b"sleeps", 422, "a.png: takes too long to decode"),
        (b"dies", 422, "a.png: takes too long to decode, or too much memory"),
        (b"grows", 413, "memory"),
        (b"fails", 500, "log"),
        (b"text", 422, "a.png"),
    ],
)
def test_a_hostile_file_is_answered_in_a_line_and_the_server_goes_on(
    path: str, photo: bytes, status: int, told: str, server: Running
) -> None:
    answer = send(server, photo, path)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert told in answer.json()["error"]
    assert goes_on(server)


def test_the_server_answers_while_a_file_is_decoded(server: Running) -> None:
    hog = threading.Thread(target=send, args=(server, b"sleeps"))
    hog.start()
    waits = []
    while hog.is_alive():
        began = time.monotonic()
        assert httpx.get(f"{server.url}/healthz", timeout=30).status_code == 200
        waits.append(time.monotonic() - began)
    hog.join()
    assert len(waits) > 3


def test_what_nobody_waits_for_is_not_decoded(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding.DecodingTask.__init__, "__defaults__", (100.0,))
    with suppress(httpx.TimeoutException):
        httpx.post(f"{server.url}/api/colorize", files={"photo": ("a.png", b"sleeps")}, timeout=3)
    until = time.monotonic() + 30
    while decoding.decoder_pool()._tasks and time.monotonic() < until:
        time.sleep(0.05)
    assert not decoding.decoder_pool()._tasks


def test_long_decodings_give_way_to_those_that_wait(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding.DecodingTask.__init__, "__defaults__", (100.0,))
    answers: list[httpx.Response] = []
    hogs = [threading.Thread(target=lambda: answers.append(send(server, b"sleeps"))) for _ in range(4)]
    for hog in hogs:
        hog.start()
    until = time.monotonic() + 30
    while len(decoding.decoder_pool()._tasks) < 4 and time.monotonic() < until:
        time.sleep(0.05)
    assert send(server, GRAY).status_code == 200
    for hog in hogs:
        hog.join(0 if hog is not hogs[0] else 0.5)
    assert [answer.status_code for answer in answers] == [429] * len(answers)
    assert 1 <= len(answers) <= 4
    assert int(answers[0].headers["retry-after"]) >= 1
    decoding.decoder_pool().close()
    for hog in hogs:
        hog.join(30)


def test_no_room_for_uploads_is_a_line(tmp_path: Path) -> None:
    large = png(np.random.default_rng(0).integers(0, 255, (1200, 1200), np.uint8))
    assert len(large) > 1 << 20
    with running(tmp_path / "not there") as server:
        answer = httpx.post(f"{server.url}/api/colorize", files={"photo": ("a.png", large)}, timeout=60)
        assert answer.status_code == 507
        assert set(answer.json()) == {"error"}
        assert goes_on(server)


SERVE = """
import sys
from tinct.web import decoder_process, decoding, serving
decoder_process._START = sys.argv[1]
decoding.DecodingTask.__init__.__defaults__ = (100.0,)
serving.GRACE_SECONDS, serving.EXIT_SECONDS = 1, 4
from tinct.cli import main
main(["serve", "--port", "0"])
"""


def processes_with(mark: str) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (place / "environ").read_bytes() and (place / "cmdline").read_bytes():
                found.append(place.name)
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_time_whatever_is_being_decoded(how: int, tmp_path: Path) -> None:
    mark = f"TINCT_TEST_MARK={os.getpid()}-{how}"
    name, _, value = mark.partition("=")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, HOGS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {name: value, "TMPDIR": str(tmp_path)},
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[3]
        answers: list[httpx.Response] = []
        files = {"photo": ("a.png", b"computes")}
        hog = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{url}api/colorize", files=files, timeout=60))
        )
        hog.start()
        with socket.create_connection(("127.0.0.1", int(url.rstrip("/").rpartition(":")[2])), 60) as slow:
            head = "POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
            slow.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x".encode())
            time.sleep(3)
            server.send_signal(how)
            assert answer_of(slow).startswith(b"HTTP/1.1 503 ")
        assert server.wait(20) == 0
        hog.join(10)
        assert [answer.status_code for answer in answers] == [503]
        assert set(answers[0].json()) == {"error"}
        assert server.stderr is not None
        assert "Traceback" not in server.stderr.read()
        assert list(tmp_path.iterdir()) == []
        until = time.monotonic() + 20
        while processes_with(mark) and time.monotonic() < until:
            time.sleep(0.1)
        assert processes_with(mark) == []
    finally:
        server.kill()
        server.communicate()


def niceness(process: decoder_process.DecoderProcess) -> int:
    return os.getpriority(os.PRIO_PROCESS, process._process.pid)


def hog(content: bytes, task: decoding.DecodingTask) -> threading.Thread:
    """A thread that decodes a hostile file until the task is cancelled."""

    def work() -> None:
        with suppress(PhotoError, BusyError):
            task.decode("photo", content, max_pixels=1000)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_what_computes_long_goes_on_at_a_lower_priority(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that computes is lowered once it has computed for a slice; one that only waits never is."""
    monkeypatch.setattr(decoding, "SLICE_SECONDS", 0.05)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    computing, sleeping = decoding.DecodingTask(100.0), decoding.DecodingTask(100.0)
    threads = [hog(b"computes", computing), hog(b"sleeps", sleeping)]
    until = time.monotonic() + 60
    while not (computing._process and computing._process.is_lowered) and time.monotonic() < until:
        time.sleep(0.02)
    assert computing._process is not None
    assert niceness(computing._process) == own + decoder_process.LOWERED
    assert computing.spent >= 0.05
    assert sleeping._process is not None
    assert niceness(sleeping._process) == own
    assert sleeping.spent < 0.05
    for task, thread in zip((computing, sleeping), threads, strict=True):
        task.cancel()
        thread.join(60)
    assert computing.spent >= 0.05  # the account is kept when the process is gone


def test_a_task_that_is_lowered_has_no_process_of_the_server_s_priority(server: Running) -> None:
    own, levels = os.getpriority(os.PRIO_PROCESS, 0), []
    for lowered in (False, True, True, False):
        task = decoding.DecodingTask(100.0, lowered=lowered)
        process = decoding.decoder_pool().acquire(task)
        levels.append(niceness(process) - own)
        decoding.decoder_pool().release(task, process)
    assert levels == [0, decoder_process.LOWERED, decoder_process.LOWERED, 0]


def test_what_is_dear_is_charged_to_the_address_that_sent_it(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second of computing, after which the system ends the decoder, is on the account; a small photograph is not."""
    monkeypatch.setattr(decoding, "WALL_FACTOR", 100.0)
    accounts = server.studio.pool.accounts
    accounts._clock = lambda: 0.0  # nothing is forgotten, however slow this machine is
    assert goes_on(server)
    few = accounts.spent("127.0.0.1")
    assert few < 0.5
    send(server, b"computes")
    assert accounts.spent("127.0.0.1") > few + 0.5
