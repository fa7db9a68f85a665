"""Laws of the lines before the first step: at the beginning, at each tenth, at the end, and none twice."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tinct.cli.train import _tell
from tinct.training.preparing import PARTS, Preparing


@pytest.mark.parametrize(("total", "each"), [(1, 4), (3, 1), (48, 4), (760, 4), (1001, 7)])
def test_a_line_at_the_beginning_at_each_tenth_and_at_the_end(total: int, each: int) -> None:
    lines: list[Any] = []
    preparing = Preparing("pairs", total, lines.append)
    assert [line["done"] for line in lines] == [0]
    for _ in range(0, total, each):
        preparing.add(each)
    done = [line["done"] for line in lines]
    assert done == sorted(set(done))
    assert done[-1] == total
    assert len(done) <= PARTS + 1
    steps = [after - before for before, after in pairwise(done)]
    assert max(steps) <= total / PARTS + each
    assert {(line["what"], line["of"]) for line in lines} == {("pairs", total)}


def test_the_command_shows_what_is_made_and_how_far_it_is(capsys: pytest.CaptureFixture) -> None:
    Preparing("features of views", 66000, _tell).add(6600)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "preparing  features of views: 0 of 66000  0 s"
    assert "6600 of 66000" in second


def test_without_anybody_to_tell_it_counts() -> None:
    preparing = Preparing("pairs", 5, None)
    preparing.add(4)
    assert preparing.done == 4
