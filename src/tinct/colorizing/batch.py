"""Batches of photographs: which of the named files are colorized, where results go, and the state of each.

Whether a name is that of a photograph, which files are passed over, and the state of a photograph after an error are
decided here, once, for the command line, for archives and for watched folders.
"""

from __future__ import annotations

import ntpath
import os
import stat
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tinct.errors import (
    ExistsError,
    MissingExtraError,
    OptionError,
    OutputError,
    StorageError,
    TinctError,
    WeightsError,
    is_out_of_memory,
    one_line,
)
from tinct.photo.formats import READ_SUFFIXES, SUFFIXES, default_output
from tinct.streams import STANDARD_STREAM, marked_encoding

SAME = "same"
"""Name of each photograph's own format."""

FORMATS = (SAME, "png", "tif", "jpg", "webp")
"""Formats of results: the photograph's own, or one for all."""

RECORD = b"colorized by tinct "
"""Bytes that every result of tinct holds, in EXIF, XMP or a text chunk."""

_NAMELESS = ("", ".", "..")
"""Last parts of paths that do not name the folder."""

_EDGE = 1 << 16
"""Bytes at a file's beginning and at its end that are searched for the record: formats keep metadata there."""


class State(StrEnum):
    """State of a photograph: to do, passed over or refused, or done."""

    TO_DO = "to do"
    WRITTEN = "written"
    EXISTS = "exists"
    OWN_RESULT = "own result"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(slots=True)
class Item:
    """One photograph of a batch.

    Attributes:
        photo: its path, or "-" for standard input.
        target: the result's path, or "-" for standard output.
        state: the photograph's state.
        reason: the reason of a refusal or failure, in one line; "" otherwise.
        notes: decisions of colorizing, one sentence each.
        references: photographs that were retrieved to take colors from, and the likeness of each, -1..1.
    """

    photo: str
    target: str
    state: State = State.TO_DO
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    references: list[tuple[str, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OutputRules:
    """Where results go, and in which format.

    Attributes:
        out_dir: the folder for results; None is beside each photograph.
        keep_tree: True to make the photographs' own folders again below `out_dir`.
        format: one of `FORMATS`; None is PNG.
        overwrite: True if existing files may be replaced.
        skip_existing: True if photographs are passed over whose result exists.
    Raises:
        OptionError: if these contradict each other.
    """

    out_dir: Path | None = None
    keep_tree: bool = False
    format: str | None = None
    overwrite: bool = False
    skip_existing: bool = False

    def __post_init__(self) -> None:
        if self.keep_tree and self.out_dir is None:
            raise OptionError("--keep-tree makes folders below --out-dir DIR; name one.")
        if self.overwrite and self.skip_existing:
            raise OptionError("--overwrite and --skip-existing are both given; choose one.")
        if self.format is not None and self.format not in FORMATS:
            raise OptionError(f"{self.format!r} is not a format; choose one of {', '.join(FORMATS)}.")

    def target(self, photo: str, below: str | None) -> str:
        """The result's path for a photograph.

        Args:
            photo: its path.
            below: the folder below `out_dir` that `keep_tree` makes for it; None without `keep_tree`.
        """
        folder = self.out_dir
        if folder is not None and below is not None:
            folder = folder / below
        return str(default_output(photo, folder).with_suffix(self.suffix(photo)))

    def suffix(self, photo: str) -> str:
        """The suffix of a photograph's result; a photograph whose own format cannot be written becomes PNG."""
        return result_suffix(self.format, Path(photo).suffix)


def result_suffix(format: str | None, own: str) -> str:
    """The suffix of a result, with its point.

    Args:
        format: one of `FORMATS`; None is PNG.
        own: the suffix of the photograph's own format, which "same" takes if the format can be written.
    """
    if format == SAME:
        return own if own.lower() in SUFFIXES else ".png"
    return f".{format or 'png'}"


def plan(named: Sequence[str], rules: OutputRules, *, recursive: bool = False) -> list[Item]:
    """The items of a batch: each named file, and the photographs in each named folder, with their states.

    A file that is named twice is done once. Of two photographs whose results would be one file, the first is done.

    Args:
        named: paths of photographs and folders.
        rules: where results go.
        recursive: True to look into folders' folders as well.
    Raises:
        OptionError: if standard input is one of several photographs.
    """
    root = _root(named) if rules.keep_tree else None
    items = [_item(found, rules, root) for found in _expanded(named, recursive)]
    if len(items) > 1 and any(item.photo == STANDARD_STREAM for item in items):
        raise OptionError("standard input is one of several photographs; colorize it by itself.")
    _refuse_collisions(items)
    return items


def decide(item: Item, rules: OutputRules, *, several: bool) -> None:
    """Set the state of a photograph when its turn has come, by its content and by existing files.

    Results of tinct are passed over where there are several photographs, so that the same line can be given again.

    Args:
        item: its state is changed, if it is still to do.
        rules: where results go.
        several: True if the batch has several photographs.
    """
    if item.state is not State.TO_DO or item.photo == STANDARD_STREAM:
        return
    if several and _is_no_file(item.photo):
        item.state, item.reason = State.REFUSED, f"{item.photo} is a pipe or a device; colorize it by itself."
    elif several and is_own_result(item.photo):
        item.state = State.OWN_RESULT
    elif rules.skip_existing and os.path.isfile(item.target):
        item.state = State.EXISTS


def is_own_result(path: str) -> bool:
    """True if a file is a result of tinct: the file holds tinct's record, or is named NAME.color beside a NAME."""
    file = Path(path)
    if file.stem.endswith(".color") and _has_source(file):
        return True
    try:
        with file.open("rb") as stream:
            if holds_record(stream.read(_EDGE)):
                return True
            stream.seek(max(_EDGE, os.fstat(stream.fileno()).st_size - _EDGE))
            return holds_record(stream.read(_EDGE))
    except OSError:
        return False  # reading it will say what is wrong


def holds_record(content: bytes) -> bool:
    """True if a file's bytes hold tinct's record near their beginning or their end."""
    return RECORD in content[:_EDGE] or RECORD in content[-_EDGE:]


def is_called_like_a_photograph(name: str) -> bool:
    """True if a file's name ends as photographs' names do, and is not that of a hidden file."""
    return Path(name).suffix.lower() in READ_SUFFIXES and not name.startswith(".")


def without_results(paths: Iterable[str]) -> list[str]:
    """Paths without those named NAME.color beside a NAME, in their order; others of that name are photographs."""
    given = list(paths)
    stems = {path.rpartition(".")[0] for path in given}
    return [
        path
        for path in given
        if not (stem := path.rpartition(".")[0]).endswith(".color")
        or stem.removesuffix(".color") not in stems
    ]


def outcome_of(error: Exception) -> tuple[State, str]:
    """The state of a photograph after an error, and the reason in one line.

    Returns:
        FAILED if another time may do better (a store that did not answer, an extra or weights that are missing,
        memory, a defect of tinct), REFUSED if the photograph or what was asked for it has to change first, a result
        that is there already among it.
    """
    if is_out_of_memory(error):
        return State.FAILED, "there was not enough memory for this photograph."
    if not isinstance(error, TinctError):
        return State.FAILED, f"failed unexpectedly ({type(error).__name__}: {one_line(str(error))})"
    passes = isinstance(error, StorageError | OutputError | MissingExtraError | WeightsError)
    passes = passes and not isinstance(error, ExistsError)
    why = one_line(str(error) or type(error).__name__)
    return State.FAILED if passes else State.REFUSED, why


def make_folder(target: str) -> None:
    """Make the folder of a result.

    Raises:
        OutputError: if the folder cannot be made.
    """
    place = Path(target).parent
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{place} cannot be made ({error.strerror}); name a folder to write to.") from None


def summary(items: Iterable[Item]) -> str:
    """The numbers of photographs by state, for the last line: "962 written, 38 there already, 2 failed"."""
    words = {
        State.WRITTEN: "written",
        State.EXISTS: "there already",
        State.OWN_RESULT: "results of tinct passed over",
        State.REFUSED: "refused",
        State.FAILED: "failed",
        State.TO_DO: "not done",
    }
    found = Counter(item.state for item in items)
    parts = [f"{found[state]} {word}" for state, word in words.items() if found[state]]
    return ", ".join(parts or ["0 written"])


def listed_names(content: bytes) -> list[str]:
    """File names of a list: one a line, or ended by zero bytes as `find -print0` gives them.

    A byte order mark says in which Unicode encoding the list is: PowerShell writes UTF-16. Without one, names are the
    bytes of the list.

    Raises:
        OptionError: if the list is damaged, or looks like UTF-16 without a byte order mark.
    """
    content = _without_mark(content)
    parts = content.split(b"\0") if b"\0" in content else content.splitlines()
    named = [part for part in parts if part.strip()]
    if b"\0" in content:
        _check_ended_by_zeros([part for part in parts if part])
    return [os.fsdecode(part) for part in named]


def _without_mark(content: bytes) -> bytes:
    """A list's bytes as file names have them, without a byte order mark."""
    encoding = marked_encoding(content)
    if encoding is None:
        return content
    try:
        return os.fsencode(content.decode(encoding))
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise OptionError(
            f"the list of photographs is no {encoding} ({error.reason}); save it as UTF-8."
        ) from None


def _check_ended_by_zeros(parts: Sequence[bytes]) -> None:
    """Refuse a list in which zero bytes end single bytes, as those of UTF-16 do."""
    if len(parts) > 1 and 2 * sum(len(part) == 1 for part in parts) > len(parts):
        raise OptionError(
            "the list of photographs has zero bytes after single letters, like UTF-16 without a byte order mark; "
            "save it as UTF-8."
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """A file or folder that is named, or was found in a named folder.

    Attributes:
        path: as it is named.
        place: the absolute path that `keep_tree` counts folders in.
        refused: why it cannot be colorized, in one line; "" otherwise.
    """

    path: str
    place: str
    refused: str = ""


def _item(found: _Found, rules: OutputRules, root: str | None) -> Item:
    path = found.path
    if path == STANDARD_STREAM:
        target = rules.target("stdin", None) if rules.out_dir is not None else STANDARD_STREAM
        return Item(path, target)
    if found.refused:
        return Item(path, "", State.REFUSED, found.refused)
    below = None if root is None else os.path.relpath(os.path.dirname(found.place), root)
    return Item(path, rules.target(path, below))


def file_key(path: str, platform: str | None = None) -> str:
    """A key that all paths of one file share, by the platform's usual file system.

    Windows takes capitals for small letters and "/" for a backslash; macOS takes capitals for small letters, and an
    accented letter for the letter with a combining accent (HFS+ and APFS, Unicode normalization). Elsewhere the key is
    the path.

    Args:
        path: an absolute path.
        platform: as `sys.platform` names it; None is this platform.
    """
    platform = platform or sys.platform
    if platform == "win32":
        return ntpath.normpath(path).casefold()
    if platform == "darwin":
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
    return path


def _refuse_collisions(items: Iterable[Item]) -> None:
    taken: dict[str, str] = {}
    for item in items:
        if item.state is State.TO_DO and item.target != STANDARD_STREAM:
            first = taken.setdefault(file_key(os.path.abspath(item.target)), item.photo)
            if first != item.photo:
                item.state = State.REFUSED
                item.reason = (
                    f"{first} and {item.photo} would both become {item.target}; "
                    "give --keep-tree if they are in different folders, --format same if they differ in format, or "
                    "colorize them separately."
                )


def _expanded(named: Sequence[str], recursive: bool) -> Iterator[_Found]:
    """The files named and those in folders, each once; a folder without any as it is, refused."""
    seen: set[str] = set()
    for name in named:
        for found in _found(name, recursive):
            real = name if name == STANDARD_STREAM else os.path.realpath(found.path)
            if real not in seen:
                seen.add(real)
                yield found


def _found(name: str, recursive: bool) -> list[_Found]:
    """What a name stands for: itself, or a folder's photographs."""
    place = _place(name)
    if name == STANDARD_STREAM or not os.path.isdir(name):
        return [_Found(name, place)]
    return [
        _Found(path, os.path.normpath(os.path.join(place, os.path.relpath(path, name))), why)
        for path, why in _photographs(name, recursive)
    ]


def _photographs(folder: str, recursive: bool) -> list[tuple[str, str]]:
    """Files in a folder that are called like photographs, hidden ones left out, and why a path is refused or "".

    Folders that cannot be listed are among them, and the folder itself if it has no photographs.
    """
    found: list[tuple[str, str]] = []

    def refuse(error: OSError) -> None:
        path = str(error.filename)
        found.append((path, f"{path} cannot be listed ({error.strerror}); make it readable."))

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(each for each in folders if recursive and not each.startswith("."))
        found += [
            (os.path.join(place, each), "") for each in sorted(files) if is_called_like_a_photograph(each)
        ]
    more = "" if recursive else "; --recursive looks into its folders"
    return found or [(folder, f"{folder} is a folder without photographs{more}.")]


def _place(name: str) -> str:
    """The absolute path of a named file or folder; links are followed up to its own name, which is kept."""
    folder, own = os.path.split(Path(name))
    return os.path.realpath(name) if own in _NAMELESS else os.path.join(os.path.realpath(folder), own)


def _root(named: Sequence[str]) -> str:
    """What photographs' folders are counted from: the one folder named, or what all that is named have in common."""
    names = [name for name in named if name != STANDARD_STREAM]
    if len(names) == 1 and os.path.isdir(names[0]):
        return _place(names[0])
    parents = [
        _place(name) if Path(name).name in _NAMELESS else os.path.dirname(_place(name)) for name in names
    ]
    try:
        return os.path.commonpath(parents) if parents else os.getcwd()
    except ValueError:  # on several drives
        raise OptionError("the photographs lie on several drives; --keep-tree needs one.") from None


def _has_source(result: Path) -> bool:
    name = result.stem.removesuffix(".color")
    return any(os.path.isfile(result.with_name(name + suffix)) for suffix in _all_suffixes())


def _all_suffixes() -> Iterator[str]:
    for suffix in SUFFIXES:
        yield suffix
        yield suffix.upper()


def _is_no_file(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False  # reading it will say so
    return not stat.S_ISREG(mode)
