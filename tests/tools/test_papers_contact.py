"""Laws of the sheet of every network: half of it is old, and who takes a reference gets the most alike one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation_photographs import write_photographs
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.run.contestants import RegisteredMethod
from tools.papers import contact
from tools.papers.sheet import GAP


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Names of those that were asked, and how many references each got."""
    kept = []
    answer = RegisteredMethod.answer

    def keeping(self, case):
        kept.append((self.name, len(case.references)))
        return answer(self, case)

    monkeypatch.setattr(RegisteredMethod, "answer", keeping)
    return kept


def test_each_photograph_is_a_row_and_each_method_a_column(tmp_path: Path, asked):
    photographs = find_photographs(write_photographs(tmp_path / "new"))
    old = find_photographs(write_photographs(tmp_path / "old"))
    contestants = [RegisteredMethod("tinct"), RegisteredMethod("reinhard")]
    section = contact.contact_sheet(photographs, old, contestants, tmp_path, pytest.fail, count=4)
    assert section
    assert asked == [("tinct", 0), ("reinhard", 1)] * 4
    assert "2 of them old" in section.text
    sheet = np.asarray(Image.open(section.pictures[0]))
    assert sheet.shape[1] == GAP + 4 * (contact.SIDE + GAP)


def test_networks_are_methods_and_the_released_one_comes_first():
    assert contact.NETWORKS[0] == "tinct"
    assert {"zhang2016", "he2018", "xu2020-lite"} <= set(contact.NETWORKS)
    assert not {"levin", "xu2020-encoder"} & set(contact.NETWORKS)


def test_without_networks_there_is_no_sheet(tmp_path: Path):
    photographs = find_photographs(write_photographs(tmp_path / "new"))
    said: list[str] = []
    assert contact.contact_sheet(photographs, None, [], tmp_path, said.append) is None
    assert "no weights" in said[0]
