"""The studio of a server with an album: the most alike photographs are suggested, and one becomes the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import drop, running_studio
from PIL import Image

from retrieval.retrieval_scene import gray_crop, write_album


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a studio with an album."""
    pytest.importorskip("uvicorn", reason="the studio needs pip install 'tinct[web]'")
    album = write_album(tmp_path_factory.mktemp("albums") / "album")
    with running_studio(album=str(album)) as address:
        yield address


def test_a_suggested_photograph_becomes_the_reference(
    open_studio: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_studio()
    assert page.locator("#reference-suggest").is_hidden()  # there is no photograph yet
    Image.fromarray(gray_crop("coffee")).save(tmp_path / "photograph.png")
    drop(page, tmp_path / "photograph.png")
    page.wait_for_selector("#divider:not([hidden])")
    page.click("#reference-suggest")
    page.wait_for_selector("#suggested[open] figure")
    captions = page.locator("#suggested figcaption").all_text_contents()
    assert captions[0].startswith("coffee.jpg (likeness 0.")
    with page.expect_response("**/preview"):
        page.locator("#suggested-list button").first.click()
    page.wait_for_selector("#references li")
    assert "coffee.jpg" in page.locator("#references li").first.text_content()
    page.click("#undo")
    assert page.locator("#references li").count() == 0
