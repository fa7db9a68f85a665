"""Laws of `tinct serve`: it tells where it answers, ends quietly, and says in one line why it cannot begin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
import pytest

from tinct.cli import EXIT_BAD_INPUT, run

pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_stopped_and_ends_quietly(how, tmp_path, capsys):
    command = [sys.executable, "-c", "from tinct.cli import main; main()", "serve", "--port", "0"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    )
    try:
        line = server.stdout.readline()
        url = line.split()[3]
        assert url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{url}healthz").json()["status"] == "ok"
        port = url.rstrip("/").rpartition(":")[2]
        assert run(["serve", "--port", port]) == EXIT_BAD_INPUT
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert f"127.0.0.1:{port} cannot be answered on" in said
        server.send_signal(how)
        assert server.wait(30) == 0
        assert server.stderr.read() == ""
        assert list(tmp_path.iterdir()) == []
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--host", "0.0.0.0"], "no token"),
        (["--host", "0.0.0.0", "--token", "short"], "characters"),
        (["--host", "203.0.113.1", "--token", "long enough a token"], "--host"),
        (["--port", "99999"], "--port"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_what_cannot_begin_says_why_in_one_line(arguments, names, capsys):
    assert run(["serve", *arguments]) == EXIT_BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert names in err
