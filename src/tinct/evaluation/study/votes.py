"""The votes of a study in one SQLite file, which also holds what was asked: the file alone can be exported."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tinct.errors import EvaluationError, OutputError, shown
from tinct.evaluation.study.design import KINDS, Study, Trial

SCHEMA_VERSION = 1
"""Version of the file's tables."""

TABLES = """
CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE participants (
  number INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, started TEXT NOT NULL) STRICT;
CREATE TABLE votes (
  participant INTEGER NOT NULL REFERENCES participants (number), trial INTEGER NOT NULL,
  photograph TEXT NOT NULL, shown TEXT NOT NULL, chosen TEXT NOT NULL, practice INTEGER NOT NULL,
  milliseconds INTEGER NOT NULL, time TEXT NOT NULL, PRIMARY KEY (participant, trial)) STRICT;
"""
"""The file's tables."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote.

    Attributes:
        participant: number, from 1.
        photograph: name of the photograph that the pictures show.
        shown: methods (or `truth`) in the order of their places.
        chosen: the method that was chosen; for a single picture `real` or `computed`.
        milliseconds: from the question to the answer.
    """

    participant: int
    photograph: str
    shown: tuple[str, ...]
    chosen: str
    milliseconds: int = 0


class VoteFile:
    """The file of a study's votes; its methods may be called from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open_for(cls, study: Study, path: Path) -> VoteFile:
        """Begin a file, or go on with the file of the same study.

        Raises:
            EvaluationError: if the file is of another study, or is no file of votes.
            OutputError: if the file cannot be written.
        """
        votes, asked = cls(path), _asked(study)
        if not path.exists():
            votes._create(asked)
        met = votes.asked()
        if other := [key for key in asked if met.get(key) != asked[key]]:
            raise EvaluationError(
                f"{path} has votes of a study with another {' and '.join(other)}; "
                "give another file with --votes."
            )
        return votes

    def _create(self, asked: dict[str, str]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                connection.executescript(TABLES)
                connection.executemany("INSERT INTO study VALUES (?, ?)", asked.items())
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except (OSError, sqlite3.OperationalError) as error:
            raise OutputError(
                f"{self.path} cannot be written ({error}); give another file with --votes."
            ) from None

    def asked(self) -> dict[str, str]:
        """The study's facts (kind, methods, photographs and more), each as JSON text.

        Raises:
            EvaluationError: if the file is missing, or is no file of votes.
        """
        if not self.path.exists():
            raise EvaluationError(
                f"{self.path} does not exist; give the file that `tinct study serve` has written."
            )
        try:
            with self._connection() as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                found = dict(connection.execute("SELECT key, value FROM study"))
        except sqlite3.DatabaseError:
            raise EvaluationError(
                f"{self.path} is not a file of votes; give one of `tinct study serve`."
            ) from None
        if version != SCHEMA_VERSION:
            raise EvaluationError(
                f"{self.path} has version {version} of the format; version {SCHEMA_VERSION} is read."
            )
        return found

    @property
    def kind(self) -> str:
        """The study's kind, one of `tinct.evaluation.study.KINDS`."""
        kind = self._fact("kind")
        if kind not in list(KINDS):
            raise self._damaged(f"its kind is {shown(kind)}")
        return str(kind)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods, in order."""
        methods = self._fact("methods")
        if not isinstance(methods, list) or not all(isinstance(name, str) for name in methods):
            raise self._damaged(f"its methods are {shown(methods)}")
        return tuple(methods)

    def _fact(self, key: str) -> object:
        facts = self.asked()
        try:
            fact: object = json.loads(facts[key])
        except (KeyError, ValueError):
            raise self._damaged(f"its {key} is not there") from None
        return fact

    def _damaged(self, why: object) -> EvaluationError:
        return EvaluationError(f"{self.path} is damaged ({why}); take a copy from before.")

    def enroll(self) -> str:
        """Add a participant, and return the participant's secret token."""
        token = secrets.token_urlsafe(12)
        with self._connection() as connection:
            connection.execute("INSERT INTO participants (token, started) VALUES (?, ?)", (token, _now()))
        return token

    def number(self, token: str) -> int | None:
        """The number of a token's participant, from 1; None for an unknown token."""
        with self._connection() as connection:
            row = connection.execute("SELECT number FROM participants WHERE token = ?", (token,)).fetchone()
        return row[0] if row else None

    def answered(self, participant: int) -> int:
        """The number of trials that a participant has answered; trials are answered in order."""
        with self._connection() as connection:
            query = "SELECT count(*) FROM votes WHERE participant = ?"
            return int(connection.execute(query, (participant,)).fetchone()[0])

    def vote(self, participant: int, index: int, trial: Trial, chosen: str, milliseconds: int) -> bool:
        """Keep a vote; False if the trial has another vote already, which stands."""
        shown = json.dumps(trial.shown)
        row = (participant, index, trial.photograph, shown, chosen, int(trial.practice), milliseconds, _now())
        with self._connection() as connection:
            connection.execute("INSERT OR IGNORE INTO votes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            query = "SELECT chosen FROM votes WHERE participant = ? AND trial = ?"
            return bool(connection.execute(query, (participant, index)).fetchone()[0] == chosen)

    def take_back(self, participant: int, index: int) -> bool:
        """Forget the vote of a trial; False unless the trial was the participant's last one."""
        with self._connection() as connection:
            query = (
                "DELETE FROM votes WHERE participant = ? AND trial = ? "
                "AND trial = (SELECT max(trial) FROM votes WHERE participant = ?)"
            )
            return connection.execute(query, (participant, index, participant)).rowcount == 1

    def votes(self) -> list[Vote]:
        """All votes that count, by participant and in order.

        Raises:
            EvaluationError: if the file is damaged.
        """
        query = (
            "SELECT participant, photograph, shown, chosen, milliseconds FROM votes "
            "WHERE practice = 0 ORDER BY participant, trial"
        )
        try:
            with self._connection() as connection:
                return [
                    Vote(p, name, tuple(json.loads(s)), c, ms)
                    for p, name, s, c, ms in connection.execute(query)
                ]
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise self._damaged(error) from None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            with connection:
                yield connection
        finally:
            connection.close()


def _asked(study: Study) -> dict[str, str]:
    practice, trials = study.counts()
    values = {
        "kind": study.kind,
        "methods": study.methods,
        "photographs": study.pictures.photographs,
        "shown": study.shown,
        "trials": trials,
        "practice": practice,
        "seconds": study.seconds,
        "seed": study.seed,
    }
    return {key: json.dumps(value) for key, value in values.items()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
