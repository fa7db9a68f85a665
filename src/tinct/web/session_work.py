"""Work on editing sessions: one job at a time for each session, in the worker pool."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from fastapi import Request

from tinct.web import jobs
from tinct.web.access import OWNER_COOKIE, cookie_value
from tinct.web.cancellation import cancel_on_disconnect
from tinct.web.jobs import ColoredFile
from tinct.web.parsing import AlternativesRequest, RenderRequest
from tinct.web.sessions import Session, Sessions
from tinct.web.settings import Settings
from tinct.web.worker_pool import WorkerPool

Result = TypeVar("Result")


class SessionWork:
    """Runs jobs on a server's sessions.

    Attributes:
        settings: the server's settings.
        pool: the threads that run the jobs.
        sessions: the sessions of the server.
    """

    def __init__(self, settings: Settings, pool: WorkerPool, sessions: Sessions) -> None:
        self.settings, self.pool, self.sessions = settings, pool, sessions

    def find(self, request: Request, name: str) -> Session:
        """The session of a request.

        Args:
            request: its cookie tells the browser.
            name: the session's id.
        Raises:
            RequestError: 404 if there is no such session, or if another browser began the session.
        """
        return self.sessions.find(name, cookie_value(request.headers, OWNER_COOKIE))

    async def run(
        self, request: Request, name: str, job: Callable[..., Result], *arguments: Any, urgent: bool = True
    ) -> Result:
        """Run `job(settings, session, *arguments)` for a request, as long as its client is connected.

        Args:
            request: the request that wants the result.
            name: the session's id.
            job: a function of `tinct.web.jobs` or `tinct.web.reference_jobs`; may block.
            urgent: True puts the job before all jobs that are not urgent.
        Raises:
            RequestError: 404 without such a session, 499 if the client left, 503 if the server ends.
            BusyError: if the queue of the pool is full.
        """
        session = self.find(request, name)
        result = await cancel_on_disconnect(
            request, self.run_exclusively(session, job, *arguments, urgent=urgent)
        )
        self.sessions.limit_memory()
        return result

    async def run_exclusively(
        self, session: Session, job: Callable[..., Result], *arguments: Any, urgent: bool = True
    ) -> Result:
        """Run `job(settings, session, *arguments)` in the pool while no other job works on the session.

        Raises:
            RequestError: 404 if the session ended while the job waited.
            BusyError: if the queue of the pool is full.
        """
        call = partial(job, self.settings, session, *arguments)
        async with session.lock:
            session.check_open()
            try:
                return await self.pool.run(call, urgent=urgent)
            finally:
                session.update_memory()

    async def render_file(self, session: Session, body: RenderRequest) -> ColoredFile:
        """Render a session's photograph at full resolution.

        Only the prediction holds the session's lock; a new preview need not wait for the encoding of the file.
        """
        prepared = await self.run_exclusively(session, jobs.prepare, body, urgent=False)
        return await self.pool.run(partial(jobs.save, prepared, body.format))

    async def render_alternatives(self, session: Session, body: AlternativesRequest) -> dict[int, str]:
        """Find the seeds of alternative colorizations, and render a picture of each into `session.alternatives`.

        Returns:
            The picture's name there, by seed.

        Each picture is a job of its own, so that a preview need not wait for all of them.
        """
        seeds = await self.run_exclusively(session, jobs.alternatives, body, urgent=False)
        names = {}
        for seed in seeds:
            picture = await self.run_exclusively(session, jobs.alternative, body, seed, urgent=False)
            names[seed] = session.keep_alternative(picture)
        return names
