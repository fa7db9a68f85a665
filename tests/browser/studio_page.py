"""What a hand does on the studio's page, and what is seen there; the photograph is the 320x240 one of the fixtures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chromium import drop

SHOWN = """([x, y]) => {
  const canvas = document.querySelector('#photograph'), scale = canvas.width / canvas.clientWidth;
  return [...canvas.getContext('2d').getImageData(x * scale, y * scale, 1, 1).data.slice(0, 3)];
}"""

KEPT = """async (name) => {
  const result = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await result(indexedDB.open('tinct-studio'));
  for (const began = performance.now(); performance.now() - began < 40_000; ) {
    const states = await result(database.transaction('state').objectStore('state').getAll());
    if (JSON.stringify(states).includes(name)) return database.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no state has ${name}`);
}"""


def open_photo(page: Any, pictures: Path) -> None:
    drop(page, pictures / "photograph.png")
    page.wait_for_selector("#divider:not([hidden])")


def place(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a place of the photograph (shares of its width and height) lies on the canvas, all of it being seen."""
    box = page.locator("#photograph").bounding_box()
    margin = min(16, box["width"] / 20, box["height"] / 20)
    scale = min((box["width"] - 2 * margin) / 320, (box["height"] - 2 * margin) / 240, 4)
    return (
        box["width"] / 2 + (x - 0.5) * 320 * scale,
        box["height"] / 2 + (y - 0.5) * 240 * scale,
    )


def on_page(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a place of the photograph lies on the page, as a mouse's position is given."""
    box, (left, top) = page.locator("#photograph").bounding_box(), place(page, x, y)
    return box["x"] + left, box["y"] + top


def click(page: Any, x: float, y: float) -> None:
    at = place(page, x, y)
    page.locator("#photograph").click(position={"x": at[0], "y": at[1]})


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x0, y0), (x1, y1) = on_page(page, *start), on_page(page, *end)
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2, steps=4)
    page.mouse.move(x1, y1, steps=4)
    page.mouse.up()


def hints(page: Any) -> list[str]:
    return page.locator("#hint-list li .row").evaluate_all("(rows) => rows.map((row) => row.textContent)")


def preview(page: Any, asked: Callable[[dict[str, Any]], object]) -> Any:
    """Expect a preview whose request holds what is asked: one that was begun before may answer later."""
    return page.expect_response(
        lambda r: r.url.endswith("/preview") and bool(asked(json.loads(r.request.post_data or "{}")))
    )


def saved(page: Any, button: str) -> tuple[str, bytes]:
    page.click("#save-open")
    with page.expect_download() as waiting:
        page.click(button)
    download = waiting.value
    page.wait_for_selector("#save", state="hidden")
    return download.suggested_filename, Path(download.path()).read_bytes()


def saved_project(page: Any, pictures: Path, folder: Path) -> str:
    """Colorize the photograph with a reference and a point, and save the project into a folder; gives its name."""
    open_photo(page, pictures)
    drop(page, pictures / "reference.png", "#references-part")
    page.wait_for_selector("#references li")
    click(page, 0.3, 0.8)
    page.wait_for_selector("#hint-list li", state="attached")
    name, project = saved(page, "#save-project")
    (folder / name).write_bytes(project)
    return name


def kept(page: Any, text: str) -> None:
    """Wait until the browser's database has a state with a text in it."""
    page.evaluate(KEPT, text)


class Fingers:
    """What a touch screen tells the page."""

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 3})

    def tell(self, kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
