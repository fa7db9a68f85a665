"""Laws of working on a session: what takes long lets hints go between."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from starlette.datastructures import UploadFile

from tinct.web import work
from tinct.web.desk import Desk
from tinct.web.pool import WorkPool
from tinct.web.requests import Strip
from tinct.web.sessions import Session, Sessions, Upload
from tinct.web.settings import Settings


def test_a_hint_goes_between_two_alternatives(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def note(what: str, answer: Any = b"") -> Any:
        done.append(what)
        return answer

    monkeypatch.setattr(work, "alternatives", lambda *_: note("seeds", [7, 9]))
    monkeypatch.setattr(work, "alternative", lambda *given: note(f"picture {given[-1]}", b"%d" % given[-1]))
    session = Session("id", None, Upload(UploadFile(BytesIO(b"photo"))), 4, 3)

    async def edit() -> list[int]:
        settings = Settings(workers=1)
        pool = WorkPool(1, 8)
        desk = Desk(settings, pool, Sessions(settings))
        strip = asyncio.create_task(desk.strip(session, Strip(count=2)))
        while "seeds" not in done:
            await asyncio.sleep(0)
        await desk.alone(session, lambda *_: note("hint"))
        seeds = await strip
        pool.close()
        return seeds

    assert asyncio.run(edit()) == [7, 9]
    assert session.pictures == [b"7", b"9"]
    assert done.index("hint") < done.index("picture 9")
