"""The server under load on loopback: `python benchmarks/serve.py [--seconds 60] [--clients 50] [--burst 200]`.

With `--attacks FOLDER` some clients ask in rounds of three: alone, with ten of the folder's files, hostile pictures, a
second among the uploads, and alone again; printed is the ratio of the p95 of everybody else, with attacks and without.
`benchmarks/hostile_files.py` makes such a folder; `--attack-addresses 50` sends from so many addresses by turns. With
`--sessions 2000` so many sessions are begun, looked at and ended, and the memory is printed. `--clients 0` and
`--burst 0` leave these loads out. On a machine with other work, `--by-processor` measures attacks in seconds that
clients, server and decoders have computed on one core: as they always have work, a core of their own would show the
same by the clock.

A server of its own process; clients in this one, each sending a photograph of one megapixel again as soon as it has the
last one back, for some seconds; then many at once. A client told 429 waits as Retry-After says and comes again, as
the time of its answer counts from its first try. Before that, what somebody at the page waits for: the first picture
after a photograph is dropped, and the picture after each hint. Clients and server share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter, process_time

import httpx
import numpy as np
from PIL import Image
from skimage import data

ONE_MEGAPIXEL = (1000, 1000)
PREVIEW = 1024


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def photograph() -> bytes:
    """A gray JPEG of one megapixel."""
    stream = io.BytesIO()
    Image.fromarray(data.astronaut()).convert("L").resize(ONE_MEGAPIXEL).save(stream, "JPEG", quality=90)
    return stream.getvalue()


class Server:
    """A server in its own process."""

    def __init__(self, workers: int | None) -> None:
        given = [] if workers is None else ["--workers", str(workers)]
        command = [sys.executable, "-c", "from tinct.cli import main; main()", "serve", "--port", "0", *given]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.url = line.split()[3].rstrip("/")

    def memory(self) -> float:
        """Resident memory in MiB; Linux tells it in /proc."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return float("nan")
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def stop(self) -> int:
        """Stop it as Ctrl+C does."""
        self.process.terminate()
        return self.process.wait(30)


class ProcessorClock:
    """The processor seconds of this process, a server and its decoders, all on one core; Linux tells them.

    Args:
        server: a server that was just started.
    """

    def __init__(self, server: Server) -> None:
        self._server, self._seconds = server.process.pid, dict[int, float]()
        core = min(os.sched_getaffinity(0))
        for pid in (0, self._server, *self._decoders()):
            os.sched_setaffinity(pid, {core})
            for thread in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})

    def __call__(self) -> float:
        """Seconds; those of decoders that have ended are kept."""
        for pid in (self._server, *self._decoders()):
            with suppress(OSError):  # it has ended
                self._seconds[pid] = time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3)
        return process_time() + sum(self._seconds.values())

    def _decoders(self) -> list[int]:
        children = [each.read_text() for each in Path(f"/proc/{self._server}/task").glob("*/children")]
        return [int(each) for each in " ".join(children).split()]


class Load:
    """Requests in flight, their times and their answers, and the server's memory meanwhile."""

    def __init__(self, server: Server, photo: bytes, clock: Callable[[], float] = perf_counter) -> None:
        self.server, self.url, self.photo, self.clock = server, server.url, photo, clock
        self.memory: list[float] = []
        self.seconds: list[float] = []
        self.answers: Counter[int] = Counter()

    async def ask(self, client: httpx.AsyncClient) -> None:
        """One photograph, until it is colored."""
        began = self.clock()
        while True:
            answer = await client.post(f"{self.url}/api/colorize", files={"photo": ("a.jpg", self.photo)})
            self.answers[answer.status_code] += 1
            if answer.status_code != 429:
                break
            await asyncio.sleep(float(answer.headers["retry-after"]))
        self.seconds.append(self.clock() - began)

    async def steadily(self, clients: int, seconds: float) -> float:
        """So many clients, each asking again and again; the seconds it took until all were answered."""
        until = self.clock() + seconds

        async def keep_asking(client: httpx.AsyncClient) -> None:
            while self.clock() < until:
                await self.ask(client)

        return await self._together(clients, keep_asking)

    async def at_once(self, clients: int) -> float:
        """So many clients at once, each asking for one photograph."""
        return await self._together(clients, self.ask)

    async def _together(self, clients: int, what: Callable[[httpx.AsyncClient], Awaitable[None]]) -> float:
        began = perf_counter()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=clients)
        watching = asyncio.create_task(self._watch())
        async with httpx.AsyncClient(timeout=600, limits=limits) as client:
            await asyncio.gather(*(what(client) for _ in range(clients)))
        watching.cancel()
        self.memory.append(self.server.memory())
        return perf_counter() - began

    async def _watch(self) -> None:
        while True:
            self.memory.append(self.server.memory())
            await asyncio.sleep(0.5)

    def report(self, name: str, took: float) -> None:
        p50, p95, worst = np.percentile(self.seconds, (50, 95, 100))
        failed = sum(count for status, count in self.answers.items() if status >= 500)
        told = ", ".join(f"{count} x {status}" for status, count in sorted(self.answers.items()))
        say(
            f"{name}: {len(self.seconds)} photographs in {took:.1f} s, {len(self.seconds) / took:.1f} a second; "
            f"p50 {p50:.2f} s, p95 {p95:.2f} s, worst {worst:.2f} s; {told}; {failed} of 5xx; "
            f"memory {self.memory[0]:.0f} MiB at the start, {self.memory[len(self.memory) // 2]:.0f} in the middle, "
            f"{self.memory[-1]:.0f} at the end, {max(self.memory):.0f} at most"
        )


def editing(server: Server, photo: bytes, hints: int) -> None:
    """The first picture after a drop, and the picture after each of some hints."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for when in ("right after the start", "later"):
            began = perf_counter()
            session = client.post("/api/sessions", files={"photo": ("a.jpg", photo)}).json()
            place = f"/api/sessions/{session['id']}/preview"
            client.post(place, json={"longer_side": PREVIEW}).raise_for_status()
            say(f"first picture after a drop, {when}: {1000 * (perf_counter() - began):.0f} ms")
        points, times = [], []
        for number in range(hints):
            points.append({"x": 30 + 17 * number % 900, "y": 50 + 29 * number % 900, "color": "#8c5a3c"})
            began = perf_counter()
            body = {"longer_side": PREVIEW, "hints": {"points": points}}
            client.post(place, json=body).raise_for_status()
            times.append(1000 * (perf_counter() - began))
        say(f"picture after a hint: p50 {np.median(times):.0f} ms, p95 {np.percentile(times, 95):.0f} ms")


async def flood(
    url: str,
    attacks: list[Path],
    a_second: float,
    addresses: int,
    answers: Counter[int],
    clock: Callable[[], float],
) -> None:
    """Send hostile files, so many a second, whether or not they are answered; until cancelled.

    They come from addresses of their own, as strangers' would: the server shares its places among addresses.
    """
    sent: set[asyncio.Task[None]] = set()
    contents = [(file.name, file.read_bytes()) for file in attacks]

    async def send(client: httpx.AsyncClient, number: int) -> None:
        try:
            files = {"photo": contents[number % len(contents)]}
            answers[(await client.post(f"{url}/api/colorize", files=files)).status_code] += 1
        except httpx.HTTPError:
            answers[0] += 1

    limits = httpx.Limits(max_connections=None)
    places = [f"127.0.{1 + each // 250}.{1 + each % 250}" for each in range(addresses)]
    clients = [
        httpx.AsyncClient(
            timeout=120, transport=httpx.AsyncHTTPTransport(verify=False, local_address=place, limits=limits)
        )
        for place in places
    ]
    try:
        began = clock()
        for number in itertools.count():
            task = asyncio.create_task(send(clients[number % addresses], number))
            sent.add(task)
            task.add_done_callback(sent.discard)
            while clock() < began + (number + 1) / a_second:
                await asyncio.sleep(0.02)
    finally:
        for task in sent:
            task.cancel()
        for client in clients:
            await client.aclose()


def attacked(server: Server, photo: bytes, given: argparse.Namespace) -> bool:
    """Everybody else's p95 with and without attacks, in rounds; True if no answer was 5xx."""
    attacks = sorted(each for each in given.attacks.iterdir() if each.is_file() and each.suffix != ".py")
    ratios, statuses, hostile = [], Counter[int](), Counter[int]()
    clock = ProcessorClock(server) if given.by_processor else perf_counter

    async def others(load: Load, under_attack: bool) -> None:
        flooding = (
            asyncio.create_task(
                flood(server.url, attacks, given.attack_rate, given.attack_addresses, hostile, clock)
            )
            if under_attack
            else None
        )
        await load.steadily(2, given.seconds)
        if flooding is not None:
            flooding.cancel()
            await asyncio.gather(flooding, return_exceptions=True)

    for _ in range(given.rounds):
        p95 = []
        for under_attack in (False, True, False):
            load = Load(server, photo, clock)
            asyncio.run(others(load, under_attack))
            p95.append(float(np.percentile(load.seconds, 95)))
            statuses += load.answers
        ratios.append(p95[1] / ((p95[0] + p95[2]) / 2))
        say(
            f"2 clients: p95 {p95[0]:.2f} s alone, {p95[1]:.2f} s under attack, {p95[2]:.2f} s alone; "
            f"ratio {ratios[-1]:.2f}; memory {server.memory():.0f} MiB"
        )
    told = {name: dict(sorted(found.items())) for name, found in (("others", statuses), ("attacks", hostile))}
    say(
        f"{len(attacks)} hostile files, {given.attack_rate:g} a second from {given.attack_addresses} addresses: ratio "
        f"{np.median(ratios):.2f} (median), {min(ratios):.2f} to {max(ratios):.2f}; statuses {told}"
    )
    return not any(status >= 500 for status in [*statuses, *hostile])


def many_sessions(server: Server, count: int) -> bool:
    """Begin, look at and end sessions; the memory at each quarter. True if none failed."""
    stream = io.BytesIO()
    Image.fromarray(data.astronaut()).convert("L").resize((128, 128)).save(stream, "PNG")
    memory, statuses = [server.memory()], Counter[int]()
    with httpx.Client(base_url=server.url, timeout=120) as client:
        for number in range(count):
            answer = client.post("/api/sessions", files={"photo": ("a.png", stream.getvalue())})
            place = f"/api/sessions/{answer.json()['id']}"
            statuses[answer.status_code] += 1
            statuses[client.post(f"{place}/preview", json={"longer_side": 64}).status_code] += 1
            statuses[client.delete(place).status_code] += 1
            if (number + 1) % max(1, count // 4) == 0:
                memory.append(server.memory())
    told = ", ".join(f"{each:.0f}" for each in memory)
    say(f"{count} sessions: memory {told} MiB at each quarter; statuses {dict(sorted(statuses.items()))}")
    return not any(status >= 500 for status in statuses)


def main(arguments: list[str] | None = None) -> int:
    """Run all, print all; 1 if an answer was 5xx."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--burst", type=int, default=200)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--attacks", type=Path, metavar="FOLDER")
    parser.add_argument("--attack-rate", type=float, default=10, metavar="PER_SECOND")
    parser.add_argument("--attack-addresses", type=int, default=1)
    parser.add_argument("--by-processor", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=0)
    given = parser.parse_args(arguments)
    photo, server = photograph(), Server(given.workers)
    say(
        f"{os.cpu_count()} cores; photographs of {ONE_MEGAPIXEL[0]}x{ONE_MEGAPIXEL[1]} pixels, {len(photo) >> 10} KiB"
    )
    try:
        editing(server, photo, 30)
        warm = Load(server, photo)
        warm.report("4 clients", asyncio.run(warm.at_once(4)))
        failed = []
        if given.clients:
            steady = Load(server, photo)
            steady.report(
                f"{given.clients} clients", asyncio.run(steady.steadily(given.clients, given.seconds))
            )
            failed += [status for status in steady.answers if status >= 500]
        if given.burst:
            burst = Load(server, photo)
            burst.report(f"{given.burst} at once", asyncio.run(burst.at_once(given.burst)))
            failed += [status for status in burst.answers if status >= 500]
        if given.sessions and not many_sessions(server, given.sessions):
            failed.append(500)
        if given.attacks and not attacked(server, photo, given):
            failed.append(500)
    finally:
        code = server.stop()
    say(f"the server stopped with {code}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
