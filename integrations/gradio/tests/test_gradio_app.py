"""The page as its visitor has it: its function against the library, and the page itself in a browser."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# `gradio` alone would be found without being installed: pytest puts the folder above this one, integrations/, into the
# path.
gradio = pytest.importorskip(
    "gradio.blocks", reason="make doors: installs gradio in an environment of its own"
)

from PIL import Image
from skimage import data

import tinct

FOLDER = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ORANGE = (192, 80, 32)


@pytest.fixture(scope="module")
def app() -> Any:
    """The module app.py."""
    spec = importlib.util.spec_from_file_location("tinct_gradio_app", FOLDER / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gray photograph of 300x256 pixels."""
    path = tmp_path_factory.mktemp("photographs") / "astronaut.png"
    Image.fromarray(data.astronaut()[:300, 100:356]).convert("L").save(path)
    return path


def edited(photograph: Path, *strokes: tuple[int, int, int, int]) -> dict[str, Any]:
    """What the editor gives for a photograph with boxes of orange."""
    background = np.asarray(Image.open(photograph).convert("RGBA"))
    layer = np.zeros_like(background)
    for left, top, right, bottom in strokes:
        layer[top:bottom, left:right] = (*ORANGE, 255)
    return {"background": background, "layers": [layer], "composite": background}


def test_strokes_and_references_are_what_the_library_gets(app: Any, photograph: Path, tmp_path: Path) -> None:
    Image.fromarray(data.rocket()).save(tmp_path / "rocket.png")
    gallery = [(str(tmp_path / "rocket.png"), None)]
    given = edited(photograph, (120, 220, 140, 240))
    (before, after), file = app.colorize(given, gallery, 0.5, 1.25, 2.0)
    hints = tinct.HintImage(given["layers"][0])
    options = {"vividness": 0.5, "strength": 1.25, "trust": 2.0}
    wanted = tinct.colorize(before, tinct.Photo.read(tmp_path / "rocket.png"), hints, **options)
    assert np.array_equal(after, wanted)
    assert np.array_equal(np.asarray(Image.open(file))[..., :3], wanted)
    assert before.shape == after.shape == (300, 256, 3)


def test_an_empty_layer_asks_for_nothing(app: Any, photograph: Path) -> None:
    (_, plain), _ = app.colorize({**edited(photograph), "layers": []}, None, 1, 1, 1)
    (_, empty), _ = app.colorize(edited(photograph), [], 1, 1, 1)
    assert np.array_equal(plain, empty)


def test_what_cannot_be_done_is_one_line(app: Any, photograph: Path) -> None:
    with pytest.raises(gradio.Error, match="no photograph yet"):
        app.colorize(None, None, 1, 1, 1)
    with pytest.raises(gradio.Error, match="gray"):
        app.colorize(edited(photograph), [(str(photograph), None)], 1, 1, 1)


def test_front_matter_and_requirements_name_the_same_gradio() -> None:
    front = (FOLDER / "README.md").read_text().split("---")[1]
    values = dict(line.split(": ", 1) for line in front.strip().splitlines())
    assert values["sdk"] == "gradio"
    assert values["app_file"] == "app.py"
    assert values["license"] == "mit"
    required = re.search(r"gradio>=([\d.]+),<(\d+)", (FOLDER / "requirements.txt").read_text())
    assert required is not None
    assert values["sdk_version"].startswith(required[1])
    assert int(values["sdk_version"].split(".")[0]) < int(required[2])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `python app.py` on the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("gradio")),
    }
    log = (tmp_path_factory.mktemp("log") / "app.log").open("w+")
    command = [sys.executable, str(FOLDER / "app.py")]
    server = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log)
    try:
        for _ in range(240):
            if server.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        assert server.poll() is None, Path(log.name).read_text()
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Any]:
    """The page in chromium; the test fails if another host is asked for anything."""
    api = pytest.importorskip("playwright.sync_api", reason="drives the browser: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(viewport={"width": 1280, "height": 1000})
        opened.set_default_timeout(90_000)
        foreign: list[str] = []
        allowed = (address, "blob:", "data:")
        opened.on("request", lambda r: None if r.url.startswith(allowed) else foreign.append(r.url))
        opened.goto(address)
        yield opened
        browser.close()
        assert foreign == []


def shown(page: Any) -> list[np.ndarray]:
    """The two pictures of the slider, as the page got them."""
    sources = page.locator("img.preview").evaluate_all("(images) => images.map((each) => each.src)")
    bodies = [page.request.get(source).body() for source in sources]
    return [np.asarray(Image.open(io.BytesIO(body)).convert("RGB"), int) for body in bodies]


def test_a_visitor_drops_paints_and_sees_color(page: Any, photograph: Path) -> None:
    page.locator("input[type=file]").first.wait_for(state="attached")
    page.set_input_files("input[type=file] >> nth=0", photograph)
    page.get_by_label("Brush", exact=True).wait_for()
    page.get_by_label("Brush", exact=True).click()
    box = page.locator("canvas").first.bounding_box()
    x, y = box["x"] + box["width"] * 0.66, box["y"] + box["height"] * 0.85
    page.wait_for_timeout(1500)  # until the editor has laid the photograph out
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 25, y + 25, steps=8)
    page.mouse.up()
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Colorize").click()
    page.wait_for_function("document.querySelectorAll('img.preview').length === 2")
    before, after = shown(page)
    assert before.shape == after.shape == (300, 256, 3)
    assert np.abs(before - np.asarray(Image.open(photograph))[..., None]).max() <= 1
    assert np.ptp(after, axis=2).mean() > 8
    alone = np.asarray(tinct.colorize(before.astype(np.uint8)), int)
    assert np.abs(after - alone).mean() > 0.5, "the stroke changed nothing"
    if place := os.environ.get("TINCT_SCREENSHOTS"):
        page.screenshot(path=Path(place) / "gradio.png")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the result").click()
    assert np.array_equal(np.asarray(Image.open(waiting.value.path()).convert("RGB"), int), after)
