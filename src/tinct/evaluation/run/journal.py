"""The journal of a run: every finished record on a line of its own, so that a stopped run goes on where it
was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tinct.errors import EvaluationError, OutputError
from tinct.evaluation.run.results import (
    JOURNAL_FILE,
    Heading,
    Record,
    heading_from,
    read_results,
    write_atomically,
)

Identities = Mapping[str, Mapping[str, object]]


class Journal:
    """Records of one run in one folder, kept from an earlier run where they answer the same question.

    Attributes:
        records: what is already there, in the order it was measured.
        left_out: what could not be measured beside them, and why.
    """

    def __init__(self, folder: Path, heading: Heading, identities: Identities, restart: bool = False) -> None:
        """Open the journal of `folder`.

        Args:
            folder: the run's output folder; made where it is missing.
            heading: what is being asked; records that answered something else are not taken over.
            identities: method -> its weights and code (`tinct.evaluation.run.contestants.identity`); records of a
                method with others are not taken over.
            restart: take nothing over.
        Raises:
            EvaluationError: if the folder has a run, stopped or finished, that asked something else: it would be lost.
            OutputError: if the folder cannot be written.
        """
        self.path = folder / JOURNAL_FILE
        self._identities = identities
        self.records: list[Record] = []
        self.left_out: dict[str, str] = {}
        if not restart:
            self.records = self._finished(folder, heading) + self._interrupted(heading)
        self._write_all(heading)

    def _finished(self, folder: Path, heading: Heading) -> list[Record]:
        """Records of a finished run, if it was measured alike; a results file that cannot be read is no reason
        to stop, and one that answers something else is not to be lost."""
        try:
            results = read_results(folder)
        except EvaluationError:
            return []
        if other := results.heading.differences(heading, code=False):
            raise EvaluationError(
                f"{folder} has the results of a run with another {'; '.join(other)}; "
                "give another --out, or remove that folder to begin anew."
            )
        if results.heading.differences(heading):
            return []
        self.left_out |= results.left_out
        return [r for r in results.records if self._fits(r, results.methods)]

    def _interrupted(self, heading: Heading) -> list[Record]:
        if not self.path.is_file():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines()
        try:
            first = json.loads(lines[0])
            before = heading_from(first["heading"])
        except (ValueError, KeyError, TypeError, IndexError):
            raise EvaluationError(f"{self.path} is damaged; give --restart to begin anew.") from None
        differences = before.differences(heading)
        if differences:
            raise EvaluationError(
                f"{self.path} is of a stopped run with another {'; '.join(differences)}; "
                "give another --out, or --restart to begin anew."
            )
        records, left_out = _whole_lines(lines[1:])
        self.left_out |= left_out
        return [r for r in records if self._fits(r, first.get("methods", {}))]

    def _fits(self, record: Record, before: Identities) -> bool:
        """Whether the method of a record is what it was; methods that are not asked now are kept."""
        now = self._identities.get(record.method)
        facts = before.get(record.method, {})
        return now is None or all(facts.get(name) == value for name, value in now.items())

    def _write_all(self, heading: Heading) -> None:
        first = {"heading": asdict(heading), "methods": self._identities}
        lines = [
            json.dumps(first),
            json.dumps(self.left_out),
            *(json.dumps([asdict(r)]) for r in self.records),
        ]
        write_atomically(self.path, "\n".join(lines) + "\n")

    @property
    def done(self) -> set[tuple[str, str]]:
        """(photograph, method) pairs that need not be measured again."""
        return {record.key for record in self.records}

    def add(self, records: Sequence[Record]) -> None:
        """Keep what one method answered about one photograph.

        Raises:
            OutputError: if it cannot be written.
        """
        self.records.extend(records)
        self._append([asdict(record) for record in records])

    def leave_out(self, left_out: Mapping[str, str]) -> None:
        """Keep what could not be measured, and why.

        Raises:
            OutputError: if it cannot be written.
        """
        self.left_out |= left_out
        self._append(left_out)

    def _append(self, content: object) -> None:
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as journal:
                journal.write(json.dumps(content) + "\n")
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror}); free some space.") from None

    def discard(self) -> None:
        """Remove the journal of a run that found nothing, and its folder if there is nothing else in it."""
        self.close()
        with suppress(OSError):
            self.path.parent.rmdir()

    def close(self) -> None:
        """Remove the journal: the results file has everything now."""
        self.path.unlink(missing_ok=True)


def _whole_lines(lines: Sequence[str]) -> tuple[list[Record], dict[str, str]]:
    """Records and what was left out: the last line may have been cut off while it was written."""
    found: dict[tuple[str, str, str], Record] = {}
    left_out: dict[str, str] = {}
    for line in lines:
        try:
            content = json.loads(line)
            if isinstance(content, dict):
                left_out |= content
                continue
            for record in (Record(**fields) for fields in content):
                found[(*record.key, record.case)] = record
        except (ValueError, TypeError):
            break
    return list(found.values()), left_out
