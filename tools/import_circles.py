"""Print the circles of imports among a package's modules: `python -m tools.import_circles [SRC/PACKAGE]`.

An import counts wherever it stands: at a module's head, in a function, or for type checkers alone. A circle is a
strongly connected component of more than one module (Tarjan, SIAM Journal on Computing, 1972).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tools import command


def modules(package: Path) -> dict[str, Path]:
    """The package's modules by their dotted names."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imported(file: Path, known: dict[str, Path]) -> Iterator[str]:
    """The package's modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in whole)


def circles(package: Path) -> list[list[str]]:
    """The circles, each as its modules' names."""
    known = modules(package)
    place = {name: number for number, name in enumerate(known)}
    edges = [(place[name], place[other]) for name, file in known.items() for other in imported(file, known)]
    rows, columns = zip(*edges, strict=True)
    graph = coo_array(([1] * len(edges), (rows, columns)), shape=(len(known), len(known)))
    _, labels = connected_components(graph, connection="strong")
    groups: dict[int, list[str]] = {}
    for name, label in zip(known, labels, strict=True):
        groups.setdefault(int(label), []).append(name)
    return [members for members in groups.values() if len(members) > 1]


def show(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="The package's folder.")] = Path(
        "src/tinct"
    ),
) -> None:
    """Print the circles of imports among a package's modules, one a line, and how many there are."""
    found = circles(package)
    for members in found:
        typer.echo(", ".join(members))
    typer.echo(f"{len(found)} circles")


if __name__ == "__main__":
    sys.exit(command.run("import_circles", show))
