"""A batch killed again and again: `python benchmarks/archive_kill.py --data PHOTOGRAPHS --work FOLDER [--count N] ...`.

A folder of photographs in many sizes is made from those below PHOTOGRAPHS (once; a second run takes what is there), as
gray JPEG files, some of them of 12 megapixels. `tinct batch start` is run on them and killed with SIGKILL, with all its
processes, at random moments, and started again until it has finished. Printed are the rows of the ledger, results that
lack, differ from their hash or belong to no row, photographs with two rows, temporary files, and the largest memory of
the run's processes in each tenth of the time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from tinct.archive.ledger import Ledger
from tinct.archive.manifest import plan, write_manifest
from tinct.archive.storage import Store
from tinct.archive.verify import verified
from tinct.unfinished import PREFIX

SIDES = (96, 128, 160, 192, 224, 256, 320, 400, 512, 640, 800, 1024, 1400)
"""Longer sides in pixels, small ones oftener: a side's share falls with its square root."""

LARGE = (4000, 3000)
"""Width and height of the large photographs: 12 megapixels."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass
class Memory:
    """Resident memory of a run's processes over time.

    Attributes:
        samples: seconds since the first start, and the bytes of the parent and all its children.
    """

    samples: list[tuple[float, int]] = field(default_factory=list)

    def tenths(self) -> list[int]:
        """The largest sample of each tenth of the time, in bytes."""
        end = self.samples[-1][0] + 1e-6
        most = [0] * 10
        for when, size in self.samples:
            most[int(10 * when / end)] = max(most[int(10 * when / end)], size)
        return most


def make_photographs(data: Sequence[Path], folder: Path, count: int, large: int, seed: int) -> None:
    """Write `count` gray JPEG files, `large` of them of 12 megapixels, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted(path for each in data for path in each.rglob("*") if path.suffix.lower() in SUFFIXES)
    draw = random.Random(seed)
    weights = [side**-0.5 for side in SIDES]
    spread = max(count // max(large, 1), 1)
    for number in range(count):
        source, side = draw.choice(sources), draw.choices(SIDES, weights)[0]
        target = folder / f"p{number:05d}.jpg"
        if target.exists():
            continue
        image = cv2.imread(str(source), cv2.IMREAD_GRAYSCALE)
        height, width = image.shape
        scale = side / max(height, width)
        size = (max(round(width * scale), 16), max(round(height * scale), 16))
        if number % spread == 0 and number // spread < large:
            size = LARGE
        cv2.imwrite(str(target), cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), [1, 88])


def killed_again_and_again(command: Sequence[str], kills: int, span: float, seed: int) -> tuple[int, Memory]:
    """Run a command until it ends by itself, killed up to `kills` times at random moments of `span` seconds.

    Returns:
        How often it was killed, and its memory.
    """
    draw, memory, begun, done = random.Random(seed), Memory(), time.monotonic(), 0
    moments = sorted(draw.uniform(0, span) for _ in range(kills))
    while True:
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        while run.poll() is None:
            now = time.monotonic() - begun
            memory.samples.append((now, _resident(run.pid)))
            if done < kills and now > moments[done]:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()
                done += 1
                _say(f"killed at {now:.0f} s, the {done}. time")
                break
            time.sleep(min(1.0, max(moments[done] - now, 0.05)) if done < kills else 1.0)
        else:
            _say(f"ended with exit code {run.returncode} after {time.monotonic() - begun:.0f} s")
            return done, memory


def _resident(group: int) -> int:
    """Bytes of resident memory of all processes of a process group."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            continue
    return total


def findings(out: Path, photographs: int) -> Iterator[str]:
    """What the ledger and the folder of results say, a line each."""
    ledger = Ledger(Store(str(out)))
    entries, rows = ledger.entries(), Counter(entry.id for entry in ledger.all_entries())
    faults = Counter(fault.kind if fault else "good" for fault in verified(Store(str(out))))
    finished = sorted(entry.finished for entry in entries)
    yield f"photographs {photographs}, rows {len(entries)}: {dict(Counter(e.status for e in entries))}"
    yield f"photographs with two rows {sum(count > 1 for count in rows.values())}"
    yield f"results as their rows say {faults['good']}, missing {faults['missing']}, altered {faults['altered']}"
    yield f"files of no row {faults['orphan']}"
    yield f"temporary files left {sum(1 for path in out.rglob(f'{PREFIX}*'))}"
    size, span = sum(entry.bytes_out for entry in entries), finished[-1] - finished[0]
    yield f"bytes of results {size}, mean {size / len(entries):.0f}"
    yield f"from first row to last {span:.0f} s, {len(entries) / span:.2f} a second"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", help="folders of photographs to make others from")
    parser.add_argument("--work", type=Path, help="folder for photographs, results and manifest")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=300, help="how many of them have 12 megapixels")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--span", type=float, default=1500, help="seconds over which kills are spread")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--store", default="chroma")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Make photographs, run, kill, look."""
    given = _arguments()
    if not (given.data and given.work):
        _say("passed over: give --data PHOTOGRAPHS and --work FOLDER; it takes about an hour.")
        return
    photographs, out = given.work / "photographs", given.work / "out"
    make_photographs(given.data, photographs, given.count, given.large, given.seed)
    manifest = str(given.work / "manifest.parquet")
    write_manifest(plan(str(photographs)), manifest)
    command = [sys.executable, "-m", "tinct", "batch", "start", manifest, "--out", str(out), "--quiet"]
    command += ["--jobs", str(given.jobs), "--store", given.store]
    done, memory = killed_again_and_again(command, given.kills, given.span, given.seed)
    _say(f"killed {done} times")
    for line in findings(out, given.count):
        _say(line)
    _say("largest memory in each tenth, MB: " + " ".join(f"{size / 1e6:.0f}" for size in memory.tenths()))


if __name__ == "__main__":
    main()
