"""Laws of the check that constants have docstrings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docstrings import check, undocumented


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("SIDE = 4\n", ["SIDE"]),
        ('SIDE = 4\n"""Pixels of a side."""\n', []),
        ("# Pixels of a side.\nSIDE: int = 4\nOTHER = 5\n", ["SIDE", "OTHER"]),
        ('WIDTH, HEIGHT = 4, 5\n"""Pixels of the sides."""\n', []),
        ("WIDTH, (HEIGHT, _HIDDEN) = 4, (5, 6)\n", ["WIDTH", "HEIGHT"]),
        ("_SIDE = 4\nside = 5\nT = int\nArray = list\n", []),
        ('SIDE = 4\nprint("text")\n', ["SIDE"]),
        ("def f():\n    SIDE = 4\n", []),
    ],
)
def test_public_constants_without_a_docstring_are_named(source: str, names: list[str]) -> None:
    assert [name for _, name in undocumented(source)] == names


def test_lines_and_the_exit_code_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sides.py"
    file.write_text('"""Sides."""\n\nSIDE = 4\n')
    assert check([tmp_path]) == 1
    assert capsys.readouterr().out.startswith(f"{file}:3: SIDE ")
    file.write_text('"""Sides."""\n\nSIDE = 4\n"""Pixels of a side."""\n')
    assert check([tmp_path]) == 0
    assert capsys.readouterr().out == ""
