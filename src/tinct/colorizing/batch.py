"""Batches of photographs: which of the named files are colorized, where results go, and the state of each.

Which files are passed over, and the state of a photograph after an error, are decided here, once, for the command
line, for archives and for watched folders; `tinct.colorizing.named_files` says which names are those of photographs,
`tinct.colorizing.own_results` what is a result of tinct.
"""

from __future__ import annotations

import ntpath
import os
import stat
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tinct.colorizing.named_files import NamedFile, common_folder, named_files
from tinct.colorizing.own_results import is_own_result
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
from tinct.photo.formats import SUFFIXES, default_output
from tinct.streams import STANDARD_STREAM

SAME = "same"
"""Name of each photograph's own format."""

FORMATS = (SAME, "png", "tif", "jpg", "webp")
"""Formats of results: the photograph's own, or one for all."""


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
    root = common_folder(named) if rules.keep_tree else None
    items = [_item(found, rules, root) for found in named_files(named, recursive)]
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


def _item(found: NamedFile, rules: OutputRules, root: str | None) -> Item:
    path = found.path
    if path == STANDARD_STREAM:
        target = rules.target("stdin", None) if rules.out_dir is not None else STANDARD_STREAM
        return Item(path, target)
    if found.refused:
        return Item(path, "", State.REFUSED, found.refused)
    below = None if root is None else os.path.relpath(os.path.dirname(found.place), root)
    return Item(path, rules.target(path, below))


def _refuse_collisions(items: Iterable[Item]) -> None:
    """Refuse photographs whose results would be a file that an earlier photograph's result is."""
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


def _is_no_file(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False  # reading it will say so
    return not stat.S_ISREG(mode)
