"""The report of a batch: what is told of many photographs is told once."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="archives need fsspec and pyarrow")
pytest.importorskip("pyarrow", reason="archives need fsspec and pyarrow")

from tinct.archive import report as reports
from tinct.archive.entry import DONE, FAILED, Entry
from tinct.archive.ledger import Ledger
from tinct.archive.report import figures, kind_of, report
from tinct.archive.storage import Store

UNFIT = "reference {} does not fit the photograph (likeness {}), so that little of its colors is taken"


def test_messages_that_differ_in_files_numbers_and_colors_are_one_kind():
    entries = [
        Entry(n, f"scans/{n} {word}.tif", FAILED, references=(f"album/{word}.jpg",))
        for n, word in enumerate(("coat", "wall", "a'b"))
    ]
    for form in (
        "{0.uri} is not there; check the path.",
        "{0.references[0]} is not there; check the path.",
        "{1}: the image ({0.id}8 bytes) is empty; a photograph was wanted",
        "#a0302{0.id} does not exist at the lightness of {0.id},7; the nearest is #c4c2f{0.id}",
        "colored after {0.references[0]}, the surest of its group",
        UNFIT.format("{0.id}", "-{0.id}"),
    ):
        told = {kind_of(form.format(entry, entry.uri.partition("/")[2]), entry) for entry in entries}
        assert len(told) == 1, told


def test_messages_of_other_reasons_stay_apart():
    entry = Entry(1, "scans/a.bmp", DONE)
    note = "BMP holds no metadata: it was left out; write PNG or TIFF to keep it"
    assert kind_of(note, entry) == note
    assert kind_of("the image is empty", entry) != kind_of("the image is damaged", entry)


@pytest.mark.parametrize(
    "note",
    [
        "it is a 12-bit JPEG; the result has 16 bits",
        "its Content Credentials (C2PA) sign the photograph as it was, and were left out",
        "its JPEG 2000 code stream is damaged or incomplete; copy or export it again.",
    ],
)
def test_digits_that_are_part_of_a_name_are_no_particulars(note: str):
    assert kind_of(note, Entry(1, "scans/a.jp2", DONE)) == note
    told = {
        kind_of(f"{n} of the 9{n} tiles of the JPEG 2000 are missing", Entry(n, "a", DONE)) for n in (1, 7)
    }
    assert told == {"N of the N tiles of the JPEG 2000 are missing"}


def test_kinds_that_are_not_listed_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reports, "KINDS", 2)
    reasons = ["gone"] * 3 + ["damaged"] * 2 + ["empty", "too large"]
    failures = figures([Entry(n, f"{n}.png", FAILED, why) for n, why in enumerate(reasons)]).failures
    assert reports._commonest(failures) == [("gone", "3"), ("damaged", "2"), ("2 other kinds", "2")]


def test_notes_of_one_kind_are_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TINCT_CACHE", str(tmp_path / "cache"))
    ledger = Ledger(Store(str(tmp_path / "out")))
    for n in range(4):
        ledger.append(Entry(n, f"{n}.png", DONE, notes=(UNFIT.format(n % 2, n / 8 - 0.25),)))
    ledger.flush()
    page = report(Store(str(tmp_path / "out")))
    assert page.count("does not fit the photograph") == 1
    assert '<td class="number">4</td>' in page.partition("does not fit the photograph")[2]
