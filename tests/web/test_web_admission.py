"""Laws of admission: nobody gets more places by asking more often."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the server needs pip install 'tinct[web]'")

from tinct.web.admission import Admission
from tinct.web.worker_pool import BusyError, WorkerPool


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def in_a_loop(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_addresses_take_turns() -> None:
    async def work() -> None:
        admission, order = Admission(1), []

        async def request(address: str) -> None:
            await admission.enter(address)
            order.append(address)

        await admission.enter("first")
        tasks = [asyncio.ensure_future(request(name)) for name in ("many", "many", "many", "few", "other")]
        await settled()
        for _ in tasks:
            admission.leave()
            await settled()
        assert order == ["many", "few", "other", "many", "many"]
        admission.leave()
        assert admission.free == 1

    in_a_loop(work())


def test_a_newcomer_takes_the_place_of_who_waits_with_most() -> None:
    async def work() -> None:
        admission = Admission(1)
        await admission.enter("many")
        waiting = [asyncio.ensure_future(admission.enter("many")) for _ in range(4)]
        await settled()
        assert not admission.send_away("many", BusyError(3))
        assert admission.has_more("few")
        assert admission.send_away("few", BusyError(3))
        await settled()
        assert [task.done() for task in waiting] == [False, False, False, True]
        assert isinstance(waiting[3].exception(), BusyError)
        for task in waiting:
            task.cancel()
        await settled()
        admission.leave()
        assert admission.free == 1

    in_a_loop(work())


@pytest.mark.parametrize("granted", [False, True])
def test_whoever_leaves_while_waiting_keeps_no_place(granted: bool) -> None:
    async def work() -> None:
        admission = Admission(1)
        await admission.enter("a")
        task = asyncio.ensure_future(admission.enter("b"))
        await settled()
        if granted:
            admission.leave()  # b has it, and is told so only afterwards
        task.cancel()
        await settled()
        if not granted:
            admission.leave()
        assert admission.free == 1

    in_a_loop(work())


def test_a_flood_from_one_address_does_not_keep_another_out() -> None:
    async def work() -> None:
        pool = WorkerPool(1, 4)
        release, inside = asyncio.Event(), []

        async def request(address: str) -> str:
            try:
                async with pool.admitted(lambda: None, address):
                    inside.append(address)
                    await release.wait()
                    return "done"
            except BusyError:
                return "busy"

        flood = [asyncio.ensure_future(request("flood")) for _ in range(20)]
        await settled()
        assert pool.full("flood")
        assert not pool.full("guest")
        guest = asyncio.ensure_future(request("guest"))
        await settled()
        assert not guest.done()
        release.set()
        answers = await asyncio.gather(*flood)
        assert await guest == "done"
        assert inside.index("guest") <= len([each for each in answers if each == "done"])
        assert answers.count("busy") == 20 - 4 - 4 + 1
        assert pool.waiting == 0
        pool.close()

    in_a_loop(work())
