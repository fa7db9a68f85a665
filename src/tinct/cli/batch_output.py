"""What commands on archives print of photographs and of a whole batch, and the files that they write beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tinct.errors import OutputError, one_line

if TYPE_CHECKING:
    from tinct.archive.batch import Counts
    from tinct.archive.entry import Entry


def teller(quiet: bool, as_json: bool) -> Callable[[Entry], None]:
    """A function that prints of each photograph nothing, a JSON object, or its result's name; faults go to stderr.

    The work ends after a photograph of which nobody reads any more, and the ledger has its row.
    """
    from tinct.archive.entry import FAILED, REFUSED
    from tinct.cli import print_note
    from tinct.cli.process import echo

    def tell(entry: Entry) -> None:
        if as_json:
            echo(json.dumps(asdict(entry), ensure_ascii=False))
        elif entry.status in (REFUSED, FAILED):
            print_note(f"{one_line(entry.uri)}: {entry.message}")
        elif not quiet:
            echo(f"{one_line(entry.uri)}: {entry.output or one_line(entry.message)}")

    return tell


def print_summary(numbers: Counts, as_json: bool) -> int:
    """Print the numbers of photographs by status.

    Args:
        numbers: of the run.
        as_json: True if standard output has a JSON object for each photograph; the line goes to standard error then.
    Returns:
        The exit code.
    """
    counts = ", ".join(f"{count} {status}" for status, count in sorted(numbers.statuses.items()))
    text = (
        f"{numbers.planned} photographs: {counts or 'nothing to do'}, {numbers.settled} were settled before"
    )
    parts = [
        f"{count} of them {what}"
        for count, what in (
            (numbers.refused, "refused (--retry-refused tries them again)"),
            (numbers.differing, "with other options or in another format (another --out gets these)"),
        )
        if count
    ]
    typer.echo(f"{', '.join([text, *parts])}.", err=as_json)
    return exit_code(numbers)


def exit_code(numbers: Counts) -> int:
    """The exit code of a run: 2 if photographs of it have no result, those among them that were refused before."""
    return 2 if numbers.failed or numbers.refused else 0


def write_iiif(out: str, folder: Path) -> None:
    """Write a IIIF manifest for each photograph of a ledger that has a picture; says how many have chroma files.

    Raises:
        OutputError: if a file cannot be written.
    """
    from tinct.archive.chroma import SUFFIX
    from tinct.archive.entry import DONE
    from tinct.archive.iiif import iiif_manifest
    from tinct.archive.ledger import Ledger
    from tinct.archive.storage import Store
    from tinct.cli import print_note

    store = Store(out)
    done = [entry for entry in Ledger(store).entries() if entry.status == DONE]
    pictures = [entry for entry in done if not entry.output.endswith(SUFFIX)]
    for entry in pictures:
        colorized = f"{store.uri.rstrip('/')}/{entry.output}"
        text = iiif_manifest(entry, folder.absolute().as_uri(), entry.uri, colorized)
        write_text(folder / f"{Path(entry.output).stem}.json", text)
    if without := len(done) - len(pictures):
        print_note(
            f"{without} of {len(done)} results in {out} are chroma files, which no viewer shows; "
            "they get no IIIF manifest."
        )


def write_text(path: Path, content: str) -> None:
    """Write a file, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    from tinct.files import write_whole

    try:
        write_whole(path, content)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}).") from None
