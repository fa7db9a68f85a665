"""The report of a batch: one self-contained HTML page with counts, failures, times and a contact sheet."""

from __future__ import annotations

import base64
import io
import os
import random
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from tinct.archive.entry import DONE, FAILED, REFUSED, SKIPPED, Entry
from tinct.archive.ledger import Ledger
from tinct.archive.storage import Store, linked_uri, local_path
from tinct.errors import TinctError, one_line

THUMBNAIL = 200
"""Longer side of a thumbnail, in pixels."""

SHOWN = 12
"""Photographs in each row of the contact sheet."""

KINDS = 30
"""Rows of a table of messages; what is beyond is counted together."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1c1c1c; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .2rem .9rem .2rem 0; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.sheet { display: flex; flex-wrap: wrap; gap: .6rem; } figure { margin: 0; width: 200px; }
figure img { max-width: 200px; max-height: 200px; display: block; }
figcaption { font-size: 12px; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #e4e4e4; } a { color: #8ab4f8; } }
"""
"""The page's style sheet."""


@dataclass(frozen=True)
class Figures:
    """Numbers computed from a ledger.

    Attributes:
        statuses: status -> count.
        failures: message without its particulars -> count, most frequent first.
        seconds: of work, summed over all photographs.
        span: seconds from the first photograph's start to the last one's end.
        megapixels, bytes_in, bytes_out: summed over results.
        median, slowest: seconds of one result.
    """

    statuses: dict[str, int]
    failures: dict[str, int]
    seconds: float
    span: float
    megapixels: float
    bytes_in: int
    bytes_out: int
    median: float
    slowest: float


def figures(entries: Sequence[Entry]) -> Figures:
    """The figures of a ledger's entries."""
    done = [entry for entry in entries if entry.status == DONE]
    failed = [entry for entry in entries if entry.status in (FAILED, REFUSED)]
    first = min((entry.finished - entry.seconds for entry in entries), default=0.0)
    last = max((entry.finished for entry in entries), default=0.0)
    times = [entry.seconds for entry in done]
    return Figures(
        dict(Counter(entry.status for entry in entries)),
        dict(Counter(kind_of(entry.message, entry) for entry in failed).most_common()),
        sum(entry.seconds for entry in entries),
        last - first,
        sum(entry.width * entry.height for entry in done) / 1e6,
        sum(entry.bytes_in for entry in done),
        sum(entry.bytes_out for entry in done),
        statistics.median(times) if times else 0.0,
        max(times, default=0.0),
    )


_NAMES = r"JPEG 2000|C2PA|SHA-256|UTF-8|\d+[- ]bits?\b"
"""Words of messages whose digits are no numbers that differ from photograph to photograph, as a pattern."""


def kind_of(message: str, entry: Entry) -> str:
    """A message without parts that differ between photographs: files' names, quoted words, colors and numbers."""
    for uri in (entry.uri, *entry.references):
        for name in filter(None, (uri, one_line(uri), PurePosixPath(uri).name)):
            message = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "FILE", message)
    text = re.sub(r"'[^']{0,200}'", "'...'", message[:200].removeprefix("FILE: "))
    text = re.sub(r"#[0-9a-f]{6}\b", "COLOR", text)
    return re.sub(rf"({_NAMES})|(?<!\w)-?\d+(?:\.\d+)?|\d+", lambda found: found[1] or "N", text)


_HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Batch report</title>'


def is_report(path: Path) -> bool:
    """True if a file is a report of a batch."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_HEAD)) == _HEAD.encode()
    except OSError:
        return False


def report(out: Store, seed: int = 0, page: Path | None = None) -> str:
    """The report of the batch in a store, as HTML.

    Args:
        out: the store.
        seed: of the photographs that are drawn at random.
        page: where the report will be, from which local results are linked, so that both can be moved together; None
            links them by their whole paths.
    Raises:
        StorageError: if the ledger cannot be read.
    """
    entries = Ledger(out).entries()
    numbers = figures(entries)
    done = [entry for entry in entries if entry.status == DONE]
    chosen = random.Random(seed).sample(done, min(SHOWN, len(done)))
    rows = [
        ("Drawn at random", chosen),
        ("Least sure", sorted(done, key=lambda entry: entry.confidence)[:SHOWN]),
        ("Most colorful", sorted(done, key=lambda entry: -entry.colorfulness)[:SHOWN]),
    ]
    bodies = "".join(_sheet(title, shown, out, page) for title, shown in rows if shown)
    return (
        f"{_HEAD}<style>{STYLE}</style>"
        f"<h1>Batch report</h1><p>{escape(out.uri)}</p>{_counts(numbers)}{_times(numbers)}"
        f"{_failures(numbers, entries)}{_notes(entries)}{bodies}</html>\n"
    )


def _counts(numbers: Figures) -> str:
    names = {DONE: "colorized", SKIPPED: "passed over", REFUSED: "refused", FAILED: "failed"}
    rows = [(names[status], f"{numbers.statuses.get(status, 0):,}") for status in names]
    return f"<h2>Photographs</h2>{_table(rows)}"


def _times(numbers: Figures) -> str:
    """A table of times and sizes, as HTML."""
    hours = numbers.span / 3600
    done = numbers.statuses.get(DONE, 0)
    rows = [
        ("work", f"{numbers.seconds / 3600:.2f} process hours"),
        ("from first to last", f"{hours:.2f} hours"),
        ("throughput", f"{done / numbers.span:.2f} photographs a second" if numbers.span else "none"),
        (
            "",
            f"{numbers.megapixels / numbers.seconds:.1f} megapixels a process second"
            if numbers.seconds
            else "",
        ),
        ("a photograph", f"{numbers.median:.2f} s (median), {numbers.slowest:.2f} s (slowest)"),
        ("read, written", f"{numbers.bytes_in / 1e9:.3f} GB, {numbers.bytes_out / 1e9:.3f} GB"),
    ]
    return f"<h2>Time and size</h2>{_table(rows)}"


def _failures(numbers: Figures, entries: Sequence[Entry]) -> str:
    if not numbers.failures:
        return ""
    kinds = _table(_commonest(numbers.failures))
    listed = [entry for entry in entries if entry.status in (FAILED, REFUSED)][:200]
    each = "".join(f"<li>{escape(entry.uri)}: {escape(entry.message)}</li>" for entry in listed)
    details = f"<details><summary>the first {len(listed)}</summary><ul>{each}</ul></details>"
    return f"<h2>Failures by kind</h2>{kinds}{details}"


def _notes(entries: Sequence[Entry]) -> str:
    notes = Counter(kind_of(note, entry) for entry in entries for note in entry.notes)
    return f"<h2>Notes</h2>{_table(_commonest(dict(notes.most_common())))}" if notes else ""


def _commonest(kinds: Mapping[str, int]) -> list[tuple[str, str]]:
    """Rows of kinds of messages, which come most frequent first; those beyond `KINDS` are one row."""
    rows = [(kind, f"{count:,}") for kind, count in kinds.items()]
    rest = sum(list(kinds.values())[KINDS:])
    return [*rows[:KINDS], *([(f"{len(rows) - KINDS:,} other kinds", f"{rest:,}")] if rest else [])]


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><td>{escape(a)}</td><td class="number">{escape(b)}</td></tr>' for a, b in rows)
    return f"<table>{cells}</table>"


def _sheet(title: str, entries: Sequence[Entry], out: Store, page: Path | None) -> str:
    shown = "".join(_figure(entry, out, page) for entry in entries)
    return f'<h2>{escape(title)}</h2><div class="sheet">{shown}</div>'


def _link(key: str, out: Store, page: Path | None) -> str:
    """The link of a page to a result."""
    uri = f"{out.uri.rstrip('/')}/{key}"
    path = local_path(uri)
    if path is None or page is None:
        return linked_uri(uri)
    try:
        return quote(os.fsencode(Path(os.path.relpath(path, page.absolute().parent)).as_posix()))
    except ValueError:  # on another drive
        return linked_uri(uri)


def _figure(entry: Entry, out: Store, page: Path | None) -> str:
    link = _link(entry.output, out, page)
    name, said = entry.uri.rpartition("/")[2], f"confidence {entry.confidence:.2f}"
    caption = f"{name} ({said}, colorfulness {entry.colorfulness:.1f})"
    try:
        picture = f'<img src="data:image/jpeg;base64,{_thumbnail(entry, out)}" alt="">'
    except (TinctError, OSError, ValueError) as error:
        picture = f"<p>{escape(str(error)[:100])}</p>"
    return (
        f'<figure><a href="{escape(link)}">{picture}</a><figcaption>{escape(caption)}</figcaption></figure>'
    )


def _thumbnail(entry: Entry, out: Store) -> str:
    """A result at a bounded size, as base64 of a JPEG; a chroma file is rendered first."""
    from PIL import Image

    from tinct.archive import chroma
    from tinct.archive.storage import read_uri
    from tinct.photo import Photo

    content = out.read(entry.output)
    if entry.output.endswith(chroma.SUFFIX):
        photo, _ = chroma.rendered(content, read_uri(entry.uri))
    else:
        photo = Photo.read(content)
    image: Image.Image = photo.to_image().convert("RGB")
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return base64.b64encode(stream.getvalue()).decode()
