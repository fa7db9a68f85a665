"""A batch on the command line: one photograph after the other, what became of each, and a last line that counts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinct.cli.process import echo, termination_interrupts
from tinct.errors import one_line

if TYPE_CHECKING:
    from tinct.colorizing.batch import Item, Placing

STANDARD_STREAM = "-"

Work = Callable[["Item"], None]
"""Colorizes one photograph and writes its result; what goes wrong is raised, what is to be said goes to the notes."""


@dataclass(frozen=True, slots=True)
class Telling:
    """How much is said of a batch.

    Attributes:
        quiet: True for errors alone.
        as_json: True for a line of JSON a photograph on standard output in place of results' names.
    """

    quiet: bool = False
    as_json: bool = False


def do_all(items: Sequence[Item], placing: Placing, work: Work, telling: Telling) -> int:
    """Do all of a batch; one that fails is a line on stderr and makes the exit code, and the rest go on.

    Returns:
        The exit code: 0 if every photograph was done or passed over on purpose, else 2.
    """
    from tinct.cli import note
    from tinct.colorizing.batch import State, counted, decide

    several = len(items) > 1
    printer = _Printer(telling)
    try:
        with _progress(len(items), telling) as advance, termination_interrupts():
            for item in items:
                decide(item, placing, several=several)
                if item.state is State.TO_DO:
                    _do(item, work)
                printer.told(item)
                advance()
    finally:
        if several and not telling.quiet:
            note(f"{counted(items)}.")
    failed = any(item.state in (State.REFUSED, State.FAILED) for item in items)
    return max(printer.code, 2 if failed else 0)


def _do(item: Item, work: Work) -> None:
    from tinct.cli import told
    from tinct.colorizing.batch import State

    try:
        work(item)
    except Exception as error:
        item.state, item.why = State.FAILED, told(error)
    else:
        item.state = State.WRITTEN


class _Printer:
    """Says what became of photographs: names or JSON on standard output, the rest on standard error."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._unprinted: OSError | None = None

    @property
    def code(self) -> int:
        """2 if names could not be printed, which is said once; 0 otherwise, or if nobody reads them any more."""
        from tinct.cli import complain

        if self._unprinted is None or isinstance(self._unprinted, BrokenPipeError):
            return 0
        why = self._unprinted.strerror
        return complain(f"names of results could not be printed ({why}); the results are written.")

    def told(self, item: Item) -> None:
        """Say it of one."""
        from tinct.cli import complain, note
        from tinct.colorizing.batch import State

        name = name_of(item.photo)
        if not self._telling.quiet:
            for each in item.notes:
                note(f"{name}: {each}")
            if item.state is State.OWN_RESULT:
                note(f"{name}: is a result of tinct; passed over")
        if item.why:
            complain(item.why if name in item.why else f"{name}: {item.why}")
        if self._telling.as_json:
            self._print(json.dumps(_described(item), ensure_ascii=True))
        elif item.state is State.WRITTEN and item.target != STANDARD_STREAM and not self._telling.quiet:
            self._print(_shown(item.target))

    def _print(self, line: str) -> None:
        if self._unprinted is None:
            self._unprinted = echo(line)


def name_of(photo: str) -> str:
    """A photograph's name for people."""
    return "standard input" if photo == STANDARD_STREAM else photo


def _described(item: Item) -> dict[str, object]:
    return {
        "photo": item.photo,
        "result": item.target or None,
        "status": item.state.value,
        "error": one_line(item.why) or None,
        "notes": [one_line(each) for each in item.notes],
    }


def _shown(path: str) -> str:
    """A path as it is for programs, without what a terminal would obey where somebody looks."""
    return one_line(path) if sys.stdout.isatty() and not path.isprintable() else path


@contextmanager
def _progress(count: int, telling: Telling) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr for more than one photograph, where somebody looks."""
    if count < 2 or telling.quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("colorizing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("colorizing", total=count)
        yield lambda: progress.advance(task)
