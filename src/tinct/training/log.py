"""The log of a run: JSON lines always, TensorBoard where that is installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tinct.files import write_whole

Tell = Callable[[Mapping[str, Any]], None]


class RunLog:
    """`log.jsonl` in the run's folder, and the same numbers for TensorBoard.

    Each line has `kind` ("training" or "validation"), `step`, `seconds` and the numbers by name.

    Args:
        folder: of the run.
        step: at which the run goes on; later lines of an earlier, stopped run are removed.
        tell: is called with every line as well.
    """

    def __init__(self, folder: Path, step: int = 0, tell: Tell | None = None) -> None:
        self.file, self.tell = folder / "log.jsonl", tell
        self._forget_after(step)
        self._board = _tensorboard(folder / "tensorboard", step)

    def write(self, kind: str, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """Add a line."""
        line = {"kind": kind, "step": step, "seconds": round(seconds, 1)}
        line |= {name: round(value, 5) for name, value in values.items()}
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", value, step)
            self._board.flush()
        if self.tell is not None:
            self.tell(line)

    def _forget_after(self, step: int) -> None:
        if not self.file.exists():
            return
        lines = self.file.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if _step(line) <= step]
        write_whole(self.file, "".join(f"{line}\n" for line in kept))


def values_of(line: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a line of the log, without kind, step and time."""
    numbers = {name: value for name, value in line.items() if isinstance(value, int | float)}
    return {name: value for name, value in numbers.items() if name not in ("step", "seconds")}


def read_log(file: Path, kind: str = "validation") -> list[dict[str, Any]]:
    """The lines of one kind, oldest first; none if there is no such file. A line that was cut short is passed over."""
    if not file.is_file():
        return []
    lines = [_parsed(line) for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    return [line for line in lines if line.get("kind") == kind]


def _parsed(line: str) -> dict[str, Any]:
    """The values of a line of the log; none if the line was cut short."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _step(line: str) -> float:
    """A line's step; infinite for a line that was cut short."""
    step = _parsed(line).get("step")
    return float(step) if isinstance(step, int | float) else float("inf")


def _tensorboard(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:  # a convenience: the numbers are in log.jsonl
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)  # type: ignore[no-untyped-call]
