"""The studio in a real browser: what a person does there, at a desktop's and a phone's width."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import drop
from PIL import Image
from studio_page import SHOWN, click, drag, hints, kept, on_page, open_photo, place, preview, saved

Opener = Callable[..., Any]
AXE = Path(os.environ.get("TINCT_AXE", Path(__file__).resolve().parents[2] / "build" / "axe-core.js"))


@pytest.mark.parametrize("width", [1280, 390])
def test_what_the_page_saves_the_command_line_replays_byte_for_byte(
    open_studio: Opener, pictures: Path, tmp_path: Path, width: int
) -> None:
    page = open_studio(width)
    open_photo(page, pictures)
    drop(page, pictures / "reference.png", "#references-part")
    page.wait_for_selector("#references li")
    click(page, 0.3, 0.8)
    with page.expect_response("**/preview"):
        page.locator("#suggestions button").nth(2).click()
    click(page, 0.7, 0.15)
    page.wait_for_function("() => document.querySelectorAll('#hint-list li').length === 2")
    page.click("#undo")
    assert len(hints(page)) == 1
    _, photograph = saved(page, "#save-photograph")
    name, project = saved(page, "#save-project")
    for file in ("photograph.png", "reference.png"):
        (tmp_path / file).write_bytes((pictures / file).read_bytes())
    (tmp_path / name).write_bytes(project)
    command = [sys.executable, "-c", "from tinct.cli import main; main()", "colorize"]
    command += ["--project", str(tmp_path / name)]
    subprocess.run([*command, "-o", str(tmp_path / "replayed.png")], check=True, capture_output=True)
    assert (tmp_path / "replayed.png").read_bytes() == photograph
    assert len(json.loads(project)["hints"]["points"]) == 1
    assert np.ptp(np.asarray(Image.open(BytesIO(photograph))).astype(int), axis=2).max() > 20


def test_gray_is_left_of_the_divider_and_color_right_of_it(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    page.keyboard.press("h")
    click(page, 0.5, 0.6)
    page.fill("#hex", "#c03020")
    with page.expect_response("**/preview"):
        page.keyboard.press("Enter")
    red = "(p) => { const c = (%s)(p); return Math.abs(c[0] - c[2]) %s; }"
    page.wait_for_function(red % (SHOWN, "> 40"), arg=[*place(page, 0.53, 0.6)])
    assert np.ptp(page.evaluate(SHOWN, [*place(page, 0.47, 0.6)])) <= 3
    page.focus("#divider")
    page.keyboard.press("Home")
    page.wait_for_function(red % (SHOWN, "> 40"), arg=[*place(page, 0.47, 0.6)])
    page.keyboard.press("End")
    page.wait_for_function(red % (SHOWN, "<= 3"), arg=[*place(page, 0.53, 0.6)])
    assert page.get_attribute("#divider", "aria-valuenow") == "100"


def test_nothing_is_lost_on_reload(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    drop(page, pictures / "reference.png", "#references-part")
    click(page, 0.3, 0.8)
    page.wait_for_selector("#suggestions button")
    page.locator("#strength").fill("0.6")
    before = hints(page)
    kept(page, '"strength":0.6')
    page.reload()
    page.wait_for_selector("#divider:not([hidden])")
    assert hints(page) == before
    assert page.locator("#references li").count() == 1
    assert page.locator("#strength").input_value() == "0.6"
    page.click("#undo")
    assert page.locator("#strength").input_value() == "1"


def test_hints_are_moved_recolored_and_deleted_and_each_step_is_undone(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.25, 0.25)
    drag(page, (0.25, 0.25), (0.75, 0.25))
    assert hints(page)[0].startswith(("Point at 239,", "Point at 240,"))
    moved = hints(page)[0]
    page.fill("#hex", "#c03060")
    page.keyboard.press("Enter")
    recolored = hints(page)[0]
    assert recolored != moved
    page.click("#delete")
    assert hints(page) == []
    steps = []
    for _ in range(4):
        page.click("#undo")
        steps.append(hints(page))
    assert [step[0] for step in steps[:2]] == [recolored, moved]
    assert steps[2][0].startswith(("Point at 79,", "Point at 80,"))
    assert steps[3] == []


def test_a_drag_is_one_step_however_slow_and_two_are_two_however_fast(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.25, 0.25)
    begun = hints(page)
    x, y = on_page(page, 0.25, 0.25)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in (20, 40):
        page.mouse.move(x + step, y)
        page.wait_for_timeout(900)
    page.mouse.up()
    page.mouse.down()
    page.mouse.move(x + 80, y)
    page.mouse.up()
    assert len({*begun, *hints(page)}) == 2
    page.click("#undo")
    assert hints(page) != begun
    page.click("#undo")
    assert hints(page) == begun


def test_a_neutral_stroke_keeps_gray(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    page.keyboard.press("n")
    with page.expect_response("**/preview"):
        drag(page, (0.1, 0.9), (0.9, 0.9))
    assert hints(page)[0].startswith("Stroke at")
    _, photograph = saved(page, "#save-photograph")
    line = np.asarray(Image.open(BytesIO(photograph)).convert("RGB")).astype(int)[215:217, 60:260]
    assert np.ptp(line, axis=2).mean() < 6


def test_everything_can_be_done_by_keys(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    page.focus("#photograph")
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("() => document.querySelectorAll('#hint-list li').length === 1")
    before = hints(page)[0].split(",")[0]
    page.keyboard.press("Alt+Shift+ArrowRight")
    assert hints(page)[0].split(",")[0] != before
    page.keyboard.press("s")
    for key in ("Shift+ArrowLeft", "Enter", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert [hint.split()[0] for hint in hints(page)] == ["Point", "Stroke"]
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    page.keyboard.press("]")
    assert len(hints(page)) == 2
    page.focus("#hex")
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    assert page.get_attribute("#tools [data-tool=move]", "aria-pressed") == "true"
    page.keyboard.press("Control+s")
    assert page.locator("#save").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()


def test_a_region_is_paired_with_a_region_of_the_reference(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    drop(page, pictures / "reference.png", "#references-part")
    page.wait_for_selector("#tool-pair:not([disabled])")
    page.keyboard.press("r")
    drag(page, (0.1, 0.6), (0.3, 0.9))
    page.wait_for_selector("#viewer[open]")
    assert page.locator("#viewer-color").is_hidden()
    box = page.locator("#viewer-canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.6, steps=3)
    with preview(page, lambda asked: "swatches" in asked["hints"]) as answer:
        page.mouse.up()
    assert answer.value.ok
    swatch = json.loads(answer.value.request.post_data)["hints"]["swatches"][0]
    assert swatch["target_box"] == pytest.approx([32, 144, 97, 217], abs=2)
    assert hints(page)[0].startswith("Matched region")


def test_the_eyedropper_takes_the_references_color(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    drop(page, pictures / "reference.png", "#references-part")
    click(page, 0.3, 0.8)
    page.click("#eyedropper")
    page.wait_for_selector("#viewer[open]")
    page.locator("#viewer-canvas").click()  # its middle: the red disk
    picked = page.locator("#hex").input_value()
    rgb = [int(picked[i : i + 2], 16) for i in (1, 3, 5)]
    assert rgb == pytest.approx([161, 59, 42], abs=12)


def test_alternatives_and_places_lead_on(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    page.click("#alternatives-show")
    page.wait_for_selector(".alternative")
    with preview(page, lambda asked: asked["options"].get("seed", 0) > 0) as answer:
        page.locator(".alternative").nth(1).click()
    assert answer.value.ok
    page.keyboard.press("w")
    page.locator("#places button").first.click()
    page.wait_for_function("() => document.querySelectorAll('#hint-list li').length === 1")


def test_zooming_to_full_size_shows_every_pixel_of_the_photograph(
    open_studio: Opener, tmp_path: Path
) -> None:
    checks = np.indices((1500, 2400)).sum(0) % 2 * 60 + 90
    Image.fromarray(checks.astype(np.uint8)).save(tmp_path / "checks.png")
    page = open_studio()
    drop(page, tmp_path / "checks.png")
    page.wait_for_selector("#divider:not([hidden])")
    with page.expect_response(
        lambda r: r.url.endswith("/render") and '"strength":0}' not in r.request.post_data
    ):
        page.keyboard.press("1")
    assert page.locator("#zoom-level").text_content() == "100 %"
    difference = f"(p) => Math.abs(({SHOWN})(p)[1] - ({SHOWN})([p[0] + 1, p[1]])[1]) > 25"
    page.wait_for_function(difference, arg=[200, 200])


def test_what_cannot_be_read_is_said_beside_it(open_studio: Opener, tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "letter.png").write_text("not a picture")
    page = open_studio(expects_errors=True)
    drop(page, tmp_path / "letter.png")
    page.locator("#stage-part [role=alert]").get_by_text("letter.png").wait_for()
    open_photo(page, pictures)
    assert page.locator("#stage-part [role=alert]").inner_text() == ""
    click(page, 0.3, 0.8)
    page.fill("#hex", "mauve")
    page.keyboard.press("Enter")
    page.locator("[data-part=color] [role=alert]").get_by_text("“mauve” is not a color").wait_for()
    drop(page, tmp_path / "letter.png", "#references-part")
    refused = page.locator("#references .refused")
    refused.get_by_text("not a photograph").wait_for()
    assert "letter.png" in refused.inner_text()
    page.get_by_role("button", name="Remove letter.png").click()
    page.wait_for_selector("#references li", state="detached")


def test_what_was_decided_about_a_file_stands_beside_it(
    open_studio: Opener, tmp_path: Path, pictures: Path
) -> None:
    pages = [Image.new("L", (320, 240), 60 + 50 * number) for number in range(3)]
    pages[0].save(tmp_path / "three.gif", save_all=True, append_images=pages[1:])
    page = open_studio(expects_errors=True)  # the first session ends while it is asked for more
    drop(page, tmp_path / "three.gif")
    page.locator("#notes").get_by_text("frames; the first is used").wait_for()
    open_photo(page, pictures)
    page.locator("#notes").wait_for(state="hidden")


def test_a_color_that_cannot_be_there_is_told_while_one_looks(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.5, 0.55)
    page.fill("#hex", "#00ff00")
    page.press("#hex", "Enter")
    page.locator("#notes").get_by_text("#00ff00 does not exist at the lightness of").wait_for()
    page.click("#delete")
    page.locator("#notes").wait_for(state="hidden")


def test_a_session_that_the_server_forgot_is_made_anew(
    open_studio: Opener, pictures: Path, studio: str
) -> None:
    page = open_studio(expects_errors=True)
    with page.expect_response(lambda r: r.url.endswith("/api/sessions")) as begun:
        open_photo(page, pictures)
    session = begun.value.json()["id"]
    status = page.evaluate(f"fetch('api/sessions/{session}', {{ method: 'DELETE' }}).then((r) => r.status)")
    assert status == 204
    with page.expect_response(lambda r: r.url.endswith("/preview") and r.ok):
        click(page, 0.3, 0.8)


def test_the_wheel_holds_what_srgb_holds(open_studio: Opener) -> None:
    from tinct.color.gamut import fit_gamut
    from tinct.color.hexcolor import color_to_ab

    page = open_studio()
    places = [[lightness, hue] for lightness in (5, 30, 62, 90, 98) for hue in np.arange(0, 6.28, 0.37)]
    most, names = page.evaluate(
        """async (places) => {
          const color = await import('./color.js');
          const most = places.map(([l, h]) => color.maxChroma(l, h));
          const name = ([l, h], i) => color.hexFromLab(l, 0.7 * most[i] * Math.cos(h), 0.7 * most[i] * Math.sin(h));
          return [most, places.map(name)];
        }""",
        [[float(v) for v in each] for each in places],
    )
    lightness, hue = np.array(places, np.float32).T
    ray = np.stack([np.cos(hue), np.sin(hue)], -1)
    fitted = np.linalg.norm(fit_gamut(lightness, 200 * ray), axis=-1)
    np.testing.assert_allclose(most, fitted, atol=0.15)
    middle = lightness == 62  # one step of 8 bits is a small difference there
    ab = np.stack([color_to_ab(name) for name in names])
    np.testing.assert_allclose(ab[middle], (0.7 * fitted[:, None] * ray)[middle], atol=1.2)


def test_colors_are_named_as_people_name_them(open_studio: Opener) -> None:
    colors = {
        "#6b4a2f": "brown",
        "#2f5a3c": "green",
        "#d9c9ac": "beige",
        "#f08020": "orange",
        "#c4541e": "orange",
        "#3f6aa8": "blue",
        "#77703a": "olive",
        "#808080": "gray",
    }
    names = open_studio().evaluate(
        "async (colors) => { const { colorName } = await import('./color.js'); return colors.map(colorName); }",
        list(colors),
    )
    assert all(name.endswith(wanted) for name, wanted in zip(names, colors.values(), strict=True)), names


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways_and_everything_is_labelled(
    open_studio: Opener, pictures: Path, width: int
) -> None:
    page = open_studio(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_photo(page, pictures)
    drop(page, pictures / "reference.png", "#references-part")
    click(page, 0.3, 0.8)
    page.wait_for_selector("#suggestions button")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    unlabelled = """[...document.querySelectorAll('button, input:not([hidden]), select')].filter((element) =>
      !element.ariaLabel && !element.textContent.trim() && !element.labels?.length).map((e) => e.outerHTML)"""
    assert page.evaluate(unlabelled) == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_serious(
    open_studio: Opener, pictures: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    if not AXE.is_file():
        pytest.skip(f"needs axe-core: make build/axe-core.js, or name its axe.min.js in TINCT_AXE ({AXE})")
    page = open_studio(width, scheme)
    page.evaluate(AXE.read_text())
    found = serious(page)
    open_photo(page, pictures)
    (tmp_path / "letter.png").write_text("not a picture")
    for reference in (pictures / "reference.png", tmp_path / "letter.png"):
        drop(page, reference, "#references-part")
    page.wait_for_selector("#references .refused", state="attached")
    click(page, 0.3, 0.8)
    page.wait_for_selector("#suggestions button")
    page.locator("#hints summary").click()
    page.evaluate("import('./messages.js').then(({ showNotes }) => showNotes(Array(30).fill('a long note')))")
    found += serious(page)
    for opener, dialog in (("#save-open", "#save"), ("#help-open", "#help"), ("#eyedropper", "#viewer")):
        page.click(opener)
        page.wait_for_selector(f"{dialog}[open]")
        found += serious(page)
        page.click(f"{dialog}-close")
    assert found == []


def serious(page: Any) -> list[str]:
    """What axe calls serious or critical, each with the element it is about."""
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for violation in result["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
