"""The mark "for study" is on the networks that the committed runs show to be worse than gray, and on no others."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tinct.evaluation.metrics.table import METRICS
from tinct.evaluation.run.results import read_results
from tinct.networks import CARDS

DOCS = Path(__file__).parents[2] / "docs"
PROTOCOLS = ("auto", "auto-256")
ERRORS = ("psnr", "ssim", "l2_ab", "ciede2000", "auc")


@cache
def means() -> dict[str, dict[tuple[str, str], float]]:
    """Contestant -> (protocol, error) -> its mean over the test photographs."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for file in sorted((DOCS / "benchmark" / "runs").glob("auto*.json.xz")):
        results = read_results(file)
        for name, cases in results.summary().items():
            scores = found.setdefault(name, {})
            scores |= {(results.heading.protocol, error): cases["auto"][error]["mean"] for error in ERRORS}
    return found


def better_than_gray(name: str) -> list[tuple[str, str]]:
    """The protocols and errors by which a contestant is better than the gray photograph."""
    return [
        (protocol, error)
        for (protocol, error), mean in means()[name].items()
        if (mean > means()["gray"][protocol, error]) == (METRICS[error].better == "higher")
    ]


def measured() -> list[str]:
    """The networks that both protocols measured; one that follows references is of others."""
    return [name for name in CARDS if {protocol for protocol, _ in means().get(name, {})} == set(PROTOCOLS)]


@pytest.mark.parametrize("name", measured())
def test_what_is_worse_than_gray_by_every_error_is_marked_and_nothing_else(name):
    better = better_than_gray(name)
    assert CARDS[name].for_study == (not better), f"better than gray by {better}"


def test_every_mark_has_a_run_behind_it():
    assert {card.name for card in CARDS.values() if card.for_study} <= set(measured())


def sections() -> dict[tuple[str, ...], str]:
    """The names in each heading of the papers' model cards, and the section's first paragraph."""
    text = (DOCS / "models" / "papers.md").read_text(encoding="utf-8")
    found = re.findall(r"^## (`.*)\n+(.+)", text, re.M)
    return {tuple(re.findall(r"`([\w-]+)`", heading)): first for heading, first in found}


@pytest.mark.parametrize("names", [names for names in sections() if set(names) & set(CARDS)])
def test_the_model_cards_first_line_says_what_is_marked(names):
    first, known = sections()[names], [name for name in names if name in CARDS]
    marked = [name for name in known if CARDS[name].for_study]
    assert first.startswith("**Trained on too little: for study.**") == bool(marked)
    excepted = re.search(r"\(All but (.*?)\.\)", first)
    but = re.findall(r"`([\w-]+)`", excepted[1]) if excepted else []
    assert not marked or set(but) == set(known) - set(marked)


def test_every_marked_network_has_a_model_card():
    carded = {name for names in sections() for name in names}
    assert {card.name for card in CARDS.values() if card.for_study} <= carded
