"""Photographs of chosen classes out of COCO's instances JSON, as an index to train on.

The format: cocodataset.org, "Data format", object detection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tinct.errors import OptionError, PhotoError
from tinct.training.index import path_in_index, write_index

COLUMNS = ("path", "set", "class", "weight")
"""Columns of the index that is written."""


@dataclass(frozen=True)
class Instances:
    """The part of an instances file that is needed.

    Attributes:
        files: image id -> file name and pixels (height times width).
        classes: category id -> name.
        areas: (image id, category id) -> pixels under all instances of the category, crowds included; where
            instances overlap they count twice.
    """

    files: dict[int, tuple[str, int]]
    classes: dict[int, str]
    areas: dict[tuple[int, int], float]


@dataclass(frozen=True)
class Selection:
    """The photographs that were chosen, and counts of the others.

    Attributes:
        photographs: path and class of each, in order of their names.
        small: how many show the chosen classes, but too small.
        missing: names of files that the folder lacks.
    """

    photographs: tuple[tuple[Path, str], ...]
    small: int
    missing: tuple[str, ...]


def read_instances(file: Path) -> Instances:
    """Read COCO's instances JSON.

    Raises:
        PhotoError: if it is missing, not JSON, or not an instances file.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PhotoError(f"{file} cannot be read ({error.strerror}); give COCO's instances JSON.") from None
    except ValueError:
        raise PhotoError(f"{file} is not JSON; give COCO's instances_....json.") from None
    try:
        return _instances(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise PhotoError(
            f"{file} is no instances file: images, annotations with category_id and area, and categories are wanted."
        ) from None


def choose(instances: Instances, images: Path, classes: Sequence[str], share: float = 0.0) -> Selection:
    """The photographs that show chosen classes; each is of the class that covers most of it.

    Args:
        images: the folder of the photographs.
        classes: names of categories.
        share: least part of the photograph that its class must cover, 0..1: where an object is tiny, the
            photograph's colors are not its own.
    Raises:
        OptionError: if a class is not among the categories, or share not in 0..1.
        PhotoError: if the folder does not exist.
    """
    if not 0 <= share <= 1:
        raise OptionError(f"share is {share}; it must be 0 (any size) to 1 (the whole photograph).")
    if not images.is_dir():
        raise PhotoError(f"{images} is no folder; give the one of the photographs.")
    known = {name: number for number, name in instances.classes.items()}
    wanted = {known[_known(name, known)] for name in classes}
    found, small, missing = [], 0, []
    for number, (name, pixels) in sorted(instances.files.items(), key=lambda item: item[1]):
        areas = {c: instances.areas[number, c] for c in sorted(wanted) if (number, c) in instances.areas}
        if not areas:
            continue
        best = max(areas, key=lambda c: areas[c])
        if areas[best] < share * pixels:
            small += 1
        elif (images / name).is_file():
            found.append((images / name, instances.classes[best]))
        else:
            missing.append(name)
    return Selection(tuple(found), small, tuple(missing))


def write_coco_index(selection: Selection, index: Path) -> None:
    """Write `path,set,class,weight` lines, as `tinct data pack`, `tinct train` and `tinct evaluate` read them.

    Raises:
        PhotoError: if nothing was chosen.
        OutputError: if the file cannot be written.
    """
    if not selection.photographs:
        missing, small = len(selection.missing), selection.small
        raise PhotoError(
            f"no photograph to write: {missing} are not in the folder, {small} show too little of the classes; "
            "give the folder that goes with the file, or other classes."
        )
    lines: Iterable[dict[str, object]] = (
        {"path": path_in_index(path, index), "set": "coco", "class": name, "weight": 1}
        for path, name in selection.photographs
    )
    write_index(lines, COLUMNS, index)


def _instances(content: Any) -> Instances:
    files = {
        int(image["id"]): (str(image["file_name"]), int(image["height"]) * int(image["width"]))
        for image in content["images"]
    }
    classes = {int(category["id"]): str(category["name"]) for category in content["categories"]}
    areas: dict[tuple[int, int], float] = {}
    for annotation in content["annotations"]:
        key = int(annotation["image_id"]), int(annotation["category_id"])
        areas[key] = areas.get(key, 0.0) + float(annotation["area"])
    return Instances(files, classes, areas)


def _known(name: str, known: dict[str, int]) -> str:
    if name in known:
        return name
    near = get_close_matches(name, known, 3) or sorted(known)
    raise OptionError(f"no class is called {name!r}; choose from {', '.join(near)}.")
