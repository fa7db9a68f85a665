"""Batches on an object store: a real S3 server on the loopback, started by the test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")
pytest.importorskip("s3fs", reason="S3 needs s3fs")
pytest.importorskip("moto.server", reason="the S3 server of the tests is moto's")

from archive.archive_scene import HINTS, QUICK, write_photographs
from own_cache import own_cache
from tinct.archive.entry import DONE
from tinct.archive.ledger import Ledger
from tinct.archive.manifest import plan, write_manifest
from tinct.archive.storage import Store
from tinct.archive.verify import verified

BUCKET = "s3://archive"


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty bucket behind environment variables that fsspec's S3 heeds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "TINCT_CACHE": own_cache(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir("archive")
        yield
    finally:
        server.terminate()
        server.wait(10)


def test_a_killed_run_on_s3_goes_on_and_writes_each_result_once(tmp_path: Path, s3: None):
    source = Store(f"{BUCKET}/in")
    for path in write_photographs(tmp_path / "in", 12):
        source.put(path.name, path.read_bytes())
    Store(BUCKET).put("hints.json", HINTS)
    rows = plan(f"{BUCKET}/in", hints=f"{BUCKET}/hints.json", options=QUICK)
    assert [row.uri for row in rows] == [f"{BUCKET}/in/p{number:03}.png" for number in range(12)]
    write_manifest(rows, f"{BUCKET}/m.parquet")
    command = [sys.executable, "-c", "from tinct.cli import main; main()", "batch", "start"]
    command += [f"{BUCKET}/m.parquet", "--out", f"{BUCKET}/out"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert first.stdout is not None
    for _ in range(4):
        first.stdout.readline()
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    again = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert again.returncode == 0, again.stderr
    out = Store(f"{BUCKET}/out")
    ledger = Ledger(out)
    assert {entry.id: entry.status for entry in ledger.entries()} == {row.id: DONE for row in rows}
    assert max(Counter(entry.id for entry in ledger.all_entries()).values()) == 1
    assert all(fault is None for fault in verified(out))


def test_shards_of_two_machines_share_a_ledger(tmp_path: Path, s3: None, monkeypatch: pytest.MonkeyPatch):
    from tinct.archive.batch import run_batch
    from tinct.archive.worker import Job

    for path in write_photographs(tmp_path / "in", 5):
        Store(f"{BUCKET}/in").put(path.name, path.read_bytes())
    Store(BUCKET).put("hints.json", HINTS)
    rows = plan(f"{BUCKET}/in", hints=f"{BUCKET}/hints.json", options=QUICK)
    for index in range(2):
        monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / f"machine{index}"))
        run_batch(rows, Job(f"{BUCKET}/out"), shard=(index, 2))
    assert len(Ledger(Store(f"{BUCKET}/out")).statuses()) == 5
    assert run_batch(rows, Job(f"{BUCKET}/out")).settled == 5
