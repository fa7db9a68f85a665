"""Laws of batches: each photograph once, whatever kills the run; the same bytes as a plain call; faults are rows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

import tinct
from archive.archive_scene import QUICK, rows_of, write_hints, write_photographs
from own_cache import own_cache
from tinct.archive.batch import run_batch
from tinct.archive.entry import DONE, FAILED, REFUSED, SKIPPED, Entry
from tinct.archive.ledger import IDENTITY, Ledger
from tinct.archive.manifest import plan, write_manifest
from tinct.archive.storage import Store
from tinct.archive.verify import verified
from tinct.archive.worker import Job, Worker


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))


def test_results_are_those_of_a_plain_call(tmp_path: Path):
    rows = rows_of(tmp_path, 3)
    job = Job(str(tmp_path / "out"))
    outcome = run_batch(rows, job, jobs=2)
    assert outcome.statuses == {DONE: 3}
    for row in rows:
        plain = tinct.colorize(row.uri, hints=row.hints, **QUICK).encode("png")
        assert (tmp_path / "out" / f"{row.key}.png").read_bytes() == plain
    entries = {entry.id: entry for entry in Ledger(Store(job.out)).entries()}
    for row in rows:
        entry = entries[row.id]
        assert entry.sha256_in == sha256(Path(row.uri).read_bytes()).hexdigest()
        assert entry.sha256_out == sha256((tmp_path / "out" / entry.output).read_bytes()).hexdigest()
        assert (entry.width, entry.height, entry.method) == (32, 24, "levin")


def test_a_finished_batch_has_nothing_to_do(tmp_path: Path):
    rows, job = rows_of(tmp_path, 2), Job(str(tmp_path / "out"))
    run_batch(rows, job)
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    again = run_batch(rows, job)
    assert (again.settled, again.statuses) == (2, {})
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == written


def test_one_bad_photograph_is_a_row_with_its_message(tmp_path: Path):
    rows = rows_of(tmp_path, 2)
    (tmp_path / "in" / "p000.png").write_bytes(b"not a picture")
    (tmp_path / "in" / "p001.png").unlink()
    write_photographs(tmp_path / "more", 1)
    rows += plan(str(tmp_path / "more"), hints=write_hints(tmp_path), options=QUICK)
    job = Job(str(tmp_path / "out"))
    assert run_batch(rows, job).statuses == {REFUSED: 1, FAILED: 1, DONE: 1}
    messages = {entry.status: entry.message for entry in Ledger(Store(job.out)).entries()}
    assert messages[REFUSED].startswith("p000.png: it is not a photograph")
    assert "is not there" in messages[FAILED]
    write_photographs(tmp_path / "in", 2)
    again = run_batch(rows, job)
    assert (again.settled, again.statuses) == (2, {DONE: 1})  # what could not be reached is tried again
    assert run_batch(rows, job, retry_refused=True).statuses == {DONE: 1}


def test_own_results_are_passed_over(tmp_path: Path):
    rows = rows_of(tmp_path, 1)
    run_batch(rows, Job(str(tmp_path / "out")))
    own = plan(str(tmp_path / "out"), hints=rows[0].hints, options=QUICK)
    worker = Worker(Job(str(tmp_path / "second")))
    assert worker.process(own[0]).status == SKIPPED
    assert Worker(Job(str(tmp_path / "second"), again=True)).process(own[0]).status == DONE


def test_shards_make_together_what_one_run_makes(tmp_path: Path):
    rows = rows_of(tmp_path, 6)
    run_batch(rows, Job(str(tmp_path / "whole")))
    for index in range(3):
        run_batch(rows, Job(str(tmp_path / "parts")), shard=(index, 3))
    names = sorted(path.name for path in (tmp_path / "whole").glob("*.png"))
    assert len(names) == 6
    for name in names:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_run_killed_again_and_again_loses_nothing_and_does_nothing_twice(tmp_path: Path):
    rows = rows_of(tmp_path, 40)
    write_manifest(rows, str(tmp_path / "m.parquet"))
    command = [sys.executable, "-c", "from tinct.cli import main; main()", "batch", "start"]
    command += [str(tmp_path / "m.parquet"), "--out", str(tmp_path / "out"), "--jobs", "2"]
    kills = 0
    while kills < 4:
        before = len(list((tmp_path / "out").glob("*.png"))) if (tmp_path / "out").exists() else 0
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and run.poll() is None:
            there = len(list((tmp_path / "out").glob("*.png"))) if (tmp_path / "out").exists() else 0
            if there >= min(before + 5, 39):
                break
            time.sleep(0.01)
        if run.poll() is not None:
            break
        run.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        run.wait()
        kills += 1
    assert kills >= 3
    finished = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert finished.returncode == 0, finished.stderr
    ledger = Ledger(Store(str(tmp_path / "out")))
    assert {entry.id for entry in ledger.entries()} == {row.id for row in rows}
    times = Counter(entry.id for entry in ledger.all_entries())
    assert max(times.values()) == 1  # a row is written once: only what had no row yet was done again
    assert all(fault is None for fault in verified(Store(str(tmp_path / "out"))))
    assert not list((tmp_path / "cache" / "archive").rglob("*.jsonl"))


def test_a_worker_that_dies_costs_one_photograph_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = rows_of(tmp_path, 3)
    job = Job(str(tmp_path / "out"))
    killer = tmp_path / "sitecustomize.py"
    killer.write_text(
        "import tinct.archive.worker as w, os, signal\n"
        "process = w.Worker.process\n"
        "def dying(self, row):\n"
        f"    if row.uri.endswith({Path(rows[1].uri).name!r}): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return process(self, row)\n"
        "w.Worker.process = dying\n"
    )
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    )
    outcome = run_batch(rows, job, jobs=1)
    assert outcome.statuses == {DONE: 2, FAILED: 1}
    failed = next(entry for entry in Ledger(Store(job.out)).entries() if entry.status == FAILED)
    assert (failed.uri, "its process ended" in failed.message) == (rows[1].uri, True)


def test_journals_of_killed_runs_become_parts_and_living_ones_are_left(tmp_path: Path):
    store = Store(str(tmp_path / "out"))
    living = Ledger(store, tmp_path / "journals")
    living.append(Entry(1, "a", DONE))
    (identity,) = [key.removeprefix(IDENTITY) for key in living.store.list() if key.startswith(IDENTITY)]
    dead = tmp_path / "journals" / f"{identity}-999999-dead.jsonl"
    dead.write_text('{"id": 2, "uri": "b", "status": "done"}\n{"id": 3, "uri": "c", "st')
    assert Ledger(store, tmp_path / "journals").recover() == 1
    assert Ledger(store, tmp_path / "journals").statuses() == {2: DONE}
    living.flush()
    assert Ledger(store, tmp_path / "journals").statuses() == {1: DONE, 2: DONE}
    assert not list((tmp_path / "journals").iterdir())


def test_the_last_word_on_a_photograph_counts(tmp_path: Path):
    ledger = Ledger(Store(str(tmp_path / "out")), tmp_path / "journals")
    for status, finished in ((FAILED, 1.0), (DONE, 3.0), (REFUSED, 2.0)):
        ledger.append(Entry(7, "a", status, finished=finished))
        ledger.flush()
    assert ledger.statuses() == {7: DONE}
    assert [entry.status for entry in ledger.entries()] == [DONE]
    assert len(ledger.all_entries()) == 3


def test_a_batch_runs_wholly_in_memory_stores(tmp_path: Path):
    write_photographs(tmp_path / "in", 2)
    source = Store("memory://batch/in")
    for path in sorted((tmp_path / "in").iterdir()):
        source.put(path.name, path.read_bytes())
    Store("memory://batch").put("hints.json", Path(write_hints(tmp_path)).read_bytes())
    rows = plan("memory://batch/in", hints="memory://batch/hints.json", options=QUICK)
    worker = Worker(Job("memory://batch/out"))
    entries = [worker.process(row) for row in rows]
    assert [entry.status for entry in entries] == [DONE, DONE], [entry.message for entry in entries]
    assert Store("memory://batch/out").list() == sorted(entry.output for entry in entries)


def test_verification_finds_what_is_missing_altered_or_of_nobody(tmp_path: Path):
    rows, job = rows_of(tmp_path, 3), Job(str(tmp_path / "out"))
    run_batch(rows, job)
    (tmp_path / "out" / f"{rows[0].key}.png").unlink()
    (tmp_path / "out" / f"{rows[1].key}.png").write_bytes(b"other")
    (tmp_path / "out" / "stranger.png").write_bytes(b"x")
    found = Counter(fault.kind if fault else "good" for fault in verified(Store(job.out)))
    assert found == {"missing": 1, "altered": 1, "orphan": 1, "good": 1}
