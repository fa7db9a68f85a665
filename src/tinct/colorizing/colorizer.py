"""`Colorizer` and `colorize`: the one way from a black-and-white photograph to a colored one, for all front doors."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from tinct.colorizing.cache import held_bytes
from tinct.colorizing.rendering import render, render_preview, rounded_chroma
from tinct.colorizing.stages import Inputs, Stages
from tinct.colorizing.unmet import doubts, turned_hues, unmet_wishes
from tinct.errors import HintError, MethodError, OptionError, PhotoError, shown
from tinct.hints import (
    HintField,
    HintLike,
    Swatch,
    as_hint,
    as_hints,
    check_hint,
    read_hints,
)
from tinct.hints.window import Scale
from tinct.methods import Method, Prediction
from tinct.methods.selection import NETWORK_METHOD, choose_method
from tinct.options import Options
from tinct.photo import Photo, Provenance
from tinct.photo.sources import as_photo, as_source_kind, made_of, reference_photo, reference_weights

if TYPE_CHECKING:
    from PIL import Image

    from tinct.methods.distribution import Distribution, Place, Suggestion

Array = NDArray[np.float32]
AnyArray = TypeVar("AnyArray", bound=NDArray[Any])


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
        options: the attributes of `Options`: method, size, strength, vividness, chroma_only, seed, trust.
    Returns:
        The same kind as the photo: bytes for bytes, in their own format (PNG where tinct cannot write it), of a TIFF
        all pages; an image for an image; an array of the same type for an array, with three channels, or four where
        it has alpha; an image for an open file. A path gives a `Photo`: nothing is written before you call its
        `write`. L* is kept.
    Raises:
        PhotoError, ShapeError: if the photograph cannot be read.
        ReferencePhotoError: if a reference has no color.
        HintError, ColorError: if a hint is outside the photograph or malformed.
        OptionError, MethodError: if an option is out of range, or the method cannot answer what was given.
    """
    colorizer = Colorizer(photo, reference, hints, **options)
    first, given = colorizer.photo, list(colorizer.hints.values())
    is_read_here = isinstance(photo, str | PathLike | bytes)

    def colored(page: Photo) -> Photo:
        if page is not first:
            colorizer.set_photo(page)
            for hint in colorizer._read_hints(hints if isinstance(hints, str | PathLike | bytes) else given):
                colorizer.add_hint(hint)
        return colorizer.render(last=is_read_here)

    return made_of(photo, first, colored)


class Colorizer:
    """A photograph being colorized: set the photograph once, change hints, references and options, and render.

    An edit repeats only the stages of a method that depend on it (`tinct.methods.Method`): another weight or trust
    neither encodes nor attends anew, another reference is encoded and attended to alone. The values kept for later
    edits are bounded (`Cache`).

    `copy.copy` and `copy.deepcopy` give an independent colorizer: what is set on one is not seen by the other. The copy
    takes next to no time and memory: it shares the photographs, the open networks and all that was computed so far.
    """

    def __init__(self, photo: Any = None, reference: Any = None, hints: Any = None, **options: Any) -> None:
        """Begin with what `colorize` takes; everything can be set later."""
        self._options = Options.from_mapping(options)
        self._photo: Photo | None = None
        self._photo_is_shared = False
        self._references: tuple[Photo, ...] = ()
        self._hints: dict[int, HintLike] = {}
        self._next_hint = 0
        self._weights: tuple[float, ...] = ()
        self._stages = Stages()
        self._chosen: tuple[Hashable, Method] | None = None
        if photo is not None:
            self.set_photo(photo)
        self.set_references(reference)
        for hint in self._read_hints(hints):
            self.add_hint(hint)

    def __copy__(self) -> Colorizer:
        """An independent colorizer of the same photograph, which shares what was computed."""
        other = type(self).__new__(type(self))
        self._photo_is_shared = True
        vars(other).update(vars(self))
        other._hints, other._stages = dict(self._hints), copy(self._stages)
        return other

    def __deepcopy__(self, memo: object) -> Colorizer:
        """As `__copy__`: what is shared does not change."""
        return copy(self)

    def __getstate__(self) -> dict[str, Any]:
        """The attributes without features of references, which the cache knows by their place in this process."""
        other = copy(self)
        if self._references:
            for references in ((), self._references):
                other._stages.cache.keep_references(references)
        return {**vars(other), "_photo_is_shared": False}

    @property
    def photo(self) -> Photo:
        """The photograph.

        Raises:
            PhotoError: if no photograph is set.
        """
        if self._photo is None:
            raise PhotoError("there is no photograph to colorize; call set_photo first.")
        return self._photo

    @property
    def options(self) -> Options:
        """The options; others can be set as a whole."""
        return self._options

    @options.setter
    def options(self, options: Options) -> None:
        if not isinstance(options, Options):
            raise OptionError(
                f"options are {shown(options)}; give tinct.Options, or call set_options(name=value)."
            )
        self._options = options

    @property
    def references(self) -> tuple[Photo, ...]:
        """The references, in their order."""
        return self._references

    @property
    def hints(self) -> dict[int, HintLike]:
        """The hints by the number that `add_hint` returned, in the order in which they were added."""
        return dict(self._hints)

    @property
    def method(self) -> Method:
        """The method that predicts from the present references, hints and options.

        Raises:
            MethodError: if the named method cannot predict from them.
        """
        kinds = {isinstance(hint, Swatch) for hint in self._hints.values()}
        given = self._options.method, bool(self._references), False in kinds, True in kinds
        if self._chosen is None or self._chosen[0] != given:
            method = choose_method(*given)
            if self._chosen is not None and self._chosen[1].name == method.name:
                method = self._chosen[1]  # its networks are open
            self._chosen = given, method
        return self._chosen[1]

    @property
    def memory(self) -> int:
        """Bytes of memory of the photograph, its references and all values kept for later edits."""
        hints = tuple(self._hints.values())
        return held_bytes(self._photo, self._references, hints, *self._stages.cache.slots)

    @property
    def provenance(self) -> Provenance:
        """The record that a written file gets: the method, and the hash of its weights, if it has any."""
        method = self.method
        return Provenance(method.name, method.weights_sha256)

    def set_photo(self, photo: Any) -> None:
        """Set the photograph, of any kind that `colorize` takes; hints of an earlier one are dropped.

        Raises:
            PhotoError, ShapeError: if the photograph cannot be read.
        """
        self._photo, self._photo_is_shared = as_photo(photo), False
        self._hints.clear()
        self._stages.cache.forget_photo()

    def set_references(self, reference: Any, weights: Sequence[float] | None = None) -> None:
        """Set the references: None, one, or a list, of any kind that `colorize` takes.

        Args:
            reference: the photographs; one that is set already (the same `Photo`) is not read again.
            weights: of each reference beside the others, 0 (not at all) .. 1; None is 1 for all.
        Raises:
            PhotoError, ShapeError: if a photograph cannot be read.
            ReferencePhotoError: if a photograph has no color to give.
            OptionError: if a weight is out of range, or there are not as many weights as references.
        """
        sources = (
            reference if isinstance(reference, list | tuple) else [] if reference is None else [reference]
        )
        weighed = reference_weights(weights, len(sources))
        known = {id(photo) for photo in self._references}
        self._references = tuple(
            source if id(source) in known else reference_photo(source, n) for n, source in enumerate(sources)
        )
        self._weights = weighed
        self._stages.cache.keep_references(self._references)

    def set_options(self, **changes: Any) -> None:
        """Change options by name; other options stay.

        Raises:
            OptionError: if a name is unknown, or a value is out of range.
        """
        self._options = self._options.with_changes(changes)

    def add_hint(self, hint: Any) -> int:
        """Add a hint, or plain `(x, y, "#rrggbb")`, in pixels of the photograph.

        Returns:
            The hint's number, for `remove_hint`.
        Raises:
            HintError: if the hint is outside the photograph or malformed.
        """
        hint = as_hint(hint)
        own = [(each.width, each.height) for each in self._references]
        check_hint(hint, (self.photo.width, self.photo.height), own)
        self._hints[self._next_hint] = hint
        self._next_hint += 1
        return self._next_hint - 1

    def remove_hint(self, number: int) -> None:
        """Remove a hint.

        Raises:
            HintError: if no hint has that number.
        """
        if not isinstance(number, Integral) or self._hints.pop(int(number), None) is None:
            raise HintError(
                f"there is no hint number {shown(number)}; hints has the numbers that add_hint gave."
            )

    def clear_hints(self) -> None:
        """Remove all hints."""
        self._hints.clear()

    def predict(self) -> Prediction:
        """The prediction at the working size with the hints honored, before the option `strength` is applied."""
        inputs, hints, options = self._inputs(), tuple(self._hints.values()), self._options
        placed = inputs.place(hints)
        if inputs.method.honors_hints:
            return vivid(
                self._stages.prediction(inputs, hints, placed, options.seed), options.vividness, placed
            )
        from tinct.methods.classical.levin import spread_hints

        alone = replace(HintField.empty(*placed.mask.shape), swatches=placed.swatches)
        swatches = tuple(hint for hint in hints if isinstance(hint, Swatch))
        found = vivid(
            self._stages.prediction(inputs, swatches, alone, options.seed), options.vividness, alone
        )
        return spread_hints(self._working_lightness(), found, placed) if placed else found

    def render(self, *, last: bool = False) -> Photo:
        """The photograph in color at full resolution, with its metadata.

        Args:
            last: True gives the result the memory of the photograph's pixels, which must not be used again, unless a
                copy of the colorizer uses them; the colorizer has no photograph afterwards.
        """
        rendered = self.prepared(last=last)
        if last:
            self._photo = None
            self._stages.cache.forget_photo()
        return rendered()

    def prepared(self, *, last: bool = False) -> Callable[[], Photo]:
        """Predict now and render later: changes in between do not count.

        Args:
            last: as in `render`.
        Returns:
            A function that gives the result that `render` would give now; any thread may call it.
        """
        photo, options, ab = self.photo, self._options, rounded_chroma(self.predict().ab)
        hints, provenance = list(self._hints.values()), self.provenance
        lightness, on_engine = self._working_lightness(), bool(self.method.weights)
        told = self._of_references()
        last = last and not self._photo_is_shared

        def rendered() -> Photo:
            unmet = [*unmet_wishes(photo, hints), *told]
            result = render(photo, ab, lightness, hints, options, on_engine=on_engine, last=last)
            result.provenance = provenance
            result.notes = (*result.notes, *unmet)
            return result

        return rendered

    def preview(self, longer_side: int) -> NDArray[np.uint8]:
        """The photograph in color at a bounded size; the photograph is not read at its full resolution again.

        Args:
            longer_side: in pixels, at least 1; the photograph is never enlarged.
        Returns:
            sRGB, shape (h, w, 3), uint8.
        """
        small = self._small_photo(longer_side)
        scale = Scale((self.photo.width, self.photo.height), (small.width, small.height))
        hints = [scale.hint(hint) for hint in self._hints.values() if not isinstance(hint, Swatch)]
        prediction = self.predict()
        return render_preview(small, prediction.ab, self._working_lightness(), hints, self._options)

    def unmet_wishes(self) -> list[str]:
        """Notes of what is asked for and cannot be had, as `render` adds them to its result, a sentence each.

        Among them are the references of which the method takes little as they do not fit the photograph, and that the
        result's hues are turned as the references' are: with references the stages up to the attention run, unless
        `predict` has run them.

        Raises:
            WeightsError, MissingExtraError, MethodError: as `predict`, if there are references.
        """
        return [*unmet_wishes(self.photo, self._hints.values()), *self._of_references()]

    def gray(self, longer_side: int) -> NDArray[np.uint8]:
        """The gray photograph at a bounded size, as `preview` colors it.

        Args:
            longer_side: as in `preview`.
        Returns:
            sRGB of a gray, shape (h, w), uint8.
        """
        return np.asarray(self._small_photo(longer_side).to_array(), np.uint8)

    def suggest(self, x: float, y: float, count: int = 6) -> list[Suggestion]:
        """Likely colors of a place of the photograph, likeliest first; at most `count`.

        Args:
            x, y: in pixels of the photograph.
            count: at least 1.
        Raises:
            MethodError: if the method has no distribution of colors.
            HintError: if the place is outside the photograph.
            OptionError: if count is below 1.
        """
        from tinct.colorizing import suggestions

        return suggestions.suggest(self._distribution(), self.photo, x, y, count)

    def where_next(self, count: int = 5) -> list[Place]:
        """Places where one more hint would help most, best first, well apart; at most `count`.

        Raises:
            MethodError: if the method has no distribution of colors.
            OptionError: if count is below 1.
        """
        from tinct.colorizing import suggestions

        return suggestions.where_next(self._distribution(), self.photo, count)

    def gains(self) -> Array:
        """The share of the whole uncertainty that one hint at each working pixel would remove, shape (h, w), 0..1.

        `where_next` names the best places of this map.

        Raises:
            MethodError: if the method has no distribution of colors.
        """
        from tinct.colorizing import suggestions

        height, width = self._working_lightness().shape
        return suggestions.gains(self._distribution(), (height, width))

    def uncertainty(self) -> Array:
        """The uncertainty of each working pixel's color, shape (h, w), 0 (known) .. 1.

        Raises:
            MethodError: if the method has no distribution of colors.
        """
        from tinct.colorizing import suggestions

        height, width = self._working_lightness().shape
        return suggestions.uncertainty(self._distribution(), (height, width))

    def alternatives(self, count: int = 4) -> list[int]:
        """Values of the option `seed` that give different plausible colorizations of this photograph.

        Raises:
            MethodError: if the method has no distribution of colors.
            OptionError: if count is below 1.
        """
        from tinct.colorizing import suggestions

        return suggestions.alternatives(self._distribution(), count)

    def like(self, source: Any) -> Any:
        """The photograph in color, as the same kind of thing as `source`; see `colorize`."""
        return as_source_kind(self.render(), source)

    def _distribution(self) -> Distribution:
        method, hints = self.method, tuple(self._hints.values())
        if not method.suggests:
            raise MethodError(
                f"{method.name} knows one color for each place and no others; choose {NETWORK_METHOD} to ask for them."
            )
        inputs = self._inputs()
        return self._stages.distribution(inputs, hints, inputs.place(hints))

    def _of_references(self) -> list[str]:
        followed, count = self._stages.followed(self._inputs()), len(self._references)
        return [*doubts(followed.doubted, count, self._options.trust), *turned_hues(followed.turn, count)]

    def _inputs(self) -> Inputs:
        method, options = self.method, self._options
        size = options.size or method.working_size
        whole = Inputs(method, self.photo, size, self._references, self._weights, options.trust)
        picture = self._stages.picture(self.photo) if method.sees_restored else None
        if picture is None:
            return whole
        inputs = replace(whole, picture=picture)
        # Who gives a border a color takes it for a part of the picture.
        return inputs if self._stages.are_within(inputs, tuple(self._hints.values())) else whole

    def _working_lightness(self) -> Array:
        return self._stages.lightness(self._inputs())

    def _small_photo(self, longer_side: int) -> Photo:
        return self._stages.small_photo(self.photo, longer_side)

    def _read_hints(self, hints: Any) -> Iterable[HintLike]:
        if isinstance(hints, str | PathLike | bytes):
            return read_hints(hints, (self.photo.width, self.photo.height))
        return as_hints(hints)


def vivid(prediction: Prediction, vividness: float, placed: HintField) -> Prediction:
    """A prediction as vivid as the option `vividness` asks, in new arrays; hints keep exactly their color.

    Args:
        prediction: of a method, at the working size.
        vividness: 0 (the mean) .. 2.
        placed: the hints at the working size.
    """
    if prediction.vivid is None:
        return replace(prediction, ab=prediction.ab.copy(), confidence=prediction.confidence.copy())
    from tinct.methods.classical.levin import pin_hints

    ab = np.asarray(prediction.vivid * np.float32(vividness), np.float32)
    ab += prediction.ab
    confidence = prediction.confidence.copy()
    return replace(prediction, ab=pin_hints(ab, placed), confidence=confidence, vivid=None)
