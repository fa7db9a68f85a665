"""A reference for every photograph: of its class, the one whose palette is nearest by the earth mover's distance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import rgb_to_lab
from tinct.color.palettes import palette, palette_distance
from tinct.errors import OptionError, PhotoError
from tinct.training.index import path_in_index, write_index
from tinct.training.photographs import Entry, read_index

COLUMNS = ("path", "set", "class", "weight", "reference", "distance")
"""Columns of the index that is written."""

SIDE = 96
"""Photographs are shrunk to this: a palette needs no detail."""

SAME = 0.05
"""Palettes nearer than this, in Lab units, are of one photograph listed twice, and no reference of each other."""

Palette = tuple[NDArray[np.float32], NDArray[np.float32]]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Paired:
    """A photograph and its reference.

    Attributes:
        photograph, reference: lines of the index.
        distance: between their palettes, in Lab units.
    """

    photograph: Entry
    reference: Entry
    distance: float


@dataclass(frozen=True)
class References:
    """The pairs found, in the order of the index, and the paths of those that have none, with the reason."""

    pairs: tuple[Paired, ...]
    without: tuple[tuple[str, str], ...]


def find_references(
    index: Path, colors: int = 6, *, any_class: bool = False, progress: Progress | None = None
) -> References:
    """Find each photograph's reference.

    Args:
        index: `path,set,class,weight` lines (`tinct.training.photographs.read_index`).
        colors: in a palette.
        any_class: True to look among all photographs, not only those of the same class.
        progress: is called with (done, total, what).
    Raises:
        OptionError: if colors is below 1.
        PhotoError: if the index cannot be read, or nothing in it.
    """
    if colors < 1:
        raise OptionError(f"colors is {colors}; a palette has 1 or more.")
    if not index.is_file():
        what = "is a folder" if index.is_dir() else "does not exist"
        raise PhotoError(f"{index} {what}; give an index CSV, as `tinct data coco` writes one.")
    entries = read_index(index)
    palettes, without = _palettes(index, entries, colors, progress or _silent)
    groups: dict[str, list[int]] = {}
    for i in palettes:
        groups.setdefault("" if any_class else entries[i].label, []).append(i)
    pairs = {}
    for members in groups.values():
        found = nearest_palettes([palettes[i] for i in members])
        for i, near in zip(members, found, strict=True):
            if near is None:
                without.append((entries[i].path, f"nothing else is of class {entries[i].label!r}"))
            else:
                pairs[i] = Paired(entries[i], entries[members[near[0]]], near[1])
    return References(tuple(pairs[i] for i in sorted(pairs)), tuple(without))


def nearest_palettes(palettes: Sequence[Palette]) -> list[tuple[int, float] | None]:
    """For each palette the nearest other one and its distance; None where there is no other.

    Exact: candidates are tried in the order of a bound from below, until no bound is under the best distance.
    """
    found: list[tuple[int, float] | None] = []
    centers, shares = _stacked(palettes)
    for i, own in enumerate(palettes):
        bounds = least_distances(own, centers, shares)
        best: tuple[int, float] | None = None
        for j in np.argsort(bounds, kind="stable"):
            if best is not None and bounds[j] >= best[1]:
                break
            distance = palette_distance(own, palettes[j]) if j != i else 0.0
            if distance > SAME and (best is None or distance < best[1]):
                best = int(j), distance
        found.append(best)
    return found


def write_references(found: References, index: Path, out: Path) -> None:
    """Write the index again with the columns `reference` and `distance`, as `tinct evaluate pairs` reads it.

    Args:
        index: the one that was read, from which the paths are seen.
        out: the one to write.
    Raises:
        PhotoError: if no photograph has a reference.
        OutputError: if the file cannot be written.
    """
    if not found.pairs:
        raise PhotoError(f"no photograph of {index} has a reference; a class needs two that differ.")
    root = index.parent
    write_index((_line(pair, root, out) for pair in found.pairs), COLUMNS, out)


def _line(pair: Paired, root: Path, out: Path) -> dict[str, object]:
    entry = pair.photograph
    return {
        "path": path_in_index(root / entry.path, out),
        "set": entry.set,
        "class": entry.label,
        "weight": f"{entry.weight:g}",
        "reference": path_in_index(root / pair.reference.path, out),
        "distance": f"{pair.distance:.2f}",
    }


def _palettes(
    index: Path, entries: Sequence[Entry], colors: int, progress: Progress
) -> tuple[dict[int, Palette], list[tuple[str, str]]]:
    """Palettes of the photographs that can be read, by their place in the index; and the others, with reasons."""
    palettes, without = {}, []
    for i, entry in enumerate(entries):
        try:
            palettes[i] = palette(rgb_to_lab(_read_small(index.parent / entry.path)), colors)
        except (OSError, ValueError, SyntaxError) as error:
            without.append((entry.path, f"unreadable: {type(error).__name__}"))
        progress(i + 1, len(entries), entry.path)
    return palettes, without


def _read_small(file: Path) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    from tinct.photo.pillow_reading import opened_formats

    try:
        with Image.open(file, formats=opened_formats()) as image:
            image.draft("RGB", (SIDE, SIDE))
            photo = ImageOps.exif_transpose(image).convert("RGB")
            photo.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
            return np.asarray(photo)
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from None


def least_distances(
    own: Palette, centers: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """No more than the earth mover's distances: every color must at least reach the nearest one on the other side.

    Args:
        own: a palette.
        centers, shares: of N others, shapes (N, k, 3) and (N, k), shares summing to 1.
    Returns:
        N bounds.
    """
    cost = np.linalg.norm(own[0].astype(np.float64)[:, None, None] - centers, axis=-1)
    there = np.einsum("c,cn->n", own[1].astype(np.float64) / own[1].sum(), cost.min(2))
    back = (shares * cost.min(0)).sum(1)
    return np.asarray(np.maximum(there, back))


def _stacked(palettes: Sequence[Palette]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Palettes as arrays (N, k, 3) and (N, k); shorter ones repeat their first color, without a share."""
    most = max(len(shares) for _, shares in palettes)
    centers, amounts = np.empty((len(palettes), most, 3)), np.zeros((len(palettes), most))
    for i, (colors, shares) in enumerate(palettes):
        centers[i], centers[i, : len(colors)] = colors[0], colors
        amounts[i, : len(shares)] = shares / shares.sum()
    return centers, amounts


def _silent(done: int, total: int, what: str) -> None:
    """No progress."""
