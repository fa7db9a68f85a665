"""Contestants, which answer a protocol's cases: a registered method, plain gray, finished pictures, or a function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tinct.errors import EvaluationError, MethodError, OptionError, ShapeError, shown
from tinct.evaluation.photographs.rgb import Image, read_rgb, to_8bit
from tinct.evaluation.protocols.case import Case
from tinct.evaluation.run.code_hash import method_code
from tinct.evaluation.run.pictures import file_name
from tinct.hints import HintField
from tinct.methods.method import Reference
from tinct.options import Options
from tinct.photo.formats import READ_SUFFIXES

if TYPE_CHECKING:
    from tinct.colorizing.colorizer import Colorizer

Array = NDArray[np.float32]
Predictor = Callable[[Array, HintField, Sequence[Reference]], Array]
"""Takes (lightness (H, W), hints, references) and returns ab (H, W, 2): a network in training, for example."""


@runtime_checkable
class Contestant(Protocol):
    """The interface of a contestant.

    Attributes:
        name: its row in tables.
        weights_sha256: hash of the weights that the contestant runs, or None.
        code: hash of the source that this contestant's answers alone rest on (`tinct.evaluation.run.code_hash`), "" if
            they rest on none, None if the source is not known.
    """

    @property
    def name(self) -> str:
        """The contestant's row in tables."""

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights that the contestant runs, or None."""

    @property
    def code(self) -> str | None:
        """Hash of the source that this contestant's answers alone rest on, "", or None if it is not known."""

    def cannot(self, case: Case) -> str:
        """The reason why the contestant cannot answer a case ("needs a reference"), or "" if it can."""
        ...

    def answer(self, case: Case) -> Image:
        """The colorized photograph, sRGB, shape (H, W, 3), uint8, at the case's size.

        A method answers with its default seed, as it does for users: another seed gives an alternative.
        """
        ...


@dataclass(frozen=True, slots=True)
class Gray:
    """The photograph without color: the baseline of every table."""

    name: str = "gray"
    weights_sha256: str | None = None
    code: str = ""

    def cannot(self, case: Case) -> str:
        """The empty text: every case can be answered."""
        return ""

    def answer(self, case: Case) -> Image:
        """The gray photograph, sRGB, shape (H, W, 3), uint8."""
        return case.gray()


class RegisteredMethod:
    """A method of the registry, asked through `Colorizer` as users ask it.

    Args:
        name: key in `tinct.methods.METHODS`.
        options: attributes of `Options` with values other than the defaults; tables name them beside the method.
    """

    def __init__(self, name: str, options: Mapping[str, float] | None = None) -> None:
        from tinct.methods import METHODS, get_method

        self.options = dict(options or {})
        settings = ",".join(
            f"{key}={value}" if isinstance(value, int) else f"{key}={value:g}"
            for key, value in self.options.items()
        )
        self.name = f"{name}:{settings}" if settings else name
        self.method = get_method(name)
        self.weights_sha256 = self.method.weights_sha256
        self.code = method_code(METHODS[name].partition(":")[0])
        self._last: tuple[tuple[object, ...], Colorizer | None] = (), None

    def cannot(self, case: Case) -> str:
        """The reason why the method cannot answer a case, or "" if it can."""
        if self.method.needs_reference and not case.references:
            return "needs a reference"
        if self.method.needs_hints and not case.patches:
            return "needs hints"
        if case.references and not self.method.uses_references:
            return "makes no use of a reference"
        return ""

    def answer(self, case: Case) -> Image:
        """The colorized photograph, sRGB, shape (H, W, 3), uint8."""
        colorizer = self._at_hand(case)
        colorizer.clear_hints()
        for patch in case.patches:
            colorizer.add_hint(patch.rectangle())
        return _rounded(colorizer.render().to_array())

    def _at_hand(self, case: Case) -> Colorizer:
        """A colorizer of the case's photograph and references: the last case's one, if both are the same arrays."""
        from tinct.colorizing.colorizer import Colorizer

        asked = (case.lightness, *case.references)
        known, colorizer = self._last
        same = len(asked) == len(known) and all(one is other for one, other in zip(asked, known, strict=True))
        if colorizer is None or not same:
            options: dict[str, Any] = {"method": self.method.name, **self.options}
            gray, references = _sixteen_bit_gray(case), list(case.references) or None
            colorizer = Colorizer(gray, references, **options)
            self._last = asked, colorizer
        return colorizer


RESERVED = ("truth", "gray", "reference")
"""Names of pictures in a run's folder that no method made."""


def check_name(name: str) -> None:
    """Refuse a contestant's name that is no plain file name, or that stands for what no contestant made.

    Raises:
        EvaluationError: if the name is one of `RESERVED`, empty, or leads to another folder.
    """
    if name in (*RESERVED, "", ".", "..") or set(name) & set("/\\\0"):
        raise EvaluationError(
            f"{name!r} cannot be the name of a contestant; give a plain name, none of {', '.join(RESERVED)}."
        )


class FinishedPictures:
    """A folder of pictures that another program colorized, with the photographs' file names (any extension).

    Pictures may also lie in folders as the photographs do, or be called as `tinct evaluate --pictures` calls them.

    Args:
        name: the contestant's name.
        folder: of the pictures.
    Raises:
        EvaluationError: if the name is reserved or no plain name, or the folder does not exist.
    """

    weights_sha256: str | None = None

    def __init__(self, name: str, folder: Path) -> None:
        check_name(name)
        if not folder.is_dir():
            raise EvaluationError(
                f"{folder} is not a folder; give NAME=FOLDER with the finished pictures of NAME."
            )
        self.name, self.folder = name, folder
        self._files = {
            _stem(p, folder): p for p in sorted(folder.rglob("*")) if p.suffix.lower() in READ_SUFFIXES
        }

    @cached_property
    def code(self) -> str:
        """A hash of the pictures, in place of the other program's source."""
        digest = hashlib.sha256()
        for name, file in self._files.items():
            digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()[:12]

    def check(self, photographs: Sequence[str]) -> None:
        """Refuse a folder that has none of the photographs' pictures.

        Raises:
            EvaluationError: if it has none of any of these names.
        """
        if photographs and not any(map(self._file, photographs)):
            stem = Path(photographs[0]).stem
            raise EvaluationError(
                f"{self.folder} has no picture of any of {len(photographs)} photographs; name them as these are, "
                f"{shown(stem)} with any extension, say."
            )

    def _file(self, photograph: str) -> Path | None:
        name = Path(photograph)
        named = (name.with_suffix("").as_posix(), name.stem, file_name(photograph))
        return next((self._files[each] for each in named if each in self._files), None)

    def cannot(self, case: Case) -> str:
        """The reason "no finished picture" if the folder has none for the case's photograph, else ""."""
        return "" if self._file(case.photograph.name) else "no finished picture"

    def answer(self, case: Case) -> Image:
        """The finished picture of the case's photograph, sRGB, shape (H, W, 3), uint8."""
        file = self._file(case.photograph.name)
        assert file is not None
        return read_rgb(file)


@dataclass(frozen=True, slots=True)
class CallablePredictor:
    """A plain function from lightness, hints and references to ab as a contestant.

    Attributes:
        predict: the function; the arrays that it is given are its own.
        name: a plain file name, in a report's tables.
        weights_sha256: of the network's file, if the function runs one.
        code: names the version of the function. A run that goes on takes records of the same version over; where
            this is None, it measures again.
    """

    predict: Predictor
    name: str = "predictor"
    weights_sha256: str | None = None
    code: str | None = None

    def cannot(self, case: Case) -> str:
        """The empty text: every case can be answered."""
        return ""

    def answer(self, case: Case) -> Image:
        """The function's a*, b* under the photograph's lightness, sRGB, shape (H, W, 3), uint8.

        Raises:
            ShapeError: if the function's result has another shape than (H, W, 2).
        """
        from tinct.color.gamut import merge_lightness

        given = case.lightness.copy(), case.hint_field(), case.reference_arrays()
        ab = np.asarray(self.predict(*given), np.float32)
        if ab.shape != (*case.lightness.shape, 2):
            raise ShapeError(f"{self.name} gave ab of {ab.shape}; {(*case.lightness.shape, 2)} is wanted.")
        return to_8bit(merge_lightness(case.lightness, ab))


def identity(contestant: Contestant) -> dict[str, object]:
    """The facts that must be equal for a contestant's records to be taken over from an earlier run."""
    return {"weights_sha256": contestant.weights_sha256, "code": contestant.code}


def get_contestant(text: str) -> Contestant:
    """The contestant that a text names.

    Args:
        text: `gray`, a method's name, METHOD:OPTION=NUMBER[,OPTION=NUMBER], or NAME=FOLDER of finished pictures.
    Raises:
        OptionError: if an option is unknown or not a number.
        MethodError: if no method has that name.
        EvaluationError: if the folder does not exist.
    """
    from tinct.methods import METHODS, unknown_method

    method, _, settings = text.partition(":")
    if settings and method in METHODS:
        return RegisteredMethod(method, _settings(settings))
    name, separator, folder = text.partition("=")
    if separator:
        return FinishedPictures(name, Path(folder))
    if name == "gray":
        return Gray()
    if name not in METHODS:
        raise MethodError(unknown_method(name, ("gray", *METHODS)))
    return RegisteredMethod(name)


def _settings(text: str) -> dict[str, float]:
    """Options written as OPTION=NUMBER[,OPTION=NUMBER]."""
    settings: dict[str, float] = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        try:
            number = float(value)
        except ValueError:
            raise OptionError(f"{part!r} is not OPTION=NUMBER; write for example vividness=0.") from None
        settings[key] = int(number) if number.is_integer() else number
    Options.from_mapping(settings)
    return settings


def checked_answer(contestant: Contestant, case: Case) -> Image:
    """A contestant's answer, if it has the photograph's size.

    Raises:
        ShapeError: if the sizes differ.
    """
    result = contestant.answer(case)
    height, width = case.lightness.shape
    if result.shape != (height, width, 3):
        met = "x".join(str(n) for n in reversed(result.shape[:2]))
        raise ShapeError(
            f"{contestant.name} gave {met} for {case.photograph.name}, which is {width}x{height}; "
            "results are compared at the photograph's own size."
        )
    return result


def _sixteen_bit_gray(case: Case) -> NDArray[np.uint16]:
    """The case's lightness as a 16-bit gray photograph, (H, W): finer than the 8 bits of the answers."""
    from tinct.color.gamut import merge_lightness

    gray = merge_lightness(case.lightness, np.zeros((*case.lightness.shape, 2), np.float32))[..., 0]
    return np.rint(np.clip(gray, 0, 1) * 65535).astype(np.uint16)


def _rounded(rgb: NDArray[Any]) -> Image:
    if rgb.dtype == np.uint8:
        return rgb
    scale = np.float32(65535 if rgb.dtype == np.uint16 else 1)
    return to_8bit(rgb.astype(np.float32) / scale)


def _stem(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()
