"""Laws of admission: nobody gets more places by asking more often, or by files that are dear to decode."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from functools import partial
from random import Random
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the server needs pip install 'tinct[web]'")

from tinct.web.accounts import (
    ALIKE,
    BUDGET,
    HALF_LIFE,
    ORDINARY,
    ORDINARY_MEGAPIXEL,
    REFUSED,
    Accounts,
    network_of,
)
from tinct.web.admission import Admission
from tinct.web.worker_pool import RESTRAINED_WAITING, BusyError, WorkerPool


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def enter(admission: Admission, address: str) -> None:
    if admission.enter_at_once(address):
        return
    ticket = admission.wait(address)
    try:
        await asyncio.wait([ticket])
    except asyncio.CancelledError:
        admission.withdraw(address, ticket)
        raise
    ticket.result()


def in_a_loop(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_addresses_take_turns() -> None:
    async def work() -> None:
        admission, order = Admission(1), []

        async def request(address: str) -> None:
            await enter(admission, address)
            order.append(address)

        await enter(admission, "first")
        names = ("many", "many", "many", "few", "other")
        tasks = [asyncio.ensure_future(request(name)) for name in names]
        await settled()
        for name in ("first", "many", "few", "other", "many"):
            admission.leave(name)
            await settled()
        assert order == ["many", "few", "other", "many", "many"]
        assert all(task.done() for task in tasks)
        admission.leave("many")
        assert admission.free == 1

    in_a_loop(work())


@pytest.mark.parametrize("costs", [(0.5, 0.01), (0.01, 0.5), (2.0, 0.3), (0.2, 0.2)])
def test_addresses_that_always_wait_get_the_same_work_done(costs: tuple[float, float]) -> None:
    """Seconds beyond the ordinary are what is shared, not requests: counted until one has done a hundred dear files."""

    async def work() -> None:
        accounts = Accounts(Clock())
        admission, inside = Admission(1, accounts), ["nobody"]
        await enter(admission, "nobody")
        cost, done = dict(zip("ab", costs, strict=True)), Counter[str]()

        async def request(address: str) -> None:
            await enter(admission, address)
            inside.append(address)

        tasks = [asyncio.ensure_future(request(name)) for name in "ab"]
        while max(done.values(), default=0.0) < 100 * max(costs):
            name = inside.pop()
            accounts.charge(name, cost.get(name, 0.0))
            done[name] += cost.get(name, 0.0)  # type: ignore[assignment]
            if name in cost:
                tasks.append(asyncio.ensure_future(request(name)))
            await settled()
            admission.leave(name)
            await settled()
        assert abs(done["a"] - done["b"]) <= max(costs) + ALIKE
        for task in tasks:
            task.cancel()

    in_a_loop(work())


def test_a_newcomer_takes_the_place_of_who_waits_with_most() -> None:
    async def work() -> None:
        admission = Admission(1)
        await enter(admission, "many")
        waiting = [asyncio.ensure_future(enter(admission, "many")) for _ in range(4)]
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
        admission.leave("many")
        assert admission.free == 1

    in_a_loop(work())


@pytest.mark.parametrize("granted", [False, True])
def test_whoever_leaves_while_waiting_keeps_no_place(granted: bool) -> None:
    async def work() -> None:
        admission = Admission(1)
        await enter(admission, "a")
        task = asyncio.ensure_future(enter(admission, "b"))
        await settled()
        if granted:
            admission.leave("a")  # b has it, and is told so only afterwards
        task.cancel()
        await settled()
        if not granted:
            admission.leave("a")
        assert admission.free == 1

    in_a_loop(work())


def test_the_last_free_place_is_for_whoever_has_none() -> None:
    admission = Admission(4)
    assert [admission.enter_at_once("many") for _ in range(5)] == [True, True, True, False, False]
    assert admission.enter_at_once("other")
    assert admission.free == 0


def test_whoever_is_over_the_budget_has_one_place_while_others_ask() -> None:
    clock = Clock()
    accounts = Accounts(clock)
    admission = Admission(4, accounts)
    accounts.charge("dear", 2 * BUDGET)
    assert not accounts.restrained("dear")  # alone, nobody is kept waiting
    accounts.charge("other", 0.0)
    assert accounts.restrained("dear")
    assert [admission.enter_at_once("dear") for _ in range(3)] == [True, False, False]
    assert [admission.enter_at_once("other") for _ in range(2)] == [True, True]
    clock.now += HALF_LIFE / 2
    assert accounts.restrained("dear")
    clock.now += HALF_LIFE / 2 + 0.1
    assert not accounts.restrained("dear")


def test_what_was_spent_is_forgotten_by_halves() -> None:
    clock = Clock()
    accounts = Accounts(clock)
    accounts.charge("a", 8 * BUDGET)
    assert accounts.seconds_over("a") == pytest.approx(3 * HALF_LIFE)
    clock.now += 2 * HALF_LIFE
    assert accounts.spent("a") == pytest.approx(2 * BUDGET)
    accounts.charge("a", BUDGET)
    clock.now += HALF_LIFE
    assert accounts.spent("a") == pytest.approx(1.5 * BUDGET)
    assert accounts.spent("never seen") == 0


def test_photographs_cost_nothing_and_refused_files_do() -> None:
    accounts = Accounts(Clock())
    for _ in range(1000):
        accounts.charge_files("album", ORDINARY + 24 * ORDINARY_MEGAPIXEL, 1, 24_000_000, refused=False)
    assert accounts.spent("album") == pytest.approx(0)
    accounts.charge_files("references", 17 * ORDINARY, 17, 0, refused=False)
    assert accounts.spent("references") == 0
    accounts.charge_files("dear", 0.5, 1, 0, refused=False)
    assert accounts.spent("dear") == pytest.approx(0.5 - ORDINARY)
    accounts.charge_files("junk", 0.0, 1, 0, refused=True)
    assert accounts.spent("junk") == REFUSED


def test_a_worker_goes_to_who_spent_least_and_among_these_to_who_came_first() -> None:
    async def work() -> None:
        pool, order = WorkerPool(1, 64), list[str]()
        pool.accounts.charge("dear", 3 * ALIKE)
        pool.accounts.charge("alike", ALIKE / 2)
        held = threading.Event()
        first = asyncio.ensure_future(pool.run(lambda: held.wait(60)))
        await settled()
        names = ("dear", "alike", "new", "dear", "alike")
        asked = [asyncio.ensure_future(pool.run(partial(order.append, each), address=each)) for each in names]
        await settled()
        held.set()
        await asyncio.gather(first, *asked)
        assert order == ["alike", "new", "alike", "dear", "dear"]
        pool.close()

    in_a_loop(work())


def test_accounts_of_many_addresses_take_bounded_memory_and_keep_who_spent_most() -> None:
    accounts = Accounts(Clock())
    accounts.charge("dear", 100.0)
    for number in range(20_000):
        accounts.charge(str(number), 0.001)
    assert accounts.spent("dear") == 100
    assert len(accounts._spent) <= 4096


@pytest.mark.parametrize("seed", range(20))
def test_no_place_is_lost_and_nobody_waits_for_ever(seed: int) -> None:
    """Whoever comes, leaves, gives up and spends in any order: when all have left, all came in, and all is free."""

    async def work() -> None:
        random, clock = Random(seed), Clock()
        accounts = Accounts(clock)
        places = random.choice((1, 2, 4, 9))
        admission, inside = Admission(places, accounts), list[str]()
        waiting: list[asyncio.Task[None]] = []

        async def request(address: str) -> None:
            await enter(admission, address)
            inside.append(address)

        for _ in range(400):
            what = random.random()
            if what < 0.5:
                waiting.append(asyncio.ensure_future(request(random.choice("abcde"))))
            elif what < 0.6 and waiting:
                waiting.pop(random.randrange(len(waiting))).cancel()
            elif what < 0.8 and inside:
                accounts.charge(random.choice(inside), random.choice((0.01, 1.0, 5.0)))
            elif what < 0.9:
                clock.now += random.choice((0.1, 3.0, 40.0))
            if random.random() < 0.7:
                await settled()
            if inside and random.random() < 0.4:
                admission.leave(inside.pop(random.randrange(len(inside))))
            assert len(inside) <= places
        await settled()
        while inside:
            admission.leave(inside.pop())
            await settled()
        await asyncio.gather(*waiting)
        assert admission.free == places

    in_a_loop(work())


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_addresses_that_one_machine_has_are_one(address: str, network: str) -> None:
    assert network_of(address) == network


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
        guests = [asyncio.ensure_future(request("guest")) for _ in range(2)]
        await settled()
        assert inside == ["flood"] * 3 + ["guest"]
        assert not any(guest.done() for guest in guests)
        release.set()
        answers = await asyncio.gather(*flood)
        assert await asyncio.gather(*guests) == ["done", "done"]
        assert inside.index("guest") < 5
        assert answers.count("busy") == 20 - 3 - 4 + 1
        assert pool.waiting == 0
        pool.close()

    in_a_loop(work())


def test_whoever_is_over_the_budget_is_told_when_to_come_again() -> None:
    async def work() -> None:
        pool = WorkerPool(1, 64)
        pool.accounts.charge("dear", 8 * BUDGET)
        pool.accounts.charge("guest", 0.0)
        release = asyncio.Event()

        async def request(address: str) -> int:
            try:
                async with pool.admitted(lambda: None, address):
                    await release.wait()
                    return 0
            except BusyError as busy:
                return busy.retry_after

        dear = [asyncio.ensure_future(request("dear")) for _ in range(12)]
        await settled()
        assert pool.full("dear")
        assert not pool.full("guest")
        assert pool.waiting == RESTRAINED_WAITING
        assert pool.retry_after("dear") > 2.9 * HALF_LIFE > pool.retry_after("guest")
        release.set()
        answers = await asyncio.gather(*dear)
        assert answers.count(0) == 1 + RESTRAINED_WAITING
        assert all(seconds > 2.9 * HALF_LIFE for seconds in answers if seconds)
        pool.close()

    in_a_loop(work())


def test_who_waits_outside_does_not_have_who_is_inside_refused() -> None:
    async def work() -> None:
        pool, release, held = WorkerPool(1, 3), asyncio.Event(), asyncio.Event()

        async def request(address: str) -> str:
            async with pool.admitted(lambda: None, address):
                await held.wait()
                return await pool.run(lambda: "done")

        asked = [asyncio.ensure_future(request("album")) for _ in range(6)]
        await settled()
        assert pool.waiting == 3
        held.set()
        release.set()
        assert await asyncio.gather(*asked) == ["done"] * 6
        pool.close()

    in_a_loop(work())
