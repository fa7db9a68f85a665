"""How far a training has come with what it makes before its first step, told line by line."""

from __future__ import annotations

import time

from tinct.training.log import Tell

PREPARING = "preparing"
"""The kind of these lines; they are told, and are not in the log."""

PARTS = 10
"""Lines after the first, at most."""


class Preparing:
    """Tells a line at the beginning and at each tenth: `what`, how many of them are `done`, `of` how many.

    Args:
        what: is made, in a few words.
        total: how many are made.
        tell: is called with every line; None tells nothing.
    """

    def __init__(self, what: str, total: int, tell: Tell | None) -> None:
        self.what, self.total, self._tell = what, total, tell
        self._start, self._told, self.done = time.monotonic(), 0, 0
        self._say()

    def add(self, count: int) -> None:
        """Count so many more as done."""
        self.done = min(self.done + count, self.total)
        part = PARTS * self.done // self.total
        if part > self._told:
            self._told = part
            self._say()

    def _say(self) -> None:
        if self._tell is not None:
            seconds = round(time.monotonic() - self._start, 1)
            line = {"kind": PREPARING, "step": 0, "seconds": seconds, "what": self.what}
            self._tell(line | {"done": self.done, "of": self.total})
