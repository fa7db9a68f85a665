"""Project files: a photograph's hints, options and references, from which its result is made again, byte for byte.

A project is JSON that names its photographs by file name and SHA-256 and holds none of them. The files lie beside the
project or in folders there, under any name, or are given again; a file with another hash is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tinct.errors import OptionError, PhotoError, ProjectError, shown
from tinct.files import sha256_of_file
from tinct.hints import HintLike, hints_from_json
from tinct.hints.window import Scale
from tinct.options import Options
from tinct.version import __version__

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer
    from tinct.photo import Photo

VERSION = 1
"""Version of the file format."""

_LARGEST_FILE = 64 << 20


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A photograph's file as a project names it.

    Attributes:
        name: the file name, without a folder.
        sha256: of the content, 64 hexadecimal digits.
    """

    name: str
    sha256: str

    def find(self, *folders: Path) -> Path:
        """The path of the file in a folder: the one of its name, else one of its content there or in folders below.

        The same photograph may have another name by now, and two of one name cannot lie in one folder.

        Args:
            folders: one or more, in the order in which they are searched.
        Raises:
            ProjectError: if the file is not there, or has another hash.
        """
        from tinct.colorizing.renamed_files import renamed_file

        called_so = [path for folder in folders if os.path.isfile(path := folder / self.name)]
        for path in called_so:
            if photo_sha256(path) == self.sha256:
                return path
        for folder in folders:
            if (found := renamed_file(self.name, self.sha256, folder)) is not None:
                return found
        if called_so:
            raise ProjectError(
                f"{called_so[0]} is not the file that the project was made with, and none near it is; put that one "
                "there, under any name."
            )
        raise ProjectError(
            f"the project names {self.name}, and nothing in {folders[0]} is that file, by any name; put it beside the "
            "project."
        )


@dataclass(frozen=True, slots=True)
class ProjectPhoto(NamedFile):
    """The photograph of a project: its file, and its width and height in pixels, to which the hints belong."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ProjectReference(NamedFile):
    """A reference of a project: its file, and its weight beside the others, 0..1."""

    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Project:
    """The inputs of a photograph's colorization.

    Attributes:
        photo: the photograph.
        references: in their order, which swatches count by.
        hints: as `read_hints` takes them in JSON, in pixels of the photograph.
        options: the options.
        made_with: the program's version, the method and its weights' hash when the project was saved; for a warning.
    """

    photo: ProjectPhoto
    references: tuple[ProjectReference, ...] = ()
    hints: dict[str, Any] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    made_with: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Project:
        """Read a project file.

        Raises:
            ProjectError: if the file is missing or not a project.
        """
        try:
            with Path(path).open("rb") as file:
                text = file.read(_LARGEST_FILE)
        except OSError as error:
            raise ProjectError(f"{path}: cannot be read ({error.strerror}); give a project file.") from None
        try:
            return cls.from_json(json.loads(text))
        except (ValueError, RecursionError) as error:
            if isinstance(error, ProjectError | OptionError):
                raise ProjectError(f"{path}: {error}") from None
            raise ProjectError(
                f"{path}: is not a project file (not JSON); give one that tinct saved."
            ) from None

    @classmethod
    def from_json(cls, content: Any) -> Project:
        """Read a project from JSON's objects and lists.

        Raises:
            ProjectError, OptionError: if the content is not a project, or has a later version.
        """
        if not isinstance(content, dict) or "photo" not in content:
            raise ProjectError("this is not a project; give a file that tinct saved.")
        if content.get("version") != VERSION:
            raise ProjectError(
                f"the project is of version {shown(content.get('version'))}; this tinct reads {VERSION}; update it."
            )
        try:
            photo = ProjectPhoto(*_named(content["photo"]), *_size(content["photo"]))
            references = tuple(
                ProjectReference(*_named(each), _weight(each)) for each in content.get("references", [])
            )
        except (KeyError, TypeError) as error:
            raise ProjectError(f"the project lacks something ({error}); save it again.") from None
        hints = content.get("hints") or {}
        if not isinstance(hints, dict):
            raise ProjectError("the project's hints are not an object of lists; save it again.")
        return cls(
            photo, references, hints, Options.from_mapping(content.get("options")), _made_with(content)
        )

    def to_json(self) -> dict[str, Any]:
        """The project as JSON's objects and lists."""
        return {
            "version": VERSION,
            "photo": asdict(self.photo),
            "references": [asdict(reference) for reference in self.references],
            "hints": self.hints,
            "options": asdict(self.options),
            "made_with": self.made_with,
        }

    def write(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write the project file, whole or not at all.

        Raises:
            OutputError: if the file exists already or cannot be written.
        """
        from tinct.photo.writing import write_atomically

        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False).encode() + b"\n"
        write_atomically(Path(path), lambda stream: _put(stream, text), source=None, overwrite=overwrite)

    def notes(self, colorizer: Colorizer) -> list[str]:
        """Reasons why a replay may differ from the saved result: another version, another method, other weights."""
        now, before = made_with(colorizer), self.made_with
        changed = [name for name, value in before.items() if value != now.get(name)]
        return [
            f"the project was made with {name} {before[name]}, this is {now.get(name)}" for name in changed
        ]

    def check_photo(self, photo: Photo) -> None:
        """Refuse the project's own photograph if hints were made for another size of it.

        Raises:
            ProjectError: if the project states another width or height.
        """
        if (photo.width, photo.height) != (self.photo.width, self.photo.height):
            raise ProjectError(
                f"the project says that {self.photo.name} is {self.photo.width}x{self.photo.height}, and it is "
                f"{photo.width}x{photo.height}; save the project again."
            )

    def hints_for(self, size: tuple[int, int]) -> tuple[HintLike, ...]:
        """The hints for a photograph of another size, at the same relative places.

        Args:
            size: width and height in pixels.
        Raises:
            HintError, ColorError: if a hint is malformed.
        """
        own = (self.photo.width, self.photo.height)
        hints = hints_from_json(self.hints, own)
        return hints if own == size else tuple(Scale(own, size).hint(hint) for hint in hints)


def replay(
    project: Project,
    photo: Photo,
    references: Sequence[Any] = (),
    *,
    with_hints: bool = True,
    extra_references: Iterable[Any] = (),
) -> Colorizer:
    """The colorizer of a photograph, with a project's options, references and hints.

    Args:
        project: the project.
        photo: the project's photograph, or another one.
        references: the project's references, in its order, of any kind that `colorize` takes.
        with_hints: True for the project's hints, at the same relative places; False for no hints.
        extra_references: further references, after the project's.
    Raises:
        ProjectError: if there are not as many references as the project names.
        TinctError: the errors of `Colorizer`.
    """
    from tinct.colorizing.colorizer import Colorizer

    extra = list(extra_references)
    if len(references) != len(project.references):
        raise ProjectError(
            f"the project has {len(project.references)} references, and {len(references)} were given; give all."
        )
    colorizer = Colorizer(photo)
    colorizer.options = project.options
    weights = [reference.weight for reference in project.references] + [1.0] * len(extra)
    colorizer.set_references([*references, *extra], weights)
    for hint in project.hints_for((photo.width, photo.height)) if with_hints else ():
        colorizer.add_hint(hint)
    return colorizer


def made_with(colorizer: Colorizer) -> dict[str, str | None]:
    """The version of tinct, the method and its weights' hash, which a result depends on beside its project."""
    said = colorizer.provenance
    return {"tinct": __version__, "method": said.method, "weights_sha256": said.weights_sha256}


def photo_sha256(path: Path) -> str:
    """The SHA-256 of a photograph's file, 64 hexadecimal digits.

    Raises:
        PhotoError: if the file cannot be read.
    """
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise PhotoError(f"{path} cannot be opened ({error.strerror}); check the path.") from None


def is_own_name(name: str) -> bool:
    """True if a name is a file's own, which no folder is part of, on any platform."""
    return Path(name).name == name and name not in ("", "..") and not {"\\", "\0"} & set(name)


def _named(content: dict[str, Any]) -> tuple[str, str]:
    """A file's name and hash; a name that leads out of the folder is nobody's photograph."""
    name, sha256 = content["name"], content["sha256"]
    if not isinstance(name, str) or not is_own_name(name):
        raise ProjectError(f"{shown(name)} is not a file's own name; the project names files beside it.")
    if not isinstance(sha256, str) or len(sha256) != 64:
        raise ProjectError(f"the project has no SHA-256 for {shown(name)}; save it again.")
    return name, sha256.lower()


def _size(content: dict[str, Any]) -> tuple[int, int]:
    width, height = content["width"], content["height"]
    if not (type(width) is int and type(height) is int and width > 0 and height > 0):
        raise ProjectError(
            f"the project's photograph is {shown(width)}x{shown(height)} pixels; save it again."
        )
    return width, height


def _weight(content: dict[str, Any]) -> float:
    weight = content.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise ProjectError(f"a reference's weight is {shown(weight)}; it must be 0 to 1.")
    return float(weight)


def _made_with(content: dict[str, Any]) -> dict[str, str | None]:
    found = content.get("made_with")
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str | None)}


def _put(stream: BinaryIO, text: bytes) -> None:
    stream.write(text)
