"""Soft labels of a pool: scenes, objects, segments, and which photographs are related.

Each kind is optional: a missing kind is not trained on. Scenes, objects and segments are outputs
of frozen networks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinct.errors import OutputError, PhotoError, WeightsError, shortened
from tinct.files import read_arrays, write_whole
from tinct.tables import read_csv
from tinct.training.photographs import Photographs

SCENES, OBJECTS = 365, 1001
"""Classes of places and of ImageNet's objects, background among the latter."""

UNLABELED, NOT_RELATED = 255, -1
"""The segment of a place, and the relative of a photograph, that is not known."""

SEGMENTS_SIDE = 64
"""Sides of a photograph's map of segments."""

OBJECT_INPUT = 224
"""Sides in pixels of the input of the classifier of objects."""

RELATIVES = 12
"""Relatives of a photograph that are kept at most."""


@dataclass(frozen=True)
class Labels:
    """Labels for a pool, in its order; None for a missing kind.

    Attributes:
        scenes: (N, 365) probabilities of places, rows of zeros where unknown; float16.
        objects: (N, 1001) probabilities of ImageNet classes (0 is background), likewise.
        segments: (N, 64, 64) uint8 class of each place of the photograph squashed to a square, 255 unknown.
        related: (N, K) int32, other photographs of the same class or with the likest content, -1 for no more.
    """

    scenes: NDArray[np.float16] | None = None
    objects: NDArray[np.float16] | None = None
    segments: NDArray[np.uint8] | None = None
    related: NDArray[np.int32] | None = None

    @classmethod
    def load(cls, file: Path, count: int) -> Labels:
        """Read a file that `save` wrote.

        Args:
            count: how many photographs the pool has.
        Raises:
            PhotoError: if the file is missing, damaged or no file of labels, or is of a pool of another size.
        """
        arrays = {name: rows for name, rows in _arrays(file, _MAKE_LABELS).items() if name in _NAMES}
        if not arrays:
            raise PhotoError(f"{file} holds no labels (none of {', '.join(_NAMES)}); {_MAKE_LABELS}.")
        for name, rows in arrays.items():
            if rows.ndim and len(rows) != count:
                raise PhotoError(
                    f"{file} labels {len(rows)} photographs and the pool has {count}; make it for this pool."
                )
            if wrong := _misfit(name, rows):
                raise PhotoError(f"{file} has {name} {wrong}; {_MAKE_LABELS}.")
        return cls(**arrays)

    def save(self, file: Path) -> None:
        """Write one compressed file, whole or not at all; missing folders are made.

        Raises:
            OutputError: if the file cannot be written.
        """
        there = {name: getattr(self, name) for name in _NAMES if getattr(self, name) is not None}
        try:
            write_whole(file, lambda stream: np.savez_compressed(stream, **there))
        except OSError as error:
            raise OutputError(f"{file} cannot be written ({error.strerror}); give another --out.") from None

    def labeled(self) -> dict[str, int]:
        """How many photographs have labels, by the names of the kinds that there are."""
        known = {
            "scenes": lambda rows: rows.max(1) > 0,
            "objects": lambda rows: rows.max(1) > 0,
            "segments": lambda rows: rows.min((1, 2)) < UNLABELED,
            "related": lambda rows: rows.max(1) > NOT_RELATED,
        }
        there = {name: getattr(self, name) for name in known if getattr(self, name) is not None}
        return {name: int(known[name](rows).sum()) for name, rows in there.items()}


_NAMES = tuple(field.name for field in fields(Labels))

_MAKE_LABELS = "make it with `tinct data labels`"

_ROWS = {"scenes": (SCENES,), "objects": (OBJECTS,), "segments": (SEGMENTS_SIDE, SEGMENTS_SIDE)}
"""The shape of a photograph's labels of each kind; of relatives there may be any number."""


def _misfit(name: str, rows: NDArray[Any]) -> str:
    """What is wrong with the labels of one kind, or "" if they are as `Labels` has them."""
    if name == "related":
        if rows.dtype.kind != "i" or rows.ndim != 2 or not rows.size:
            return f"of {rows.dtype} {rows.shape}, whole numbers (N, K) are wanted"
        least, most = int(rows.min()), int(rows.max())
        fits = least >= NOT_RELATED and most < len(rows)
        return "" if fits else f"{least} to {most}, {NOT_RELATED} to {len(rows) - 1} are wanted"
    kinds = {"segments": "u"}.get(name, "f")
    if rows.dtype.kind != kinds or rows.shape[1:] != _ROWS[name] or (kinds == "u" and rows.itemsize > 1):
        return f"of {rows.dtype} {rows.shape}, (N, {', '.join(map(str, _ROWS[name]))}) is wanted"
    fits = kinds == "u" or all(np.isfinite(row).all() and row.min() >= 0 for row in rows)
    return "" if fits else "that are negative or no numbers, probabilities are wanted"


def _arrays(file: Path, remedy: str) -> dict[str, NDArray[Any]]:
    """The arrays of an npz by their names.

    Raises:
        PhotoError: if the file is missing, or is damaged or of another kind.
    """
    try:
        return read_arrays(file)
    except (OSError, ValueError) as error:
        raise PhotoError(f"{file} holds no labels ({error}); {remedy}.") from None


def collect(
    photographs: Photographs,
    scenes: Path | None = None,
    segments: Path | None = None,
    classifier: Path | None = None,
    related: NDArray[np.int32] | None = None,
) -> Labels:
    """All labels for a pool, of the kinds whose sources are given; relatives always.

    Args:
        scenes: see `read_scenes`.
        segments: see `read_segments`.
        classifier: see `predict_objects`.
        related: relatives that were found otherwise (`tinct.training.likeness`), (N, K); None finds them by class and
            labels.
    Raises:
        PhotoError: if a source cannot be read, or has labels for none of the photographs.
    """
    scene_labels = read_scenes(scenes, photographs) if scenes else None
    segment_labels = read_segments(segments, photographs) if segments else None
    objects = predict_objects(photographs, classifier) if classifier else None
    content = [labels for labels in (scene_labels, objects) if labels is not None]
    if related is None:
        related = find_related(photographs, np.concatenate(content, 1) if content else None)
    return Labels(scene_labels, objects, segment_labels, related)


_SCENE = re.compile(r" *(\d{1,9}) *: *(\d*\.?\d+(?:[eE]-?\d+)?) *", re.ASCII)
"""A cell of scenes: index and probability."""


def read_scenes(file: Path, photographs: Photographs) -> NDArray[np.float16]:
    """Read `path,scene1..scene5` with `index:probability` cells, the likeliest of 365 places.

    Raises:
        PhotoError: if the file cannot be read, labels none of the photographs, or has a cell that is written otherwise.
    """
    try:
        _, lines = read_csv(file, PhotoError)
    except OSError as error:
        raise PhotoError(f"{file} cannot be read ({error}); give a CSV of path,scene1,... .") from None
    rows = {line.pop("path", ""): line for line in lines}
    scenes = np.zeros((len(photographs.entries), SCENES), np.float16)
    for row, entry in zip(scenes, photographs.entries, strict=True):
        for cell in filter(None, rows.get(entry.path, {}).values()):
            if not (found := _SCENE.fullmatch(str(cell))) or int(found[1]) >= SCENES or float(found[2]) > 1:
                raise PhotoError(
                    f"{file} has {cell!r}; index:probability, index 0..364, probability 0..1, is wanted."
                )
            row[int(found[1])] = float(found[2])
    if not Labels(scenes=scenes).labeled()["scenes"]:
        raise _none_labeled(file, rows, photographs)
    return scenes


def read_segments(file: Path, photographs: Photographs) -> NDArray[np.uint8]:
    """Read label maps from an npz of `paths` (N,) and `labels` (N, 64, 64).

    Raises:
        PhotoError: if the file cannot be read, labels none of the photographs, or has other arrays.
    """
    wanted = f"give an npz of paths (N) and labels (N, {SEGMENTS_SIDE}, {SEGMENTS_SIDE}), whole numbers of 0 to 255"
    arrays = _arrays(file, wanted)
    if not {"paths", "labels"} <= arrays.keys():
        raise PhotoError(f"{file} has {', '.join(arrays) or 'no arrays'}; {wanted}.")
    paths, labels = arrays["paths"], arrays["labels"]
    fits = labels.dtype.kind in "ui" and labels.shape == (paths.size, SEGMENTS_SIDE, SEGMENTS_SIDE)
    if not fits or (labels.size and not 0 <= labels.min() <= labels.max() <= UNLABELED):
        raise PhotoError(f"{file} has labels {labels.shape} of {labels.dtype}; {wanted}.")
    labels = labels.astype(np.uint8)
    where = {str(path): i for i, path in enumerate(paths.ravel())}
    unknown = np.full(labels.shape[1:], UNLABELED, np.uint8)
    maps = np.stack([labels[where[e.path]] if e.path in where else unknown for e in photographs.entries])
    if not Labels(segments=maps).labeled()["segments"]:
        raise _none_labeled(file, where, photographs)
    return maps


def _none_labeled(file: Path, paths: Iterable[str], photographs: Photographs) -> PhotoError:
    """The refusal of a file of labels that has none for a pool, with a path as either of them writes it.

    Args:
        paths: those of the file.
    """
    given, own = list(paths), [entry.path for entry in photographs.entries]
    if set(given) & set(own):
        return PhotoError(f"{file} has paths of the pool, and no label beside any of them; label some.")
    first = repr(shortened(given[0], 60)) if given else "no path"
    return PhotoError(
        f"{file} labels none of the pool's {len(own)} photographs: it has {first}, the pool "
        f"{shortened(own[0], 60)!r}; write paths as the pool's entries.json does."
    )


def predict_objects(photographs: Photographs, network: Path) -> NDArray[np.float16]:
    """Run a frozen ImageNet classifier on every photograph, squashed to its input.

    Args:
        network: a file that OpenVINO reads; takes uint8 RGB (1, 224, 224, 3), gives 1001 scores of at least 0.
    Raises:
        WeightsError: if it cannot be read.
    """
    import cv2

    from tinct.inference.openvino_engine import engine

    try:
        compiled = engine().compile_model(engine().read_model(network), "CPU")
    except RuntimeError:
        raise WeightsError(f"{network} cannot be read as a network; give a classifier's file.") from None
    objects = np.zeros((len(photographs.entries), OBJECTS), np.float16)
    for i, (height, width) in enumerate(photographs.sizes):
        photo = np.ascontiguousarray(photographs.pixels[i, :height, :width])
        squashed = cv2.resize(photo, (OBJECT_INPUT, OBJECT_INPUT), interpolation=cv2.INTER_AREA)
        scores = compiled(squashed[None])[0].astype(np.float32).ravel()
        objects[i] = scores / max(float(scores.sum()), 1e-6)
    return objects


def find_related(
    photographs: Photographs, content: NDArray[np.float16] | None, count: int = RELATIVES
) -> NDArray[np.int32]:
    """The likest other photographs, likest first: same class before all, then by content.

    Args:
        content: (N, C) soft labels, compared by their Bhattacharyya affinity; None goes by class alone.
    Returns:
        (N, K) indices, K at most `count`, -1 where nothing else is of the class or has content in common.
    """
    total = len(photographs.entries)
    features = np.sqrt((np.zeros((total, 1)) if content is None else content).astype(np.float32))
    names = sorted({e.label for e in photographs.entries if e.label})
    position = {name: i for i, name in enumerate(names)}
    labels = np.array([position.get(e.label, -1) for e in photographs.entries])
    count = max(1, min(count, total - 1))
    related = np.empty((total, count), np.int32)
    for start in range(0, total, 1024):
        rows = np.arange(start, min(start + 1024, total))
        affinity = features[rows] @ features.T
        affinity += 2 * ((labels[rows, None] == labels) & (labels[rows, None] >= 0))
        affinity[np.arange(len(rows)), rows] = -1
        related[rows] = _likest(affinity, count)
    return related


def _likest(affinity: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Columns of the greatest affinities above 0, greatest first: (rows, count), -1 where there are no more."""
    best = np.argpartition(-affinity, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(affinity, best, 1)
    order = np.argsort(-found, 1, kind="stable")
    best, found = np.take_along_axis(best, order, 1), np.take_along_axis(found, order, 1)
    return np.where(found > 0, best, NOT_RELATED)
