"""Pictures of the studio, light and dark, at a desktop's and a phone's width; the photographs are scikit-image's.

python tests/browser/screenshots.py docs/screenshots
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from chromium import CHROMIUM, CHROMIUM_ARGUMENTS, running_studio
from PIL import Image
from playwright.sync_api import sync_playwright
from skimage import data

WINDOWS = [("desktop-light", 1280, 800, "light"), ("phone-dark", 390, 844, "dark")]


def write_photographs(folder: Path) -> None:
    """A black-and-white photograph and a color one."""
    Image.fromarray(data.astronaut()).convert("L").save(folder / "astronaut.png")
    Image.fromarray(data.rocket()).save(folder / "rocket.png")


def picture_studio(page: Any, photographs: Path, out: Path, name: str) -> None:
    """The page with a hint being colored, and with alternatives and places to click."""
    page.set_input_files("#photo-file", photographs / "astronaut.png")
    page.wait_for_selector("#divider:not([hidden])")
    page.set_input_files("#reference-file", photographs / "rocket.png")
    page.wait_for_selector("#references canvas")
    for _ in range(3):
        page.press("#divider", "PageDown")
    click_suit(page)
    page.wait_for_selector("#suggestions button")
    page.fill("#hex", "#d4622c")
    page.press("#hex", "Enter")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_selector("#said:not(.shown)", state="attached")
    page.wait_for_timeout(2000)
    page.screenshot(path=out / f"{name}-hint.png")
    page.click("#where")
    page.click("#alternatives-show")
    page.wait_for_selector(".alternative")
    page.locator("#alternatives").scroll_into_view_if_needed()
    page.wait_for_selector("#places button")
    page.wait_for_timeout(2500)
    page.screenshot(path=out / f"{name}-alternatives.png")


def click_suit(page: Any) -> None:
    """A place on the suit, which is orange: the photograph is square and fits into the canvas."""
    box = page.locator("#photograph").bounding_box()
    side = min(box["width"], box["height"]) - 32
    where = {"x": box["width"] / 2 - 0.1 * side, "y": box["height"] / 2 + 0.12 * side}
    page.locator("#photograph").click(position=where)


def main(out: Path) -> None:
    """Write all of them."""
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_studio() as address,
        sync_playwright() as driver,
    ):
        write_photographs(Path(folder))
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        for name, width, height, scheme in WINDOWS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(address)
            page.wait_for_selector("#choose")
            picture_studio(page, Path(folder), out, name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
