"""Laws of what the server keeps of a session: it is counted as it is, bounded, and not computed again for nothing."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from skimage import data

pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
pytest.importorskip("fastapi", reason="the studio needs pip install 'tinct[web]'")

from starlette.datastructures import UploadFile

from network_runs import counted_runs
from studio_server import Running, png, running
from tinct.networks.tinct import method
from tinct.web import colorize_routes, jobs, reference_jobs
from tinct.web.parsing import PreviewRequest
from tinct.web.sessions import Session, Upload
from tinct.web.settings import Settings

COLOR = np.ascontiguousarray(data.coffee()[::8, ::8])
GRAY = png(np.asarray(COLOR @ [0.3, 0.6, 0.1], np.uint8))
REFERENCES = [png(np.roll(COLOR, 9 * n, axis=1)) for n in range(3)]


def upload(content: bytes, name: str) -> Upload:
    return Upload(UploadFile(io.BytesIO(content), size=len(content), filename=name))


def put(server: Running, session: dict[str, Any], references: list[bytes], weights: list[float]) -> None:
    files: list[Any] = [("reference", (f"{n}.png", content)) for n, content in enumerate(references)]
    files.append(("weights", (None, json.dumps(weights))))
    answer = server.client.put(f"/api/sessions/{session['id']}/references", files=files)
    assert answer.status_code == 200, answer.text


def test_a_session_counts_what_its_colorizer_holds(tmp_path):
    with running(tmp_path) as server:
        begun = server.begin(GRAY)
        session = server.studio.sessions._sessions[begun["id"]]
        counted = [session.memory]
        put(server, begun, REFERENCES[:1], [1])
        counted.append(session.memory)
        for options in ({"size": 32}, {"size": 64}):
            answer = server.client.post(f"/api/sessions/{begun['id']}/preview", json={"options": options})
            assert answer.status_code == 200, answer.text
            counted.append(session.memory)
            assert session.memory == session.colorizer(10**6).memory
        assert counted == sorted(set(counted))


def test_an_edit_through_the_server_runs_only_what_depends_on_it(tmp_path, monkeypatch):
    runs = counted_runs(monkeypatch)
    monkeypatch.setattr(colorize_routes, "warm_up", lambda size: None)
    monkeypatch.setattr(method, "MAYBE_SAME", method.SURELY_SAME)  # none is compared twice
    with running(tmp_path) as server:
        session = server.begin(GRAY)
        put(server, session, REFERENCES[:2], [1, 1])
        body: dict[str, Any] = {
            "options": {"size": 64},
            "hints": {"points": [{"x": 9, "y": 9, "color": "#a33"}]},
        }

        def cost(route: str = "preview", **more: Any) -> Counter[str]:
            runs.clear()
            answer = server.client.post(f"/api/sessions/{session['id']}/{route}", json={**body, **more})
            assert answer.status_code == 200, answer.text
            return Counter(runs)

        assert cost() == {"photograph": 1, "reference": 2, "recall": 2, "match": 1, "decode": 1}
        assert cost() == {}
        assert cost("confidence") == {}
        assert cost("suggest", x=5, y=5) == {"distribution": 1}
        assert cost("where") == cost("gains") == cost("alternatives", count=2) == {}
        assert cost(options={"size": 64, "trust": 2}) == {"match": 1, "decode": 1}
        put(server, session, [], [1, 0.5])
        assert cost(options={"size": 64, "trust": 2}) == {"match": 1, "decode": 1}
        put(server, session, REFERENCES, [1, 1, 1])
        assert cost(options={"size": 64, "trust": 2}) == {
            "reference": 1,
            "recall": 1,
            "match": 1,
            "decode": 1,
        }


def test_a_thousand_edits_of_a_session_take_no_more_memory():
    settings = Settings()
    session = Session("id", None, upload(GRAY, "photo.png"), COLOR.shape[1], COLOR.shape[0])
    reference_jobs.set_references(
        settings, session, [upload(each, "reference.png") for each in REFERENCES[:1]], [1]
    )
    most = 0
    for n in range(1000):
        share = 0.05 + 0.9 * n / 1000
        options: dict[str, Any] = {"size": 32, "trust": 3 * share if n % 4 == 0 else 1}
        if n % 4 == 1:
            options["seed"] = n
        elif n % 4 == 2:
            reference_jobs.set_weights(settings, session, [share])
        point = {"x": 60 * share if n % 4 == 3 else 5, "y": 5, "color": "#aa3333"}
        jobs.preview(
            settings, session, PreviewRequest(options=options, hints={"points": [point]}, longer_side=32)
        )
        session.update_memory()
        most = max(most, session.memory)
        if n == 99:
            early = most
    assert early > 0
    assert most <= 1.05 * early
