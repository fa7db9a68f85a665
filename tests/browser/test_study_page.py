"""The study's page in a real browser: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinct.evaluation.study import Study, find_pictures
from tinct.evaluation.study.votes import VoteFile

pytest.importorskip("uvicorn", reason="the study's page needs pip install 'tinct[study]'")

METHODS = ("alpha-method", "beta-method", "gamma-method", "delta-method")
FLAT_COLORS = {"alpha-method": (200, 40, 40), "truth": (40, 160, 60), "beta-method": (60, 60, 200)}


@pytest.fixture
def page(chromium, serve):  # type: ignore[no-untyped-def]
    """A page at a phone's width that fails the test when its script does, or when it asks another host.

    It needs `serve` so that it is closed first: a picture still loading would find no server.
    """
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    opened = context.new_page()
    opened.set_default_timeout(40_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    opened.on(
        "request",
        lambda r: wrong.append(r.url) if not r.url.startswith(("http://127.0.0.1", "data:")) else None,
    )
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[str, VoteFile, Study]]]:
    """Starts a study's server on a free port; gives its address, its votes and the study."""
    import uvicorn

    from tinct.evaluation.study.app import create_app

    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(kind: str, count: int = 2, size: tuple[int, int] = (320, 240), **options: object) -> tuple:
        write_pictures(tmp_path / "pictures", METHODS[:count], size)
        study = Study(kind, find_pictures([tmp_path]), **options)  # type: ignore[arg-type]
        votes = VoteFile.open_for(study, tmp_path / "votes.sqlite")
        config = uvicorn.Config(create_app(study, votes), host="127.0.0.1", port=0, log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/", votes, study

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


def write_pictures(folder: Path, methods: tuple[str, ...], size: tuple[int, int]) -> None:
    """One flat color for each method: what stands at a place can be read off the screen."""
    for photograph in range(3):
        for who in (*methods, "truth", "gray"):
            (folder / who).mkdir(parents=True, exist_ok=True)
            color = FLAT_COLORS.get(who, (128, 128, 128))
            pixels = np.full((size[1], size[0], 3), color, np.uint8)
            Image.fromarray(pixels).save(folder / who / f"photo{photograph}.png")


COLOR_AT = """(image) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}"""


def test_a_participant_votes_by_key_and_click_for_what_they_saw(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, votes, study = serve("preference", trials=4)
    page.goto(address)
    seen = []
    for i in range(4):
        page.get_by_text(f"{i + 1} of 4").wait_for()
        page.wait_for_selector("button.picture:not([disabled])")
        place = i % 2
        shown = page.locator("button.picture img").nth(place).evaluate(COLOR_AT)
        seen.append(next(name for name, color in FLAT_COLORS.items() if list(color) == shown))
        if i < 2:
            page.keyboard.press(str(place + 1))
        else:
            page.get_by_role("button", name=f"Picture {place + 1}").click()
    page.get_by_text("Thank you").wait_for()
    assert [vote.chosen for vote in votes.votes()] == seen
    assert [vote.shown for vote in votes.votes()] == [trial.shown for trial in study.plan(1)]


def test_the_page_source_has_no_method_name(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, _, _ = serve("preference", count=4)
    page.goto(address)
    page.wait_for_selector("button.picture:not([disabled])")
    text = page.content() + page.evaluate("JSON.stringify(performance.getEntries().map((e) => e.name))")
    assert not any(name in text for name in (*METHODS, "photo0"))


def test_a_reload_goes_on_and_another_person_begins_anew(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, votes, _ = serve("preference", trials=2)
    page.goto(address)
    page.wait_for_selector("button.picture:not([disabled])")
    page.keyboard.press("1")
    page.get_by_text("2 of 2").wait_for()
    page.reload()
    page.get_by_text("2 of 2").wait_for()
    page.wait_for_selector("button.picture:not([disabled])")
    page.keyboard.press("2")
    page.get_by_role("button", name="Begin as another person").click()
    page.get_by_text("1 of 2").wait_for()
    assert len(votes.votes()) == 2


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("size", [(320, 240), (240, 320), (2000, 900)])
def test_all_results_are_seen_at_once_on_a_phone_and_a_desktop(page, serve, count, size) -> None:  # type: ignore[no-untyped-def]
    address, _, _ = serve("preference", count=count, size=size, trials=1)
    for width, height in [(390, 844), (1280, 800)]:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(address)
        page.wait_for_selector("button.picture:not([disabled])")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = [button.bounding_box() for button in page.locator("button.picture").all()]
        assert len(boxes) == count
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        assert all(box["y"] + box["height"] <= height for box in boxes)
        assert all(min(box["width"], box["height"]) >= 80 for box in boxes)


def test_timed_pictures_are_seen_one_after_the_other_and_then_hidden(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, votes, _ = serve("real", trials=2, practice=0, seconds=0.3)
    page.goto(address)
    page.get_by_role("button", name="Begin").wait_for()
    page.evaluate("""() => {
      window.seen = [];
      const note = () => {
        const images = [...document.querySelectorAll('.picture img')];
        const now = images.map((image) => getComputedStyle(image).visibility === 'visible');
        const text = JSON.stringify(now);
        if (window.seen.at(-1) !== text) window.seen.push(text);
        requestAnimationFrame(note);
      };
      note();
    }""")
    page.keyboard.press("1")  # not yet: nothing has been seen
    page.keyboard.press("Enter")
    page.wait_for_selector("button.picture:not([disabled])")
    seen = page.evaluate("window.seen.filter((s, i, all) => s !== all[i - 1])")
    hidden = "[false,false]"
    assert [s for s in seen if s != hidden] == ["[true,false]", "[false,true]"]
    assert seen[-1] == hidden
    assert votes.answered(1) == 0
    page.keyboard.press("2")
    page.get_by_text("2 of 2").wait_for()
    assert votes.answered(1) == 1


def test_practice_says_right_or_wrong_and_does_not_count(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, votes, study = serve("real", trials=1, practice=1, seconds=0.0)
    page.goto(address)
    page.get_by_text("Practice 1 of 1").wait_for()
    page.wait_for_selector("button.picture:not([disabled])")
    trial = study.plan(1)[0]
    fake = trial.shown.index(trial.fake)
    page.keyboard.press(str(fake + 1))
    page.get_by_text(f"Right: {fake + 1} has computed colors.").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("1 of 1").wait_for()
    page.wait_for_selector("button.picture:not([disabled])")
    page.keyboard.press("1")
    page.get_by_text("Thank you").wait_for()
    assert len(votes.votes()) == 1


def test_a_single_picture_is_called_real_or_computed(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, votes, _ = serve("real-single", trials=2, practice=0, seconds=0.0)
    page.goto(address)
    page.get_by_role("button", name="Real").click()
    page.get_by_text("2 of 2").wait_for()
    page.get_by_role("button", name="Computed").click()
    page.get_by_text("Thank you").wait_for()
    assert [vote.chosen for vote in votes.votes()] == ["real", "computed"]


def test_the_page_can_be_used_by_tab_and_is_labelled(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, votes, _ = serve("preference", trials=1)
    page.goto(address)
    page.wait_for_selector("button.picture:not([disabled])")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Picture 1"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Thank you").wait_for()
    assert votes.answered(1) == 1
    unlabelled = (
        "[...document.querySelectorAll('button')].filter((b) => !(b.ariaLabel || b.textContent.trim()))"
    )
    assert page.evaluate(f"{unlabelled}.length") == 0


def test_a_vote_that_was_not_sent_can_be_sent_again(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, votes, _ = serve("preference", trials=1)
    page.goto(address)
    page.wait_for_selector("button.picture:not([disabled])")
    # A server in trouble: the browser itself would log a refused connection as an error of the page.
    page.route("**/vote", lambda route: route.fulfill(status=200, body="not JSON"))
    page.keyboard.press("1")
    again = page.get_by_role("button", name="Try again")
    again.wait_for()  # a route that ends itself (`times`) may end before the browser has what it was given
    page.unroute("**/vote")
    again.click()
    page.get_by_text("Thank you").wait_for()
    assert votes.answered(1) == 1


@pytest.mark.parametrize("how", ["key", "button"])
def test_the_last_answer_is_taken_back_once_and_asked_for_again(page, serve, how) -> None:  # type: ignore[no-untyped-def]
    address, votes, study = serve("preference", trials=3)

    def take_back() -> None:
        page.keyboard.press("Backspace") if how == "key" else page.locator("#back").click()

    def vote(number: int, key: str) -> None:
        page.get_by_text(f"{number} of 3").wait_for()
        page.wait_for_selector("button.picture:not([disabled])")
        page.keyboard.press(key)

    page.goto(address)
    page.wait_for_selector("button.picture:not([disabled])")
    assert page.locator("#back").is_hidden()
    page.keyboard.press("Backspace")  # nothing to take back
    vote(1, "1")
    vote(2, "1")
    page.get_by_text("3 of 3").wait_for()
    page.wait_for_selector("button.picture:not([disabled])")
    take_back()
    page.get_by_text("2 of 3").wait_for()
    page.wait_for_selector("button.picture:not([disabled])")
    assert page.locator("#back").is_hidden()  # one step only
    page.keyboard.press("Backspace")
    assert votes.answered(1) == 1
    vote(2, "2")
    vote(3, "1")
    page.get_by_text("Thank you").wait_for()
    take_back()
    vote(3, "2")
    page.get_by_text("Thank you").wait_for()
    places = [trial.choices.index(v.chosen) for trial, v in zip(study.plan(1), votes.votes(), strict=True)]
    assert places == [0, 1, 1]


WATCH = """() => {
  window.unveiled = 0;
  const look = () => (window.unveiled += document.querySelectorAll('.picture:not(.veiled)').length);
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
"""Counts pictures that are shown from now on, however short: a look from outside may come too late."""


def test_a_timed_picture_is_not_seen_again_when_its_answer_is_taken_back(page, serve) -> None:  # type: ignore[no-untyped-def]
    address, votes, _ = serve("real", trials=2, practice=0, seconds=0.2)
    page.goto(address)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("button.picture:not([disabled])")
    page.keyboard.press("1")
    page.get_by_text("2 of 2").wait_for()
    page.wait_for_selector("button.picture:not([disabled])")
    page.keyboard.press("Backspace")
    page.get_by_text("1 of 2").wait_for()
    page.wait_for_selector("button.picture:not([disabled])")
    assert page.locator(".picture.veiled").count() == 2
    assert votes.answered(1) == 0
    page.evaluate(WATCH)
    page.keyboard.press("2")
    page.get_by_text("2 of 2").wait_for()
    page.wait_for_function("() => window.unveiled > 0")  # the next question is seen as ever
