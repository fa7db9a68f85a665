"""Laws of manifests: the same rows in every format, stable ids, mistakes named by row."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

from archive.archive_scene import write_photographs
from tinct.archive.manifest import Row, photograph_id, plan, read_manifest, write_manifest
from tinct.archive.row import with_leaders
from tinct.archive.storage import Store, linked_uri
from tinct.errors import ManifestError


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_manifest_is_read_as_it_was_written(tmp_path: Path, suffix: str):
    rows = [
        Row(
            photograph_id("a.png"),
            "a.png",
            ("r1.jpg", "r,2.jpg"),
            "h.json",
            "",
            {"vividness": 0.5, "seed": 3},
        ),
        Row(photograph_id("s3://b/ü.tif"), "s3://b/ü.tif", options={"method": "levin", "chroma_only": True}),
        Row(photograph_id("c.png"), "c.png", project="coat.tinct.json", group="coats"),
    ]
    write_manifest(rows, str(tmp_path / f"m{suffix}"))
    assert read_manifest(str(tmp_path / f"m{suffix}")) == rows


def test_an_id_is_the_first_eight_bytes_of_the_hash_of_the_uri():
    digest = sha256(b"scans/a.png").hexdigest()
    row = Row(photograph_id("scans/a.png"), "scans/a.png")
    assert row.key == digest[:16]
    assert -(1 << 63) <= row.id < 1 << 63


def test_a_list_of_uris_is_a_manifest(tmp_path: Path):
    (tmp_path / "m.csv").write_text("uri,vividness,method\na.png,0.5,\nb.png,,levin\n")
    first, second = read_manifest(str(tmp_path / "m.csv"))
    assert first == Row(photograph_id("a.png"), "a.png", options={"vividness": 0.5})
    assert second.options == {"method": "levin"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("uri\na.png\na.png\n", "under one id"),
        ("name\na.png\n", "row 1 .* no uri"),
        ('uri,options\na.png,"{""bright"": 1}"\n', "'bright' is not an option"),
        ("uri,strength\na.png,9\n", "strength is 9"),
        ("uri,strength\na.png,much\n", "'much' is not a number"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ManifestError, match=said):
        read_manifest(str(tmp_path / "m.csv"))


NINES, WORD, NAME = "9" * 5000, "w" * 5000, "n" * 5000 + ".png"

LONG = {
    "carry": f"uri,carry\na.png,{NINES}",
    "vividness": f"uri,vividness\na.png,{NINES}",
    "a word as vividness": f"uri,vividness\na.png,{WORD}",
    "id": f"id,uri\n{NINES},a.png",
    "a word as id": f"id,uri\n{WORD},a.png",
    "options": f'uri,options\na.png,"{{""{WORD}"": 1}}"',
    "a value of options": f'uri,options\na.png,"{{""strength"": {NINES[:4000]}}}"',
    "an option's column": f"uri,{' ' * 5000}Strength\na.png,1",
    "references": f"uri,references\na.png,[{WORD}",
    "method": f'uri,options\na.png,"{{""method"": [""{WORD}""]}}"',
    "uri": f"uri\n{NAME}\n{NAME}",
    "uri of a bad row": f"uri,strength\n{NAME},9",
    "group": f"uri,group\n{NAME},{WORD}",
}


@pytest.mark.parametrize("case", LONG)
def test_what_is_long_is_shortened_in_a_mistake(tmp_path: Path, case: str):
    (tmp_path / "m.csv").write_text(LONG[case] + "\n")
    with pytest.raises(ManifestError) as raised:
        with_leaders(read_manifest(str(tmp_path / "m.csv")))
    assert len(str(raised.value)) < 400 + len(str(tmp_path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("column", "right"),
    [("Strength", "strength"), (" strength", "strength"), ("hint", "hints"), ("Hints", "hints")],
)
def test_a_column_that_is_nearly_a_known_one_is_named(tmp_path: Path, column: str, right: str):
    (tmp_path / "m.csv").write_text(f"uri,{column}\na.jpg,1\n")
    with pytest.raises(ManifestError, match=f"{column!r}; it is written {right!r}"):
        read_manifest(str(tmp_path / "m.csv"))
    (tmp_path / "own.csv").write_text("uri,ID,shelf mark\na.jpg,K 12,7\n")
    assert [row.uri for row in read_manifest(str(tmp_path / "own.csv"))] == ["a.jpg"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize(
    ("name", "text"), [("m.csv", "uri\nBärn.jpg\n"), ("m.jsonl", '{"uri": "Bärn.jpg"}\n')]
)
def test_a_byte_order_mark_says_the_encoding_of_a_manifest(
    tmp_path: Path, name: str, text: str, encoding: str
):
    """Spreadsheets save "Unicode text" in UTF-16."""
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert [row.uri for row in read_manifest(str(tmp_path / name))] == ["Bärn.jpg"]
    (tmp_path / name).write_bytes(text.encode("cp1252"))
    with pytest.raises(ManifestError, match=r"in UTF-8 .*; save it so"):
        read_manifest(str(tmp_path / name))


def test_a_plan_takes_photographs_and_nothing_else(tmp_path: Path):
    write_photographs(tmp_path / "in" / "deep", 2)
    for name in ("notes.txt", "deep/p000.color.png", ".hidden.png"):
        (tmp_path / "in" / name).write_bytes(b"x")
    wanted = [str(tmp_path / "in" / "deep" / f"p{n:03}.png") for n in range(2)]
    assert [row.uri for row in plan(str(tmp_path / "in"))] == wanted
    assert [row.uri for row in plan(str(tmp_path / "in" / "**" / "*.png"))] == wanted
    with pytest.raises(ManifestError, match="no photographs"):
        plan(str(tmp_path / "none"))


def test_a_plan_takes_a_photograph_whose_name_only_ends_like_a_result(tmp_path: Path):
    """A photograph beside no other of that name is nobody's result; what is one says so in its content."""
    for name in ("dunes.color.jpg", "barn.jpg", "barn.color.jpg", "color.png"):
        (tmp_path / name).write_bytes(b"x")
    planned = [Path(row.uri).name for row in plan(str(tmp_path))]
    assert planned == ["barn.jpg", "color.png", "dunes.color.jpg"]
    assert [Path(row.uri).name for row in plan(str(tmp_path / "dunes.color.jpg"))] == ["dunes.color.jpg"]


def test_a_plan_of_a_uri_has_uris():
    store = Store("memory://plan/in")
    store.put("b.png", b"x")
    store.put("deep/a.jpg", b"x")
    assert [row.uri for row in plan("memory://plan/in")] == [
        "memory://plan/in/b.png",
        "memory://plan/in/deep/a.jpg",
    ]


def test_shards_part_a_manifest():
    rows = [Row(photograph_id(f"{n}.png"), f"{n}.png") for n in range(200)]
    shards = [[row for row in rows if row.in_shard((i, 7))] for i in range(7)]
    assert sorted(row.uri for shard in shards for row in shard) == sorted(row.uri for row in rows)
    assert min(map(len, shards)) > 10


def test_what_is_asked_has_a_hash_and_who_asks_has_not():
    one, other = Row(1, "a", options={"seed": 1}), Row(2, "b", options={"seed": 1}, group="g")
    assert one.options_sha256 == other.options_sha256
    assert one.options_sha256 != Row(1, "a", options={"seed": 2}).options_sha256


@pytest.mark.parametrize(
    ("uri", "link"),
    [
        ("/a b/ü%41#1?.tif", "file:///a%20b/%C3%BC%2541%231%3F.tif"),
        ("file:///a b/50%.tif", "file:///a%20b/50%25.tif"),
        ("file-bytes:///a/%FF.tif", "file:///a/%FF.tif"),
        ("s3://bucket/a%20b c#1?.tif", "s3://bucket/a%2520b%20c%231%3F.tif"),
        ("https://x/a%20b c.tif?page=1#top", "https://x/a%20b%20c.tif?page=1#top"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths of Windows begin with a drive")
def test_a_link_escapes_what_no_uri_may_hold(uri: str, link: str):
    assert linked_uri(uri) == link
