"""The loop of `tinct colorize` over photographs: state of each, progress, messages and the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinct.cli.process import echo, termination_interrupts
from tinct.errors import one_line
from tinct.streams import STANDARD_STREAM

if TYPE_CHECKING:
    from tinct.colorizing.batch import Item, OutputRules

Work = Callable[["Item"], None]
"""A function that colorizes one photograph and writes its result; it raises errors, and adds notes to the item."""


@dataclass(frozen=True, slots=True)
class Verbosity:
    """How much is printed about a batch.

    Attributes:
        quiet: True for errors alone.
        as_json: True for a line of JSON a photograph on standard output in place of results' names.
    """

    quiet: bool = False
    as_json: bool = False


def process_all(items: Sequence[Item], rules: OutputRules, work: Work, verbosity: Verbosity) -> int:
    """Colorize all photographs of a batch; a failure is one line on stderr, and the rest go on.

    Args:
        items: the photographs.
        rules: where results go.
        work: colorizes one photograph.
        verbosity: how much is printed.
    Returns:
        The exit code: 0 if every photograph was done or passed over on purpose, else 2.
    Raises:
        ReaderLeft: after the photograph in hand, if nobody reads the results' names any more.
    """
    from tinct.cli import print_note
    from tinct.colorizing.batch import State, decide, summary

    several = len(items) > 1
    printer = _Printer(verbosity)
    try:
        with _progress(len(items), verbosity) as advance, termination_interrupts():
            for item in items:
                decide(item, rules, several=several)
                if item.state is State.TO_DO:
                    _do(item, work)
                printer.report(item)
                advance()
    finally:
        if several and not verbosity.quiet:
            print_note(f"{summary(items)}.")
    failed = any(item.state in (State.REFUSED, State.FAILED) for item in items)
    return max(printer.code, 2 if failed else 0)


def _do(item: Item, work: Work) -> None:
    from tinct.cli import error_message
    from tinct.colorizing.batch import State, outcome_of

    try:
        work(item)
    except Exception as error:
        item.state, item.reason = outcome_of(error)[0], error_message(error)
    else:
        item.state = State.WRITTEN


class _Printer:
    """Prints what became of photographs: names or JSON on standard output, the rest on standard error."""

    def __init__(self, verbosity: Verbosity) -> None:
        self._verbosity = verbosity
        self._unprinted: OSError | None = None

    @property
    def code(self) -> int:
        """2 if names could not be printed, which is said once; 0 otherwise."""
        from tinct.cli import report_bad_input

        if self._unprinted is None:
            return 0
        why = self._unprinted.strerror
        return report_bad_input(f"names of results could not be printed ({why}); the results are written.")

    def report(self, item: Item) -> None:
        """Print a photograph's notes, why it was refused or failed, and the name or the JSON of its result."""
        from tinct.cli import print_note, report_bad_input
        from tinct.colorizing.batch import State

        name = display_name(item.photo)
        if not self._verbosity.quiet:
            for each in item.notes:
                print_note(f"{name}: {each}")
            if item.state is State.OWN_RESULT:
                print_note(f"{name}: is a result of tinct; passed over")
        if item.reason:
            report_bad_input(item.reason if name in item.reason else f"{name}: {item.reason}")
        if self._verbosity.as_json:
            self._print(json.dumps(_described(item), ensure_ascii=True))
        elif item.state is State.WRITTEN and item.target != STANDARD_STREAM and not self._verbosity.quiet:
            self._print(_shown(item.target))

    def _print(self, line: str) -> None:
        if self._unprinted is None:
            self._unprinted = echo(line)


def display_name(photo: str) -> str:
    """A photograph's name for people: its path, or "standard input"."""
    return "standard input" if photo == STANDARD_STREAM else photo


def _described(item: Item) -> dict[str, object]:
    return {
        "photo": item.photo,
        "result": item.target or None,
        "status": item.state.value,
        "error": one_line(item.reason) or None,
        "notes": [one_line(each) for each in item.notes],
        "references": [{"photo": name, "likeness": likeness} for name, likeness in item.references],
    }


def _shown(path: str) -> str:
    """A path as it is for programs, without what a terminal would obey where somebody looks."""
    return one_line(path) if sys.stdout.isatty() and not path.isprintable() else path


@contextmanager
def _progress(count: int, verbosity: Verbosity) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr for more than one photograph, where somebody looks."""
    if count < 2 or verbosity.quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("colorizing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("colorizing", total=count)
        yield lambda: progress.advance(task)
