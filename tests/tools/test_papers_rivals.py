"""Laws of Figure 6: a column for each method that is installed, and a line for those that are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from evaluation_photographs import write_photographs
from tinct.evaluation.photographs.rgb import Image as Rgb
from tinct.evaluation.photographs.sets import find_photographs
from tinct.evaluation.protocols.case import Case
from tinct.evaluation.run.contestants import Contestant, Gray, RegisteredMethod
from tools.papers import exemplar, rivals
from tools.papers.sheet import GAP, SIDE


class Paints(Contestant):
    """Answers with one color; keeps the references that it was given."""

    def __init__(self, name: str, color: tuple[int, int, int]) -> None:
        self.called, self.color, self.given = name, color, []

    @property
    def name(self) -> str:
        return self.called

    def cannot(self, case: Case) -> str:
        return ""

    def answer(self, case: Case) -> Rgb:
        self.given.append(case.references)
        return np.broadcast_to(np.uint8(self.color), (*case.lightness.shape, 3)).copy()


def test_each_installed_method_has_its_column_and_the_same_reference(tmp_path: Path):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    chosen = exemplar.targets(photographs, 2, seed=0)
    ours, tinct = Paints("xu2020", (255, 0, 0)), Paints("tinct", (0, 0, 255))
    said: list[str] = []
    installed = {"tinct": tinct, "xu2020": ours, "welsh": RegisteredMethod("welsh"), "gray": Gray()}
    section = rivals.figure6(chosen, installed, tmp_path, said.append)
    assert section
    assert "`welsh`, `xu2020`, `tinct`." in section.text
    assert said == [
        "columns of Figure 6 of Xu 2020: gupta, pierre, he2018, xiao2019 are not installed or unknown."
    ]
    for contestant in (ours, tinct):
        for (reference,), target in zip(contestant.given, chosen, strict=True):
            assert np.array_equal(reference, target.related[0])
    sheet = np.asarray(Image.open(section.pictures[0]))
    assert sheet.shape[1] == GAP + 5 * (SIDE + GAP)
    for color, column in (((255, 0, 0), 3), ((0, 0, 255), 4)):
        columns = np.argwhere((sheet == color).all(-1))[:, 1]
        assert columns.min() == GAP + column * (SIDE + GAP)
        assert columns.max() < GAP + (column + 1) * (SIDE + GAP)


def test_without_the_paper_s_own_method_there_is_no_figure(tmp_path: Path):
    said: list[str] = []
    assert rivals.figure6([], {"welsh": RegisteredMethod("welsh")}, tmp_path, said.append) is None
    assert "no weights of xu2020" in said[0]


def test_the_detail_is_where_two_pictures_differ_most():
    first = np.full((90, 120, 3), 128, np.uint8)
    second = first.copy()
    second[50:80, 70:110] = (255, 0, 0)
    rows, columns = rivals.most_different(first, second)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (30, 40)
    assert (rows.start, columns.start) == (50, 70)
    outlined = np.argwhere((rivals.framed(first, (rows, columns)) != first).any(-1))
    assert (outlined.min(0).tolist(), outlined.max(0).tolist()) == ([50, 70], [79, 109])


def test_figure_7_shows_both_methods_and_names_the_one_that_is_missing(tmp_path: Path):
    photographs = find_photographs(write_photographs(tmp_path / "photos"))
    chosen = exemplar.targets(photographs, 2, seed=0)
    said: list[str] = []
    installed = {"he2018": Paints("he2018", (255, 0, 0)), "xu2020": Paints("xu2020", (0, 0, 255))}
    section = rivals.figure7(chosen, installed, tmp_path, said.append)
    assert section
    assert not said
    sheet = np.asarray(Image.open(section.pictures[0]))
    assert sheet.shape[1] == GAP + 5 * (SIDE + GAP)
    for color, column in (((255, 0, 0), 3), ((0, 0, 255), 4)):
        shown = sheet[:, GAP + column * (SIDE + GAP) : GAP + column * (SIDE + GAP) + SIDE]
        assert (shown == color).all(-1).mean() > 0.3
    assert rivals.figure7(chosen, {"he2018": installed["he2018"]}, tmp_path, said.append) is None
    assert said == ["Figure 7 of Xu 2020: xu2020 is not installed."]
