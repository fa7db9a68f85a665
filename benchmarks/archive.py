"""Ways through a folder: `python benchmarks/archive.py --photographs FOLDER [--count N] [--repeats N]`.

The same photographs are colorized by a plain loop over the library, by `tinct colorize`, by `tinct batch start` with
one and with two jobs, and by `tinct batch run --on ray` with two actors where Ray is installed; all write JPEG files.
Each way is run in turns, from the start of its process to its end; printed are photographs a second, their ratio to the
loop's, and the processors' time a photograph, which other work on the machine hardly changes. Then the same with chroma
files: bytes a photograph, and the time in which a picture of 12 megapixels is rendered from one. Last the sums for a
million and a hundred million photographs.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

from tinct.archive.chroma import rendered
from tinct.archive.entry import DONE, Entry
from tinct.archive.ledger import Ledger
from tinct.archive.manifest import Row, photograph_id, write_manifest
from tinct.archive.storage import Store

TINCT = [sys.executable, "-m", "tinct"]

LOOP = """
import sys, pathlib, tinct
colorizer, out = tinct.Colorizer(), pathlib.Path(sys.argv[1])
for name in sys.argv[2:]:
    colorizer.set_photo(name)
    colorizer.render().write(out / (pathlib.Path(name).stem + ".jpg"))
"""
"""A program that colorizes the photographs it is given one after the other."""

MEGAPIXELS = 10.0
"""From so many megapixels a photograph counts as large."""


@dataclass
class Taken:
    """What a run took.

    Attributes:
        seconds: from the start of its process to its end.
        work: seconds of processors' time of the process and its children; 0 where others did the work.
    """

    seconds: float
    work: float


def run(command: Sequence[str]) -> Taken:
    """Run a command to its end, which must be a good one."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter() - start
    return Taken(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def ways(photographs: Sequence[Path], folder: Path) -> dict[str, Callable[[Path], list[str]]]:
    """Commands by name; each is a function of the folder for its results."""
    names = [str(path) for path in photographs]
    manifest = str(folder / "manifest.parquet")
    write_manifest([Row(photograph_id(name), name) for name in names], manifest)
    start = [*TINCT, "batch", "start", manifest, "--format", "jpg", "--quiet", "--out"]
    found: dict[str, Callable[[Path], list[str]]] = {
        "loop over the library": lambda out: [sys.executable, "-c", LOOP, str(out), *names],
        "tinct colorize": lambda out: [
            *TINCT,
            "colorize",
            *names,
            "--format",
            "jpg",
            "-q",
            "--out-dir",
            str(out),
        ],
        "batch, 1 job": lambda out: [*start, str(out)],
        "batch, 2 jobs": lambda out: [*start, str(out), "--jobs", "2"],
        "batch, 2 jobs, chroma": lambda out: [*start, str(out), "--jobs", "2", "--store", "chroma"],
    }
    if importlib.util.find_spec("ray"):
        ray = [*TINCT, "batch", "run", manifest, "--on", "ray", "--actors", "2-2", "--format", "jpg", "--out"]
        found["Ray, 2 actors"] = lambda out: [*ray, str(out)]
    return found


def rendering(entries: Sequence[Entry], out: Path, count: int) -> tuple[float, float, int]:
    """Medians of milliseconds and of processor milliseconds for a large picture to a JPEG file; and how many were."""
    large = [entry for entry in entries if entry.width * entry.height >= MEGAPIXELS * 1e6][:count]
    times, work = [], []
    for entry in large:
        content, photo = (out / entry.output).read_bytes(), Path(entry.uri).read_bytes()
        start, began = perf_counter(), process_time()
        rendered(content, photo)[0].encode("jpg")
        times.append(1e3 * (perf_counter() - start))
        work.append(1e3 * (process_time() - began))
    return (statistics.median(times), statistics.median(work), len(large)) if large else (0.0, 0.0, 0)


def done(out: Path) -> list[Entry]:
    """The ledger's entries that have a result."""
    return [entry for entry in Ledger(Store(str(out))).entries() if entry.status == DONE]


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run all ways in turns, and say what they took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--count", type=int, default=100, help="photographs, spread over the folder")
    parser.add_argument(
        "--large", type=int, default=3, help="how many of 12 megapixels to render from chroma"
    )
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    if given.photographs is None:
        say("passed over: give --photographs FOLDER of JPEG files.")
        return
    found = sorted(given.photographs.glob("*.jpg"))
    photographs = found[:: max(len(found) // given.count, 1)][: given.count]
    taken: dict[str, list[Taken]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["TINCT_CACHE"] = str(folder / "cache")
        commands = ways(photographs, folder)
        run(
            [*TINCT, "colorize", str(photographs[0]), "-q", "-o", str(folder / "warm.jpg")]
        )  # compiles the network
        for number in range(given.repeats):
            for name, command in commands.items():
                out = folder / f"{name}-{number}".replace(" ", "-")
                out.mkdir()
                taken[name].append(run(command(out)))
        pictures, chroma = (folder / f"batch,-2-jobs{rest}-0" for rest in ("", ",-chroma"))
        report(taken, len(photographs), done(pictures), done(chroma))
        entries = done(chroma)
        wall, work, count = rendering(entries, chroma, given.large)
        say(
            f"rendering 12 megapixels from chroma to JPEG: {wall:.0f} ms, {work:.0f} ms of processors, {count} pictures"
        )


def report(taken: dict[str, list[Taken]], count: int, pictures: list[Entry], chroma: list[Entry]) -> None:
    """Say photographs a second, ratios, and the sums for large archives."""
    loop = min(each.seconds for each in taken["loop over the library"])
    pixels = sum(entry.width * entry.height for entry in pictures) / count / 1e6
    say(f"{count} photographs of {pixels:.2f} megapixels on average, load {os.getloadavg()[0]:.1f}")
    for name, runs in taken.items():
        seconds, work = min(each.seconds for each in runs), min(each.work for each in runs) / count
        ratio = f"{count / seconds:.2f} a second, {loop / seconds:.2f} of the loop"
        say(f"{name}: {ratio}, {1e3 * work:.0f} ms of processors")
    for name, entries, way in (
        ("JPEG", pictures, "batch, 2 jobs"),
        ("chroma", chroma, "batch, 2 jobs, chroma"),
    ):
        work = min(each.work for each in taken[way]) / count
        size = sum(entry.bytes_out for entry in entries) / max(len(entries), 1)
        for many in (1e6, 1e8):
            say(
                f"{many:.0e} photographs: {many * work / 3600:.0f} core hours, {many * size / 1e9:.0f} GB as {name}"
            )


if __name__ == "__main__":
    main()
