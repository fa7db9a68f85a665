"""Check that every public constant has a docstring: `python -m tools.docstrings [FOLDER]...`.

A constant is a name in capitals that a module assigns. Its docstring is the text right after the assignment; further
names of one assignment share the text. ruff checks the docstrings of modules, classes, functions and methods.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from tools import command


def undocumented(source: str) -> Iterator[tuple[int, str]]:
    """The public constants of a module without a docstring: line number and name.

    Args:
        source: the module's source.
    """
    for statement, following in pairwise([*ast.parse(source).body, ast.Pass()]):
        if not _is_text(following):
            yield from ((statement.lineno, name) for name in _names(statement) if _is_constant(name))


def _names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement assigns."""
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return
    yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))


def _is_constant(name: str) -> bool:
    return name.isupper() and len(name) > 1 and not name.startswith("_")


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def check(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="[src tools]")] = None,
) -> int:
    """Print the public constants without a docstring, one a line; the exit code is 1 if there are any."""
    found = [
        f"{file}:{line}: {name} has no docstring; write one after the assignment."
        for folder in folders or [Path("src"), Path("tools")]
        for file in sorted(folder.rglob("*.py"))
        for line, name in undocumented(file.read_text(encoding="utf-8"))
    ]
    for line in found:
        typer.echo(line)
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(command.run("docstrings", check))
