"""The journal of a run: the records of each finished photograph on a line, from which a stopped run goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tinct.errors import EvaluationError, OutputError, shortened
from tinct.evaluation.run.results import (
    JOURNAL_FILE,
    Heading,
    Record,
    heading_from,
    read_results,
    record_from,
    write_result,
)
from tinct.tables import dataclass_from

Identities = Mapping[str, Mapping[str, object]]
"""Method -> its weights and code (`tinct.evaluation.run.contestants.identity`)."""


@dataclass(frozen=True, slots=True)
class _First:
    """The first line of a journal."""

    heading: dict[str, object]
    methods: dict[str, dict[str, object]] = field(default_factory=dict)


class Journal:
    """The journal in a run's folder, which takes over the records of an earlier run of the same question.

    Attributes:
        records: all records so far, in the order of measuring.
        left_out: name of what could not be measured -> the reason.
    """

    def __init__(self, folder: Path, heading: Heading, identities: Identities, restart: bool = False) -> None:
        """Open the journal of `folder`.

        Args:
            folder: the run's folder; made if it is missing.
            heading: of the run; only records with an equal heading are taken over.
            identities: of the run's methods; only records of a method with equal weights and code are taken over.
            restart: take nothing over.
        Raises:
            EvaluationError: if the folder has a run, stopped or finished, of another question, which would be lost.
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
        """The records of a finished run that was measured by equal code; a damaged results file counts as missing.

        Raises:
            EvaluationError: if the results answer another question.
        """
        try:
            results = read_results(folder)
        except EvaluationError:
            return []
        if other := results.heading.differences(heading, code=False):
            raise EvaluationError(
                f"{folder} is of a run with another {shortened('; '.join(other), 110)}; "
                "give another --out, or --restart."
            )
        if results.heading.differences(heading):
            return []
        self.left_out |= results.left_out
        return [r for r in results.records if self._fits(r, results.methods)]

    def _interrupted(self, heading: Heading) -> list[Record]:
        if not self.path.is_file():
            return []
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
            first = dataclass_from(_First, json.loads(lines[0]), "journal")
            before = heading_from(first.heading)
        except (ValueError, IndexError, RecursionError):
            raise EvaluationError(f"{self.path} is damaged; give --restart to begin anew.") from None
        differences = before.differences(heading)
        if differences:
            raise EvaluationError(
                f"{self.path} is of a run with another {shortened('; '.join(differences), 110)}; "
                "give another --out, or --restart."
            )
        records, left_out = _whole_lines(lines[1:])
        self.left_out |= left_out
        return [r for r in records if self._fits(r, first.methods)]

    def _fits(self, record: Record, before: Identities) -> bool:
        """Whether a record's method has the weights and code of this run, or is not part of this run.

        Nothing fits code that nobody knows.
        """
        now = self._identities.get(record.method)
        facts = before.get(record.method, {})
        if now is None:
            return True
        return now.get("code") is not None and all(facts.get(name) == value for name, value in now.items())

    def _write_all(self, heading: Heading) -> None:
        first = {"heading": asdict(heading), "methods": self._identities}
        lines = [
            json.dumps(first),
            json.dumps(self.left_out),
            *(json.dumps([asdict(r)]) for r in self.records),
        ]
        write_result(self.path, "\n".join(lines) + "\n")

    @property
    def done(self) -> set[tuple[str, str]]:
        """(photograph, method) of all records."""
        return {record.key for record in self.records}

    def add(self, records: Sequence[Record]) -> None:
        """Add one method's records of one photograph.

        Raises:
            OutputError: if the journal cannot be written.
        """
        self.records.extend(records)
        self._append([asdict(record) for record in records])

    def leave_out(self, left_out: Mapping[str, str]) -> None:
        """Add what could not be measured: name -> reason.

        Raises:
            OutputError: if the journal cannot be written.
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
        """Remove the journal of a run without records, and the run's folder if it is empty then."""
        self.close()
        with suppress(OSError):
            self.path.parent.rmdir()

    def close(self) -> None:
        """Remove the journal, whose content the results file has."""
        self.path.unlink(missing_ok=True)


def _whole_lines(lines: Sequence[str]) -> tuple[list[Record], dict[str, str]]:
    """The records and what was left out, up to a line that is cut off."""
    found: dict[tuple[str, str, str], Record] = {}
    left_out: dict[str, str] = {}
    for line in lines:
        try:
            content = json.loads(line)
            if isinstance(content, dict):
                left_out |= {name: str(why) for name, why in content.items()}
                continue
            for record in (record_from(each, number) for number, each in enumerate(content, 1)):
                found[(*record.key, record.case)] = record
        except (ValueError, TypeError, RecursionError):
            break
    return list(found.values()), left_out
