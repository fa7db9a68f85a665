"""Laws of working on a session: what takes long lets hints go between."""

from __future__ import annotations

import asyncio
import threading
from io import BytesIO
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from starlette.datastructures import UploadFile

from tinct.web import jobs
from tinct.web.parsing import AlternativesRequest, RenderRequest
from tinct.web.session_work import SessionWork
from tinct.web.sessions import Session, Sessions, Upload
from tinct.web.settings import Settings
from tinct.web.worker_pool import WorkerPool


def session() -> Session:
    return Session("id", None, Upload(UploadFile(BytesIO(b"photo"))), 4, 3)


def test_a_hint_need_not_wait_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    held, began = threading.Event(), threading.Event()

    def save(prepared: str, format: str | None) -> bytes:
        began.set()
        assert held.wait(10)
        return prepared.encode()

    monkeypatch.setattr(jobs, "prepare", lambda *_: "file")
    monkeypatch.setattr(jobs, "save", save)

    async def edit() -> bytes:
        settings, edited = Settings(workers=1), session()
        pool = WorkerPool(1, 8)
        session_work = SessionWork(settings, pool, Sessions(settings))
        saving = asyncio.create_task(session_work.render_file(edited, RenderRequest()))
        await asyncio.to_thread(began.wait, 10)
        assert await asyncio.wait_for(session_work.run_exclusively(edited, lambda *_: "hint"), 5) == "hint"
        held.set()
        content = await saving
        pool.close()
        return content

    assert asyncio.run(edit()) == b"file"


def test_a_hint_goes_between_two_alternatives(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def note(what: str, answer: Any = b"") -> Any:
        done.append(what)
        return answer

    monkeypatch.setattr(jobs, "alternatives", lambda *_: note("seeds", [7, 9]))
    monkeypatch.setattr(jobs, "alternative", lambda *given: note(f"picture {given[-1]}", b"%d" % given[-1]))
    edited = session()

    async def edit() -> dict[int, str]:
        settings = Settings(workers=1)
        pool = WorkerPool(1, 8)
        session_work = SessionWork(settings, pool, Sessions(settings))
        strip = asyncio.create_task(session_work.render_alternatives(edited, AlternativesRequest(count=2)))
        while "seeds" not in done:
            await asyncio.sleep(0)
        await session_work.run_exclusively(edited, lambda *_: note("hint"))
        pictures = await strip
        pool.close()
        return pictures

    pictures = asyncio.run(edit())
    assert {seed: edited.alternatives[name] for seed, name in pictures.items()} == {7: b"7", 9: b"9"}
    assert done.index("hint") < done.index("picture 9")
