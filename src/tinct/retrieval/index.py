"""The index of a collection: a descriptor for each photograph, kept in tinct's cache and brought up to date.

A photograph is described again only if its stamp has changed, so that the first index of ten thousand photographs
takes minutes and the next milliseconds. A file that cannot be read is marked in the index until it changes.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinct.colorizing.own_results import holds_record
from tinct.errors import TinctError
from tinct.files import read_arrays, writable_cache, write_whole
from tinct.photo.reduced import read_reduced
from tinct.photo.tint import TINT_TOLERANCE
from tinct.retrieval.collection import Collection
from tinct.retrieval.descriptor import NUMBERS, SIDE, describe_all, network_sha256, squashed
from tinct.tables import dataclass_from
from tinct.threads import threads

COLOR, GRAY, OWN_RESULT, UNREADABLE = range(4)
"""Kinds of photographs: in color; gray or of a single tint; a result of tinct; unreadable."""

VERSION = 3
"""Version of the index's file format and of how photographs are shown to the descriptor's network."""

_BATCH = 8
"""Photographs that the network looks at together."""

_SAVED_EVERY = 30.0
"""Seconds after which an index that is being made is saved, so that a run that is killed goes on there."""

_LEAST_COLOR = 1.2 * TINT_TOLERANCE
"""The mean color in a* b* units above which a photograph counts as one in color: somewhat more than a reference needs,
as a reduced photograph's mean differs a little."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Index:
    """Descriptors of a collection.

    Attributes:
        names: of the photographs, in order.
        stamps: of their files when they were described.
        kinds: COLOR, GRAY, OWN_RESULT or UNREADABLE, shape (N,), uint8.
        descriptors: shape (N, NUMBERS), float16; zeros for unreadable files.
    """

    names: tuple[str, ...]
    stamps: tuple[str, ...]
    kinds: NDArray[np.uint8]
    descriptors: NDArray[np.float16]

    def likeness(self, descriptor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of each photograph's descriptor with another one, shape (N,), -1..1."""
        return self.descriptors.astype(np.float32) @ descriptor

    def __len__(self) -> int:
        return len(self.names)


class _Seen(NamedTuple):
    """What is known of one photograph."""

    stamp: str
    kind: int
    descriptor: NDArray[np.float16]


def index_of(collection: Collection, progress: Progress | None = None) -> Index:
    """The index of a collection, brought up to date.

    Args:
        collection: the photographs.
        progress: called with the number of new photographs described so far, and the number of all new ones.
    Raises:
        OptionError, StorageError: if the collection cannot be listed.
        WeightsError: if the network's file is missing or damaged.
    """
    kept, stamps = _Kept(collection.key), collection.stamps()
    known = kept.read()
    if dict(zip(known.names, known.stamps, strict=True)) == stamps:
        return known
    rows = zip(known.stamps, known.kinds.tolist(), known.descriptors, strict=True)
    before = {name: _Seen(*row) for name, row in zip(known.names, rows, strict=True)}
    seen = {name: row for name, row in before.items() if stamps.get(name) == row.stamp}
    new = [name for name in stamps if name not in seen]
    saved = time.monotonic()
    for count, (name, kind, descriptor) in enumerate(_looked_at(collection, new), 1):
        seen[name] = _Seen(stamps[name], kind, descriptor)
        if progress is not None:
            progress(count, len(new))
        if time.monotonic() - saved > _SAVED_EVERY:
            kept.write(seen)
            saved = time.monotonic()
    kept.write(seen)
    return _index({name: seen[name] for name in stamps})


def _looked_at(
    collection: Collection, names: Sequence[str]
) -> Iterator[tuple[str, int, NDArray[np.float16]]]:
    """Kind and descriptor of each photograph; files are decoded in threads while the network runs."""
    with ThreadPoolExecutor(threads()) as pool:
        for start in range(0, len(names), _BATCH):
            some = names[start : start + _BATCH]
            decoded = list(pool.map(lambda name: _decoded(collection, name), some))
            squares = [square for _, square in decoded if square is not None]
            described = iter(describe_all(squares).astype(np.float16) if squares else ())
            for name, (kind, square) in zip(some, decoded, strict=True):
                yield name, kind, _NOTHING if square is None else next(described)


_NOTHING = np.zeros(NUMBERS, np.float16)


def _decoded(collection: Collection, name: str) -> tuple[int, NDArray[np.float32] | None]:
    """What a photograph is, and its squashed lightness; None for what cannot be read."""
    with suppress(TinctError, OSError):
        content = collection.read(name)
        photo = read_reduced(content, SIDE)
        colored = photo.without_hidden_colors().gives_color(_LEAST_COLOR)
        return OWN_RESULT if holds_record(content) else COLOR if colored else GRAY, squashed(photo)
    return UNREADABLE, None


def _index(seen: Mapping[str, _Seen]) -> Index:
    rows = list(seen.values())
    return Index(
        tuple(seen),
        tuple(row.stamp for row in rows),
        np.array([row.kind for row in rows], np.uint8),
        np.stack([row.descriptor for row in rows]) if rows else np.zeros((0, NUMBERS), np.float16),
    )


@dataclass(frozen=True)
class _About:
    """What the file of an index says beside its arrays."""

    version: int
    network: str
    names: tuple[str, ...]
    stamps: tuple[str, ...]


def _is_whole(index: Index) -> bool:
    """True if the parts of an index are of the types and sizes that `Index` has."""
    count, kinds, descriptors = len(index), index.kinds, index.descriptors
    return (
        len(set(index.names)) == len(index.stamps) == count
        and (kinds.dtype, kinds.shape) == (np.uint8, (count,))
        and (descriptors.dtype, descriptors.shape) == (np.float16, (count, NUMBERS))
        and bool(kinds.max(initial=0) <= UNREADABLE and np.isfinite(descriptors).all())
    )


class _Kept:
    """The file of an index in tinct's cache; without a cache nothing is kept."""

    def __init__(self, key: str) -> None:
        folder = writable_cache("retrieval")
        self._path: Path | None = folder and folder / f"{sha256(key.encode()).hexdigest()[:16]}.npz"
        self._network = network_sha256()

    def read(self) -> Index:
        """The index as it was kept; an empty one where the file is damaged or of another network."""
        if self._path is None:
            return _index({})
        with suppress(Exception):  # whatever a damaged file makes numpy raise
            content = read_arrays(self._path)
            about = dataclass_from(_About, json.loads(content["about"].tobytes()), "about")
            known = Index(about.names, about.stamps, content["kinds"], content["descriptors"])
            if (about.version, about.network) == (VERSION, self._network) and _is_whole(known):
                return known
        return _index({})

    def write(self, seen: Mapping[str, _Seen]) -> None:
        """Keep what is known; a cache that cannot be written costs time, and is no error."""
        if self._path is None:
            return
        index, stream = _index(seen), io.BytesIO()
        about = {
            "version": VERSION,
            "network": self._network,
            "names": index.names,
            "stamps": index.stamps,
        }
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        np.savez(stream, about=text, kinds=index.kinds, descriptors=index.descriptors)
        with suppress(OSError):
            write_whole(self._path, stream.getvalue())
