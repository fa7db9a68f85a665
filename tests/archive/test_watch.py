"""Laws of watched folders: what has gone is no fault, other content is a new arrival, failures are not hammered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

from archive.archive_scene import write_photographs
from own_cache import own_cache
from tinct.archive import batch, watch
from tinct.archive.entry import DONE, FAILED, REFUSED, Entry
from tinct.archive.ledger import Ledger
from tinct.archive.manifest import Row
from tinct.archive.storage import Stamp, Store, stamp_of
from tinct.archive.watch import FIRST_PAUSE, LONGEST_PAUSE, Watch
from tinct.archive.worker import Job
from tinct.cli import EXIT_BAD_INPUT, run


class Clock:
    """A clock that stands still until it is moved on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """The seconds."""
        return self.now


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(watch, "time", made)
    return made


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was colorized, with the status that it got: the words in the files stand for their outcomes."""
    done: list[tuple[str, str]] = []

    def colorized(rows: list[Row], job: Job, _: int) -> Iterator[Entry]:
        for row in rows:
            status = Path(row.uri).read_text().strip()
            done.append((Path(row.uri).name, status))
            Store(job.out).put(f"{row.key}.png", b"a picture")
            yield Entry(row.id, row.uri, status, output=f"{row.key}.png" if status == DONE else "")

    monkeypatch.setattr(batch, "colorized", colorized)
    return done


def watch_of(tmp_path: Path, **files: str) -> Watch:
    (tmp_path / "in").mkdir(exist_ok=True)
    for name, text in files.items():
        (tmp_path / "in" / f"{name}.png").write_text(text)
    return Watch(str(tmp_path / "in"), Job(str(tmp_path / "out")))


def look_twice(watching: Watch, clock: Clock) -> Any:
    """What a look gives of all that lay still since the one before it."""
    watching.look()
    clock.now += watching.quiet
    return watching.look()


def parts(tmp_path: Path) -> int:
    return len(list((tmp_path / "out" / "ledger").glob("*.parquet")))


def test_a_link_to_nothing_is_not_there_yet(tmp_path: Path, clock: Clock, worked: list[tuple[str, str]]):
    watching = watch_of(tmp_path, a=DONE)
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "later.png")
    assert look_twice(watching, clock).statuses == {DONE: 1}
    (tmp_path / "later.png").write_text(DONE)
    assert look_twice(watching, clock).statuses == {DONE: 1}
    assert worked == [("a.png", DONE), ("link.png", DONE)]


def test_a_file_that_goes_after_it_was_listed_is_not_there_yet(
    tmp_path: Path, clock: Clock, worked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
):
    watching = watch_of(tmp_path, a=DONE, b=DONE)
    (tmp_path / "in" / "a.png").rename(tmp_path / "a.png")

    def plan_of_before(source: str, **options: Any) -> list[Row]:
        return [Row(1, str(tmp_path / "in" / "a.png")), Row(2, str(tmp_path / "in" / "b.png"))]

    monkeypatch.setattr(watch, "plan", plan_of_before)
    assert look_twice(watching, clock).statuses == {DONE: 1}
    assert worked == [("b.png", DONE)]


@pytest.mark.parametrize("first", [REFUSED, DONE, FAILED])
@pytest.mark.parametrize("restarted", [False, True])
def test_other_content_is_a_new_arrival(
    tmp_path: Path, clock: Clock, worked: list[tuple[str, str]], first: str, restarted: bool
):
    watching = watch_of(tmp_path, a=first)
    look_twice(watching, clock)
    watching = watch_of(tmp_path, a=f"{DONE}\n") if restarted else watching
    (tmp_path / "in" / "a.png").write_text(f"{DONE}\n")
    assert look_twice(watching, clock).statuses == {DONE: 1}
    assert look_twice(watching, clock).statuses == {}
    assert worked == [("a.png", first), ("a.png", DONE)]
    assert [entry.status for entry in Ledger(Store(str(tmp_path / "out"))).entries()] == [DONE]


def test_content_of_the_same_size_is_new_by_its_time(
    tmp_path: Path, clock: Clock, worked: list[tuple[str, str]]
):
    watching = watch_of(tmp_path, a=DONE)
    look_twice(watching, clock)
    os.utime(tmp_path / "in" / "a.png", (5, 5))
    assert look_twice(watching, clock).statuses == {DONE: 1}


def test_a_restart_does_nothing_that_the_ledger_has_settled(
    tmp_path: Path, clock: Clock, worked: list[tuple[str, str]]
):
    look_twice(watch_of(tmp_path, a=DONE, b=REFUSED), clock)
    for _ in range(2):
        look_twice(watch_of(tmp_path), clock)
    assert (len(worked), parts(tmp_path)) == (2, 1)


def test_what_failed_is_tried_again_after_growing_pauses(
    tmp_path: Path, clock: Clock, worked: list[tuple[str, str]]
):
    watching = watch_of(tmp_path, a=FAILED, b=REFUSED)
    assert look_twice(watching, clock).failed == 2
    pause = FIRST_PAUSE
    for attempts in range(1, 20):
        clock.now += pause - 0.5
        assert watching.look().statuses == {}
        assert (worked.count(("a.png", FAILED)), parts(tmp_path)) == (attempts, attempts)
        clock.now += 1
        assert watching.look().statuses == {FAILED: 1}
        pause = min(2 * pause, LONGEST_PAUSE)
    assert worked.count(("b.png", REFUSED)) == 1


def test_a_stamp_changes_with_the_file_behind_a_link(tmp_path: Path):
    target, link = tmp_path / "a", tmp_path / "b"
    target.write_text("1")
    link.symlink_to(target)
    before: Stamp = stamp_of(str(link))
    os.utime(target, (5, 5))
    assert stamp_of(str(link)) != before


def test_watching_once_ends_with_the_exit_code_of_a_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write_photographs(tmp_path / "in", 1)
    (tmp_path / "in" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    command = ["watch", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--once", "--quiet-for", "0.1"]
    assert run([*command, "--option", "size=32"]) == EXIT_BAD_INPUT
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert "bad.png" in said.err
    (tmp_path / "in" / "bad.png").unlink()
    assert run([*command, "--option", "size=32"]) == 0
