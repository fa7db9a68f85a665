"""Watched folders: each photograph that has arrived whole is colorized once, by the ledger of a batch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tinct.archive.batch import Tell, run_batch
from tinct.archive.manifest import Row, plan
from tinct.archive.storage import Stamp, stamp_of
from tinct.archive.worker import Job
from tinct.errors import ManifestError


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
    _seen: dict[str, tuple[Stamp, float]] = field(default_factory=dict)

    def look(self, *, jobs: int = 1, tell: Tell | None = None) -> int:
        """Colorize the photographs that have arrived whole since the last call.

        Args:
            jobs: worker processes.
            tell: is called with each entry.
        Returns:
            The number of photographs with an outcome.
        """
        ready = self.arrived()
        if not ready:
            return 0
        outcome = run_batch(ready, self.job, jobs=jobs, tell=tell)
        return sum(outcome.statuses.values())

    def arrived(self) -> list[Row]:
        """Rows of the photographs that have not changed for `quiet` seconds."""
        try:
            rows = plan(self.source, options=self.job.options)
        except ManifestError:
            return []
        now = time.monotonic()
        ready = []
        for row in rows:
            stamp = stamp_of(row.uri)
            known = self._seen.get(row.uri)
            if known is None or known[0] != stamp:
                self._seen[row.uri] = (stamp, now)
            elif now - known[1] >= self.quiet:
                ready.append(row)
        return ready

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
            self.look(jobs=jobs, tell=tell)
            time.sleep(pause)
