"""The one question that every method answers: given lightness, hints and references, what are a* and b*, how surely?"""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Reference:
    """A color photograph to take colors from, brought to the method's working size.

    Attributes:
        lightness: CIE L*, shape (h, w), 0..100.
        ab: CIE a*, b*, shape (h, w, 2).
        weight: how much it counts beside other references, 0..1.
        trust: how far to follow it where it fits only loosely, 0..3, for methods that may doubt a reference.
    """

    lightness: Array
    ab: Array
    weight: float = 1.0
    trust: float = 1.0


@dataclass(frozen=True, slots=True)
class EncodedReference:
    """A reference as a method encoded it.

    Attributes:
        features: what `Method.encode_reference` gave.
        weight, trust: see `Reference`.
    """

    features: Any
    weight: float = 1.0
    trust: float = 1.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """A method's answer at the working size.

    Attributes:
        ab: CIE a*, b*, shape (H, W, 2), float32.
        confidence: how sure the method is of each place, shape (H, W), 0..1.
        vivid: what the option `vividness` adds to `ab` at 1, shape (H, W, 2), where a method knows more than its
            mean answer; else None.
    """

    ab: Array
    confidence: Array
    vivid: Array | None = None


class Method(ABC):
    """What the registry holds, and all that is asked of a method; a method is stateless: like in, like out.

    An answer has stages, and an edit repeats only those that depend on what was edited: a photograph is encoded,
    recalls colors from the encoded references, is matched with the hints, and is decoded. What a stage gives is the
    method's own; only the method itself reads it. Here the stages before `decode` only collect what `predict` takes;
    `StagedMethod` is for methods that work in them.

    Attributes:
        name: what `-m` takes.
        summary: one line for `tinct methods`.
        source: the paper, as author, title, venue and year.
        working_size: the longer side in pixels at which it predicts by default.
        needs_reference, needs_hints: what it cannot do without.
        uses_references, uses_swatches, uses_trust: whether these change its answer.
        honors_hints: True if it makes hints win and spread itself; otherwise they are spread over its answer
            (`tinct.methods.classical.levin.spread_hints`).
        suggests: True if `distribution` answers.
        weights: the exported files that it needs, by their names in the manifest.
    """

    name: str
    summary: str
    source: str
    working_size: int = 256
    needs_reference: bool = False
    needs_hints: bool = False
    uses_references: bool = True
    uses_swatches: bool = False
    uses_trust: bool = False
    honors_hints: bool = False
    suggests: bool = False

    @property
    def weights(self) -> tuple[str, ...]:
        """The exported files that the method needs, by their names in the manifest."""
        return ()

    @property
    def weights_sha256(self) -> str | None:
        """One hash of all weights, which names the training; None for a method without weights.

        Raises:
            WeightsError: if a file is not installed.
        """
        from tinct.methods.exported import sha256_of

        return sha256_of(self.weights) if self.weights else None

    def missing_weights(self) -> list[str]:
        """The weights that are not installed, by their names in the manifest; usually none."""
        from tinct.weights import installed

        return [name for name in self.weights if not installed(name)]

    def prepare(self) -> None:
        """Open the networks that every photograph needs; a thread may do it while the photograph is being read.

        Raises:
            WeightsError: if a file is not installed, or not the one that the manifest names.
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
            hints: what the user asked for, at the same size; may be empty.
            references: color photographs, each at its own working size; may be empty.
            seed: what random choices start from.
        Raises:
            MethodError: if something it needs was not given.
        """

    def encode(self, lightness: Array) -> Any:
        """The features of a photograph, once for any number of references and hints.

        Args:
            lightness: CIE L*, shape (H, W), 0..100, float32, at the working size.
        """
        return lightness

    def encode_reference(self, reference: Reference) -> Any:
        """The features of a reference, once for any weight and trust; those of `reference` do not matter."""
        return reference

    def recall(self, features: Any, references: Sequence[EncodedReference]) -> Any:
        """What a photograph finds in references, once for any hints.

        Args:
            features: of the photograph.
            references: none, one or several.
        """
        return tuple(replace(each.features, weight=each.weight, trust=each.trust) for each in references)

    def match(self, features: Any, recalled: Any, hints: HintField) -> Any:
        """What a photograph finds in hints, and all else that `decode` and `distribution` need."""
        return _Given(features, hints, recalled)

    def decode(self, matched: Any, *, seed: int = 0) -> Prediction:
        """Predict chroma from what `match` gave; a seed above 0 may ask for another plausible answer."""
        return self.predict(matched.lightness, matched.hints, matched.references, seed=seed)

    def distribution(self, matched: Any) -> Distribution:
        """How likely each color is in each place, from what `match` gave, where the method `suggests`."""
        raise NotImplementedError(f"{self.name} does not suggest colors.")

    def matched(self, lightness: Array, hints: HintField, references: Sequence[Reference] = ()) -> Any:
        """All stages up to `match`; see `predict`."""
        features = self.encode(lightness)
        encoded = [
            EncodedReference(self.encode_reference(each), each.weight, each.trust) for each in references
        ]
        return self.match(features, self.recall(features, encoded), hints)


@dataclass(frozen=True, slots=True)
class _Given:
    """What `predict` takes, collected by the stages of a method that does not work in them."""

    lightness: Array
    hints: HintField
    references: tuple[Reference, ...]


class StagedMethod(Method):
    """A method that works in its stages: what a photograph and its references share is computed once."""

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Predict chroma; see `Method.predict`."""
        return self.decode(self.matched(lightness, hints, references), seed=seed)

    @abstractmethod
    def encode(self, lightness: Array) -> Any: ...

    @abstractmethod
    def encode_reference(self, reference: Reference) -> Any: ...

    @abstractmethod
    def recall(self, features: Any, references: Sequence[EncodedReference]) -> Any: ...

    @abstractmethod
    def match(self, features: Any, recalled: Any, hints: HintField) -> Any: ...

    @abstractmethod
    def decode(self, matched: Any, *, seed: int = 0) -> Prediction: ...
