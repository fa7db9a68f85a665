"""Laws of the table of networks: it is light, what it names is there, and a folder is all that a new network adds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tinct import networks
from tinct.methods import METHODS, get_method
from tinct.methods.classical.card import CARDS as CLASSICAL
from tinct.networks import CARDS
from tinct.networks.card import named

ALL = {card.name: card for card in (*CARDS.values(), *CLASSICAL)}


def test_the_table_needs_neither_torch_nor_numpy():
    code = (
        "import sys, tinct.networks; sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'cv2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_every_folder_of_a_network_that_colorizes_has_cards_and_no_name_is_given_twice():
    folders = {file.parent.name for file in networks.FOLDER.glob("*/method.py")}
    assert folders == {file.parent.name for file in networks.FOLDER.glob("*/card.py")}
    listed = [card.name for name in folders for card in _cards_of(name)] + [card.name for card in CLASSICAL]
    assert len(listed) == len(set(listed)) == len(ALL)


def _cards_of(folder: str):
    return named(f"tinct.networks.{folder}.card:CARDS")


@pytest.mark.parametrize("name", METHODS)
def test_a_methods_name_and_paper_are_its_cards(name):
    method = get_method(name)
    assert (method.name, METHODS[name]) == (name, ALL[name].method)
    assert method.source == ALL[name].paper


@pytest.mark.parametrize("name", [card.name for card in CARDS.values() if card.training])
def test_what_trains_is_there_and_has_a_config(name):
    pytest.importorskip("torch", reason="networks train with torch: pip install 'tinct[train]'")
    from tinct.training.config import shipped_configs

    kind = named(CARDS[name].training)
    assert all(
        callable(getattr(kind, part)) for part in ("from_config", "build", "losses", "validate", "draw")
    )
    assert name in shipped_configs()


@pytest.mark.parametrize("name", [card.name for card in CARDS.values() if card.release])
def test_a_release_is_of_what_trains(name):
    pytest.importorskip("torch", reason="networks are released with torch: pip install 'tinct[train]'")
    from tinct.networks.graph import Release

    assert CARDS[name].training
    assert isinstance(named(CARDS[name].release), Release)


def test_a_folder_is_all_that_a_new_network_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "sketch2026"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A sketch."""\n')
    (folder / "card.py").write_text(
        "from tinct.networks.card import Card\n\n"
        'CARDS = (Card("sketch2026", "nobody, nowhere, 2026", "tinct.networks.sketch2026.method:Sketch"),)\n'
    )
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    monkeypatch.setattr(networks, "__path__", [*networks.__path__, str(tmp_path)])
    assert [card.name for card in networks._cards()] == ["sketch2026"]
    for module in ("tinct.networks.sketch2026.card", "tinct.networks.sketch2026"):
        monkeypatch.delitem(sys.modules, module)
