"""References for a photograph: the most alike color photographs of a collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike, path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import OptionError
from tinct.photo import Photo
from tinct.photo.sources import as_photo
from tinct.retrieval.collection import Folder
from tinct.retrieval.descriptor import describe
from tinct.retrieval.index import COLOR, Index, Progress, index_of
from tinct.retrieval.local import LOOKED_AT, distances

SAME_PICTURE = 0.95
"""Cosine of descriptors above which two photographs show one picture: a copy, another scan, another size."""

LEAST_LIKENESS = 0.5
"""Cosine of descriptors below which no reference is taken: docs/models/descriptor.md, "When to take none"."""


@dataclass(frozen=True)
class Retrieved:
    """A color photograph that is like the one to be colorized.

    Attributes:
        name: its path, or its name in the collection.
        likeness: cosine of the two descriptors, -1..1.
        same_picture: True if it shows the same picture, in color.
        distance: how unlike the two are cell by cell, 0..2.25 (`tinct.retrieval.local`); None where that was not asked.
    """

    name: str
    likeness: float
    same_picture: bool = False
    distance: float | None = None


def retrieve_references(
    photo: Any,
    folder: str | PathLike[str],
    count: int = 1,
    *,
    least: float = LEAST_LIKENESS,
    local: bool = False,
    progress: Progress | None = None,
) -> list[Retrieved]:
    """The most alike color photographs of a folder and of the folders below, the most alike first.

    The folder's index is kept in tinct's cache and brought up to date. Passed over are gray photographs, results of
    tinct, the photograph itself, and pictures that are there already in another copy.

    Args:
        photo: the photograph to find references for, of any kind that `tinct.colorize` takes.
        folder: of color photographs.
        count: how many at most.
        least: the cosine of descriptors, -1..1, below which a photograph is not taken.
        local: compare the 24 most alike ones cell by cell as well, in content and lightness, and order them by that
            (He et al., Deep Exemplar-based Colorization, 2018); it takes the papers' weights.
        progress: is called with how many new photographs of the folder have been looked at, and how many there are.
    Returns:
        Fewer than `count`, or none, where nothing else is alike enough.
    Raises:
        PhotoError, ShapeError: if the photograph cannot be read.
        OptionError: if the folder is none, `count` is below 1, or `least` is no cosine.
        WeightsError: if a network is missing or damaged.
    """
    if count < 1:
        raise OptionError(f"{count} references are wanted; give 1 or more.")
    if not -1 <= least <= 1:
        raise OptionError(f"least is {least}; it is a cosine, -1 to 1.")
    collection = Folder(path.realpath(folder))
    index = index_of(collection, progress)
    read = collection.read if local else None
    return references_for(as_photo(photo), index, count, least=least, read=read)


def references_for(
    photo: Photo,
    index: Index,
    count: int,
    *,
    least: float = LEAST_LIKENESS,
    read: Callable[[str], bytes] | None = None,
) -> list[Retrieved]:
    """The most alike color photographs of an index; arguments and result as `retrieve_references`.

    Args:
        read: gives the content of a file of the index by its name, to compare cell by cell; None does not.
    """
    own = None if photo.path is None else path.realpath(photo.path)
    in_color = photo.has_own_colors()

    def fits(name: str, likeness: float) -> bool:
        return name != own and not (in_color and likeness > SAME_PICTURE)

    if read is None:
        return likest(describe(photo), index, count, least=least, fits=fits)
    found = likest(describe(photo), index, max(count, LOOKED_AT), least=least, fits=fits)
    away = distances(photo, [each.name for each in found], read)
    measured = [replace(each, distance=round(far, 4)) for each, far in zip(found, away, strict=True)]
    return sorted(measured, key=lambda each: each.distance or 0.0)[:count]


def likest(
    descriptor: NDArray[np.float32],
    index: Index,
    count: int,
    *,
    least: float = -1.0,
    fits: Callable[[str, float], bool] = lambda name, likeness: True,
) -> list[Retrieved]:
    """The color photographs of an index with the likest descriptors, each picture once, the likest first.

    Args:
        descriptor: of the photograph that asks.
        index: of the collection.
        count: how many at most.
        least: the cosine below which none is taken.
        fits: says of a name and its cosine whether it may be taken.
    """
    likeness = index.likeness(descriptor)
    rows = np.flatnonzero((index.kinds == COLOR) & (likeness >= least))
    taken: list[int] = []
    for row in rows[np.argsort(-likeness[rows], kind="stable")]:
        if len(taken) == count:
            break
        among = index.descriptors[taken].astype(np.float32) @ index.descriptors[row].astype(np.float32)
        if fits(index.names[row], float(likeness[row])) and not (among > SAME_PICTURE).any():
            taken.append(int(row))
    return [
        Retrieved(index.names[row], round(float(likeness[row]), 4), bool(likeness[row] > SAME_PICTURE))
        for row in taken
    ]
