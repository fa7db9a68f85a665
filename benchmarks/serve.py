"""The server under load on loopback: `python benchmarks/serve.py [--seconds 60] [--clients 50] [--burst 200]`.

A server of its own process; clients in this one, each sending a photograph of one megapixel again as soon as it has the
last one back, for some seconds; then many at once. A client told 429 waits as Retry-After says and comes again, as
the time of its answer counts from its first try. Before that, what somebody at the page waits for: the first picture
after a photograph is dropped, and the picture after each hint. Clients and server share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

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


class Load:
    """Requests in flight, their times and their answers, and the server's memory meanwhile."""

    def __init__(self, server: Server, photo: bytes) -> None:
        self.server, self.url, self.photo = server, server.url, photo
        self.memory: list[float] = []
        self.seconds: list[float] = []
        self.answers: Counter[int] = Counter()

    async def ask(self, client: httpx.AsyncClient) -> None:
        """One photograph, until it is colored."""
        began = perf_counter()
        while True:
            answer = await client.post(f"{self.url}/api/colorize", files={"photo": ("a.jpg", self.photo)})
            self.answers[answer.status_code] += 1
            if answer.status_code != 429:
                break
            await asyncio.sleep(float(answer.headers["retry-after"]))
        self.seconds.append(perf_counter() - began)

    async def steadily(self, clients: int, seconds: float) -> float:
        """So many clients, each asking again and again; the seconds it took until all were answered."""
        until = perf_counter() + seconds

        async def keep_asking(client: httpx.AsyncClient) -> None:
            while perf_counter() < until:
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


def main(arguments: list[str] | None = None) -> int:
    """Run all, print all; 1 if an answer was 5xx."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--burst", type=int, default=200)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args(arguments)
    photo, server = photograph(), Server(given.workers)
    say(
        f"{os.cpu_count()} cores; photographs of {ONE_MEGAPIXEL[0]}x{ONE_MEGAPIXEL[1]} pixels, {len(photo) >> 10} KiB"
    )
    try:
        editing(server, photo, 30)
        warm = Load(server, photo)
        warm.report("4 clients", asyncio.run(warm.at_once(4)))
        steady = Load(server, photo)
        steady.report(f"{given.clients} clients", asyncio.run(steady.steadily(given.clients, given.seconds)))
        burst = Load(server, photo)
        burst.report(f"{given.burst} at once", asyncio.run(burst.at_once(given.burst)))
        failed = [status for load in (steady, burst) for status in load.answers if status >= 500]
    finally:
        code = server.stop()
    say(f"the server stopped with {code}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
