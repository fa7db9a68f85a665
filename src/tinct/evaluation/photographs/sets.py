"""The photographs that a protocol measures on: a folder, or a CSV index inside or beside it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinct.errors import EvaluationError
from tinct.evaluation.photographs.rgb import Image, read_rgb
from tinct.photo.formats import READ_SUFFIXES
from tinct.tables import read_csv


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph to measure on.

    Attributes:
        name: path relative to the set's root, with forward slashes; seeds and results files use this name.
        path: the file.
        category: class of what the photograph shows, or "" where it is unknown.
        reference: the color photograph that goes with this one (protocol `pairs`), or None.
    """

    name: str
    path: Path
    category: str = ""
    reference: Path | None = None

    def seed(self, seed: int, purpose: str = "") -> int:
        """A seed of this photograph, 32 bits: the same in every subset and in any order of measuring.

        Args:
            seed: of the run.
            purpose: keeps apart the random choices of one photograph.
        """
        digest = hashlib.sha256(f"{seed}|{purpose}|{self.name}".encode()).digest()
        return int.from_bytes(digest[:4], "big")

    def generator(self, seed: int, purpose: str = "") -> np.random.Generator:
        """A random generator started from `Photograph.seed` of the same arguments."""
        return np.random.default_rng(self.seed(seed, purpose))

    def read(self) -> Image:
        """Decode the file to sRGB, shape (H, W, 3), uint8, upright.

        Raises:
            EvaluationError: if the file cannot be decoded.
        """
        return read_rgb(self.path)


@dataclass(frozen=True, slots=True)
class PhotographSet(Sequence[Photograph]):
    """Photographs in order of their names.

    Attributes:
        root: the folder that names are relative to.
        photographs: those to measure on.
        available: number of photographs before a limit was set.
    """

    root: Path
    photographs: tuple[Photograph, ...]
    available: int

    def __len__(self) -> int:
        return len(self.photographs)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self.photographs[index]

    def __iter__(self) -> Iterator[Photograph]:
        return iter(self.photographs)

    def only(self, fits: Callable[[Photograph], bool]) -> PhotographSet:
        """The photographs for which `fits` is true."""
        return PhotographSet(self.root, tuple(p for p in self.photographs if fits(p)), self.available)

    def limited(self, limit: int | None) -> PhotographSet:
        """At most `limit` photographs, drawn by a hash of their names: a smaller subset lies in a larger one.

        Raises:
            EvaluationError: if `limit` is below 1.
        """
        if limit is None or limit >= len(self):
            return self
        if limit < 1:
            raise EvaluationError(f"limit is {limit}; give 1 or more photographs, or leave it out for all.")
        drawn = sorted(self.photographs, key=lambda photograph: photograph.seed(0, "subset"))[:limit]
        return PhotographSet(self.root, _in_order(drawn), self.available)


def find_photographs(data: Path) -> PhotographSet:
    """Find the photographs of a folder or of a CSV index.

    A CSV index has a column `path` (relative to the file's folder) and may have `class`; an index of pairs
    has `target` and `reference`. A folder is read through `index.csv` inside it or a CSV of its name beside
    it; without either, the folder's files are taken, and the class of a photograph is the name of its sub-folder.

    Raises:
        EvaluationError: if there is no photograph, the index has no such column, or a file is missing.
    """
    data = Path(data)
    if data.is_file():
        if data.suffix.lower() != ".csv":
            raise EvaluationError(f"{data} is a file; give a folder of photographs or a CSV index.")
        return _from_index(data)
    if not data.is_dir():
        raise EvaluationError(f"{data} does not exist; give a folder of photographs or a CSV index.")
    for index in (data / "index.csv", data.with_name(data.name + ".csv")):
        if index.is_file():
            return _from_index(index)
    return _from_folder(data)


def _from_folder(folder: Path) -> PhotographSet:
    files = [p for p in folder.rglob("*") if p.suffix.lower() in READ_SUFFIXES and p.is_file()]
    if not files:
        kinds = ", ".join(sorted(suffix[1:] for suffix in READ_SUFFIXES))
        raise EvaluationError(f"{folder} has no photographs ({kinds}); give a folder that has some.")
    found = []
    for path in files:
        name = path.relative_to(folder)
        found.append(Photograph(name.as_posix(), path, name.parts[0] if len(name.parts) > 1 else ""))
    return PhotographSet(folder, _in_order(found), len(found))


def _from_index(index: Path) -> PhotographSet:
    columns, listed = read_csv(index, EvaluationError)
    key = next((c for c in ("path", "target") if c in columns), None)
    if key is None:
        raise EvaluationError(f"{index} has the columns {', '.join(columns)}; it needs `path` or `target`.")
    found = [_indexed(index, row, key) for row in listed]
    if not found:
        raise EvaluationError(f"{index} lists no photographs; give an index that has some.")
    names = Counter(photograph.name for photograph in found)
    if twice := [name for name, count in names.items() if count > 1]:
        raise EvaluationError(f"{index} lists {twice[0]} more than once; name each photograph once.")
    return PhotographSet(index.parent, _in_order(found), len(found))


def _indexed(index: Path, row: dict[str, str], key: str) -> Photograph:
    if not row.get(key):
        raise EvaluationError(f"{index} has a line without a {key}; mend the index.")
    path = index.parent / row[key]
    reference = index.parent / row["reference"] if row.get("reference") else None
    for file in filter(None, (path, reference)):
        if not file.is_file():
            raise EvaluationError(
                f"{index} names {file}, which does not exist; mend the index or add the file."
            )
    return Photograph(row[key], path, row.get("class") or "", reference)


def _in_order(photographs: Iterable[Photograph]) -> tuple[Photograph, ...]:
    return tuple(sorted(photographs, key=lambda photograph: photograph.name))
