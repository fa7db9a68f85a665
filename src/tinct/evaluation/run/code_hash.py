"""Hashes of the source that scores rest on: records of changed code have another hash.

The code that every score of a run rests on (photographs, cases, metrics) has one hash. The code that only one method's
answers rest on has a hash for each method: the method's module and the modules that it imports. A change to one method
therefore makes that method's records stale and no others. Comments, docstrings, layout, the place of a file and imports
of tinct do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[2]
"""Folder of the package `tinct`."""

MEASURING = (
    "color",
    "evaluation",
    "hints",
    "photo",
    "retrieval",
    "colorizing/rendering.py",
    "color/upsampling.py",
    "weights/frozen.py",
    "weights/state_dict.py",
)
"""Files and folders of the package that all scores of a run rest on."""

WITHOUT_RECORDS = frozenset(
    {
        "report",
        "run/code_hash.py",
        "run/journal.py",
        "run/pictures.py",
        "run/runtime.py",
        "run/timing_process.py",
        "run/workers.py",
        "study",
    }
)
"""Files and folders of `evaluation` that no score rests on."""

PATH = "tinct.colorizing.colorizer"
"""Module of the path that every method's answer takes."""

REGISTRIES = ("tinct", "tinct.methods", "tinct.networks", "tinct.version")
"""Packages that look up modules by name, which are hashed themselves, and the version: a change there changes no
method."""


@cache
def measuring_code() -> str:
    """The hash of the code that measures, 12 hexadecimal digits; all records of a run have the same one."""
    return _hash(_measuring_files())


@cache
def method_code(module: str) -> str:
    """The hash of the code that a method's answers rest on beside `measuring_code`, 12 hexadecimal digits.

    Args:
        module: the method's module, as "tinct.methods.classical.welsh".
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
    """The files of modules, and of all modules of tinct that they import, directly or not."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = _file(module)
        if module in REGISTRIES or file is None or file in found:
            continue
        found.add(file)
        waiting += _code(file.read_bytes()).imports
    return found


class _Code(NamedTuple):
    """What counts of a file: the modules that it imports, and the SHA-256 of its code, in hexadecimal digits."""

    imports: tuple[str, ...]
    digest: str


@lru_cache(maxsize=2048)
def _code(source: bytes) -> _Code:
    """What counts of a file's source, without docstrings and without imports for type checkers."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [part for part in body if not _is_silent(part)]  # type: ignore[attr-defined]
    imports = tuple(_imports(tree))
    return _Code(imports, hashlib.sha256(_without_places(tree).encode()).hexdigest())


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)  # a module, or a name in one


def _file(module: str) -> Path | None:
    """The file of a module of tinct; None for other modules, and for names that are no modules."""
    first, *parts = module.split(".")
    place = PACKAGE.joinpath(*parts)
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in candidates if file.is_file()), None) if first == "tinct" else None


def _hash(files: Iterable[Path]) -> str:
    """One hash of the code of files, regardless of their places and of the places that they import from."""
    digests = sorted(_code(file.read_bytes()).digest for file in files)
    return hashlib.sha256("\0".join(digests).encode()).hexdigest()[:12]


def _without_places(tree: ast.Module) -> str:
    """Code as text, without its imports of tinct, which the tree loses: imported modules are hashed themselves."""
    return ast.dump(_OwnImportsRemoved().visit(tree))


class _OwnImportsRemoved(ast.NodeTransformer):
    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        return None if node.module and node.module.partition(".")[0] == "tinct" else node

    def visit_Import(self, node: ast.Import) -> ast.Import | None:
        return None if any(name.name.partition(".")[0] == "tinct" for name in node.names) else node


def _is_silent(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
