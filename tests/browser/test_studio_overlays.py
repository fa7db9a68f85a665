"""The studio in a real browser: pasting, pinching, and what is laid over the photograph."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import drop
from PIL import Image
from studio_page import SHOWN, Fingers, click, hints, open_photo, place, saved_project

Opener = Callable[..., Any]

PASTE = """([target, name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], name, { type: 'image/png' }));
  const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
  document.querySelector(target).dispatchEvent(event);
}"""
BRIGHTNESS = f"(p) => ({SHOWN})(p).reduce((sum, v) => sum + v, 0)"
SUM = f"(spots) => spots.map({BRIGHTNESS}).reduce((sum, v) => sum + v, 0)"


def paste(page: Any, path: Path, target: str) -> None:
    content = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(PASTE, [target, path.name, content])


def test_a_photograph_is_pasted_and_then_a_reference(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    paste(page, pictures / "photograph.png", "body")
    page.wait_for_selector("#divider:not([hidden])")
    paste(page, pictures / "reference.png", "#reference-add")
    page.wait_for_selector("#references li")
    assert page.locator("#name").text_content() == "photograph.png"
    assert page.locator("#references .name").text_content() == "reference.png"


def test_two_fingers_zoom_into_the_place_between_them_and_leave_no_hint(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio(390)
    open_photo(page, pictures)
    before = int(page.locator("#zoom-level").text_content().split()[0])
    box = page.locator("#photograph").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hand = Fingers(page)
    hand.tell("touchStart", (x - 30, y), (x + 30, y))
    for apart in (45, 60, 90):
        hand.tell("touchMove", (x - apart, y), (x + apart, y))
    hand.tell("touchEnd")
    page.wait_for_function(f"parseInt(document.querySelector('#zoom-level').textContent) > {2 * before}")
    level = int(page.locator("#zoom-level").text_content().split()[0])
    assert level == pytest.approx(3 * before, rel=0.15)
    assert hints(page) == []


def test_three_fingers_leave_no_hint(open_studio: Opener, pictures: Path) -> None:
    page = open_studio(390)
    open_photo(page, pictures)
    box = page.locator("#photograph").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate("addEventListener('pointerup', () => (window.lifted = (window.lifted ?? 0) + 1))")
    hand = Fingers(page)
    places = [(x - 40, y), (x, y), (x + 40, y)]
    for fingers in (1, 2, 3):
        hand.tell("touchStart", *places[:fingers])
    hand.tell("touchEnd")
    page.wait_for_function("() => window.lifted === 3")
    assert hints(page) == []


def test_how_sure_the_colors_are_lies_over_the_photograph_as_a_shade(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    page.keyboard.press("c")  # all color
    page.wait_for_timeout(600)
    spots = [[*place(page, (x + 0.5) / 12, (y + 0.5) / 9)] for x in range(12) for y in range(9)]
    before = page.evaluate(SUM, spots)
    with page.expect_response("**/confidence"):
        page.click("#confidence")
    page.wait_for_function(f"([spots, before]) => ({SUM})(spots) < before", arg=[spots, before])
    assert page.locator("#confidence-told").is_visible()
    page.keyboard.press("u")
    page.wait_for_function(f"([spots, before]) => ({SUM})(spots) === before", arg=[spots, before])
    assert page.get_attribute("#confidence", "aria-pressed") == "false"


def test_where_to_click_is_lit_and_the_rest_is_shaded(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    spots = [place(page, (x + 0.5) / 12, (y + 0.5) / 9) for x in range(12) for y in range(9)]
    before = [page.evaluate(BRIGHTNESS, [*spot]) for spot in spots]
    with page.expect_response("**/gains"):
        page.click("#where")
    page.wait_for_selector("#places button >> nth=4")
    shares = [
        page.evaluate(BRIGHTNESS, [*spot]) / max(then, 1) for spot, then in zip(spots, before, strict=True)
    ]
    assert min(shares) < 0.5
    assert sorted(shares)[len(shares) // 2] < 1
    with page.expect_response("**/gains"):  # and again after the hint
        page.locator("#places button").first.click()
    page.click("#where")
    assert page.locator("#places").is_hidden()


def test_a_weight_alone_travels_without_the_references(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    page.evaluate("""() => {
      window.fields = [];
      const append = FormData.prototype.append;
      FormData.prototype.append = function (...given) { fields.push(given[0]); append.apply(this, given); };
    }""")
    with page.expect_response("**/references"):
        drop(page, pictures / "reference.png", "#references-part")
    with page.expect_response("**/references") as answer:
        page.locator("#references input").fill("0.5")
    assert page.evaluate("fields") == ["reference", "partial", "weights", "weights"]
    assert answer.value.ok


def test_a_project_finds_its_references_by_what_they_hold(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    page = open_studio()
    name = saved_project(page, pictures, tmp_path)
    shutil.copy(pictures / "photograph.png", tmp_path / "photograph.png")
    shutil.copy(pictures / "reference.png", tmp_path / "scan 12.png")  # the same bytes under another name
    with Image.open(pictures / "reference.png") as reference:
        reference.rotate(180).save(tmp_path / "reference.png")  # the name, with other bytes
    fresh = open_studio()
    fresh.set_input_files(
        "#photo-file", [tmp_path / each for each in ("photograph.png", "scan 12.png", name)]
    )
    fresh.wait_for_selector("#hint-list li", state="attached")
    assert hints(fresh) == hints(page)
    assert fresh.locator("#references .name").all_text_contents() == ["scan 12.png"]
    assert fresh.locator("#references-part [role=alert]").inner_text() == ""
    other = open_studio(expects_errors=True)
    other.set_input_files(
        "#photo-file", [tmp_path / each for each in ("photograph.png", "reference.png", name)]
    )
    other.locator("#references-part [role=alert]").get_by_text("also uses reference.png").wait_for()
    assert json.loads((tmp_path / name).read_bytes())["references"][0]["name"] == "reference.png"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_word_on_what_was_done_covers_no_error(open_studio: Opener, pictures: Path, width: int) -> None:
    page = open_studio(width)
    open_photo(page, pictures)
    click(page, 0.4, 0.5)
    page.wait_for_selector("#hint-list li", state="attached")
    drop(page, pictures / "photograph.png", "#references-part")
    page.wait_for_selector("#stage-part > .alert span")
    page.click("#undo")
    page.wait_for_selector("#said.shown")
    said, alert = (page.locator(each).bounding_box() for each in ("#said", "#stage-part > .alert"))
    assert said["y"] + said["height"] <= alert["y"]
