"""The reference of the Python interface is that of the code, and says something about every public name."""

from __future__ import annotations

import re
from pathlib import Path

import tinct
from tools.api_reference import markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run make docs"


def test_every_public_name_has_an_entry_with_words() -> None:
    entries = re.split(r"^## tinct\.", markdown(), flags=re.M)[1:]
    assert {entry.split("\n")[0] for entry in entries} == set(tinct.__all__) - {"__version__"}
    for entry in entries:
        prose = re.sub(r"```.*?```|^#.*$", "", entry, flags=re.S | re.M)
        assert len(prose.split()) > 5, entry


def test_signatures_are_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", markdown(), flags=re.S)
    assert len(blocks) > 20
    for block in blocks:
        compile(f"def {block.strip()}: ...", "signature", "exec")
