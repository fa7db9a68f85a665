"""What the routes of editing share: finding a session, and working on it in the pool."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from fastapi import Request

from tinct.web import work
from tinct.web.attending import attended, on_session
from tinct.web.guard import OWNER_COOKIE, cookie_of
from tinct.web.pool import WorkPool
from tinct.web.requests import Save, Strip
from tinct.web.sessions import Session, Sessions
from tinct.web.settings import Settings
from tinct.web.work import Colored

Result = TypeVar("Result")


class Desk:
    """One server's sessions, and the pool that works on them."""

    def __init__(self, settings: Settings, pool: WorkPool, sessions: Sessions) -> None:
        self.settings, self.pool, self.sessions = settings, pool, sessions

    def find(self, request: Request, name: str) -> Session:
        """The session that a request is about.

        Raises:
            Refusal: 404 if it is not there, or somebody else's.
        """
        return self.sessions.find(name, cookie_of(request.headers, OWNER_COOKIE))

    async def work(
        self, request: Request, name: str, job: Callable[..., Result], *given: Any, urgent: bool = True
    ) -> Result:
        """Do `job(settings, session, *given)`."""
        session = self.find(request, name)
        result = await attended(request, self.alone(session, job, *given, urgent=urgent))
        self.sessions.settle()
        return result

    async def alone(
        self, session: Session, job: Callable[..., Result], *given: Any, urgent: bool = True
    ) -> Result:
        """The same, for whoever has the session and attends by himself."""
        doing = partial(job, self.settings, session, *given)
        return await on_session(session, self.pool, doing, urgent=urgent)

    async def file(self, session: Session, wanted: Save) -> Colored:
        """Make a file at full resolution; only its prediction keeps a hint waiting."""
        prepared = await self.alone(session, work.prepare, wanted, urgent=False)
        return await self.pool.run(partial(work.save, prepared, wanted.format))

    async def strip(self, session: Session, strip: Strip) -> list[int]:
        """Find alternatives and picture them, one after the other: a hint meanwhile need not wait for them all."""
        seeds = await self.alone(session, work.alternatives, strip, urgent=False)
        session.pictures = [
            await self.alone(session, work.alternative, strip, seed, urgent=False) for seed in seeds
        ]
        return seeds
