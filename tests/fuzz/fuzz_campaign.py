"""Runs many inputs in a process of its own under a watchdog: time, memory, crashes, other exceptions than tinct's.

python tests/fuzz/fuzz_campaign.py --seconds 3600 --seed 7 --folder build/fuzz
"""

from __future__ import annotations

import argparse
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

HANG = 10.0
"""Seconds of the processor that one input may take."""

_WAIT = 200 * HANG
"""Seconds by the clock that one input may take; the machine may have other work."""

_MEMORY_LIMIT = 6 << 30
_JUMP = 300
"""MiB by which one input may raise the largest memory; more is a fault."""


@dataclass
class Table:
    """What came of a campaign.

    Attributes:
        inputs, taken, refused: how many there were, were read, and were refused by name.
        faults: other exceptions, crashes, hangs and memory jumps, one line each.
        slowest: seconds of the slowest input.
        peak: the largest memory in MiB.
    """

    inputs: int = 0
    taken: int = 0
    refused: int = 0
    exceptions: int = 0
    crashes: int = 0
    hangs: int = 0
    jumps: int = 0
    slowest: float = 0.0
    peak: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"inputs {self.inputs}, taken {self.taken}, refused {self.refused}, other exceptions {self.exceptions}, "
            f"crashes {self.crashes}, hangs {self.hangs}, memory jumps {self.jumps}, slowest {self.slowest:.1f} s, "
            f"peak {self.peak} MiB, {self.inputs / max(self.seconds, 1e-9):.0f} a second"
        )


def run(
    seed: int, *, first: int = 0, inputs: int = 1 << 40, seconds: float = 1e9, folder: Path | None = None
) -> Table:
    """Try inputs until there are enough, the time is over or somebody stops it; those with faults go into a folder."""
    table, number, began = Table(), first, time.monotonic()
    with suppress(KeyboardInterrupt):
        while number < first + inputs and time.monotonic() - began < seconds:
            number = _run_process(seed, number, first + inputs, began + seconds, table, folder)
    table.seconds = time.monotonic() - began
    return table


def _run_process(seed: int, number: int, end: int, until: float, table: Table, folder: Path | None) -> int:
    """Try inputs in one process until it ends or has to be ended; the number of the next input."""
    command = [sys.executable, __file__, "--worker", str(seed), str(number), str(end)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    handle, waiting, started, hung = process.stdout.fileno(), b"", False, False
    at, spent = time.monotonic(), 0.0
    try:
        while time.monotonic() < until:
            ready, _, _ = select.select([handle], [], [], 1)
            if not ready:
                if hung := _is_hung(process.pid, at, spent, started):
                    break
                continue
            piece = os.read(handle, 1 << 16)
            if not piece:
                break
            at, spent = time.monotonic(), _processor_seconds(process.pid)
            *lines, waiting = (waiting + piece).split(b"\n")
            for line in lines:
                number, started = _note(line.decode(), seed, table, folder), True
        else:
            return end
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    if number >= end:
        return number
    table.inputs += 1
    table.hangs += hung
    table.crashes += not hung
    _keep(seed, number, f"{'hung' if hung else f'ended with {process.returncode}'}", table, folder)
    return number + 1


def _is_hung(pid: int, since: float, spent: float, started: bool) -> bool:
    """True if one input has taken too long, by the processor or by the clock; starting may take longer."""
    scale = 1 if started else 6
    used = _processor_seconds(pid) - spent
    return used > HANG * scale or time.monotonic() - since > _WAIT * scale


def _processor_seconds(pid: int) -> float:
    """What a process has used of the processor; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _note(line: str, seed: int, table: Table, folder: Path | None) -> int:
    """Take one line of a worker: number, outcome, milliseconds, MiB, what was raised; the number of the next input."""
    number, outcome, milliseconds, memory, said = line.split("\t")
    table.inputs += 1
    table.taken += outcome == "taken"
    table.refused += outcome == "refused"
    table.slowest = max(table.slowest, int(milliseconds) / 1000)
    jumped = table.inputs > 300 and int(memory) - table.peak > _JUMP
    table.peak = max(table.peak, int(memory))
    if outcome == "raised":
        table.exceptions += 1
        _keep(seed, int(number), said, table, folder)
    elif jumped:
        table.jumps += 1
        _keep(seed, int(number), f"memory rose to {memory} MiB", table, folder)
    return int(number) + 1


def _keep(seed: int, number: int, what: str, table: Table, folder: Path | None) -> None:
    from fuzz_inputs import make_input

    kind, name, data = make_input(seed, number)
    table.faults.append(f"seed {seed}, number {number} ({kind}, {name}, {len(data)} bytes): {what}")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{seed}-{number}-{kind}-{name}").write_bytes(data)
        with (folder / "faults.txt").open("a") as file:
            file.write(table.faults[-1] + "\n")


def _work(seed: int, number: int, end: int) -> None:
    """The worker: tries inputs and tells of each in a line."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from fuzz_inputs import make_input
    from fuzz_trial import try_input

    for each in range(number, end):
        kind, _, data = make_input(seed, each)
        began, said = time.monotonic(), ""
        try:
            outcome = try_input(kind, data)
        except Exception:
            outcome, said = "raised", traceback.format_exc()[-700:].replace("\n", " | ").replace("\t", " ")
        spent = round(1000 * (time.monotonic() - began))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        out.write(f"{each}\t{outcome}\t{spent}\t{memory}\t{said}\n")


def main() -> int:
    """The command line; 1 if there were faults."""
    if sys.argv[1:2] == ["--worker"]:
        _work(*map(int, sys.argv[2:5]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--inputs", type=int, default=1 << 40)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    table = run(
        given.seed, first=given.first, inputs=given.inputs, seconds=given.seconds, folder=given.folder
    )
    for fault in table.faults[:50]:
        sys.stdout.write(fault + "\n")
    sys.stdout.write(f"{table}\n")
    return 1 if table.faults else 0


if __name__ == "__main__":
    sys.exit(main())
