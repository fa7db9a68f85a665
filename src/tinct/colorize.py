"""The one path from a black-and-white photograph to a color one, behind every front door."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from os import PathLike
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from tinct.errors import HintError, MethodError, OptionError, PhotoError, ReferencePhotoError
from tinct.hints import HintField, HintLike, Swatch, as_hint, as_hints, place_hints, read_hints
from tinct.methods import METHODS, EditableMethod, Method, Prediction, Reference, get_method
from tinct.options import Options
from tinct.photo import Photo, Provenance
from tinct.rendering import render

if TYPE_CHECKING:
    from PIL import Image

Array = NDArray[np.float32]
AnyArray = TypeVar("AnyArray", bound=NDArray[Any])

LEARNED = "tinct"
"""The released network's name: the method of choice wherever it is installed."""

SWATCHES = "welsh"
"""The method that takes colors from boxes that the user paired."""

CLASSICAL = "gupta"
"""For references without the network: on 24 pairs of one class its mean difference to the truth was the least of the
five classical methods (CIEDE2000 12.5; pierre 12.9, histogram 13.1, reinhard 13.5, welsh 14.2)."""


@overload
def colorize(
    photo: str | PathLike[str] | Photo, reference: Any = ..., hints: Any = ..., **options: Any
) -> Photo: ...
@overload
def colorize(photo: bytes, reference: Any = ..., hints: Any = ..., **options: Any) -> bytes: ...
@overload
def colorize(photo: AnyArray, reference: Any = ..., hints: Any = ..., **options: Any) -> AnyArray: ...
@overload
def colorize(photo: Image.Image, reference: Any = ..., hints: Any = ..., **options: Any) -> Image.Image: ...


def colorize(photo: Any, reference: Any = None, hints: Any = None, **options: Any) -> Any:
    """Colorize a photograph.

    Args:
        photo: a path, a file's bytes, a PIL image, a `Photo`, or an array of shape (H, W), (H, W, 3) or
            (H, W, 4): uint8 or uint16 over its whole range, or float in 0..1.
        reference: a color photograph to take colors from, in any of these kinds, or a list of several.
        hints: `Hint`, `Stroke`, `Rectangle`, `Swatch` and `HintImage` objects or plain `(x, y, "#rrggbb")`,
            in pixels of the photograph; or the path of a file of hints.
        options: the attributes of `Options`: method, size, strength, vividness, chroma_only, seed.
    Returns:
        The same kind as the photo: bytes for bytes, in their own format (PNG where tinct cannot write it);
        an image for an image; an array of the same type for an array, with three channels, or four where
        it has alpha. A path gives a `Photo`: nothing is written before you call its `write`. L* is kept.
    Raises:
        PhotoError, ShapeError: if the photograph cannot be read.
        ReferencePhotoError: if a reference has no color.
        HintError, ColorError: if a hint is outside the photograph or malformed.
        OptionError, MethodError: if an option is out of range, or the method cannot answer what was given.
    """
    colorizer = Colorizer(photo, reference, hints, **options)
    return colorizer.like(photo)


class Colorizer:
    """A photograph being colorized, for editing: set it once, change hints and references, look again.

    What does not change between two looks is not computed again: the photograph at the working size, the
    references, and what a method found before the user's hints are spread over it.
    """

    def __init__(self, photo: Any = None, reference: Any = None, hints: Any = None, **options: Any) -> None:
        """Begin with what `colorize` takes; everything can be set later."""
        self._options = _options(Options(), options)
        self._photo: Photo | None = None
        self._references: tuple[Photo, ...] = ()
        self._hints: dict[int, HintLike] = {}
        self._next_hint = 0
        self._found: dict[Any, Any] = {}
        self._placed_references: dict[int, list[Reference]] = {}
        if photo is not None:
            self.set_photo(photo)
        self.set_references(reference)
        for hint in self._read_hints(hints):
            self.add_hint(hint)

    @property
    def photo(self) -> Photo:
        """The photograph.

        Raises:
            PhotoError: if none is set.
        """
        if self._photo is None:
            raise PhotoError("there is no photograph to colorize; call set_photo first.")
        return self._photo

    @property
    def options(self) -> Options:
        """The options in force."""
        return self._options

    @property
    def hints(self) -> dict[int, HintLike]:
        """The hints by the number that `add_hint` gave them, in the order they were added."""
        return dict(self._hints)

    @property
    def method(self) -> Method:
        """The method that answers for what is given now.

        Raises:
            MethodError: if it cannot answer.
        """
        swatches = [isinstance(hint, Swatch) for hint in self._hints.values()]
        has_hints, has_swatches = not all(swatches), any(swatches)
        return choose_method(self._options.method, bool(self._references), has_hints, has_swatches)

    @property
    def provenance(self) -> Provenance:
        """What a written file says of its making: the method, and its weights' hash if it has any."""
        method = self.method
        return Provenance(method.name, getattr(method, "weights_sha256", None))

    def set_photo(self, photo: Any) -> None:
        """Take a photograph of any kind that `colorize` takes; hints of an earlier one are dropped."""
        self._photo = as_photo(photo)
        self._hints.clear()
        self._found.clear()

    def set_references(self, reference: Any) -> None:
        """Take color photographs: None, one, or a list, of any kind that `colorize` takes.

        Raises:
            ReferencePhotoError: if one of them has no color to give.
        """
        sources = (
            reference if isinstance(reference, list | tuple) else [] if reference is None else [reference]
        )
        self._references = tuple(_reference_photo(source, n) for n, source in enumerate(sources))
        self._found.clear()
        self._placed_references.clear()

    def set_options(self, **changes: Any) -> None:
        """Change options by name; the others stay."""
        self._options = _options(self._options, changes)

    def add_hint(self, hint: Any) -> int:
        """Add a hint, or plain `(x, y, "#rrggbb")`, in pixels of the photograph.

        Returns:
            Its number, for `remove_hint`.
        Raises:
            HintError: if it is outside the photograph or malformed.
        """
        hint = as_hint(hint)
        self._place([hint], (1, 1), ())
        self._hints[self._next_hint] = hint
        self._next_hint += 1
        return self._next_hint - 1

    def remove_hint(self, number: int) -> None:
        """Take a hint back.

        Raises:
            HintError: if there is none of that number.
        """
        if self._hints.pop(number, None) is None:
            raise HintError(f"there is no hint number {number}; hints has the numbers that add_hint gave.")

    def clear_hints(self) -> None:
        """Take all hints back."""
        self._hints.clear()

    def predict(self) -> Prediction:
        """The chroma at the working size, with the hints honored; a* and b* before strength is applied."""
        method, size = self.method, self._size
        lightness = self._working_lightness()
        references = _kept(self._placed_references, size, lambda: _at_working_size(self._references, size))
        placed = self._place(self._hints.values(), lightness.shape, references)
        if isinstance(method, EditableMethod):
            seen = _kept(self._found, ("seen", method.name, size), lambda: method.look(lightness, references))
            return vivid(method.answer(seen, placed), self._options.vividness, placed)
        if method.honors_hints:
            return method.predict(lightness, placed, references, seed=self._options.seed)
        return self._spread(method, size, lightness, placed, references)

    def render(self) -> Photo:
        """The photograph in color at full resolution, with its metadata."""
        prediction = self.predict()
        hints = list(self._hints.values())
        result = render(self.photo, prediction.ab, self._working_lightness(), hints, self._options)
        result.provenance = self.provenance
        return result

    def like(self, source: Any) -> Any:
        """The photograph in color, as the same kind of thing as `source`; see `colorize`."""
        result = self.render()
        if isinstance(source, bytes | bytearray):
            return result.encode()
        if isinstance(source, np.ndarray):
            return result.to_array()
        if isinstance(source, str | PathLike | Photo):
            return result
        return result.to_image()

    def _spread(
        self, method: Method, size: int, lightness: Array, placed: HintField, references: Sequence[Reference]
    ) -> Prediction:
        """The method's own answer, found once, and the hints spread over it."""
        from tinct.methods.scribbles import spread_hints

        alone = replace(HintField.empty(*lightness.shape), swatches=placed.swatches)
        key = ("found", method.name, size, self._options.seed, placed.swatches)
        found: Prediction = _kept(
            self._found, key, lambda: method.predict(lightness, alone, references, seed=self._options.seed)
        )
        return spread_hints(lightness, found, placed) if placed else found

    @property
    def _size(self) -> int:
        return self._options.size or self.method.working_size

    def _working_lightness(self) -> Array:
        size = self._size
        lightness: Array = _kept(self._found, ("lightness", size), lambda: self.photo.working_lightness(size))
        return lightness

    def _place(
        self, hints: Iterable[HintLike], shape: tuple[int, ...], references: Sequence[Reference]
    ) -> HintField:
        own = [(photo.width, photo.height) for photo in self._references]
        working = [(ref.lightness.shape[1], ref.lightness.shape[0]) for ref in references]
        pairs = list(zip(own, working or own, strict=True))
        return place_hints(hints, (self.photo.width, self.photo.height), (shape[1], shape[0]), pairs)

    def _read_hints(self, hints: Any) -> Iterable[HintLike]:
        if isinstance(hints, str | PathLike | bytes):
            return read_hints(hints, (self.photo.width, self.photo.height))
        return as_hints(hints)


def vivid(prediction: Prediction, vividness: float, placed: HintField) -> Prediction:
    """Add what vividness asks for; hints keep exactly their color."""
    if prediction.vivid is None:
        return prediction
    from tinct.methods.scribbles import pin_hints

    ab = prediction.ab + np.float32(vividness) * prediction.vivid
    return Prediction(pin_hints(ab, placed), prediction.confidence)


def choose_method(
    name: str | None, has_reference: bool, has_hints: bool, has_swatches: bool = False
) -> Method:
    """The method that a name stands for, or the best one for what was given.

    A method of which nothing is known about swatches (no `uses_swatches`) makes no use of them.

    Raises:
        MethodError: if the name is unknown, the method needs what was not given, or cannot use what was.
    """
    method = get_method(name if name is not None else _fitting(has_reference, has_hints, has_swatches))
    if method.needs_reference and not has_reference:
        raise MethodError(
            f"{method.name} takes its colors from a reference and got none; give one (-r REFERENCE)."
        )
    if method.needs_hints and not has_hints:
        raise MethodError(f"{method.name} spreads hints and got none; give one.")
    if has_reference and method.needs_hints and not method.needs_reference:
        raise MethodError(
            f"{method.name} makes no use of a reference; leave it out or choose another method."
        )
    if has_swatches and not getattr(method, "uses_swatches", False):
        raise MethodError(f"{method.name} makes no use of swatches; leave them out or choose {SWATCHES}.")
    return method


def _fitting(has_reference: bool, has_hints: bool, has_swatches: bool) -> str:
    if has_swatches:
        return SWATCHES
    if LEARNED in METHODS:
        return LEARNED
    if has_reference:
        return CLASSICAL
    if has_hints:
        return "levin"
    raise MethodError(
        "there is neither a reference nor a hint, and no network is installed that colorizes by itself; "
        "give a color photograph (-r REFERENCE) or a colored point (--hint X,Y=#rrggbb)."
    )


def as_photo(source: Any) -> Photo:
    """Take a photograph of any kind: a path, bytes, a PIL image, an array, or a `Photo` as it is.

    Raises:
        PhotoError, ShapeError: if it cannot be read.
    """
    from PIL import Image

    if isinstance(source, Photo):
        return source
    if isinstance(source, np.ndarray):
        return Photo.from_array(source)
    if isinstance(source, Image.Image):
        return Photo.from_image(source)
    if isinstance(source, str | PathLike | bytes | bytearray) or hasattr(source, "read"):
        return Photo.read(bytes(source) if isinstance(source, bytearray) else source)
    raise PhotoError(
        f"a {type(source).__name__} is not a photograph; give a path, a file's bytes, an image or an array."
    )


def _reference_photo(source: Any, number: int) -> Photo:
    photo = as_photo(source)
    if photo.is_gray():
        name = photo.path or f"reference {number + 1}"
        raise ReferencePhotoError(
            f"{name} is gray or of a single tint; a reference must be a color photograph."
        )
    return photo


def _at_working_size(photos: Sequence[Photo], size: int) -> list[Reference]:
    labs = [photo.working_lab(size) for photo in photos]
    return [Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])) for lab in labs]


def _kept(cache: dict[Any, Any], key: Any, compute: Callable[[], Any]) -> Any:
    if key not in cache:
        cache[key] = compute()
    return cache[key]


def _options(options: Options, changes: dict[str, Any]) -> Options:
    known = [each.name for each in fields(Options)]
    if unknown := [name for name in changes if name not in known]:
        raise OptionError(f"{unknown[0]!r} is not an option; use {', '.join(known)}.")
    return replace(options, **changes)


class _CallableModule(ModuleType):
    """Importing this module puts it in the place of the function `tinct.colorize`; so both can be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return colorize(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
