"""Manifests of batches: one row a photograph, planned, and kept as Parquet, CSV or JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from tinct.archive.arrow import arrow, arrow_stream
from tinct.archive.listing import no_photographs, photographs_of
from tinct.archive.row import COLUMNS, Row, photograph_id
from tinct.archive.storage import Store, absolute_uri, read_uri
from tinct.errors import ManifestError, MissingExtraError, one_line, shown
from tinct.streams import text_of

_MOST_COLUMNS = 1000
"""Columns of a CSV, as each row costs all of them, however short the row is."""

_ROWS_AT_ONCE = 1 << 14


def plan(
    source: str,
    *,
    references: Sequence[str] = (),
    hints: str = "",
    project: str = "",
    carry: str = "",
    options: Mapping[str, Any] | None = None,
) -> list[Row]:
    """Rows for all photographs of a folder, a glob pattern, or a URI prefix, in order of their URIs.

    A local folder that cannot be listed is a row as well, which a run refuses, so that it is not omitted unnoticed.

    Args:
        source: a folder or prefix, searched with all folders below; or a pattern with * and **. What is there under
            this very name is no pattern.
        references, hints, project, carry, options: the same for all rows; see `Row`. Paths become absolute.
    Raises:
        ManifestError: if there is no photograph, or the source is a pattern that cannot be.
        StorageError: if the source cannot be listed.
    """
    shared: dict[str, Any] = {
        "references": tuple(map(absolute_uri, references)),
        "hints": absolute_uri(hints) if hints else "",
        "project": absolute_uri(project) if project else "",
        "carry": carry,
        "options": dict(options or {}),
    }
    found, unlisted = photographs_of(source)
    uris = [*found, *unlisted]
    if not uris:
        raise no_photographs(source)
    return [Row(photograph_id(uri), uri, **shared) for uri in sorted(uris)]


def write_manifest(rows: Iterable[Row], uri: str) -> None:
    """Write a manifest as Parquet, CSV or JSON lines, by the ending .parquet, .csv or .jsonl of its name.

    Raises:
        ManifestError: if the name has another ending.
        StorageError: if the manifest cannot be written.
    """
    listed = [_to_columns(row) for row in rows]
    folder, _, name = uri.rpartition("/")
    Store(folder or ".").put(name, _encoded(listed, uri))


def _encoded(listed: list[dict[str, Any]], uri: str) -> bytes:
    """The file of rows' columns, in the format that its name says."""
    kind = _kind(uri)
    if kind == ".parquet":
        pyarrow, parquet = arrow()
        stream = io.BytesIO()
        parquet.write_table(pyarrow.Table.from_pylist(listed, schema=manifest_schema()), stream)
        return stream.getvalue()
    if kind == ".csv":
        text = io.StringIO()
        # a name with a carriage return has to be quoted, which the lines' own end does not bring about
        quoted = any("\r" in row["uri"] for row in listed)
        writer = csv.DictWriter(
            text, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
        )
        writer.writeheader()
        writer.writerows({**row, "references": json.dumps(row["references"])} for row in listed)
        return text.getvalue().encode()
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in listed).encode()


def read_manifest(uri: str) -> list[Row]:
    """Read a manifest.

    The column `uri` is required; a missing `id` is computed. In CSV, `references` is a JSON list or one URI, and
    `options` a JSON object. Any further column that names an option of `tinct.Options` sets that option; others are for
    the archive's own use.

    Raises:
        ManifestError: if the file is not a manifest, or two rows have one id.
        StorageError: if the file cannot be read.
    """
    seen: dict[int, Row] = {}
    for number, columns in enumerate(_decoded(read_uri(uri), uri), 1):
        row = _from_columns(columns, number)
        if row.id in seen:
            raise ManifestError(
                f"{uri} has {shown(row.uri)} and {shown(seen[row.id].uri)} under one id; name each photograph once."
            )
        seen[row.id] = row
    return list(seen.values())


def _decoded(content: bytes, uri: str) -> Iterator[Mapping[str, Any]]:
    """The columns of each row of a file, in the format that its name says.

    Raises:
        ManifestError: if the file is not of that format, or has too many columns.
    """
    kind = _kind(uri)
    try:
        if kind == ".parquet":
            # a few bytes may stand for millions of equal rows, of which the second is refused
            file = arrow()[1].ParquetFile(arrow_stream(content))
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                yield from batch.to_pylist()
        elif kind == ".csv":
            reader = csv.DictReader(io.StringIO(text_of(content), newline=""))
            if len(reader.fieldnames or ()) > _MOST_COLUMNS:
                raise ManifestError(
                    f"{uri} has {len(reader.fieldnames or ())} columns; a manifest has at most {_MOST_COLUMNS}."
                )
            yield from reader
        else:
            # a name may hold other characters that `splitlines` breaks lines at
            lines = text_of(content).split("\n")
            yield from (json.loads(line) for line in lines if line.strip())
    except (MissingExtraError, ManifestError):
        raise
    except UnicodeError as error:
        raise ManifestError(f"{uri} is no {kind[1:]} in UTF-8 ({error}); save it so.") from None
    except Exception as error:
        said = " ".join(str(error).split())[:120]
        raise ManifestError(f"{uri} cannot be read as {kind[1:]} ({said}).") from None


def _kind(uri: str) -> str:
    """The format that a manifest's name says: .parquet, .csv or .jsonl.

    Raises:
        ManifestError: if it says none of them.
    """
    kind = {".json": ".jsonl", ".ndjson": ".jsonl"}.get(Path(uri).suffix.lower(), Path(uri).suffix.lower())
    if kind not in (".parquet", ".csv", ".jsonl"):
        raise ManifestError(
            f"{uri} is no manifest; give a .parquet, .csv or .jsonl file, or make one: tinct batch plan."
        )
    return kind


@lru_cache(maxsize=64)
def _misnamed(names: tuple[Any, ...], known: tuple[str, ...]) -> tuple[str, str] | None:
    """A column that is a known one but for capitals, spaces around it, or a plural's s, and the known one's name.

    An archive's own column may be called ID.
    """
    plain = {name.rstrip("s"): name for name in known if name != "id"}
    for name in names:
        likely = plain.get(str(name).strip().casefold().rstrip("s"))
        if likely is not None and name not in known:
            return str(name), likely
    return None


def _to_columns(row: Row) -> dict[str, Any]:
    """A row's columns by name, with its options as JSON."""
    columns = {name: getattr(row, name) for name in COLUMNS}
    columns |= {"references": list(row.references), "options": ""}
    if row.options:
        columns["options"] = json.dumps(dict(row.options), sort_keys=True)
    return columns


def _from_columns(columns: Any, number: int) -> Row:
    """A row from its columns.

    Args:
        columns: of the row, by name; names of options among them.
        number: of the row, from 1, for errors.
    Raises:
        ManifestError: if a column is misnamed, missing, or not what it should be.
    """
    from tinct.options import Options

    names = tuple(each.name for each in fields(Options))
    if isinstance(columns, Mapping) and (found := _misnamed(tuple(columns), (*COLUMNS, "reference", *names))):
        raise ManifestError(f"the manifest has a column {shown(found[0])}; it is written {found[1]!r}.")
    if not isinstance(columns, Mapping) or not columns.get("uri") or not isinstance(columns["uri"], str):
        raise ManifestError(f"row {number} of the manifest has no uri; each row needs one.")
    uri = columns["uri"]
    try:
        options = _options(columns, set(names))
        Options(**options)
        return Row(
            _id(columns.get("id"), uri),
            _text("uri", uri),
            tuple(_references(columns.get("references") or columns.get("reference"))),
            _text("hints", columns.get("hints")),
            _text("project", columns.get("project")),
            options,
            _text("group", columns.get("group")),
            _carried(columns.get("carry")),
        )
    except RecursionError:
        raise ManifestError(f"row {number} of the manifest ({shown(uri)}) is nested too deeply.") from None
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ManifestError(
            f"row {number} of the manifest ({shown(uri)}) is wrong: {one_line(str(error))}"
        ) from None


def _id(given: Any, uri: str) -> int:
    """An id of 64 bits; one that is written without a sign stands for the same bits with one."""
    if given in (None, ""):
        return photograph_id(uri)
    wrong = ValueError(f"id is {shown(given)}; a whole number of 64 bits was wanted.")
    if isinstance(given, bool) or (isinstance(given, float) and not given.is_integer()):
        raise wrong
    try:
        number = int(given)
    except (ValueError, TypeError):
        raise wrong from None
    if not -(1 << 63) <= number < 1 << 64:
        raise wrong
    return number - (1 << 64) if number >= 1 << 63 else number


def _text(name: str, given: Any) -> str:
    """A cell of text, "" for none."""
    if not given:
        return ""
    if not isinstance(given, str):
        raise ValueError(f"{name} is {shown(given)}; text was wanted.")
    if any("\ud800" <= each <= "\udfff" for each in given):
        raise ValueError(f"{name} has half of a character, which no text holds.")
    return given


def _carried(given: Any) -> str:
    from tinct.colorizing.album import CARRIES

    if given and (not isinstance(given, str) or given not in CARRIES):
        raise ValueError(f"carry is {shown(given)}; choose one of {', '.join(CARRIES)}.")
    return given or ""


def _references(given: Any) -> list[str]:
    if not given:
        return []
    if isinstance(given, str):
        found = json.loads(given) if given.lstrip().startswith("[") else [given]
    else:
        found = list(given)
    if not all(isinstance(each, str) for each in found):
        raise ValueError("references must be URIs.")
    return [_text("references", each) for each in found]


def _options(columns: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    given = columns.get("options")
    options = dict(json.loads(given) if isinstance(given, str) and given.strip() else given or {})
    for name in known & set(columns):
        value = columns[name]
        if value not in (None, ""):
            options[name] = _value(value) if isinstance(value, str) and name != "method" else value
    if unknown := sorted(set(options) - known):
        raise ValueError(f"{shown(unknown[0])} is not an option; use {', '.join(sorted(known))}.")
    return options


def _value(text: str) -> Any:
    try:
        return json.loads(text.strip().lower() if text.strip().lower() in ("true", "false") else text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not a number, true or false.") from None


def manifest_schema() -> Any:
    """The columns of a Parquet manifest."""
    pyarrow, _ = arrow()
    text = pyarrow.string()
    columns = [
        ("id", pyarrow.int64()),
        ("uri", text),
        ("references", pyarrow.list_(text)),
        ("hints", text),
        ("project", text),
        ("options", text),
        ("group", text),
        ("carry", text),
    ]
    return pyarrow.schema(columns)
