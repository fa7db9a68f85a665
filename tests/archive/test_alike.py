"""Laws of plans that look at photographs: references are retrieved, and a group agrees with its leader anywhere."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

import tinct
from own_cache import own_cache
from retrieval.retrieval_scene import gray_crop, picture, write_album
from tinct.archive.alike import with_groups, with_references
from tinct.archive.batch import run_batch
from tinct.archive.entry import DONE, Entry
from tinct.archive.ledger import Ledger
from tinct.archive.manifest import plan, read_manifest, write_manifest
from tinct.archive.row import Row, with_leaders
from tinct.archive.storage import Store
from tinct.archive.worker import Job, _with_leader
from tinct.cli import EXIT_BAD_INPUT, run
from tinct.errors import ManifestError

SMALL = {"size": 64}
"""Options by which the released network takes little time."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCT_CACHE", own_cache(tmp_path / "cache"))


@pytest.fixture
def burst(tmp_path: Path) -> Path:
    """A folder of three views of one gray photograph, two of another, and one alone."""
    folder = tmp_path / "burst"
    folder.mkdir()
    for name, cuts in (("coffee", (0, 6, 12)), ("astronaut", (0, 8)), ("rocket", (0,))):
        image = picture(name, 160).convert("L")
        for number, cut in enumerate(cuts):
            box = (cut, cut // 2, image.width - cut // 2, image.height - cut)
            image.crop(box).save(folder / f"{name}{number}.png")
    return folder


def entries_of(out: Path) -> dict[str, Entry]:
    """The ledger's entries by the photograph's name."""
    return {Path(entry.uri).stem: entry for entry in Ledger(Store(str(out))).entries()}


def test_rows_get_the_most_alike_references_and_keep_their_own(tmp_path: Path):
    album = write_album(tmp_path / "album")
    (tmp_path / "in").mkdir()
    for name in ("coffee", "chelsea"):
        Image.fromarray(gray_crop(name)).save(tmp_path / "in" / f"{name}.png")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    Image.fromarray(noise).save(tmp_path / "in" / "noise.png")
    rows = plan(str(tmp_path / "in"))
    rows = with_references([*rows, Row(7, str(album / "gray.jpg"), ("mine.jpg",))], str(album))
    found = {Path(row.uri).stem: [Path(each).stem for each in row.references] for row in rows}
    assert found == {"coffee": ["coffee"], "chelsea": ["chelsea"], "noise": [], "gray": ["mine"]}


def test_groups_are_alike_photographs_side_by_side(burst: Path):
    rows = with_groups(plan(str(burst), options=SMALL))
    names = [Path(row.uri).stem for row in rows]
    assert names[:2] == ["astronaut0", "astronaut1"]
    groups = {Path(row.uri).stem: row.group for row in rows}
    assert groups["rocket0"] == ""
    for name, count in (("coffee", 3), ("astronaut", 2)):
        members = {groups[f"{name}{number}"] for number in range(count)}
        assert len(members) == 1
        assert members <= {row.key for row in rows if Path(row.uri).stem.startswith(name)}


def test_a_group_is_colored_after_its_surest_member(burst: Path, tmp_path: Path):
    rows = with_groups(plan(str(burst), options=SMALL))
    run_batch(rows, Job(str(tmp_path / "out")), jobs=2)
    entries, leaders = entries_of(tmp_path / "out"), {row.key: row for row in rows if row.group == row.key}
    assert all(entry.status == DONE for entry in entries.values())
    for row in rows:
        entry = entries[Path(row.uri).stem]
        result = (tmp_path / "out" / entry.output).read_bytes()
        if row.group in ("", row.key):
            assert (entry.references, entry.notes) == ((), ())
            assert result == tinct.colorize(row.uri, **SMALL).encode("png")
        else:
            leader = leaders[row.group]
            assert entry.references == (leader.uri,)
            assert any("the surest of its group" in note for note in entry.notes)
            after = tinct.colorize(leader.uri, **SMALL)
            assert result == tinct.colorize(row.uri, reference=after, **SMALL).encode("png")
            assert entry.confidence > 0


def test_a_group_stays_in_one_shard_with_the_same_results(burst: Path, tmp_path: Path):
    rows = with_groups(plan(str(burst), options=SMALL))
    run_batch(rows, Job(str(tmp_path / "whole")))
    for index in range(3):
        run_batch(rows, Job(str(tmp_path / "parts")), shard=(index, 3))
    whole, parts = entries_of(tmp_path / "whole"), entries_of(tmp_path / "parts")
    assert {n: e.sha256_out for n, e in whole.items()} == {n: e.sha256_out for n, e in parts.items()}
    shards = {row.uri: [i for i in range(3) if row.in_shard((i, 3))] for row in with_leaders(rows)}
    for row in rows:
        others = [shards[each.uri] for each in rows if row.group and each.group == row.group]
        assert all(each == shards[row.uri] for each in others)
        assert len(shards[row.uri]) == 1


def test_a_group_goes_on_where_it_was_stopped(burst: Path, tmp_path: Path):
    rows, job = with_groups(plan(str(burst), options=SMALL)), Job(str(tmp_path / "out"))

    class Stop(Exception):
        pass

    def stop(entry: Entry) -> None:
        raise Stop

    for _ in range(2):
        with pytest.raises(Stop):
            run_batch(rows, job, tell=stop)
    run_batch(rows, job)
    run_batch(rows, Job(str(tmp_path / "other")))
    stopped, whole = entries_of(tmp_path / "out"), entries_of(tmp_path / "other")
    assert {n: e.sha256_out for n, e in stopped.items()} == {n: e.sha256_out for n, e in whole.items()}
    times = Counter(entry.id for entry in Ledger(Store(job.out)).all_entries())
    assert set(times.values()) == {1}


def test_chroma_and_jpeg_take_the_leader_alike(burst: Path, tmp_path: Path):
    from tinct.archive.chroma import rendered

    rows = with_groups(plan(str(burst), options=SMALL))
    run_batch(rows, Job(str(tmp_path / "png")))
    run_batch(rows, Job(str(tmp_path / "chroma"), store="chroma"))
    pictures, stored = entries_of(tmp_path / "png"), entries_of(tmp_path / "chroma")
    for row in rows:
        name = Path(row.uri).stem
        content = (tmp_path / "chroma" / stored[name].output).read_bytes()
        result, _ = rendered(content, Path(row.uri).read_bytes())
        assert result.encode("png") == (tmp_path / "png" / pictures[name].output).read_bytes()


def test_a_leader_that_cannot_be_read_is_a_note(burst: Path, tmp_path: Path):
    rows = with_groups(plan(str(burst), options=SMALL))
    leader = next(row for row in rows if row.group == row.key)
    followers = [row for row in rows if row.group == leader.key and row.uri != leader.uri]
    Path(leader.uri).write_bytes(b"no longer a photograph")
    run_batch([leader, *followers], Job(str(tmp_path / "out")))
    entries = entries_of(tmp_path / "out")
    for row in followers:
        entry = entries[Path(row.uri).stem]
        assert (entry.status, entry.references) == (DONE, ())
        assert "no colors to give" in " ".join(entry.notes)


def test_a_group_may_be_named_by_a_uri_and_must_be_there(tmp_path: Path):
    rows = [Row(1, "a.png", group="a.png"), Row(2, "b.png", group="a.png"), Row(3, "c.png")]
    first, second, third = with_leaders(rows)
    assert (first.leader, second.leader, third.leader) == (None, rows[0], None)
    assert second.options_sha256 != rows[1].options_sha256
    with pytest.raises(ManifestError, match="'coats'"):
        with_leaders([Row(1, "a.png", group="coats")])


def test_leaders_travel_to_actors():
    from tinct.archive.ray_engine import _columns, _row

    rows = [Row(1, "a.png", ("r.jpg",), options={"size": 64}, group="a.png"), Row(2, "b.png", group="a.png")]
    for row in with_leaders(rows):
        columns = json.loads(json.dumps(_columns(row)))
        assert _row(columns) == row
        assert _row(columns).options_sha256 == row.options_sha256


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_groups_survive_a_manifest(tmp_path: Path, suffix: str):
    rows = [Row(1, "a.png", group="a.png"), Row(2, "b.png", group="a.png", carry="result", project="p.json")]
    manifest = str(tmp_path / f"m{suffix}")
    write_manifest(with_leaders(rows), manifest)
    assert read_manifest(manifest) == rows


def test_plan_and_start_on_the_command_line(burst: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    album, manifest = write_album(tmp_path / "album"), str(tmp_path / "m.parquet")
    given = ["-o", manifest, "--option", "size=64"]
    assert run(["batch", "plan", str(burst), *given, "--group"]) == 0
    assert "6 photographs, 5 of them in 2 groups" in capsys.readouterr().out
    retrieved = ["--reference-from", str(album), "--references", "2"]
    assert run(["batch", "plan", str(burst), *given, *retrieved]) == EXIT_BAD_INPUT
    assert "exists already" in capsys.readouterr().err
    assert run(["batch", "plan", str(burst), *given, *retrieved, "--overwrite"]) == 0
    first = {row.uri: row.references for row in read_manifest(manifest)}
    assert any(first.values())
    assert run(["batch", "plan", str(burst), *given, "--overwrite"]) == 0
    out = str(tmp_path / "out")
    assert run(["batch", "start", manifest, "--out", out, "--json", "--quiet", *retrieved]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert {line["uri"]: tuple(line["references"]) for line in lines} == first


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--group", "--project", "p.json"], "give --project alone"),
        (["--carry", "result"], "no --project"),
        (["--group", "-m", "levin"], "makes no use of a reference"),
    ],
)
def test_what_contradicts_itself_is_said(
    burst: Path, tmp_path: Path, given: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert run(["batch", "plan", str(burst), "-o", str(tmp_path / "m.csv"), *given]) == EXIT_BAD_INPUT
    assert said in capsys.readouterr().err


def test_a_row_with_a_project_is_not_said_to_be_colored_after_its_group(tmp_path: Path):
    """Its leader may well have colors to give."""
    first = Row(1, str(tmp_path / "first.png"), group="1")
    row = Row(2, str(tmp_path / "second.png"), group="1", project=str(tmp_path / "own.tinct"), leader=first)
    found = _with_leader(Entry(2, row.uri, DONE), row, has_colors=False)
    assert found.references == ()
    assert len(found.notes) == 1
    assert "its project says how" in found.notes[0]
