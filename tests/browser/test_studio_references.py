"""The studio's references in a real browser: those that the server refuses, and those that are too many."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import drop, running_studio
from PIL import Image
from studio_page import click, drag, kept, open_photo, preview, saved

Opener = Callable[..., Any]


@pytest.fixture(scope="session")
def refused(pictures: Path) -> Path:
    """A file that is no picture, and a photograph of a single tint, which the page alone does not know to be gray."""
    folder = pictures / "refused"
    folder.mkdir()
    (folder / "letter.png").write_text("not a picture")
    gray = np.asarray(Image.open(pictures / "photograph.png"), float)[..., None] / 255
    toned = np.concatenate([gray**0.7, gray, gray**1.4], 2)
    Image.fromarray((255 * toned).astype(np.uint8)).save(folder / "toned.png")
    return folder


def add(page: Any, *files: Path) -> None:
    page.set_input_files("#reference-file", list(files))


def refusals(page: Any) -> list[str]:
    return page.locator("#references .refused").all_inner_texts()


def wait_for_refusals(page: Any, count: int) -> None:
    page.wait_for_function(f"() => document.querySelectorAll('#references .refused').length === {count}")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_refused_reference_stops_nothing(
    open_studio: Opener, pictures: Path, refused: Path, width: int
) -> None:
    page = open_studio(width)  # which allows no answer of 400 and above
    open_photo(page, pictures)
    with page.expect_response(lambda r: r.url.endswith("/preview") and r.ok):
        add(page, refused / "letter.png", pictures / "reference.png", refused / "toned.png")
        wait_for_refusals(page, 2)
    said = refusals(page)
    assert all(name in each for name, each in zip(["letter.png", "toned.png"], said, strict=True))
    assert "not a photograph" in said[0]
    assert "single tint" in said[1]
    with preview(page, lambda asked: asked["hints"]):
        click(page, 0.3, 0.8)
    page.wait_for_selector("#suggestions button")
    assert page.locator("#references input").count() == 1  # the weight of the one that is used
    assert [text for text in page.locator("[role=alert]").all_inner_texts() if text] == []
    _, project = saved(page, "#save-project")
    assert [each["name"] for each in json.loads(project)["references"]] == ["reference.png"]


def test_a_refusal_is_said_and_leaves_the_other_references_to_the_hand(
    open_studio: Opener, pictures: Path, refused: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    add(page, pictures / "reference.png")
    held: list[Any] = []
    page.route("**/references", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/references"):
        add(page, refused / "letter.png", refused / "toned.png")
        page.wait_for_selector("#references li >> nth=2")
    page.focus("#references input")
    page.evaluate("window.slider = document.querySelector('#references input')")
    held[0].continue_()
    wait_for_refusals(page, 2)
    assert page.evaluate("document.activeElement === window.slider")
    page.locator("#said").get_by_text("toned.png").wait_for()


def test_a_refused_reference_is_sent_once(open_studio: Opener, pictures: Path, refused: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    add(page, refused / "letter.png")
    wait_for_refusals(page, 1)
    page.evaluate("""() => {
      window.sent = [];
      const append = FormData.prototype.append;
      FormData.prototype.append = function (...given) { sent.push(given[2] ?? given[0]); append.apply(this, given); };
    }""")
    with page.expect_response("**/references"):
        add(page, pictures / "reference.png")
    page.wait_for_selector("#tool-pair:not([disabled])")
    assert page.evaluate("sent") == ["reference.png", "partial", "weights"]


def test_regions_are_paired_with_the_reference_that_they_name(
    open_studio: Opener, pictures: Path, refused: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    assert page.locator("#tool-pair").is_disabled()
    add(page, refused / "letter.png", pictures / "reference.png")
    wait_for_refusals(page, 1)
    page.wait_for_selector("#tool-pair:not([disabled])")
    page.keyboard.press("r")
    drag(page, (0.1, 0.1), (0.3, 0.4))  # one reference is usable, so that there is nothing to choose
    page.wait_for_selector("#viewer[open]")
    box = page.locator("#viewer-canvas").bounding_box()
    at = [(box["x"] + box["width"] * share, box["y"] + box["height"] * share) for share in (0.4, 0.55)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1])
    with preview(page, lambda asked: asked["hints"].get("swatches")) as answer:
        page.mouse.up()
    assert answer.value.ok
    assert answer.value.request.post_data_json["hints"]["swatches"][0]["reference"] == 0


def test_a_refused_reference_that_is_removed_and_brought_back_is_refused_still(
    open_studio: Opener, pictures: Path, refused: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    add(page, refused / "toned.png")
    wait_for_refusals(page, 1)
    page.get_by_role("button", name="Remove toned.png").click()
    wait_for_refusals(page, 0)
    page.click("#undo")
    wait_for_refusals(page, 1)
    kept(page, '"future":[{')  # which only a state after undo has
    page.reload()
    wait_for_refusals(page, 1)
    page.wait_for_selector("#divider:not([hidden])")


def test_references_that_are_too_large_together_leave_out_the_last(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio(expects_errors=True)
    open_photo(page, pictures)

    def too_large(route: Any) -> None:
        many = (route.request.post_data_buffer or b"").count(b'name="reference"') > 1
        if many:
            route.fulfill(status=413, json={"error": "the request is larger than 1 MiB; send less at once."})
        else:
            route.continue_()

    page.route("**/references", too_large)
    shutil.copy(pictures / "reference.png", pictures / "second.png")
    add(page, pictures / "reference.png", pictures / "second.png")
    wait_for_refusals(page, 1)
    assert "second.png" in refusals(page)[0]
    assert "send less at once" in refusals(page)[0]
    with preview(page, lambda asked: asked["hints"]) as answer:
        click(page, 0.3, 0.8)
    assert answer.value.ok


def test_a_refused_reference_is_used_once_there_is_room_for_it(
    chromium: Any, pictures: Path, tmp_path: Path
) -> None:
    for number in range(3):
        shutil.copy(pictures / "reference.png", tmp_path / f"{number}.png")
    with running_studio(max_pixels=int(2.5 * 320 * 240)) as address:
        page = chromium.new_page()
        page.goto(address)
        open_photo(page, pictures)
        add(page, *(tmp_path / f"{number}.png" for number in range(3)))
        wait_for_refusals(page, 1)
        assert "with it the references have more" in refusals(page)[0]
        page.get_by_role("button", name="Remove 0.png").click()
        wait_for_refusals(page, 0)
        page.wait_for_timeout(500)
        assert page.locator("#references input").count() == 2
        page.click("#undo")
        wait_for_refusals(page, 1)
        page.close()


@pytest.mark.parametrize("target", ["#references-part", "#stage"])
def test_of_too_many_references_the_first_are_kept_and_the_others_named(
    open_studio: Opener, pictures: Path, tmp_path: Path, target: str
) -> None:
    names = [f"color{number:02}.png" for number in range(19)]
    for name in names:
        shutil.copy(pictures / "reference.png", tmp_path / name)
    page = open_studio()
    if target == "#stage":
        page.set_input_files(
            "#photo-file", [pictures / "photograph.png", *(tmp_path / name for name in names)]
        )
    else:
        open_photo(page, pictures)
        add(page, *(tmp_path / name for name in names))
    for part in ("references", "stage"):
        said = page.locator(f"[data-part={part}] > [role=alert]")
        said.get_by_text("19 references are more than the 16").wait_for()
        assert "color16.png, color17.png, color18.png were not added" in said.inner_text()
    assert page.locator("#references .name").all_text_contents() == names[:16]
    page.get_by_role("button", name="Remove color00.png").click()
    drop(page, tmp_path / names[16], "#references-part")
    page.wait_for_function("() => document.querySelector('#references').textContent.includes('color16.png')")
    assert page.locator("#references li").count() == 16
