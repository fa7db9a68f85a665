"""Photographs to train on, packed once into a memory-mapped uint8 array so that no loop decodes a file."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinct.errors import PhotoError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
HELD_OUT_SHARE = 0.02
MIN_CHROMA = 4.0  # mean |chroma| in 8-bit opponent units under which a photograph counts as grey


@dataclass(frozen=True)
class Entry:
    """One line of an index: where the photograph is, which set and class it belongs to, how often to draw it."""

    path: str
    set: str = ""
    label: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Photographs:
    """A packed pool.

    Attributes:
        pixels: (N, side, side, 3) uint8 sRGB; each photograph at the top left, its edges repeated to fill.
        sizes: (N, 2) height and width of each.
        entries: the index lines, in the same order.
    """

    pixels: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    entries: tuple[Entry, ...]

    @classmethod
    def load(cls, folder: Path) -> Photographs:
        """Open a pool that `pack` wrote; the pixels stay on disk until they are touched."""
        entries = tuple(Entry(**line) for line in json.loads((folder / "entries.json").read_text()))
        return cls(np.load(folder / "pixels.npy", mmap_mode="r"), np.load(folder / "sizes.npy"), entries)

    def held_out(self) -> NDArray[np.bool_]:
        """True for the photographs kept for validation: 2 % by a hash of the path, so that nothing can drift."""
        shares = [int(hashlib.sha256(e.path.encode()).hexdigest()[:8], 16) / 2**32 for e in self.entries]
        return np.array(shares) < HELD_OUT_SHARE


def read_index(index: Path) -> list[Entry]:
    """Read `path,set,class[,weight]` lines; paths are relative to the index.

    Raises:
        PhotoError: if the file has no `path` column or no line.
    """
    with index.open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    if not lines or "path" not in lines[0]:
        raise PhotoError(
            f"{index} has no 'path' column or no line; write 'path,set,class,weight' and a line a photo."
        )
    return [
        Entry(x["path"], x.get("set", ""), x.get("class", ""), float(x.get("weight") or 1)) for x in lines
    ]


def list_folder(folder: Path) -> list[Entry]:
    """Every photograph under a folder; the name of the folder it lies in is its class."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise PhotoError(
            f"no photograph in {folder}; its endings should be one of {', '.join(sorted(SUFFIXES))}."
        )
    return [
        Entry(str(p.relative_to(folder)), label=p.parent.name if p.parent != folder else "") for p in found
    ]


def pack(data: Path, out: Path, side: int = 224, workers: int = 2) -> Photographs:
    """Decode, shrink to at most `side` pixels, drop grey and tinted photographs, and write the pool.

    Args:
        data: a folder of photographs, or an index CSV.
        out: the folder to write; an existing pool is used as it stands.
    """
    if (out / "entries.json").exists():
        return Photographs.load(out)
    entries = read_index(data) if data.is_file() else list_folder(data)
    root = data.parent if data.is_file() else data
    out.mkdir(parents=True, exist_ok=True)
    pixels = np.lib.format.open_memmap(out / "pixels.npy.part", "w+", np.uint8, (len(entries), side, side, 3))
    kept: list[Entry] = []
    sizes: list[tuple[int, int]] = []
    for entry, photo in zip(entries, _decoded(root, entries, side, workers), strict=True):
        if photo is None or is_single_tint(photo):
            continue
        height, width = photo.shape[:2]
        edges = ((0, side - height), (0, side - width), (0, 0))
        pixels[len(kept)] = np.pad(photo, edges, mode="edge")
        kept.append(entry)
        sizes.append((height, width))
    _finish(out, pixels, sizes, kept)
    return Photographs.load(out)


def is_single_tint(photo: NDArray[np.uint8]) -> bool:
    """True for grey photographs and for those whose chroma is one tint that follows lightness (sepia, cyanotype)."""
    rgb = photo.reshape(-1, 3).astype(np.float32)
    opponent = np.stack([rgb[:, 0] - rgb[:, 1], (rgb[:, 0] + rgb[:, 1]) / 2 - rgb[:, 2]], 1)
    if float(np.abs(opponent).mean()) < MIN_CHROMA:
        return True
    luma = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    basis = np.stack([np.ones_like(luma), luma, luma**2], 1)
    fitted = basis @ np.linalg.lstsq(basis, opponent, rcond=None)[0]
    return float(np.abs(opponent - fitted).mean()) < MIN_CHROMA / 2


def _decode(job: tuple[Path, int]) -> NDArray[np.uint8] | None:
    path, side = job
    try:
        with Image.open(path) as image:
            image.draft("RGB", (side, side))
            photo = image.convert("RGB")
            photo.thumbnail((side, side), Image.Resampling.LANCZOS)
            return np.asarray(photo)
    except (OSError, ValueError):
        return None


def _decoded(root: Path, entries: list[Entry], side: int, workers: int) -> Iterator[NDArray[np.uint8] | None]:
    jobs = [(root / entry.path, side) for entry in entries]
    if workers <= 1:
        yield from map(_decode, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_decode, jobs, chunksize=64)


def _finish(out: Path, pixels: np.memmap, sizes: list[tuple[int, int]], kept: list[Entry]) -> None:
    count, side = len(kept), pixels.shape[1]
    final = np.lib.format.open_memmap(out / "pixels.npy", "w+", np.uint8, (count, side, side, 3))
    for start in range(0, count, 512):
        final[start : start + 512] = pixels[start : min(start + 512, count)]
    final.flush()
    del pixels
    (out / "pixels.npy.part").unlink()
    np.save(out / "sizes.npy", np.array(sizes, np.int32).reshape(-1, 2))
    lines = [{"path": e.path, "set": e.set, "label": e.label, "weight": e.weight} for e in kept]
    (out / "entries.json").write_text(json.dumps(lines))
