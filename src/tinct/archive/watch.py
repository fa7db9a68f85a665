"""Watched folders: each photograph that has arrived whole is colorized once, by the ledger of a batch.

A photograph is known by its id and its file's stamp, so a file with other content is a new arrival.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tinct.archive.batch import Counts, Tell, run_batch
from tinct.archive.entry import FAILED, Entry
from tinct.archive.manifest import plan
from tinct.archive.row import Row
from tinct.archive.storage import Stamp, stamp_of
from tinct.archive.worker import Job
from tinct.errors import ManifestError, StorageError

FIRST_PAUSE, LONGEST_PAUSE = 60.0, 86_400.0
"""Seconds until a photograph that failed is tried again though its file has not changed: twice as many after each
attempt, up to a day."""


@dataclass
class _Sighting:
    """What a watch knows of a file.

    Attributes:
        stamp: of the file.
        since: when this stamp was seen first.
        due: when the photograph may be colorized; infinity once it has an outcome that stands.
        pause: seconds until the next attempt, if one fails.
    """

    stamp: Stamp
    since: float
    due: float
    pause: float = FIRST_PAUSE

    def put_off(self, failed: bool) -> None:
        """Leave the file alone after an attempt: until it changes, or for a while if the attempt failed."""
        self.due = time.monotonic() + self.pause if failed else math.inf
        self.pause = min(2 * self.pause, LONGEST_PAUSE)


@dataclass
class Watch:
    """A watched folder.

    Attributes:
        source: the folder, or a URI.
        job: the settings that all photographs share.
        quiet: seconds without a change after which a file counts as whole.
    """

    source: str
    job: Job
    quiet: float = 2.0
    _seen: dict[str, _Sighting] = field(default_factory=dict)

    def look(
        self, *, jobs: int = 1, tell: Tell | None = None, stop: Callable[[], bool] | None = None
    ) -> Counts:
        """Colorize the photographs that have arrived whole since the last call, and those that are due again.

        Args:
            jobs: worker processes.
            tell: is called with each entry.
            stop: ends the call when it returns True after a photograph.
        Returns:
            The counts of photographs that were looked at.
        Raises:
            StorageError: if the folder cannot be listed, or the ledger cannot be read or written.
        """
        ready, failed = self.arrived(), set()
        if not ready:
            return Counts(0, 0, {})

        def note(entry: Entry) -> None:
            if entry.status == FAILED:
                failed.add(entry.uri)
            if tell is not None:
                tell(entry)

        stamps = {row.id: " ".join(map(str, self._seen[row.uri].stamp)) for row in ready}
        outcome = run_batch(ready, self.job, jobs=jobs, stamps=stamps, tell=note, stop=stop)
        for row in ready:
            self._seen[row.uri].put_off(row.uri in failed)
        return outcome

    def arrived(self) -> list[Row]:
        """Rows of the photographs that have not changed for `quiet` seconds, and are due.

        A file that has gone since it was listed, or cannot be looked at, is not there yet.

        Raises:
            StorageError: if the folder cannot be listed.
        """
        try:
            rows = plan(self.source, options=self.job.options)
        except ManifestError:
            return []
        now = time.monotonic()
        seen = {row.uri: sighting for row in rows if (sighting := self._sighting(row.uri, now)) is not None}
        self._seen = seen  # what is no longer listed is forgotten
        return [row for row in rows if row.uri in seen and self._is_due(seen[row.uri], now)]

    def _sighting(self, uri: str, now: float) -> _Sighting | None:
        try:
            stamp = stamp_of(uri)
        except StorageError:
            return None
        known = self._seen.get(uri)
        return known if known is not None and known.stamp == stamp else _Sighting(stamp, now, now)

    def _is_due(self, sighting: _Sighting, now: float) -> bool:
        return sighting.since < now and now - sighting.since >= self.quiet and now >= sighting.due

    def run(
        self,
        stop: Callable[[], bool],
        *,
        pause: float = 1.0,
        jobs: int = 1,
        tell: Tell | None = None,
    ) -> None:
        """Call `look` again and again.

        Args:
            stop: ends the watch when it returns True.
            pause: seconds between two calls.
            jobs: worker processes.
            tell: is called with each entry.
        """
        while not stop():
            self.look(jobs=jobs, tell=tell, stop=stop)
            time.sleep(pause)
