"""Laws of what a Colorizer keeps: no stage runs twice for nothing, nothing grows, and every byte is counted."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from skimage import data

from installed_methods import EVERY_METHOD
from network_runs import counted_runs
from tinct.colorizing import colorizer as module
from tinct.colorizing.cache import LruCache, held_bytes
from tinct.colorizing.colorizer import Colorizer
from tinct.photo import Photo

COFFEE, ASTRONAUT = data.coffee()[:200, 100:400], data.astronaut()[:160, :160]
GRAY = np.rint(COFFEE @ [0.2126, 0.7152, 0.0722]).astype(np.uint8)
FIRST, SECOND, THIRD = (Photo.from_array(np.roll(ASTRONAUT, 40 * n, axis=1)) for n in range(3))
HINT, OTHER = (60, 40, "#b43c32"), (200, 120, "#3c64b4")

AGAIN = {"match": 1, "decode": 1}
"""What another weight or trust, or one reference less, costs: as much as a hint."""


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    return counted_runs(monkeypatch)


def editing(**options: Any) -> Colorizer:
    """A colorizer with two references and a hint, previewed once."""
    colorizer = Colorizer(GRAY, [FIRST, SECOND], [HINT], **{"method": "tinct", "size": 64, **options})
    colorizer.preview(64)
    return colorizer


EDITS: dict[str, tuple[Callable[[Colorizer], Any], dict[str, int]]] = {
    "nothing": (lambda c: None, {}),
    "hint": (lambda c: c.add_hint(OTHER), {"match": 1, "decode": 1}),
    "hint taken back": (lambda c: c.clear_hints(), {"decode": 1}),
    "hint taken back and given again": (lambda c: (c.clear_hints(), c.add_hint(HINT)), {}),
    "weight": (lambda c: c.set_references([FIRST, SECOND], [1.0, 0.4]), AGAIN),
    "weight of zero": (lambda c: c.set_references([FIRST, SECOND], [1.0, 0.0]), AGAIN),
    "order": (lambda c: c.set_references([SECOND, FIRST]), AGAIN),
    "trust": (lambda c: c.set_options(trust=2.0), AGAIN),
    "seed": (lambda c: c.set_options(seed=7), {"distribution": 1}),
    "vividness": (lambda c: c.set_options(vividness=0.3), {}),
    "strength": (lambda c: c.set_options(strength=0.3), {}),
    "chroma alone": (lambda c: c.set_options(chroma_only=True), {}),
    "one reference more": (
        lambda c: c.set_references([FIRST, SECOND, THIRD]),
        {"reference": 1, "recall": 1, **AGAIN},
    ),
    "one reference less": (lambda c: c.set_references([SECOND]), AGAIN),
    "no reference": (lambda c: c.set_references(None), AGAIN),
    "neither reference nor hint": (lambda c: (c.set_references(None), c.clear_hints()), {"alone": 1}),
    "size": (lambda c: c.set_options(size=96), {"photograph": 1, "reference": 2, "recall": 2, **AGAIN}),
    "photograph": (
        lambda c: (c.set_photo(GRAY[::-1]), c.add_hint(HINT)),
        {"photograph": 1, "recall": 2, **AGAIN},
    ),
    "smaller preview": (lambda c: c.preview(40), {}),
    "larger preview": (lambda c: c.preview(200), {}),
    "confidence": (lambda c: c.predict(), {}),
    "full size": (lambda c: c.render(), {}),
    "suggestions": (lambda c: (c.suggest(9, 9), c.suggest(50, 9)), {"distribution": 1}),
    "questions": (
        lambda c: (c.suggest(9, 9), c.where_next(), c.gains(), c.uncertainty(), c.alternatives(2)),
        {"distribution": 1},
    ),
    "strip of alternatives": (
        lambda c: [(c.set_options(seed=seed), c.preview(40)) for seed in (*c.alternatives(3), 0)],
        {"distribution": 1},
    ),
    "another method and back": (
        lambda c: (c.set_options(method="reinhard"), c.preview(64), c.set_options(method="tinct")),
        AGAIN,
    ),
    "another size and back": (
        lambda c: (c.set_options(size=96), c.preview(64), c.set_options(size=64)),
        {"photograph": 1, "reference": 2, "recall": 2, "match": 2, "decode": 2},
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_runs_only_the_stages_that_depend_on_it(edit: str, runs: Counter[str]) -> None:
    colorizer = editing()
    assert runs == {"photograph": 1, "reference": 2, "recall": 2, **AGAIN}
    runs.clear()
    change, expected = EDITS[edit]
    change(colorizer)
    colorizer.preview(64)
    assert dict(runs) == expected


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_gives_what_beginning_with_it_gives(edit: str) -> None:
    colorizer = editing()
    EDITS[edit][0](colorizer)
    edited = colorizer.predict()
    fresh = Colorizer(colorizer.photo, method="tinct")
    fresh.set_references(list(colorizer.references), colorizer._weights)
    for hint in colorizer.hints.values():
        fresh.add_hint(hint)
    fresh.set_options(
        **{name: getattr(colorizer.options, name) for name in ("size", "trust", "seed", "vividness")}
    )
    expected = fresh.predict()
    assert np.array_equal(edited.ab, expected.ab)
    assert np.array_equal(edited.confidence, expected.confidence)


@pytest.mark.parametrize(
    "method", [each for each in EVERY_METHOD if "2016" in each.values[0] or "zhang" in each.values[0]]
)
def test_a_papers_network_runs_once_for_a_photograph(method: str, runs: Counter[str]) -> None:
    colorizer = Colorizer(GRAY, method=method, size=64)
    colorizer.render()
    if colorizer.method.suggests:
        colorizer.suggest(9, 9)
        colorizer.where_next()
    for options in ({"vividness": 0.2}, {"seed": 3}, {"strength": 0.5}, {"seed": 0}):
        colorizer.set_options(**options)
        colorizer.preview(64)
    assert runs.total() == 1
    colorizer.add_hint(HINT)
    colorizer.preview(64)
    assert runs.total() == (2 if colorizer.method.honors_hints else 1)


def test_the_method_is_chosen_once_for_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[tuple[Any, ...]] = []

    def choose(*given: Any) -> Any:
        chosen.append(given)
        return choose_method(*given)

    choose_method = module.choose_method
    monkeypatch.setattr(module, "choose_method", choose)
    colorizer = Colorizer(GRAY, size=64)
    for _ in range(2):
        colorizer.preview(64)
        colorizer.suggest(9, 9)
        colorizer.render()
        colorizer.set_options(vividness=0.5)
    assert len(chosen) == 1
    colorizer.add_hint(HINT)
    colorizer.add_hint(OTHER)
    colorizer.preview(64)
    assert len(chosen) == 2
    colorizer.set_options(method="zhang2016")
    assert colorizer.method.name == "zhang2016"


def test_what_somebody_does_with_a_prediction_does_not_come_back() -> None:
    colorizer = Colorizer(GRAY, [FIRST], method="reinhard", size=64)
    first = colorizer.predict()
    expected = first.ab.copy(), first.confidence.copy()
    first.ab[:], first.confidence[:] = 99, 0
    again = colorizer.predict()
    assert np.array_equal(again.ab, expected[0])
    assert np.array_equal(again.confidence, expected[1])


def edits(colorizer: Colorizer, count: int) -> Iterator[int]:
    """Edits of trust, seed, weights and hints in turns, each with a value that did not come before."""
    share = np.linspace(0.05, 0.95, count)
    for n in range(count):
        match n % 4:
            case 0:
                colorizer.set_options(trust=3 * share[n])
            case 1:
                colorizer.set_options(seed=n)
            case 2:
                colorizer.set_references(list(colorizer.references), [1.0, share[n]])
            case 3:
                colorizer.clear_hints()
                colorizer.add_hint((200 * share[n], 100 * share[n], "#b43c32"))
        colorizer.preview(32)
        yield n


@pytest.mark.parametrize("method", ["tinct", "reinhard"])
def test_a_thousand_edits_take_no_more_memory(method: str) -> None:
    colorizer = editing(method=method, size=32)
    list(edits(colorizer, 40))
    counted = colorizer.memory
    assert max(colorizer.memory for _ in edits(colorizer, 1000)) <= 1.05 * counted


def test_what_is_not_counted_does_not_grow_either() -> None:
    colorizer = editing(size=32)
    list(edits(colorizer, 40))
    gc.collect()
    tracemalloc.start()
    for n in edits(colorizer, 120):
        if n == 39:
            gc.collect()
            traced = tracemalloc.get_traced_memory()[0]
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - traced
    tracemalloc.stop()
    assert grown < 0.05 * colorizer.memory


def test_sizes_and_previews_are_not_kept_without_end() -> None:
    colorizer = editing()
    colorizer.preview(200)
    most = 0
    for n in range(60):
        colorizer.set_options(size=96 + n % 32)
        colorizer.preview(200 - n)
        most = max(most, colorizer.memory)
        if n == 10:
            early = most
    assert most <= 1.3 * early


@pytest.mark.parametrize("size", [64, 256])
@pytest.mark.parametrize(
    "method",
    [
        each
        for each in EVERY_METHOD
        if each.values[0] in ("tinct", "reinhard", "zhang2016", "zhang2017-global")
    ],
)
def test_memory_is_what_is_freed_with_it(method: str, size: int) -> None:
    def colorizer(photo: np.ndarray, size: int) -> Colorizer:
        referred = method in ("tinct", "reinhard", "zhang2017-global")
        found = Colorizer(
            photo.copy(),
            ASTRONAUT.copy() if referred else None,
            [(9, 9, "#b43c32")],
            method=method,
            size=size,
        )
        found.preview(100)
        if method != "reinhard":
            found.suggest(9, 9)
        return found

    colorizer(GRAY, size)  # what the process keeps
    tracemalloc.start()
    measured = colorizer(GRAY, size)
    colorizer(GRAY[:40, :40], 32)  # the engine holds the last inputs of a network
    gc.collect()
    before, counted = tracemalloc.get_traced_memory()[0], measured.memory
    del measured
    gc.collect()
    freed = before - tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert counted == pytest.approx(freed, rel=0.1)


def test_the_values_used_last_are_kept() -> None:
    kept: LruCache[str, str] = LruCache(2)
    for key in "abac":
        kept.get(key, key.upper)
    assert list(kept) == ["A", "C"]
    assert kept.get("a", lambda: "computed again") == "A"


def test_large_values_are_kept_alone() -> None:
    kept: LruCache[int, np.ndarray] = LruCache(3, bytes_limit=1000)
    for n in range(3):
        kept.get(n, lambda: np.zeros(100, np.uint8))
    assert len(kept) == 3
    kept.get(3, lambda: np.zeros(5000, np.uint8))
    assert len(kept) == 1


def test_an_array_that_two_hold_counts_once() -> None:
    array = np.zeros((100, 100), np.float32)
    assert held_bytes(array, {"part": array[:10]}, (array.T,)) == array.nbytes
    assert held_bytes(Photo.from_array(np.zeros((10, 20, 4), np.uint8)), b"12345") >= 10 * 20 * 4 + 5
