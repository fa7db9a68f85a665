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
    """The page as it opens, with a hint being colored, and with alternatives and places to click."""
    shoot(page, out / f"{name}-welcome.png")
    page.set_input_files("#photo-file", photographs / "astronaut.png")
    page.wait_for_selector("#divider:not([hidden])")
    page.set_input_files("#reference-file", photographs / "rocket.png")
    page.wait_for_selector("#references canvas")
    page.focus("#photograph")
    for key in ["Shift+ArrowDown"] * 3 + ["Shift+ArrowRight", "Enter"]:
        page.keyboard.press(key)
    page.locator("#suggestions button").first.click()
    page.wait_for_selector("#said:not(.shown)", state="attached")
    shoot(page, out / f"{name}-hint.png")
    page.click("#where")
    page.click("#alternatives-show")
    page.wait_for_selector(".alternative")
    page.locator("#alternatives").scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    shoot(page, out / f"{name}-alternatives.png")


def shoot(page: Any, file: Path) -> None:
    """One picture, in a palette of 256 colors: a third of the bytes."""
    page.screenshot(path=file)
    Image.open(file).convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
        file, optimize=True
    )


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
