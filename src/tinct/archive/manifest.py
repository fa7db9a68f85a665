"""Manifests of batches: one row a photograph, as Parquet, CSV or JSON lines."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from tinct.archive.storage import (
    BYTES_SCHEME,
    Store,
    absolute_uri,
    files_below,
    filesystem_of,
    local_path,
    read_uri,
)
from tinct.colorizing.batch import is_called_like_a_photograph, without_results
from tinct.errors import ManifestError, MissingExtraError, shown
from tinct.streams import text_of


@dataclass(frozen=True)
class Row:
    """One photograph of a batch.

    Attributes:
        id: the first eight bytes of the SHA-256 of the URI, as a signed integer; unique in a manifest.
        uri: of the photograph; a local name that is not UTF-8 is in a file-bytes:// URI (`tinct.archive.storage`).
        references: URIs of color photographs.
        hints: URI of a file of hints, or "".
        project: path of a project file, or ""; a row with a project has neither references nor options.
        options: attributes of `tinct.Options` that differ from their defaults.
        group: the photograph whose colors the row's group takes, by its id in hexadecimal or its URI, or "".
        carry: what of a project's hints other photographs get ("places" or "result"; `tinct.colorizing.album`), or "".
        leader: the row that `group` names, unless it is this one; `with_leaders` sets it, and no file has it.
    """

    id: int
    uri: str
    references: tuple[str, ...] = ()
    hints: str = ""
    project: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    carry: str = ""
    leader: Row | None = None

    @property
    def key(self) -> str:
        """The id as 16 hexadecimal digits: the name of the photograph's output."""
        return f"{self.id & (1 << 64) - 1:016x}"

    @property
    def options_sha256(self) -> str:
        """A hash of all inputs of the result beside the photograph and the weights."""
        given = {"references": self.references, "hints": self.hints, "project": self.project}
        asked: dict[str, Any] = {**given, "options": self.options}
        if self.carry:
            asked["carry"] = self.carry
        if self.leader is not None:
            asked["leader"] = [self.leader.uri, self.leader.options_sha256]
        return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def in_shard(self, shard: tuple[int, int]) -> bool:
        """True if the row belongs to shard (index, count): id modulo count is index, of the leader if there is one."""
        index, count = shard
        return (self.leader or self).id % count == index


COLUMNS = tuple(each.name for each in fields(Row) if each.name != "leader")
"""The columns of a manifest."""


_MOST_COLUMNS = 1000
"""Columns of a CSV, as each row costs all of them, however short the row is."""

_ROWS_AT_ONCE = 1 << 14

_WILDCARDS = "*?["
"""Signs that make a name a pattern."""


def photograph_id(uri: str) -> int:
    """The id of a URI: the first eight bytes of its SHA-256 as a signed integer."""
    content = uri.encode(errors="surrogateescape")
    return int.from_bytes(sha256(content).digest()[:8], "big", signed=True)


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
    shared = {
        "references": tuple(map(absolute_uri, references)),
        "hints": absolute_uri(hints) if hints else "",
        "project": absolute_uri(project) if project else "",
        "carry": carry,
        "options": dict(options or {}),
    }
    found, unlisted = _photographs(source)
    uris = [*found, *unlisted]
    if not uris:
        raise _no_photographs(source)
    return [Row(photograph_id(uri), uri, **shared) for uri in sorted(uris)]  # type: ignore[arg-type]


def photographs_below(source: str) -> list[str]:
    """URIs of the photographs of a folder, a glob pattern, or a URI prefix, sorted.

    Raises:
        ManifestError: if there is no photograph.
        StorageError: if the place cannot be listed.
    """
    uris, _ = _photographs(source)
    if not uris:
        raise _no_photographs(source)
    return uris


def _photographs(source: str) -> tuple[list[str], list[str]]:
    """URIs of the photographs of a source, and of its local folders that cannot be listed, both sorted."""
    found, unlisted = _found(source)
    photographs = (uri for uri in found if is_called_like_a_photograph(PurePosixPath(uri).name))
    return sorted(without_results(photographs)), sorted(map(absolute_uri, unlisted))


def _no_photographs(source: str) -> ManifestError:
    return ManifestError(
        f"no photographs were found in {source}; give a folder, a pattern such as 'scans/**/*.tif', or a URI."
    )


def with_leaders(rows: Iterable[Row]) -> list[Row]:
    """Rows with their leaders: each row of a group knows the one whose colors the group takes.

    Raises:
        ManifestError: if a group names no photograph of the manifest.
    """
    listed = list(rows)
    wanted = {row.group for row in listed if row.group}
    known = {name: row for row in listed for name in (row.key, row.uri) if name in wanted}
    found = []
    for row in listed:
        if row.group and row.group not in known:
            raise ManifestError(
                f"{row.uri} has the group {row.group!r}, which is no photograph of the manifest; name one by its "
                "id or URI, or let `tinct batch plan --group` do it."
            )
        leader = known[row.group] if row.group else row
        found.append(row if leader is row else replace(row, leader=leader))
    return found


def _found(source: str) -> tuple[Iterable[str], Iterable[str]]:
    """URIs of the files of a source, and paths of its local folders that cannot be listed.

    A pattern without ** has none of these.

    Raises:
        ManifestError: if the source is a pattern that cannot be.
    """
    filesystem, path = filesystem_of(source)
    local = local_path(source)
    if is_called_like_a_photograph(PurePosixPath(path).name) and filesystem.isfile(path):
        return [absolute_uri(source)], []
    if _is_pattern(source):
        pattern = _with_names_escaped(filesystem, path)
        try:
            if local is None or "**" not in source:
                return [_uri_of(source, each) for each in filesystem.glob(pattern)], []
            return _matching(source, _folder_of(filesystem, path), pattern)
        except ValueError as error:
            raise ManifestError(
                f"{source} is no pattern ({error}); write such as 'scans/**/*.tif'."
            ) from None
    if local is None:
        return [absolute_uri(f"{source.rstrip('/')}/{key}") for key in Store(source).list()], []
    base = (local if source.startswith(BYTES_SCHEME) or "://" not in source else source).rstrip("/")
    files, unlisted = files_below(path)
    return [absolute_uri(f"{base}/{each[len(path.rstrip('/')) + 1 :]}") for each in files], unlisted


def _matching(source: str, folder: str, pattern: str) -> tuple[list[str], list[str]]:
    """URIs of the files below a local folder that fit a pattern, as fsspec's `glob` has it, and what is not listed."""
    from fsspec.utils import glob_translate

    fits = re.compile(glob_translate(pattern)).match
    files, unlisted = files_below(folder)
    return [_uri_of(source, path) for path in files if fits(path)], unlisted


def _is_pattern(source: str) -> bool:
    """True for a name with wildcards, unless a file or folder has this very name."""
    filesystem, path = filesystem_of(source)
    return any(sign in source for sign in _WILDCARDS) and not filesystem.exists(path)


def _with_names_escaped(filesystem: Any, pattern: str) -> str:
    """A pattern in which the wildcards of folders that are there under this very name are plain characters."""
    folder = _folder_of(filesystem, pattern)
    return "".join(f"[{each}]" if each in _WILDCARDS else each for each in folder) + pattern[len(folder) :]


def _folder_of(filesystem: Any, pattern: str) -> str:
    """The part of a pattern that names a folder: the longest one before its last wildcard that is there."""
    folder = pattern
    while any(sign in folder for sign in _WILDCARDS) and not filesystem.isdir(folder):
        folder = folder.rpartition("/")[0]
    return folder


def _uri_of(source: str, path: str) -> str:
    scheme, separator, _ = source.partition("://")
    if local_path(source) is not None:
        return absolute_uri(f"file://{path}" if scheme == "file" and separator else path)
    return f"{scheme}://{path.lstrip('/')}"


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
                f"{uri} has {row.uri} and {seen[row.id].uri} under one id; name each photograph once."
            )
        seen[row.id] = row
    return list(seen.values())


def _decoded(content: bytes, uri: str) -> Iterator[Mapping[str, Any]]:
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
    kind = {".json": ".jsonl", ".ndjson": ".jsonl"}.get(Path(uri).suffix.lower(), Path(uri).suffix.lower())
    if kind not in (".parquet", ".csv", ".jsonl"):
        raise ManifestError(
            f"{uri} is no manifest; give a .parquet, .csv or .jsonl file, or make one: tinct batch plan."
        )
    return kind


def _to_columns(row: Row) -> dict[str, Any]:
    columns = {name: getattr(row, name) for name in COLUMNS}
    columns |= {"references": list(row.references), "options": ""}
    if row.options:
        columns["options"] = json.dumps(dict(row.options), sort_keys=True)
    return columns


def _from_columns(columns: Any, number: int) -> Row:
    from tinct.options import Options

    names = tuple(each.name for each in fields(Options))
    if isinstance(columns, Mapping) and (found := _misnamed(tuple(columns), (*COLUMNS, "reference", *names))):
        raise ManifestError(f"the manifest has a column {found[0]!r}; it is written {found[1]!r}.")
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
        raise ManifestError(f"row {number} of the manifest ({shown(uri)}) is wrong: {error}") from None


def _id(given: Any, uri: str) -> int:
    """An id of 64 bits; one that is written without a sign stands for the same bits with one."""
    if given in (None, ""):
        return photograph_id(uri)
    if isinstance(given, bool) or (isinstance(given, float) and not given.is_integer()):
        raise ValueError(f"id is {given!r}; a whole number of 64 bits was wanted.")
    number = int(given)
    if not -(1 << 63) <= number < 1 << 64:
        raise ValueError(f"id is {shown(given)}; a whole number of 64 bits was wanted.")
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
        raise ValueError(f"carry is {given!r}; choose one of {', '.join(CARRIES)}.")
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
        raise ValueError(f"{unknown[0]!r} is not an option; use {', '.join(sorted(known))}.")
    return options


def _value(text: str) -> Any:
    try:
        return json.loads(text.strip().lower() if text.strip().lower() in ("true", "false") else text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number, true or false.") from None


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


def arrow_stream(content: bytes) -> Any:
    """A file's content as a stream in Arrow's own memory.

    Threads of Arrow let go of what they read when they end, which may be after Python has: were that an object of
    Python, the process would be aborted.
    """
    pyarrow, _ = arrow()
    memory = pyarrow.allocate_buffer(len(content))
    pyarrow.FixedSizeBufferWriter(memory).write(content)
    return pyarrow.BufferReader(memory)


def arrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet.

    Raises:
        MissingExtraError: if pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError("archives need fsspec and pyarrow: pip install 'tinct[archive]'.") from None
    return pyarrow, parquet
