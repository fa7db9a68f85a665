"""Debian's chromium, driven by Playwright, and the studio's server on a free port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import CHROMIUM, CHROMIUM_ARGUMENTS, running_studio
from PIL import Image


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser, or a skip that says why there is none.

    Playwright keeps an event loop running in this thread: it ends with the module, before tests that bring their own.
    """
    api = pytest.importorskip("playwright.sync_api", reason="drives the browser: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def studio() -> Iterator[str]:
    """The address of a studio."""
    pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
    with running_studio(
        sessions=1000
    ) as address:  # each test's pages leave theirs, in less than they are kept
        yield address


@pytest.fixture
def open_studio(chromium: Any, studio: str) -> Iterator[Callable[..., Any]]:
    """Opens the studio in a fresh profile; the test fails if the page's script fails, the console shows an error or
    another host is asked."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def start(width: int = 1280, scheme: str = "light", expects_errors: bool = False) -> Any:
        height = 844 if width < 600 else 800
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(40_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if not expects_errors:  # the browser itself logs each answer of 400 and above
            page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
            page.on("response", lambda r: wrong.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        allowed = (studio, "blob:", "data:")
        page.on("request", lambda r: None if r.url.startswith(allowed) else wrong.append(r.url))
        page.goto(studio)
        page.wait_for_selector("#choose")
        return page

    yield start
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gray photograph and a color reference, both drawn here: a red disk and a green field under a blue sky."""
    folder = tmp_path_factory.mktemp("pictures")
    y, x = np.mgrid[0:240, 0:320]
    # Light falls from the left: a picture with one color to each lightness would be a toned one.
    light = (0.7 + 0.3 * x / 320)[..., None]
    color = np.where((y < 120)[..., None], (120, 160, 220), (90, 140, 60))
    color = np.where(((x - 160) ** 2 + (y - 130) ** 2 < 55**2)[..., None], (190, 70, 50), color) * light
    color += np.random.default_rng(3).normal(0, 4, (240, 320, 1))
    picture = Image.fromarray(color.clip(0, 255).astype(np.uint8))
    picture.save(folder / "reference.png")
    picture.convert("L").save(folder / "photograph.png")
    return folder
