"""Which source a score comes from: two hashes, by which records of changed code are told apart.

What every score of a run rests on (the photographs, the questions, the metrics) has one hash for the whole run. What
only one method's answers rest on has a hash for each method: that module and whatever it imports. So a change to one
method makes that method's records stale and no others. Comments, docstrings and layout do not count.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]

MEASURING = (
    "color",
    "evaluation",
    "hints",
    "photo",
    "colorizing/rendering.py",
    "colorizing/upsampling.py",
    "weights/frozen.py",
    "weights/state_dict.py",
)
"""What all scores of a run rest on."""

WITHOUT_RECORDS = frozenset(
    {
        "photographs/pictures.py",
        "report",
        "run/code_hash.py",
        "run/journal.py",
        "run/runtime.py",
        "run/workers.py",
        "study",
    }
)
"""Parts of `evaluation` that no score depends on."""

PATH = "tinct.colorizing.colorizer"
"""The path that every method's answer takes."""

REGISTRIES = ("tinct", "tinct.methods", "tinct.networks")
"""Packages that find by name what is hashed by itself: a new entry there changes no method."""


@cache
def measuring_code() -> str:
    """The hash of what measures, 12 hexadecimal digits: records with different ones do not stand in one run."""
    return _hash(_measuring_files())


@cache
def method_code(module: str) -> str:
    """The hash of what answers beside it, 12 hexadecimal digits.

    Args:
        module: of the method, as "tinct.methods.classical.welsh".
    """
    shared = _measuring_files()
    return _hash(file for file in _imported([PATH, module]) if file not in shared)


@cache
def _measuring_files() -> frozenset[Path]:
    places = [PACKAGE / name for name in MEASURING]
    files = {file for place in places for file in ([place] if place.is_file() else place.rglob("*.py"))}
    evaluation = PACKAGE / "evaluation"
    aside = {f for name in WITHOUT_RECORDS for f in (evaluation / name, *(evaluation / name).rglob("*.py"))}
    return frozenset(files - aside)


def _imported(modules: Iterable[str]) -> set[Path]:
    """The files of modules, and of all of tinct that they import, at once or later."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = _file(module)
        if module in REGISTRIES or file is None or file in found:
            continue
        found.add(file)
        waiting += _imports(_tree(file))
    return found


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)  # a module, or a name in one


def _file(module: str) -> Path | None:
    """Where a module of tinct lies; None for others, and for names that are no modules."""
    first, *parts = module.split(".")
    place = PACKAGE.joinpath(*parts)
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in candidates if file.is_file()), None) if first == "tinct" else None


def _hash(files: Iterable[Path]) -> str:
    """One hash of the files' code; where a file lies, and from where its names are imported, does not count."""
    digests = sorted(hashlib.sha256(_without_places(_tree(file)).encode()).hexdigest() for file in files)
    return hashlib.sha256("\0".join(digests).encode()).hexdigest()[:12]


def _without_places(tree: ast.Module) -> str:
    """A file's code as text, without imports of tinct: what they bring is hashed itself, wherever it lies."""
    return ast.dump(_OwnImportsRemoved().visit(copy.deepcopy(tree)))


class _OwnImportsRemoved(ast.NodeTransformer):
    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        return None if node.module and node.module.partition(".")[0] == "tinct" else node

    def visit_Import(self, node: ast.Import) -> ast.Import | None:
        return None if any(name.name.partition(".")[0] == "tinct" for name in node.names) else node


@cache
def _tree(file: Path) -> ast.Module:
    """A file's source without what does not run: docstrings and imports for type checkers."""
    tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_silent(part)]  # type: ignore[attr-defined]
    return tree


def _is_silent(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
