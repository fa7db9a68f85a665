"""Batches on Ray Data: the same ledger and the same bytes as the plain run, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")
ray = pytest.importorskip("ray", reason="batches on Ray need it: pip install 'tinct[ray]'")
pytest.importorskip("ray.data", reason="batches on Ray need it: pip install 'tinct[ray]'")

from archive.archive_scene import QUICK, write_hints, write_photographs
from own_cache import own_cache
from tinct.archive.batch import run_batch
from tinct.archive.entry import DONE, REFUSED
from tinct.archive.ledger import Ledger
from tinct.archive.manifest import plan
from tinct.archive.ray_engine import run_on_ray
from tinct.archive.storage import Store
from tinct.archive.worker import Job
from tinct.errors import OptionError

TIMES = ("seconds", "finished", "worker")


@pytest.fixture(scope="module")
def cluster():
    """Ray on this machine with room for two actors."""
    try:
        ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except Exception as error:
        pytest.skip(f"Ray does not start on this machine: {error}")
    yield
    ray.shutdown()


def ledger_of(out: Path) -> dict[int, dict[str, Any]]:
    rows = [asdict(entry) for entry in Ledger(Store(str(out))).entries()]
    return {row["id"]: {name: value for name, value in row.items() if name not in TIMES} for row in rows}


def pictures(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.png")}


def kill_an_actor_once_something_is_written(out: Path) -> None:
    """SIGKILL to a process of an actor as soon as two results are there."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and len(list(out.glob("*.png"))) < 2:
        time.sleep(0.02)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if command.startswith(b"ray::") and b"MapWorker" in command:
                os.kill(int(process.name), signal.SIGKILL)
                return


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="actors are found through /proc")
def test_a_run_on_ray_gives_what_the_plain_run_gives_even_when_a_worker_is_killed(
    tmp_path: Path, cluster: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))
    write_photographs(tmp_path / "in", 24)
    (tmp_path / "in" / "p005.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    rows = plan(str(tmp_path / "in"), hints=write_hints(tmp_path), options=QUICK)
    run_batch(rows, Job(str(tmp_path / "plain")))
    killer = threading.Thread(target=kill_an_actor_once_something_is_written, args=(tmp_path / "ray",))
    killer.start()
    outcome = run_on_ray(rows, Job(str(tmp_path / "ray")), actors=(2, 2))
    killer.join()
    assert outcome.statuses == {DONE: 23, REFUSED: 1}
    assert ledger_of(tmp_path / "ray") == ledger_of(tmp_path / "plain")
    assert pictures(tmp_path / "ray") == pictures(tmp_path / "plain")
    assert run_on_ray(rows, Job(str(tmp_path / "ray"))).settled == 24
    assert not list((tmp_path / "ray" / "work").rglob("*.parquet"))


def test_actors_that_would_leave_no_core_to_read_rows_are_refused(tmp_path: Path, cluster: None):
    write_photographs(tmp_path / "in", 1)
    rows = plan(str(tmp_path / "in"), hints=write_hints(tmp_path), options=QUICK)
    with pytest.raises(OptionError, match="take 3 cores"):
        run_on_ray(rows, Job(str(tmp_path / "out")), actors=(3, 3))
