"""What the ledger of a batch counts as settled, and what it says of parts that are damaged or not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pyarrow = pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

from pyarrow import parquet

from archive.archive_scene import QUICK, rows_of
from tinct.archive.batch import run_batch
from tinct.archive.entry import DONE, REFUSED, SETTLED, SKIPPED, Entry
from tinct.archive.ledger import Ledger
from tinct.archive.manifest import Row, plan, write_manifest
from tinct.archive.storage import Store
from tinct.archive.verify import verified
from tinct.archive.worker import Job
from tinct.cli import EXIT_BAD_INPUT, run
from tinct.errors import StorageError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))


def killed_with(out: Path, *entries: Entry) -> None:
    """Leave the journal of a run that was killed after these entries."""
    ledger = Ledger(Store(str(out)))
    for entry in entries:
        ledger.append(entry)
    ledger._journal.close()  # as the end of the process does, which gives back the lock as well


def test_the_journal_of_a_killed_run_enters_the_ledger_of_its_own_folder(tmp_path: Path):
    killed_with(tmp_path / "out", Entry(1, "a", REFUSED))
    ledger = Ledger(Store(str(tmp_path / "out")))
    assert ledger.recover() == 1
    assert ledger.statuses() == {1: REFUSED}


@pytest.mark.parametrize("line", ["5", "null", "[]", '"text"', '{"id": 2', "{}", '{"id": "2"}'])
def test_lines_of_a_journal_that_are_no_outcomes_are_passed_over(tmp_path: Path, line: str):
    killed_with(tmp_path / "out", Entry(1, "a", REFUSED))
    (journal,) = (tmp_path / "cache").rglob("*.jsonl")
    journal.write_text(f"{line}\n{journal.read_text()}{line}")
    ledger = Ledger(Store(str(tmp_path / "out")))
    assert ledger.recover() == 1
    assert ledger.statuses() == {1: REFUSED}


@pytest.mark.parametrize("deleted", ["out", "out/ledger"])
def test_the_journal_of_a_deleted_folder_is_not_that_of_the_next(tmp_path: Path, deleted: str):
    killed_with(tmp_path / "out", Entry(1, "a", REFUSED), Entry(2, "b", DONE, output="2.png"))
    shutil.rmtree(tmp_path / deleted, ignore_errors=True)
    ledger = Ledger(Store(str(tmp_path / "out")))
    ledger.append(Entry(3, "c", SKIPPED))
    other = Ledger(Store(str(tmp_path / "out")))
    assert other.recover() == 0
    ledger.flush()
    assert other.statuses() == {3: SKIPPED}
    assert not list((tmp_path / "cache").rglob("*.jsonl"))


def test_a_batch_that_was_killed_and_deleted_is_made_anew(tmp_path: Path):
    rows, out = rows_of(tmp_path, 2), tmp_path / "out"
    killed_with(out, *(Entry(row.id, row.uri, DONE, output=f"{row.key}.png") for row in rows))
    shutil.rmtree(out, ignore_errors=True)
    assert run_batch(rows, Job(str(out))).statuses == {DONE: 2}
    assert all(fault is None for fault in verified(Store(str(out))))


@pytest.mark.parametrize("again", [False, True])
def test_results_that_are_gone_are_made_again(tmp_path: Path, again: bool):
    rows, out = rows_of(tmp_path, 2), tmp_path / "out"
    run_batch(rows, Job(str(out)))
    gone = out / f"{rows[0].key}.png"
    content = gone.read_bytes()
    gone.unlink()
    outcome = run_batch(rows, Job(str(out), again=again))
    assert (outcome.settled, outcome.statuses) == (1, {DONE: 1})
    assert gone.read_bytes() == content


def test_the_output_is_listed_once_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows, out = rows_of(tmp_path, 3), str(tmp_path / "out")
    run_batch(rows, Job(out))
    listed: list[str] = []
    plainly: Callable[[Store], list[str]] = Store.list

    def noted(store: Store) -> list[str]:
        listed.append(store.uri)
        return plainly(store)

    monkeypatch.setattr(Store, "list", noted)
    run_batch(rows, Job(out))
    assert listed.count(out) == 1


def test_again_does_what_was_passed_over(tmp_path: Path):
    rows = rows_of(tmp_path, 1)
    run_batch(rows, Job(str(tmp_path / "first")))
    own = plan(str(tmp_path / "first"), hints=rows[0].hints, options=QUICK)
    out = str(tmp_path / "out")
    assert run_batch(own, Job(out)).statuses == {SKIPPED: 1}
    assert run_batch(own, Job(out)).statuses == {}
    assert run_batch(own, Job(out, again=True)).statuses == {DONE: 1}
    assert run_batch(own, Job(out, again=True)).statuses == {}


def test_an_entry_holds_for_the_file_of_its_stamp(tmp_path: Path):
    ledger = Ledger(Store(str(tmp_path / "out")))
    ledger.append(Entry(1, "a", REFUSED, stamp="10 2.5"))
    ledger.append(Entry(2, "b", REFUSED))
    ledger.flush()
    assert set(ledger.settled(SETTLED, {1: "10 2.5", 2: "7 1.0"})) == {1, 2}
    assert set(ledger.settled(SETTLED, {1: "11 2.5"})) == {2}
    assert set(ledger.settled(SETTLED)) == {1, 2}


@pytest.mark.parametrize("command", [["verify"], ["report", "--out", "page.html"]])
def test_a_folder_without_a_ledger_is_no_batch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for folder in ("nowhere", "empty"):
        assert run(["batch", *command, folder]) == EXIT_BAD_INPUT
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.splitlines()) == 1
        assert f"{folder} has no ledger" in said.err
    assert not (tmp_path / "page.html").exists()


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def altered(content: bytes) -> bytes:
    return content[:4] + bytes(each ^ 0x5A for each in content[4:-8]) + content[-8:]


def foreign(_: bytes) -> bytes:
    stream = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table({"id": ["x"], "status": ["done"], "finished": [1.0]}), stream)
    content: bytes = stream.getvalue().to_pybytes()
    return content


@pytest.mark.parametrize("harm", [truncated, altered, foreign, lambda _: b""])
def test_a_damaged_part_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[bytes], bytes]
):
    out = tmp_path / "out"
    ledger = Ledger(Store(str(out)))
    ledger.append(Entry(1, "a", DONE, output="1.png"))
    ledger.flush()
    (part,) = (out / "ledger").glob("*.parquet")
    part.write_bytes(harm(part.read_bytes()))
    for read in (ledger.statuses, ledger.entries, lambda: ledger.settled(SETTLED)):
        with pytest.raises(StorageError, match=part.name):
            read()
    write_manifest([Row(1, "a")], str(tmp_path / "m.csv"))
    for command in (["verify", str(out)], ["start", str(tmp_path / "m.csv"), "--out", str(out)]):
        assert run(["batch", *command]) == EXIT_BAD_INPUT
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 1
        assert part.name in said[0]


def test_a_part_of_an_older_version_lacks_columns(tmp_path: Path):
    store, entry = Store(str(tmp_path / "out")), Entry(1, "a", REFUSED, notes=("n",), finished=5.0)
    columns = {name: [value] for name, value in asdict(entry).items() if name not in ("stamp", "version")}
    stream = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table(columns), stream)
    store.put("ledger/part-1.parquet", stream.getvalue().to_pybytes())
    assert Ledger(store).entries() == [entry]
    assert set(Ledger(store).settled(SETTLED, {1: "7 1.0"})) == {1}
