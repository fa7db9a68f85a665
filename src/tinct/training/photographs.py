"""Photographs to train on, packed once into a memory-mapped uint8 array so that no loop decodes a file."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tinct.errors import OutputError, PhotoError
from tinct.files import read_array, write_whole
from tinct.photo.formats import READ_SUFFIXES
from tinct.photo.pillow_reading import opened_formats
from tinct.tables import dataclass_from, read_csv

HELD_OUT_SHARE = 0.02
"""Share of the photographs that is kept for validation."""

MIN_CHROMA = 4.0
"""Mean of R - G and of yellow against blue, in 8-bit units, under which a photograph counts as gray."""

BLOCK = 256
"""Photographs decoded at a time."""


@dataclass(frozen=True)
class Entry:
    """One line of an index.

    Attributes:
        path: of the photograph, from the index's or the collection's folder.
        set: the collection it belongs to.
        label: its class, "" where unknown; photographs of one class may be each other's references.
        weight: how often to draw it, against 1.
    """

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
        """Open a pool that `pack` wrote; the pixels stay on disk until they are touched.

        Raises:
            PhotoError: if the folder holds none, or one of its files is damaged, of another kind or of another pool.
        """
        if not (folder / "entries.json").is_file():
            raise PhotoError(f"{folder} holds no packed photographs; make it with `tinct data pack`.")
        file = folder / "entries.json"
        try:
            lines = enumerate(json.loads(file.read_text(encoding="utf-8")), 1)
            entries = tuple(dataclass_from(Entry, line, f"entry {number}") for number, line in lines)
            pixels = read_array(file := folder / "pixels.npy", mapped=True)
            sizes = read_array(file := folder / "sizes.npy")
        except (OSError, ValueError, TypeError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error).rstrip(".")
            raise PhotoError(f"{file} is damaged ({why}); {_PACK_AGAIN}") from None
        if wrong := _misfit(pixels, sizes, entries):
            raise PhotoError(f"{folder} is damaged ({wrong}); {_PACK_AGAIN}")
        return cls(pixels, sizes, entries)

    def held_out(self) -> NDArray[np.bool_]:
        """True for the photographs kept for validation: 2 % by a hash of the path, so that the choice never changes.

        At least one of two or more is kept.
        """
        hashes = [int(hashlib.sha256(e.path.encode()).hexdigest()[:8], 16) for e in self.entries]
        shares = np.array(hashes) / 2**32
        limit = max(HELD_OUT_SHARE, float(np.nextafter(shares.min(), 1))) if len(shares) > 1 else 0.0
        return shares < limit


_PACK_AGAIN = "remove the folder and pack again with `tinct data pack`."


def _misfit(pixels: NDArray[Any], sizes: NDArray[Any], entries: Sequence[Entry]) -> str:
    """What is wrong with the arrays of a pool, or "" if they are as `Photographs` has them."""
    count, side = len(entries), pixels.shape[1] if pixels.ndim > 1 else 0
    if pixels.dtype != np.uint8 or pixels.shape != (count, side, side, 3) or 0 in pixels.shape:
        return f"pixels are {pixels.dtype} {pixels.shape}, uint8 ({count}, side, side, 3) is wanted"
    if sizes.dtype.kind not in "iu" or sizes.shape != (count, 2):
        return f"sizes are {sizes.dtype} {sizes.shape}, whole numbers ({count}, 2) are wanted"
    if sizes.min() < 1 or sizes.max() > side:
        return f"sizes are {sizes.min()} to {sizes.max()}, 1 to {side} is wanted"
    least = min(entry.weight for entry in entries)
    return f"a weight is {least}, 0 or more is wanted" if least < 0 else ""


def read_index(index: Path) -> list[Entry]:
    """Read `path[,set,class,weight]` lines; paths are relative to the index, other columns are passed over.

    Raises:
        PhotoError: if the file has no `path` column or no line, or a weight is not a number of at least 0.
    """
    _, lines = read_csv(index, PhotoError)
    if not lines or "path" not in lines[0]:
        raise PhotoError(
            f"{index} has no 'path' column or no line; write 'path,set,class,weight' and a line a photo."
        )
    if any(not x["path"] for x in lines):
        raise PhotoError(f"{index} has a line without a path; mend the index.")
    return [
        Entry(x["path"], x.get("set") or "", x.get("class") or "", _weight(index, x.get("weight")))
        for x in lines
    ]


def list_folder(folder: Path) -> list[Entry]:
    """Every photograph under a folder; the name of the folder it lies in is its class.

    Raises:
        PhotoError: if there is none.
    """
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in READ_SUFFIXES)
    if not found:
        raise PhotoError(
            f"no photograph in {folder}; its endings should be one of {', '.join(sorted(READ_SUFFIXES))}."
        )
    labels = ["" if p.parent == folder else p.parent.name for p in found]
    return [Entry(p.relative_to(folder).as_posix(), label=x) for p, x in zip(found, labels, strict=True)]


def _listed(data: Path) -> tuple[Path, list[Entry]]:
    """The photographs of a folder or an index CSV, and the folder that their paths begin at.

    Raises:
        PhotoError: if there is neither, or it has no photograph.
    """
    if not data.exists():
        raise PhotoError(f"{data} does not exist; give a folder of photographs or an index CSV.")
    if data.is_file():
        return data.parent, read_index(data)
    return data, list_folder(data)


def pack(data: Path, out: Path, side: int = 224, workers: int = 2) -> Photographs:
    """Decode, shrink to at most `side` pixels, drop photographs that teach no color, and write the pool.

    Those dropped (gray, of a single tint, unreadable) are listed in `dropped.csv` beside it.

    Args:
        data: a folder of photographs, or an index CSV (`read_index`).
        out: the folder to write; an existing pool is used as it stands.
        side: the longer side of the photographs kept; smaller photographs are not enlarged.
        workers: threads that decode.
    Raises:
        PhotoError: if there is nothing to pack, or nothing of it has color.
        OutputError: if the folder cannot be made.
    """
    if (out / "entries.json").exists():
        return Photographs.load(out)
    root, entries = _listed(data)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out} cannot be made ({error.strerror}); give another folder.") from None
    part = out / "pixels.npy.part"
    pixels = np.lib.format.open_memmap(part, "w+", np.uint8, (len(entries), side, side, 3))
    kept: list[Entry] = []
    sizes: list[tuple[int, int]] = []
    dropped: list[tuple[str, str]] = []
    for entry, photo in zip(entries, _decoded(root, entries, side, workers), strict=True):
        if isinstance(photo, str):
            dropped.append((entry.path, photo))
            continue
        height, width = photo.shape[:2]
        pixels[len(kept)] = np.pad(photo, ((0, side - height), (0, side - width), (0, 0)), mode="edge")
        kept.append(entry)
        sizes.append((height, width))
    _write_dropped(out / "dropped.csv", dropped)
    if not kept:
        part.unlink()
        raise PhotoError(f"none of the {len(entries)} photographs of {data} can be read and has color.")
    _finish(out, pixels, sizes, kept)
    part.unlink()
    return Photographs.load(out)


def is_single_tint(photo: NDArray[np.uint8]) -> bool:
    """True for gray photographs and for those whose chroma is one tint that follows lightness (sepia, cyanotype).

    Args:
        photo: sRGB, shape (H, W, 3).
    """
    rgb = photo.reshape(-1, 3).astype(np.float32)
    opponent = np.stack([rgb[:, 0] - rgb[:, 1], (rgb[:, 0] + rgb[:, 1]) / 2 - rgb[:, 2]], 1)
    if float(np.abs(opponent).mean()) < MIN_CHROMA:
        return True
    luma = rgb @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    basis = np.stack([np.ones_like(luma), luma, luma**2], 1)
    fitted = basis @ np.linalg.lstsq(basis, opponent, rcond=None)[0]
    return float(np.abs(opponent - fitted).mean()) < MIN_CHROMA / 2


def _weight(index: Path, text: str | None) -> float:
    try:
        weight = float(text or 1)
    except ValueError:
        weight = -1.0
    if not 0 <= weight < float("inf"):
        raise PhotoError(f"{index} has the weight {text!r}; it must be a number of at least 0.")
    return weight


def _decode(path: Path, side: int) -> NDArray[np.uint8] | str:
    """The photograph at most `side` large, or why it is dropped."""
    try:
        with Image.open(path, formats=opened_formats()) as image:
            image.draft("RGB", (side, side))
            photo = ImageOps.exif_transpose(image).convert("RGB")
            photo.thumbnail((side, side), Image.Resampling.LANCZOS)
            pixels = np.asarray(photo)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"unreadable: {type(error).__name__}"
    return "gray or of a single tint" if is_single_tint(pixels) else pixels


def _decoded(root: Path, entries: list[Entry], side: int, workers: int) -> Iterator[NDArray[np.uint8] | str]:
    """In order; a block at a time, so that what waits to be written stays small."""
    with ThreadPoolExecutor(max(workers, 1)) as threads:
        for start in range(0, len(entries), BLOCK):
            paths = [root / entry.path for entry in entries[start : start + BLOCK]]
            yield from threads.map(lambda path: _decode(path, side), paths)


def _write_dropped(file: Path, dropped: list[tuple[str, str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("path", "reason"), *dropped])


def _finish(out: Path, pixels: np.memmap, sizes: list[tuple[int, int]], kept: list[Entry]) -> None:
    """Write the pool; the entries come last and in one piece, as their presence marks the pool as whole."""
    count, side = len(kept), pixels.shape[1]
    final = np.lib.format.open_memmap(out / "pixels.npy", "w+", np.uint8, (count, side, side, 3))
    for start in range(0, count, 2 * BLOCK):
        rows = slice(start, min(start + 2 * BLOCK, count))
        final[rows] = pixels[rows]
    final.flush()
    np.save(out / "sizes.npy", np.array(sizes, np.int32).reshape(-1, 2))
    write_whole(out / "entries.json", json.dumps([asdict(entry) for entry in kept]))
