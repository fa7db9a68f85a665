"""The stages of a method on one photograph: each runs only if the values that it depends on have changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from copy import copy
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.color.upsampling import average_lightness
from tinct.colorizing.cache import Cache, Followed
from tinct.errors import OptionError, shown
from tinct.hints import HintField, HintLike, place_hints
from tinct.methods import Method, Prediction, Reference, WeighedReference
from tinct.options import WORKING_SIZE_RANGE
from tinct.photo import Photo
from tinct.photo.borders import picture_within
from tinct.photo.fading import unfaded
from tinct.photo.picture import LOOKED_AT, Picture, Region

if TYPE_CHECKING:
    from tinct.methods.distribution import Distribution

Array = NDArray[np.float32]

BESIDE = 2.0
"""Pixels of the working size beside a picture at which hints count as within it: its edge is not known more exactly."""

PREVIEW_SIDE = 1024
"""The longer side in pixels from which smaller previews are made."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The values that the stages of a method depend on, apart from hints.

    Attributes:
        method: the method that predicts.
        photo: the photograph.
        size: the working size: the longer side in pixels.
        references, weights: color photographs and how much each counts, in the same order.
        trust: the option `trust`.
        picture: the part of the photograph that the method is shown; None is all of it.
    """

    method: Method
    photo: Photo
    size: int
    references: tuple[Photo, ...]
    weights: tuple[float, ...]
    trust: float
    picture: Picture | None = None

    @property
    def of_photo(self) -> Hashable:
        """The values that the photograph's features depend on."""
        return self.method.name, self.size, self.picture

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the photograph at the working size, which is that of the picture in it."""
        if self.picture is None:
            return self.photo.working_size(self.size)
        longer = self.picture.longer_side_of_whole(self.size, (self.photo.height, self.photo.width))
        return self.photo.working_size(min(longer, WORKING_SIZE_RANGE[1]))

    @property
    def region(self) -> Region:
        """Rows and columns of the working size that the method is shown."""
        height, width = self.grid
        return (slice(0, height), slice(0, width)) if self.picture is None else self.picture.region(self.grid)

    @property
    def of_references(self) -> Hashable:
        """The values that the colors taken from the references depend on besides."""
        trust = self.trust if self.method.uses_trust else None
        return tuple(zip(map(id, self.references), self.weights, strict=True)), trust

    def place(self, hints: Iterable[HintLike]) -> HintField:
        """The hints at the working size."""
        own = [(each.width, each.height) for each in self.references]
        working = [each.working_size(self.size)[::-1] for each in self.references]
        photo = self.photo
        return place_hints(
            hints,
            (photo.width, photo.height),
            self.grid[::-1],
            list(zip(own, working, strict=True)),
        )


class Stages:
    """Runs the stages of methods on one photograph.

    Attributes:
        cache: the values kept for later edits.
    """

    def __init__(self) -> None:
        self.cache = Cache()

    def __copy__(self) -> Stages:
        """Stages with the same values, which they keep and drop by themselves."""
        other = Stages()
        other.cache = copy(self.cache)
        return other

    def lightness(self, inputs: Inputs) -> Array:
        """L* of the photograph at the working size, shape (h, w), 0..100."""
        return self._lightness(inputs.photo, max(inputs.grid))

    def picture(self, photo: Photo) -> Picture | None:
        """The picture within the photograph's borders; None if it has none."""
        return self.cache.pictures.get(None, lambda: picture_within(self._lightness(photo, LOOKED_AT)))

    def are_within(self, inputs: Inputs, hints: tuple[HintLike, ...]) -> bool:
        """Whether all hints, in pixels of the photograph, lie within the picture, or at most `BESIDE` from it."""

        def found() -> bool:
            if inputs.picture is None:
                return True
            mask = inputs.place(hints).mask
            shown = np.zeros_like(mask, np.bool_)
            shown[inputs.region] = True
            return not mask[~(shown & inputs.picture.mask(mask.shape, BESIDE))].any()

        return self.cache.within.get((inputs.of_photo, hints), found)

    def _lightness(self, photo: Photo, longer_side: int) -> Array:
        return self.cache.lightness.get(longer_side, lambda: photo.working_lightness(longer_side))

    def prediction(
        self, inputs: Inputs, hints: tuple[HintLike, ...], placed: HintField, seed: int
    ) -> Prediction:
        """The method's own prediction from these hints; the last one is kept. Borders are gray, and sure to be.

        Args:
            hints: in pixels of the photograph.
            placed: the same, as `Inputs.place` gives them.
            seed: the option `seed`.
        """

        def predicted() -> Prediction:
            found = inputs.method.decode(self.matched(inputs, hints, placed), seed=seed)
            if inputs.picture is None:
                return found
            return found.padded(inputs.region, inputs.picture.mask(inputs.grid))

        return self.cache.predictions.get((inputs.of_photo, inputs.of_references, hints, seed), predicted)

    def matched(self, inputs: Inputs, hints: tuple[HintLike, ...], placed: HintField) -> Any:
        """The result of the method's stages up to its match with hints; see `prediction` for the arguments."""
        method, cache, photo, references = inputs.method, self.cache, inputs.of_photo, inputs.of_references

        def matched() -> Any:
            features = self._features(inputs)
            recalled = cache.recalled.get(
                (photo, references), lambda: method.recall(features, self._weighed(inputs, features))
            )
            own = placed if inputs.picture is None else placed.cropped(*inputs.region)
            return method.match(features, recalled, own)

        return cache.matched.get((photo, references, hints), matched)

    def followed(self, inputs: Inputs) -> Followed:
        """How the method follows the references."""

        def followed() -> Followed:
            method, features = inputs.method, self._features(inputs)
            given = [(n, each) for n, each in enumerate(self._weighed(inputs, features)) if each.weight > 0]
            found = [(n, method.doubted(features, each)) for n, each in given]
            return Followed(
                [(n, likeness) for n, likeness in found if likeness is not None],
                method.turn_of_hues(features, [each for _, each in given]) if given else 0.0,
            )

        if not inputs.references:
            return Followed([], 0.0)
        return self.cache.followed.get((inputs.of_photo, inputs.of_references), followed)

    def _features(self, inputs: Inputs) -> Any:
        def encoded() -> Any:
            lightness = self.lightness(inputs)
            if inputs.picture is not None:
                lightness = inputs.picture.continued(lightness)
            shown = np.ascontiguousarray(lightness[inputs.region])
            return inputs.method.encode(unfaded(shown) if inputs.method.sees_restored else shown)

        return self.cache.features.get(inputs.of_photo, encoded)

    def distribution(self, inputs: Inputs, hints: tuple[HintLike, ...], placed: HintField) -> Distribution:
        """The method's distribution over the whole photograph; see `prediction` for the arguments."""
        found = inputs.method.distribution(self.matched(inputs, hints, placed))
        if inputs.picture is None:
            return found
        return found.padded(self.lightness(inputs), inputs.region, inputs.picture.mask(inputs.grid))

    def _weighed(self, inputs: Inputs, features: Any) -> list[WeighedReference]:
        return [
            WeighedReference(self._attended(inputs, features, photo), weight, inputs.trust)
            for photo, weight in zip(inputs.references, inputs.weights, strict=True)
        ]

    def _attended(self, inputs: Inputs, features: Any, reference: Photo) -> Any:
        """The colors that the photograph takes from a reference of any weight; the reference is encoded once."""
        method, size, cache = inputs.method, inputs.size, self.cache
        key = (id(reference), method.name, size)

        def attended() -> Any:
            encoded = cache.references.get(
                key,
                lambda: method.encode_reference(
                    working_reference(reference, size, without_borders=method.sees_restored)
                ),
            )
            return method.attend(features, encoded)

        return cache.attended.get((id(reference), inputs.of_photo), attended)

    def small_photo(self, photo: Photo, longer_side: int) -> Photo:
        """The photograph's lightness as a gray picture of bounded size.

        Args:
            longer_side: in pixels, at least 1; the photograph is never enlarged.
        Raises:
            OptionError: if `longer_side` is no whole number or below 1.
        """
        if not isinstance(longer_side, Integral) or longer_side < 1:
            raise OptionError(
                f"longer_side is {shown(longer_side)}; it must be a whole number of pixels, 1 or more."
            )

        def shrunk() -> Photo:
            from tinct.color.gamut import merge_lightness

            lightness = self._small_lightness(photo, longer_side)
            gray = merge_lightness(lightness, np.zeros((*lightness.shape, 2), np.float32))[..., 0]
            return Photo.from_array(np.rint(gray * 255).astype(np.uint8))

        return self.cache.preview_gray.get(longer_side, shrunk)

    def _small_lightness(self, photo: Photo, longer_side: int) -> Array:
        """L* at a bounded size; for small sizes from a larger one that is kept, not from the whole again."""
        side = max(longer_side, PREVIEW_SIDE)
        large = self.cache.preview_lightness.get(side, lambda: photo.working_lightness(side))
        height, width = photo.working_size(longer_side)
        return average_lightness(large, large.shape, (height, width))


def working_reference(photo: Photo, size: int, *, without_borders: bool = False) -> Reference:
    """A color photograph with its longer side brought down to `size` pixels, never up.

    Args:
        photo: the photograph.
        size: of the picture in it, if that is wanted without borders.
        without_borders: whether it is.
    """
    picture = picture_within(photo.working_lightness(LOOKED_AT)) if without_borders else None
    if picture is None:
        lab = photo.working_lab(size)
    else:
        lab = photo.working_lab(picture.longer_side_of_whole(size, (photo.height, photo.width)))
        lab = lab[picture.inner(lab.shape[:2])]
    return Reference(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]))
