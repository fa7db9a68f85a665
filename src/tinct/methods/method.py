"""The interface of methods: from lightness, hints and references to a*, b* and a confidence."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinct.hints import HintField

if TYPE_CHECKING:
    from tinct.methods.distribution import Distribution

Array = NDArray[np.float32]

DOUBTED = math.exp(-2)
"""What doubt leaves of a reference's influence, as a share, from which down users are told (`Method.doubted`)."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A color photograph to take colors from, at the method's working size.

    Attributes:
        lightness: CIE L*, shape (h, w), 0..100.
        ab: CIE a*, b*, shape (h, w, 2).
        weight: the reference's weight beside other references, 0..1.
        trust: how far to follow the reference where it fits only loosely, 0..3, for methods that may doubt references.
        labels: number of each pixel's segment, integers, shape (h, w), for the method `ironi`; None if not known.
    """

    lightness: Array
    ab: Array
    weight: float = 1.0
    trust: float = 1.0
    labels: NDArray[np.integer[Any]] | None = None


@dataclass(frozen=True, slots=True)
class WeighedReference:
    """The colors that a photograph took from a reference, and the weight and trust of the reference.

    Attributes:
        found: the result of `Method.attend`.
        weight, trust: see `Reference`.
    """

    found: Any
    weight: float = 1.0
    trust: float = 1.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """A method's result at the working size.

    Attributes:
        ab: CIE a*, b*, shape (H, W, 2), float32.
        confidence: the method's certainty of each place, shape (H, W), 0..1.
        vivid: the a*, b* that the option `vividness` adds to `ab` at 1, shape (H, W, 2), if the method knows more than
            a mean; else None.
        within: the picture within a scan's borders, shape (H, W), which are gray and sure to be; None without borders.
    """

    ab: Array
    confidence: Array
    vivid: Array | None = None
    within: NDArray[np.bool_] | None = None

    @property
    def mean_confidence(self) -> float:
        """The mean of the confidence, without borders."""
        return float(self.confidence[... if self.within is None else self.within].mean())

    @property
    def mean_chroma(self) -> float:
        """The root of the mean square of the chroma, in units of a* b*, without borders."""
        ab = np.asarray(self.ab, np.float32)[... if self.within is None else self.within]
        return float(np.square(ab).sum(-1).mean() ** 0.5)

    def padded(self, region: tuple[slice, slice], within: NDArray[np.bool_]) -> Prediction:
        """The prediction as a part of a larger image, the rest of which is gray, and sure to be.

        Args:
            region: rows and columns of the part, of the prediction's own height and width.
            within: the picture in that image, shape (H, W); of the part, what lies around it is gray as well.
        """

        def grown(part: Array, rest: float) -> Array:
            whole = np.full((*within.shape, *part.shape[2:]), rest, np.float32)
            whole[region] = part
            whole[~within] = rest
            return whole

        vivid = None if self.vivid is None else grown(self.vivid, 0)
        return Prediction(grown(self.ab, 0), grown(self.confidence, 1), vivid, within)


class Method(ABC):
    """A way to colorize, stateless: equal inputs give equal results.

    A prediction has stages, and an edit repeats only the stages that depend on it: a method encodes the photograph,
    attends to each encoded reference, recalls the colors of all of them by their weights, matches hints, and decodes.
    The result of a stage belongs to the method; only the method itself reads it. In this class the stages before
    `decode` only collect the arguments of `predict`; `StagedMethod` is for methods that compute in stages.

    Attributes:
        name: as `-m` takes it.
        summary: one line for `tinct methods`.
        source: the paper, as author, title, venue and year.
        working_size: the longer side in pixels at which the method predicts by default.
        needs_reference, needs_hints: True if the method cannot predict without them.
        exemplar_based: True if the method's paper is about following a reference, whether or not the method also
            predicts without one; its runtime is measured with a reference.
        uses_references, uses_swatches, uses_trust: True if they change the prediction.
        honors_hints: True if the method gives hints their exact color and spreads them; otherwise hints are spread
            over its prediction (`tinct.methods.classical.levin.spread_hints`).
        suggests: True if the method has a `distribution`.
        sees_restored: True if the method is shown photographs without their borders, and faded ones with their tones
            spread (`tinct.photo.borders`, `tinct.photo.fading`).
        weights: the exported files that the method needs, by their names in the manifest.
    """

    name: str
    summary: str
    source: str
    working_size: int = 256
    needs_reference: bool = False
    needs_hints: bool = False
    exemplar_based: bool = False
    uses_references: bool = True
    uses_swatches: bool = False
    uses_trust: bool = False
    honors_hints: bool = False
    suggests: bool = False
    sees_restored: bool = False

    @property
    def weights(self) -> tuple[str, ...]:
        """The exported files that the method needs, by their names in the manifest."""
        return ()

    @property
    def weights_sha256(self) -> str | None:
        """One hash of all weights, which identifies the training; None for a method without weights.

        Raises:
            WeightsError: if a file is not installed.
        """
        from tinct.methods.exported import sha256_of

        return sha256_of(self.weights) if self.weights else None

    def missing_weights(self) -> list[str]:
        """The weights that are not installed, by their names in the manifest; usually none."""
        from tinct.weights import installed

        return [name for name in self.weights if not installed(name)]

    def prepare(self, *, helped: bool = False) -> None:
        """Open the method's networks. A thread may do so while the photograph is being read.

        Args:
            helped: whether there will be hints or references.
        Raises:
            WeightsError: if a file is not installed, or its hash is not the manifest's.
            MissingExtraError: if the engine is not installed.
        """
        from tinct.methods.exported import exported_network

        for name in self.weights:
            exported_network(name)

    @abstractmethod
    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Predict chroma: all stages, one after the other.

        Args:
            lightness: CIE L*, shape (H, W), 0..100, float32, at the working size.
            hints: the user's hints, at the same size; may be empty.
            references: color photographs, each at its own working size; may be empty.
            seed: of random choices.
        Raises:
            MethodError: if a needed reference or hint is missing.
        """

    def encode(self, lightness: Array) -> Any:
        """The features of a photograph, which serve any references and hints.

        Args:
            lightness: CIE L*, shape (H, W), 0..100, float32, at the working size.
        """
        return lightness

    def encode_reference(self, reference: Reference) -> Any:
        """The features of a reference, which serve any weight and trust; those of `reference` are ignored."""
        return reference

    def attend(self, features: Any, reference: Any) -> Any:
        """The colors that a photograph takes from one reference, which serve any weight and trust.

        Args:
            features: of the photograph.
            reference: the result of `encode_reference`.
        """
        return reference

    def recall(self, features: Any, references: Sequence[WeighedReference]) -> Any:
        """The colors that a photograph takes from all references together, which serve any hints.

        Args:
            features: of the photograph.
            references: none, one or several.
        """
        return tuple(replace(each.found, weight=each.weight, trust=each.trust) for each in references)

    def doubted(self, features: Any, reference: WeighedReference) -> float | None:
        """The likeness of photograph and reference, if the method takes little of a reference that does not fit.

        Args:
            features: of the photograph.
            reference: with the weight and trust that it is to have.
        Returns:
            The likeness, on the method's own scale, 1 for the same picture; None if the method follows the reference.
        """
        return None

    def turn_of_hues(self, features: Any, references: Sequence[WeighedReference]) -> float:
        """The angle by which the method turns all hues of its answer, as those of the references are turned.

        Args:
            features: of the photograph.
            references: of weights above 0; at least one.
        Returns:
            Radians, 0..2 pi; 0 if the references' hues are as expected, or the method does not ask.
        """
        return 0.0

    def match(self, features: Any, recalled: Any, hints: HintField) -> Any:
        """The colors that a photograph takes from hints, with all else that `decode` and `distribution` need.

        Args:
            features: of the photograph.
            recalled: the result of `recall`.
            hints: at the working size; may be empty.
        """
        return _Given(features, hints, recalled)

    def decode(self, matched: Any, *, seed: int = 0) -> Prediction:
        """Predict chroma from the result of `match`.

        Args:
            matched: the result of `match`.
            seed: above 0, it may ask for another plausible colorization.
        """
        return self.predict(matched.lightness, matched.hints, matched.references, seed=seed)

    def distribution(self, matched: Any) -> Distribution:
        """The probability of each color at each place, from the result of `match`.

        Raises:
            NotImplementedError: if the method has no distribution (`suggests` is False).
        """
        raise NotImplementedError(f"{self.name} does not suggest colors.")

    def matched(self, lightness: Array, hints: HintField, references: Sequence[Reference] = ()) -> Any:
        """The stages up to `match`, one after the other; see `predict` for the arguments."""
        features = self.encode(lightness)
        found = [
            WeighedReference(self.attend(features, self.encode_reference(each)), each.weight, each.trust)
            for each in references
        ]
        return self.match(features, self.recall(features, found), hints)


@dataclass(frozen=True, slots=True)
class _Given:
    """What `predict` takes, collected by the stages of a method that does not work in them."""

    lightness: Array
    hints: HintField
    references: tuple[Reference, ...]


class StagedMethod(Method):
    """A method that computes in stages, so that an edit repeats only the stages that depend on it."""

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Predict chroma; see `Method.predict`."""
        return self.decode(self.matched(lightness, hints, references), seed=seed)

    @abstractmethod
    def encode(self, lightness: Array) -> Any:
        """The features of a photograph; see `Method.encode`."""

    @abstractmethod
    def encode_reference(self, reference: Reference) -> Any:
        """The features of a reference; see `Method.encode_reference`."""

    @abstractmethod
    def recall(self, features: Any, references: Sequence[WeighedReference]) -> Any:
        """The colors that a photograph takes from references; see `Method.recall`."""

    @abstractmethod
    def match(self, features: Any, recalled: Any, hints: HintField) -> Any:
        """The colors that a photograph takes from hints; see `Method.match`."""

    @abstractmethod
    def decode(self, matched: Any, *, seed: int = 0) -> Prediction:
        """Predict chroma; see `Method.decode`."""
