"""Counts how often each network runs, by the part's or the network's name."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tinct.methods import automatic
from tinct.networks.tinct.method import Tinct


class Counted:
    """A network that counts its runs."""

    def __init__(self, network: Any, name: str, runs: Counter[str]) -> None:
        self._network, self._name, self._runs = network, name, runs
        self.inputs = network.inputs

    def run(self, **arrays: Any) -> Any:
        self._runs[self._name] += 1
        return self._network.run(**arrays)


def counted_runs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the runs of the released network's parts and of the papers' automatic networks from now on."""
    runs: Counter[str] = Counter()
    exported = automatic.exported_network
    part_of, joined = Tinct._network, Tinct._joined
    monkeypatch.setattr(Tinct, "_network", lambda self, part: Counted(part_of(self, part), part, runs))
    monkeypatch.setattr(Tinct, "_joined", lambda self, asked: Counted(joined(self, asked), asked, runs))
    monkeypatch.setattr(automatic, "exported_network", lambda name: Counted(exported(name), name, runs))
    return runs
