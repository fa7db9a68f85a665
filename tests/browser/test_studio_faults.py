"""The studio in a real browser when something goes wrong: full disks, wrong files, two tabs, a server that is away."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import DROP, drop
from PIL import Image
from studio_page import Fingers, click, drag, hints, kept, on_page, open_photo, saved, saved_project

Opener = Callable[..., Any]

REFUSE_FILES = """() => {
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (value, ...key) {
    if (value.bytes) throw new DOMException('the disk is full', 'QuotaExceededError');
    return put.call(this, value, ...key);
  };
}"""
FORGET_REFERENCES = """async () => {
  const { state } = await import('./storage.js').then((storage) => storage.load());
  const database = await new Promise((resolve) => {
    const request = indexedDB.open('tinct-studio');
    request.onsuccess = () => resolve(request.result);
  });
  const transaction = database.transaction('files', 'readwrite');
  for (const { id } of state.references) transaction.objectStore('files').delete(id);
  await new Promise((resolve) => (transaction.oncomplete = resolve));
}"""


def opened_again(page: Any) -> None:
    page.reload()
    page.wait_for_selector("#divider:not([hidden])")


def alert(page: Any, part: str) -> Any:
    return page.locator(f"[data-part={part}] > [role=alert]")


def test_a_reference_that_the_database_refuses_is_said_and_the_rest_comes_back(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    kept(page, "photoFile")
    page.evaluate(REFUSE_FILES)
    drop(page, pictures / "reference.png", "#references-part")
    alert(page, "stage").get_by_text("does not keep").wait_for()
    click(page, 0.3, 0.8)
    before = hints(page)
    kept(page, "Add a point")
    opened_again(page)
    assert hints(page) == before
    alert(page, "references").get_by_text("did not keep reference.png").wait_for()
    assert page.locator("#references li").count() == 0
    page.once("dialog", lambda asked: asked.accept())
    drop(page, pictures / "reference.png")  # another photograph
    page.wait_for_function("() => document.querySelector('#name').textContent === 'reference.png'")
    page.wait_for_selector("#divider:not([hidden])")


def test_a_state_without_its_files_is_brought_back_without_what_needs_them(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.3, 0.8)
    before = hints(page)
    drop(page, pictures / "reference.png", "#references-part")
    page.wait_for_selector("#tool-pair:not([disabled])")
    page.keyboard.press("r")
    drag(page, (0.1, 0.1), (0.3, 0.4))
    box = page.locator("#viewer-canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.6)
    page.mouse.up()
    kept(page, "Pair a region")
    page.evaluate(FORGET_REFERENCES)
    opened_again(page)
    alert(page, "references").get_by_text("did not keep reference.png").wait_for()
    assert hints(page) == before
    assert page.get_attribute("#undo", "title") == "Undo: add a point"


def test_no_state_is_kept_without_its_files(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    kept(page, "photoFile")
    page.evaluate("""() => {
      window.stored = [];
      const put = IDBObjectStore.prototype.put;
      IDBObjectStore.prototype.put = function (value, key) {
        stored.push([this.transaction, value.bytes ? key : null, value.referenceFiles ?? []]);
        return put.call(this, value, key);
      };
    }""")
    drop(page, pictures / "reference.png", "#references-part")
    page.wait_for_function("() => stored.some(([, , ids]) => ids.length)")
    assert page.evaluate("""() => {
      const [transaction, , [id]] = stored.find(([, , ids]) => ids.length);
      return stored.some(([other, key]) => key === id && other === transaction);
    }""")


PHOTO = {"name": "photograph.png", "sha256": "0" * 64, "width": 320, "height": 240}
WRONG: dict[str, tuple[Any, str]] = {
    "package": ({"name": "x", "version": "1"}, "is not a project"),
    "list": ([], "is not a project"),
    "nothing": (None, "is not a project"),
    "later": ({"version": 9, "photo": PHOTO}, "has version 9"),
    "references": ({"version": 1, "photo": PHOTO, "references": {}}, "references are not a list"),
    "options": ({"version": 1, "photo": PHOTO, "options": {"strength": "very"}}, "strength is"),
    "other": ({"version": 1, "photo": PHOTO}, "was made with another file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_project_is_refused_and_changes_nothing(
    open_studio: Opener, pictures: Path, tmp_path: Path, name: str
) -> None:
    content, said = WRONG[name]
    refused(open_studio(), pictures, tmp_path, content, said)


POINT = {"x": 20, "y": 20, "color": "#aa3322"}
WRONG_HINTS: dict[str, tuple[Any, str]] = {
    "no color": ({"points": [{"x": 20, "y": 20}]}, "number 1 of its points has no color"),
    "a name": ({"points": [POINT, POINT | {"color": "red"}]}, 'number 2 of its points has the color "red"'),
    "outside": ({"points": [POINT | {"x": 2000}]}, "lies outside"),
    "no list": ({"points": {"a": 1}}, "points are not a list"),
    "null": ({"points": [None]}, "is not in the form"),
    "unknown": ({"circles": []}, "circles"),
    "a line": ({"strokes": [{"points": [[1, 2, 3]], "color": "#aa3322"}]}, "is not in the form"),
    "empty": ({"rectangles": [{"box": [9, 9, 9, 9], "color": "#aa3322"}]}, "has an empty box"),
}


@pytest.mark.parametrize("name", WRONG_HINTS)
def test_a_project_with_hints_that_cannot_be_placed_is_refused_as_a_whole(
    open_studio: Opener, pictures: Path, tmp_path: Path, name: str
) -> None:
    content, said = WRONG_HINTS[name]
    refused(open_studio(), pictures, tmp_path, own_project(pictures, hints=content), said)


def refused(page: Any, pictures: Path, tmp_path: Path, content: Any, said: str) -> None:
    """Expect words that refuse a project file, and the page as it was."""
    (tmp_path / "wrong.json").write_text(json.dumps(content))
    open_photo(page, pictures)
    click(page, 0.3, 0.8)
    before = hints(page), page.get_attribute("#undo", "title"), page.locator("#strength").input_value()
    page.set_input_files("#photo-file", tmp_path / "wrong.json")
    alert(page, "stage").get_by_text(said).wait_for()
    assert "wrong.json" in alert(page, "stage").inner_text()
    assert (
        hints(page),
        page.get_attribute("#undo", "title"),
        page.locator("#strength").input_value(),
    ) == before


def test_a_project_beside_a_photograph_that_cannot_be_opened_does_not_wait(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    page = open_studio(expects_errors=True)
    (tmp_path / "broken.png").write_bytes((pictures / "photograph.png").read_bytes()[:200])
    (tmp_path / "own.json").write_text(json.dumps(own_project(pictures)))
    page.set_input_files("#photo-file", [tmp_path / "broken.png", tmp_path / "own.json"])
    alert(page, "stage").get_by_text("broken.png").wait_for()
    open_photo(page, pictures)
    assert (
        "own.json" not in alert(page, "stage").inner_text()
    )  # the project is not held against another photograph
    page.set_input_files("#photo-file", tmp_path / "own.json")
    page.get_by_text("Opened own.json").wait_for()


def test_a_photograph_that_cannot_be_opened_takes_nothing_away(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes((pictures / "photograph.png").read_bytes()[:200])
    (tmp_path / "own.json").write_text(json.dumps(own_project(pictures)))
    page = open_studio(expects_errors=True)
    open_photo(page, pictures)
    click(page, 0.3, 0.8)
    before = hints(page)
    page.once("dialog", lambda asked: asked.accept())
    broken, reference = tmp_path / "broken.png", pictures / "reference.png"
    page.set_input_files("#photo-file", [broken, reference, tmp_path / "own.json"])
    alert(page, "stage").get_by_text("photograph.png stays").wait_for()
    assert "broken.png" in alert(page, "stage").inner_text()
    page.wait_for_selector("#references li")  # what came with it stays
    assert page.locator("#name").text_content() == "photograph.png"
    assert hints(page) == before
    kept(page, "reference.png")
    kept(page, '"size":[320,240]')
    opened_again(page)
    assert page.locator("#name").text_content() == "photograph.png"
    assert hints(page) == before


def test_a_project_is_opened_with_its_files_in_any_order(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    page = open_studio()
    name = saved_project(page, pictures, tmp_path)
    fresh = open_studio()
    fresh.set_input_files(
        "#photo-file", [tmp_path / name, pictures / "reference.png", pictures / "photograph.png"]
    )
    fresh.get_by_text(f"Opened {name}").wait_for()
    assert fresh.locator("#name").text_content() == "photograph.png"
    assert hints(fresh) == hints(page)
    assert fresh.locator("#references .name").all_text_contents() == ["reference.png"]


def test_gray_photographs_are_no_references(open_studio: Opener, pictures: Path, tmp_path: Path) -> None:
    for name in ("second.png", "third.png"):
        shutil.copy(pictures / "photograph.png", tmp_path / name)
    page = open_studio()
    files = [pictures / "photograph.png", tmp_path / "second.png", tmp_path / "third.png"]
    page.set_input_files("#photo-file", files)
    for part in ("stage", "references"):
        alert(page, part).get_by_text("second.png, third.png are gray").wait_for()
    page.wait_for_selector("#divider:not([hidden])")  # the photograph has colors all the same
    assert page.locator("#references li").count() == 0


def test_hints_are_sent_and_kept_in_the_order_of_their_making(open_studio: Opener) -> None:
    page = open_studio()
    found = page.evaluate("""async () => {
      const { hintsToJson, hintsFromJson, makePoint, makeStroke } = await import('./hints.js');
      const stroke = makeStroke([[1, 1], [20, 20]], '#0000ff', 9);
      const point = makePoint(10, 10, '#ff0000');
      const kinds = (hints) => hintsFromJson(hintsToJson(hints, []), [], [40, 40]).map(({ kind }) => kind);
      return [kinds([stroke, point]), kinds([point, stroke]), hintsToJson([point, stroke], [])];
    }""")
    assert found[:2] == [["stroke", "point"], ["point", "stroke"]]
    assert "order" not in str(found[2])


def test_editing_keys_in_a_text_field_are_the_fields(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.3, 0.8)
    before = hints(page)
    page.click("#hex")
    for keys in ("Control+Backspace", "Control+z", "Alt+Backspace", "Control+a", "Delete"):
        page.keyboard.press(keys)
        assert hints(page) == before, keys


def test_a_tiny_photograph_gets_colors(open_studio: Opener, tmp_path: Path) -> None:
    Image.new("L", (8, 6), 120).save(tmp_path / "tiny.png")
    page = open_studio()
    page.set_input_files("#photo-file", tmp_path / "tiny.png")
    page.wait_for_selector("#divider:not([hidden])")
    assert alert(page, "stage").inner_text() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chosen_tool_is_legible_under_the_pointer(
    open_studio: Opener, pictures: Path, scheme: str
) -> None:
    page = open_studio(scheme=scheme)
    open_photo(page, pictures)
    page.click('[data-tool="stroke"].tool')
    colors = page.eval_on_selector(
        '[data-tool="stroke"].tool',
        "(tool) => [getComputedStyle(tool).color, getComputedStyle(tool).backgroundColor]",
    )
    ink, back = ([int(v) for v in re.findall(r"\d+", color)[:3]] for color in colors)
    assert abs(sum(ink) - sum(back)) > 400, colors


def test_a_long_name_leaves_the_viewer_its_picture(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    shutil.copy(pictures / "reference.png", tmp_path / f"{'long_name' * 20}.png")
    page = open_studio(width=390)
    open_photo(page, pictures)
    drop(page, tmp_path / f"{'long_name' * 20}.png", "#references-part")
    page.click("#references .thumbnail")
    box = page.locator("#viewer-close").bounding_box()
    assert box
    assert box["x"] + box["width"] < 390


def test_color_layer_and_photograph_have_names_of_their_own(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    names = [saved(page, button)[0] for button in ("#save-photograph", "#save-layer")]
    assert names == ["photograph.color.png", "photograph.chroma.png"]


def own_project(pictures: Path, **parts: Any) -> dict[str, Any]:
    """A project of the fixtures' photograph."""
    from tinct.colorizing.project import photo_sha256

    photo = PHOTO | {"sha256": photo_sha256(pictures / "photograph.png")}
    return {"version": 1, "photo": photo, "references": [], "hints": {}, "options": {}} | parts


def test_a_project_is_read_with_shares_and_short_colors(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    written = {
        "points": [["50%", "100%", "#A32"]],
        "rectangles": [{"box": [0, 0, "100%", "50%"], "color": "#88aadd"}],
    }
    (tmp_path / "own.json").write_text(json.dumps(own_project(pictures, hints=written)))
    page = open_studio()
    open_photo(page, pictures)
    page.set_input_files("#photo-file", tmp_path / "own.json")
    page.wait_for_function("() => document.querySelectorAll('#hint-list li').length === 2")
    _, project = saved(page, "#save-project")
    assert json.loads(project)["hints"] == {
        "points": [{"x": 159.5, "y": 239, "color": "#aa3322", "radius": 0}],
        "rectangles": [{"box": [0, 0, 320, 120], "color": "#88aadd"}],
    }


def test_a_project_without_references_takes_those_of_another_away(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "own.json").write_text(json.dumps(own_project(pictures, hints={"points": [POINT]})))
    page = open_studio()
    open_photo(page, pictures)
    drop(page, pictures / "reference.png", "#references-part")
    page.wait_for_selector("#references li")
    page.set_input_files("#photo-file", tmp_path / "own.json")
    page.wait_for_selector("#hint-list li", state="attached")
    assert page.locator("#references li").count() == 0
    page.click("#undo")
    assert page.locator("#references li").count() == 1


def test_a_tap_that_picks_a_color_presses_nothing_beneath_the_dialog(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    drop(page, pictures / "reference.png", "#references-part")
    click(page, 0.3, 0.8)
    page.click("#eyedropper")
    page.wait_for_selector("#viewer[open]")
    box = page.locator("#viewer-canvas").bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate("""() => {
      window.told = [];
      for (const kind of ['pointerdown', 'pointerup', 'click', 'close']) {
        document.addEventListener(kind, ({ target }) => told.push([kind, target.id]), true);
      }
    }""")
    hand = Fingers(page)
    hand.tell("touchStart", at)
    assert page.locator("#viewer").is_visible()
    hand.tell("touchCancel")
    assert page.locator("#viewer").is_visible()
    hand.tell("touchStart", at)
    hand.tell("touchEnd")
    page.wait_for_selector("#viewer", state="hidden")
    hand.tell("touchStart", at)  # what the tap before would have pressed comes before this
    hand.tell("touchEnd")
    page.wait_for_function("() => told.filter(([kind]) => kind === 'pointerup').length === 2")
    told = page.evaluate("told")
    again = next(i for i, (kind, _) in enumerate(told) if kind == "close")
    assert "click" not in [kind for kind, _ in told[: again + 1]]
    assert told[again + 1][0] == "pointerdown"


def test_each_choice_is_a_step_and_what_changes_nothing_is_none(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.3, 0.8)
    page.wait_for_selector("#suggestions button >> nth=2")
    colors = []
    for i in (1, 2):
        page.locator("#suggestions button").nth(i).click()
        colors.append(page.locator("#hex").input_value())
    page.click("#undo")
    assert page.locator("#hex").input_value() == colors[0]
    title = page.get_attribute("#redo", "title")
    page.locator("#strength").fill("1")
    page.locator("#strength").dispatch_event("dblclick")
    assert page.get_attribute("#redo", "title") == title == "Redo: change a color"


@pytest.mark.parametrize("key", ["Escape", "Control+z", "Delete"])
def test_a_key_in_the_middle_of_a_drag_ends_it(open_studio: Opener, pictures: Path, key: str) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.25, 0.25)
    begun = hints(page)
    x, y = on_page(page, 0.25, 0.25)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=2)
    assert hints(page) != begun
    page.keyboard.press(key)
    page.mouse.move(x + 80, y, steps=2)
    page.mouse.up()
    if key == "Delete":
        assert hints(page) == []
        page.click("#undo")
    assert hints(page) == begun
    page.click("#undo")
    assert hints(page) == []


def test_a_cancelled_drag_leaves_the_hint_where_it_was(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.25, 0.25)
    begun = hints(page)
    x, y = on_page(page, 0.25, 0.25)
    hand = Fingers(page)
    hand.tell("touchStart", (x, y))
    hand.tell("touchMove", (x + 60, y))
    page.wait_for_function("() => document.querySelector('#undo').title === 'Undo: move a hint'")
    hand.tell("touchCancel")
    page.wait_for_function("() => document.querySelector('#undo').title === 'Undo: add a point'")
    assert hints(page) == begun


def test_a_file_that_is_gone_later_was_read_when_it_came(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    file = tmp_path / "scan.png"
    shutil.copy(pictures / "photograph.png", file)
    page = open_studio(expects_errors=True)
    with page.expect_response(lambda r: r.url.endswith("/api/sessions")) as begun:
        page.set_input_files("#photo-file", file)
    page.wait_for_selector("#divider:not([hidden])")
    file.unlink()
    page.evaluate(f"fetch('api/sessions/{begun.value.json()['id']}', {{ method: 'DELETE' }})")
    with page.expect_response(lambda r: r.url.endswith("/preview") and r.ok):
        click(page, 0.3, 0.8)
    _, project = saved(page, "#save-project")
    assert json.loads(project)["photo"]["sha256"] == own_project(pictures)["photo"]["sha256"]


UNREADABLE = """([target, name]) => {
  File.prototype.arrayBuffer = () => Promise.reject(new DOMException('it has gone', 'NotReadableError'));
  (%s)([target, name, 'image/png', '']);
}"""


@pytest.mark.parametrize(("target", "part"), [("#stage", "stage"), ("#references-part", "references")])
def test_a_file_that_cannot_be_read_is_said_and_changes_nothing(
    open_studio: Opener, pictures: Path, target: str, part: str
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    page.evaluate(UNREADABLE % DROP, [target, "gone.png"])
    alert(page, part).get_by_text("gone.png cannot be read").wait_for()
    assert page.locator("#name").text_content() == "photograph.png"
    assert page.locator("#references li").count() == 0


def test_what_stops_saving_is_said_in_the_dialog(open_studio: Opener, pictures: Path) -> None:
    page = open_studio(expects_errors=True)
    open_photo(page, pictures)
    page.route(
        "**/render", lambda route: route.fulfill(status=507, json={"error": "the server has no room."})
    )
    page.click("#save-open")
    page.click("#save-photograph")
    alert(page, "save").get_by_text("the server has no room").wait_for()
    page.click("#save-close")
    page.click("#save-open")
    assert alert(page, "save").inner_text() == ""


def test_a_file_that_arrives_closes_no_dialog_that_was_opened_again(
    open_studio: Opener, pictures: Path
) -> None:
    page = open_studio()
    open_photo(page, pictures)
    held: list[Any] = []
    page.route("**/render", lambda route: held.append(route))
    page.click("#save-open")
    page.click("#save-photograph")
    for _ in range(100):
        if held:
            break
        page.wait_for_timeout(50)
    page.click("#save-close")
    page.click("#save-open")
    with page.expect_download():
        held[0].continue_()
    page.locator("#said").get_by_text("Saved photograph").wait_for()
    assert page.locator("#save").is_visible()


def test_an_error_is_not_taken_away_by_the_photograph_before(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "letter.png").write_text("not a picture")
    page = open_studio(expects_errors=True)
    open_photo(page, pictures)
    held: list[Any] = []
    page.route("**/preview", lambda route: held.append(route))
    with page.expect_request("**/preview"):
        click(page, 0.3, 0.8)
    page.once("dialog", lambda asked: asked.accept())
    drop(page, tmp_path / "letter.png")
    alert(page, "stage").get_by_text("letter.png").wait_for()
    gray = base64.b64encode((pictures / "photograph.png").read_bytes()).decode()
    with page.expect_response("**/preview"):
        held[0].fulfill(body=base64.b64decode(gray), content_type="image/png")
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
    assert "letter.png" in alert(page, "stage").inner_text()


def test_what_failed_while_the_server_was_away_is_asked_again(open_studio: Opener, pictures: Path) -> None:
    page = open_studio(expects_errors=True)
    open_photo(page, pictures)
    page.route("**/api/**", lambda route: route.abort())
    click(page, 0.3, 0.8)
    for part in ("stage", "color"):
        alert(page, part).get_by_text("does not answer").wait_for()
    page.unroute("**/api/**")
    with page.expect_response(lambda r: r.url.endswith("/preview") and r.ok):
        alert(page, "stage").get_by_role("button", name="Try again").click()
    page.wait_for_selector("#suggestions button")
    assert [alert(page, part).inner_text() for part in ("stage", "color")] == ["", ""]


def test_each_tab_has_its_own_project(open_studio: Opener, pictures: Path, tmp_path: Path) -> None:
    with Image.open(pictures / "photograph.png") as photograph:
        photograph.rotate(180).save(tmp_path / "other.png")
    first = open_studio()
    open_photo(first, pictures)
    click(first, 0.3, 0.8)
    kept(first, "Add a point")
    second = first.context.new_page()
    second.goto(first.url)
    second.wait_for_selector("#divider:not([hidden])")
    assert hints(second) == hints(first)  # a new tab goes on from what was there
    second.once("dialog", lambda asked: asked.accept())
    drop(second, tmp_path / "other.png")
    second.wait_for_function("() => document.querySelector('#name').textContent === 'other.png'")
    second.wait_for_selector("#divider:not([hidden])")
    kept(second, '"hints":[],')
    click(first, 0.7, 0.2)
    first.wait_for_function("() => document.querySelectorAll('#hint-list li').length === 2")
    before = hints(first)
    kept(first, '"label":"Add a point"}]')
    for page, name, own in ((first, "photograph.png", before), (second, "other.png", [])):
        opened_again(page)
        assert page.locator("#name").text_content() == name
        assert hints(page) == own


def test_a_project_of_before_tabs_had_their_own_comes_back(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    photo = base64.b64encode((pictures / "photograph.png").read_bytes()).decode()
    page.evaluate(
        """async (base64) => {
          const database = await new Promise((resolve) => {
            const request = indexedDB.open('tinct-studio', 1);
            request.onsuccess = () => resolve(request.result);
          });
          const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer;
          const transaction = database.transaction(['files', 'state'], 'readwrite');
          transaction.objectStore('files').put({ name: 'old.png', type: 'image/png', bytes }, 'photo');
          const point = { id: 'h1', kind: 'point', x: 9, y: 9, color: '#aa3322', radius: 0 };
          const hints = [point, { id: 'h2', kind: 'point' }];
          const state = { hints, options: { strength: 0.6, size: 'large' }, references: [{ id: 'r1', weight: 1 }] };
          const kept = { state, past: [], future: [], size: [320, 240], referenceFiles: ['r1'] };
          transaction.objectStore('state').put(kept, 'current');
          await new Promise((resolve) => (transaction.oncomplete = resolve));
          database.close();
        }""",
        photo,
    )
    opened_again(page)
    assert page.locator("#name").text_content() == "old.png"
    assert len(hints(page)) == 1
    assert page.locator("#strength").input_value() == "0.6"


def test_letters_are_keys_on_keyboards_of_other_scripts(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    click(page, 0.3, 0.8)
    session = page.context.new_cdp_session(page)

    def press(key: str, code: str, modifiers: int = 0) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            session.send(
                "Input.dispatchKeyEvent", {"type": kind, "key": key, "code": code, "modifiers": modifiers}
            )

    press("ы", "KeyS")
    assert page.get_attribute("#tools [data-tool=stroke]", "aria-pressed") == "true"
    press("я", "KeyZ", 2)
    assert hints(page) == []
    press("p", "KeyR")  # Dvorak: what is typed counts
    assert page.get_attribute("#tools [data-tool=point]", "aria-pressed") == "true"
    level = page.locator("#zoom-level").text_content()
    press("+", "Digit1", 8)  # a Swiss keyboard
    assert page.locator("#zoom-level").text_content() != level
    press("1", "Digit1", 8)  # a French one
    assert page.locator("#zoom-level").text_content() == level  # the least there is


def test_focus_is_not_lost_with_what_is_removed(open_studio: Opener, pictures: Path) -> None:
    page = open_studio()
    open_photo(page, pictures)
    for x in (0.2, 0.5, 0.8):
        click(page, x, 0.2)
    page.locator("#hints summary").click()
    where = "document.activeElement.closest('#hint-list li')?.textContent"
    names = hints(page)
    page.locator("#hint-list .quiet").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.evaluate(where) == names[2]
    page.locator("#hint-list .row").nth(0).focus()
    page.keyboard.press("Enter")
    assert page.evaluate(where) == names[0]
    page.focus("#delete")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "photograph"
    page.focus("#undo")
    while page.locator("#undo").is_enabled():
        page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "redo"


def test_a_reference_that_the_browser_cannot_show_has_the_servers_thumbnail(
    open_studio: Opener, pictures: Path, tmp_path: Path
) -> None:
    with Image.open(pictures / "reference.png") as reference:
        reference.save(tmp_path / "reference.tif")
    page = open_studio()
    open_photo(page, pictures)
    drop(page, tmp_path / "reference.tif", "#references-part")
    alpha = "getContext('2d').getImageData(64, 64, 1, 1).data[3]"
    shown = f"() => document.querySelector('#references canvas')?.{alpha}"
    page.wait_for_function(shown)
    kept(page, "reference.tif")
    opened_again(page)
    page.wait_for_function(shown)
