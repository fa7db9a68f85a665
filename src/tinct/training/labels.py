"""Soft labels that teach an encoder what is where, and which photographs are related; all from frozen networks.

Each label set is optional: what is missing is simply not trained on.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinct.training.photographs import Photographs

SCENES, OBJECTS, UNLABELED = 365, 1001, 255
OBJECT_INPUT = 224


@dataclass(frozen=True)
class Labels:
    """Labels for a pool, in its order.

    Attributes:
        scenes: (N, 365) probabilities of places, rows of zeros where unknown; float16.
        objects: (N, 1001) probabilities of ImageNet classes (0 is background), likewise.
        segments: (N, 64, 64) uint8 class of each place of the photograph squashed to a square, 255 unknown.
        related: (N, K) int32, other photographs of the same class or with the likest content.
    """

    scenes: NDArray[np.float16]
    objects: NDArray[np.float16]
    segments: NDArray[np.uint8]
    related: NDArray[np.int32]

    @classmethod
    def load(cls, file: Path) -> Labels:
        """Read what `save` wrote."""
        with np.load(file) as data:
            return cls(data["scenes"], data["objects"], data["segments"], data["related"])

    def save(self, file: Path) -> None:
        """Write one compressed file."""
        np.savez_compressed(
            file, scenes=self.scenes, objects=self.objects, segments=self.segments, related=self.related
        )


def read_scenes(file: Path, photographs: Photographs) -> NDArray[np.float16]:
    """Read `path,scene1..scene5` with `index:probability` cells (top-5 smoothing, thesis on semantic guides)."""
    with file.open(newline="") as stream:
        rows = {line["path"]: [line[f"scene{k}"] for k in range(1, 6)] for line in csv.DictReader(stream)}
    scenes = np.zeros((len(photographs.entries), SCENES), np.float16)
    for row, entry in zip(scenes, photographs.entries, strict=True):
        for cell in rows.get(entry.path, ()):
            index, probability = cell.split(":")
            row[int(index)] = float(probability)
    return scenes


def read_segments(file: Path, photographs: Photographs) -> NDArray[np.uint8]:
    """Read label maps from an npz of `paths` and `labels`."""
    with np.load(file) as data:
        where = {str(path): i for i, path in enumerate(data["paths"])}
        labels = data["labels"]
    unknown = np.full(labels.shape[1:], UNLABELED, np.uint8)
    return np.stack([labels[where[e.path]] if e.path in where else unknown for e in photographs.entries])


def predict_objects(photographs: Photographs, network: Path) -> NDArray[np.float16]:
    """Run a frozen uint8 ImageNet classifier (OpenVINO) on every photograph, squashed to its input."""
    import cv2
    import openvino as ov

    compiled = ov.compile_model(ov.Core().read_model(network), "CPU")
    objects = np.zeros((len(photographs.entries), OBJECTS), np.float16)
    for i, (height, width) in enumerate(photographs.sizes):
        photo = np.ascontiguousarray(photographs.pixels[i, :height, :width])
        squashed = cv2.resize(photo, (OBJECT_INPUT, OBJECT_INPUT), interpolation=cv2.INTER_AREA)
        scores = compiled(squashed[None])[0].astype(np.float32).ravel()
        objects[i] = scores / max(float(scores.sum()), 1e-6)
    return objects


def find_related(
    photographs: Photographs, scenes: NDArray[np.float16], objects: NDArray[np.float16], count: int = 12
) -> NDArray[np.int32]:
    """The likest other photographs by the Bhattacharyya affinity of scene and object labels; same class first."""
    features = np.sqrt(np.concatenate([scenes, objects], 1).astype(np.float32))
    names = sorted({e.label for e in photographs.entries if e.label})
    labels = np.array([names.index(e.label) if e.label else -1 for e in photographs.entries])
    related = np.empty((len(features), count), np.int32)
    for start in range(0, len(features), 1024):
        rows = slice(start, start + 1024)
        affinity = features[rows] @ features.T
        affinity += (labels[rows, None] == labels[None]) & (labels[rows, None] >= 0)
        affinity[np.arange(len(affinity)), np.arange(start, start + len(affinity))] = -1
        best = np.argpartition(-affinity, count, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(affinity, best, 1), 1)
        related[rows] = np.take_along_axis(best, order, 1)
    return related


def collect(photographs: Photographs, scenes: Path, segments: Path, classifier: Path) -> Labels:
    """All labels for a pool."""
    scene_labels = read_scenes(scenes, photographs)
    objects = predict_objects(photographs, classifier)
    related = find_related(photographs, scene_labels, objects)
    return Labels(scene_labels, objects, read_segments(segments, photographs), related)
