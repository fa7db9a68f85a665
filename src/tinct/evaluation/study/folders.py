"""The pictures of a study: a folder of finished pictures for each method, with the same file names in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinct.errors import EvaluationError
from tinct.photo.formats import SUFFIXES

TRUTH, GRAY, REFERENCE = "truth", "gray", "reference"
"""Names of folders that are no method: true photographs, gray ones, references."""

ASPECT_TOLERANCE = 0.02
"""Largest relative difference of the aspect ratios of two results, as rounding gives for small pictures."""


@dataclass(frozen=True, slots=True)
class StudyPictures:
    """The pictures that a study shows.

    Attributes:
        photographs: names of the photographs that every method has, in order.
        methods: method -> photograph -> file.
        truth, gray, reference: photograph -> file; empty if there is no such folder.
        left_out: names of the photographs that some method lacks.
    """

    photographs: tuple[str, ...]
    methods: dict[str, dict[str, Path]]
    truth: dict[str, Path] = field(default_factory=dict)
    gray: dict[str, Path] = field(default_factory=dict)
    reference: dict[str, Path] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def picture(self, method: str, photograph: str) -> Path:
        """The file of a method, or of `truth`, for a photograph."""
        return self.truth[photograph] if method == TRUTH else self.methods[method][photograph]


def find_pictures(sources: Sequence[str | Path], truth: Path | None = None) -> StudyPictures:
    """Find the pictures of a study.

    Args:
        sources: NAME=FOLDER or FOLDER (whose name is the method's) for each method; or one folder with such folders in
            it, as the output of `tinct evaluate --pictures` and its `pictures` folder have them.
        truth: the folder of true photographs, if it is not the folder `truth` beside the methods'.
    Raises:
        EvaluationError: if a folder is missing or empty, two folders have one name, a folder has two pictures of a
            photograph, no photograph is in all folders, or the pictures of a photograph differ in shape.
    """
    folders = dict(_named(sources))
    if truth is not None:
        folders[TRUTH] = truth
    return pictures_in(folders)


def pictures_in(folders: Mapping[str, Path]) -> StudyPictures:
    """The pictures of a study in the folders of its methods, by name, and of `truth`, `gray` and `reference`.

    Raises:
        EvaluationError: as `find_pictures` does.
    """
    folders = dict(folders)
    special = {name: _pictures(folders.pop(name)) for name in (TRUTH, GRAY, REFERENCE) if name in folders}
    methods = {name: _pictures(folder) for name, folder in folders.items()}
    if not methods:
        raise EvaluationError("there are no results to show; give a folder of pictures for each method.")
    every = set().union(*methods.values())
    shared = set.intersection(*(set(pictures) for pictures in methods.values()))
    if not shared:
        raise EvaluationError(
            f"the folders of {', '.join(methods)} have no file name in common; "
            "name results alike in every folder."
        )
    found = StudyPictures(tuple(sorted(shared)), methods, **special, left_out=tuple(sorted(every - shared)))
    _check_sizes(found)
    return found


def _named(sources: Sequence[str | Path]) -> list[tuple[str, Path]]:
    if len(sources) == 1 and "=" not in str(sources[0]):
        inside = _subfolders(Path(sources[0]))
        if inside:
            return [(folder.name, folder) for folder in inside]
    pairs = [_pair(str(source)) for source in sources]
    names = [name for name, _ in pairs]
    if unnamed := [folder for name, folder in pairs if not name]:
        raise EvaluationError(f"{unnamed[0]} has no name; write NAME=FOLDER.")
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise EvaluationError(
            f"two folders are called {twice.pop()!r}; write NAME=FOLDER to tell them apart."
        )
    return pairs


def _subfolders(folder: Path) -> list[Path]:
    folder = folder / "pictures" if (folder / "pictures").is_dir() else folder
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not a folder; give a folder of pictures for each method.")
    return sorted(
        p for p in folder.iterdir() if p.is_dir() and any(_is_picture(file) for file in p.rglob("*"))
    )


def _pair(source: str) -> tuple[str, Path]:
    name, separator, folder = source.partition("=")
    return (name.strip(), Path(folder)) if separator else (Path(source).resolve().name, Path(source))


def _pictures(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not a folder; give a folder of pictures for each method.")
    found: dict[str, Path] = {}
    for path in filter(_is_picture, sorted(folder.rglob("*"))):
        other = found.setdefault(photograph_name(path.relative_to(folder)), path)
        if other != path:
            raise EvaluationError(f"{other} and {path} are results of one photograph; keep one of them.")
    if not found:
        raise EvaluationError(
            f"{folder} has no pictures ({', '.join(sorted(suffix[1:] for suffix in SUFFIXES))})."
        )
    return found


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def photograph_name(path: Path) -> str:
    """The name of the photograph that a file shows: `a__b` for `a/b.jpg`, `a__b.jpg.png` and `a/b.color.png`."""
    name = "__".join(path.parts)
    while Path(name).suffix.lower() in {*SUFFIXES, ".color"} and Path(name).stem:
        name = name[: -len(Path(name).suffix)]
    return name


def _check_sizes(found: StudyPictures) -> None:
    """Refuse results that differ in shape, by which participants could tell methods apart.

    Raises:
        EvaluationError: if the pictures of one photograph differ in aspect ratio, or a file is no image.
    """
    for photograph in found.photographs:
        files = [pictures[photograph] for pictures in found.methods.values()]
        files += [found.truth[photograph]] if photograph in found.truth else []
        sizes = [picture_size(file) for file in files]
        for shown in (found.gray, found.reference):
            if photograph in shown:
                picture_size(shown[photograph])
        ratios = [width / height for width, height in sizes]
        if max(ratios) > min(ratios) * (1 + ASPECT_TOLERANCE):
            one, other = ratios.index(min(ratios)), ratios.index(max(ratios))
            raise EvaluationError(
                f"{files[one]} is {_size(sizes[one])} but {files[other]} is {_size(sizes[other])}; "
                "give results of one shape, or a blind comparison gives them away."
            )


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of an image file in pixels, upright, read from the header alone.

    Raises:
        EvaluationError: if the file is not an image.
    """
    from PIL import Image

    from tinct.photo.pillow_reading import opened_formats

    try:
        with Image.open(path, formats=opened_formats()) as image:
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # EXIF orientation: rows are columns
            return (image.height, image.width) if turned else (image.width, image.height)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise EvaluationError(f"{path} cannot be decoded ({error}); repair it or take it out.") from None


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
