"""Laws of the bounded pool: never more at work or waiting than may be, and no place is lost."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from tinct.web.worker_pool import BusyError, WorkerPool


def test_no_more_work_at_once_than_workers():
    pool, now, most, lock = WorkerPool(2, 50), 0, 0, threading.Lock()

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.005)
        with lock:
            now -= 1

    async def run() -> None:
        await asyncio.gather(*(pool.run(work) for _ in range(30)))

    asyncio.run(run())
    assert most == 2
    pool.close()


def test_the_next_one_is_told_when_to_come_again():
    async def run() -> None:
        pool, held = WorkerPool(1, 2), threading.Event()
        asked = [asyncio.ensure_future(pool.run(partial(held.wait, 10))) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert pool.full()
        with pytest.raises(BusyError) as refused:
            await pool.run(held.wait)
        assert 1 <= refused.value.retry_after <= 60
        held.set()
        assert await asyncio.gather(*asked) == [True] * 3
        assert pool.waiting == 0
        assert not pool.full()
        pool.close()

    asyncio.run(run())


def test_what_is_looked_at_goes_first_and_the_rest_in_order():
    async def run() -> list[str]:
        pool, held, order = WorkerPool(1, 9), threading.Event(), []
        first = asyncio.ensure_future(pool.run(partial(held.wait, 10)))
        await asyncio.sleep(0.02)
        rest = []
        for name, urgent in (("save", False), ("save 2", False), ("preview", True), ("preview 2", True)):
            rest.append(asyncio.ensure_future(pool.run(partial(order.append, name), urgent=urgent)))
            await asyncio.sleep(0)
        held.set()
        await asyncio.gather(first, *rest)
        pool.close()
        return order

    assert asyncio.run(run()) == ["preview", "preview 2", "save", "save 2"]


def test_what_is_looked_at_does_not_wait_for_what_is_saved():
    async def run() -> None:
        pool, held = WorkerPool(1, 9), threading.Event()
        save = asyncio.ensure_future(pool.run(partial(held.wait, 10)))
        second = asyncio.ensure_future(pool.run(lambda: "saved"))
        await asyncio.sleep(0.02)
        assert await asyncio.wait_for(pool.run(lambda: "seen", urgent=True), 5) == "seen"
        assert not second.done()  # the thread that was free is for what is urgent
        held.set()
        assert await asyncio.gather(save, second) == [True, "saved"]
        pool.close()

    asyncio.run(run())


@pytest.mark.parametrize("cancelled", [(1,), (1, 2), (0, 1), (0, 1, 2, 3)])
def test_whoever_goes_away_leaves_their_place_to_others(cancelled):
    async def run() -> None:
        pool, held, done = WorkerPool(1, 9), threading.Event(), []

        def work(number: int) -> None:
            held.wait(10)
            done.append(number)

        asked = [asyncio.ensure_future(pool.run(partial(work, n))) for n in range(4)]
        await asyncio.sleep(0.02)
        for number in cancelled:
            asked[number].cancel()
        held.set()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(each, asyncio.CancelledError) for each in found] == [
            n in cancelled for n in range(4)
        ]
        assert done == [n for n in range(4) if n not in cancelled or n == 0]  # what has begun is finished
        assert await asyncio.wait_for(pool.run(lambda: 7), 5) == 7
        assert pool.waiting == 0
        pool.close()

    asyncio.run(run())


def test_a_failure_is_the_asker_s_and_frees_the_worker():
    async def run() -> None:
        pool = WorkerPool(1, 1)
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        assert await pool.run(lambda: 7) == 7
        pool.close()

    asyncio.run(run())
