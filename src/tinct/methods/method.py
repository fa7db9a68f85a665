"""The one question that every method answers: given lightness, hints and references, what are a* and b*, how surely?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

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
        features: what `EditableMethod.encode_reference` gave.
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


@runtime_checkable
class Method(Protocol):
    """What the registry holds. A method is stateless: the same arguments give the same answer.

    Attributes:
        name: what `-m` takes.
        summary: one line for `tinct methods`.
        source: the paper, as author, title, venue and year.
        needs_reference, needs_hints: what it cannot do without.
        honors_hints: True if `predict` itself makes hints win and spread; otherwise the path does it afterwards
            (`tinct.methods.classical.levin.spread_hints`).
        working_size: the longer side in pixels at which it predicts by default.

    A method may say more, and the functions of `tinct.methods` ask: `uses_references`, whether a reference changes its
    answer; `uses_trust`, whether the trust in references does; `weights`, the exported files that it needs, by their
    names in the manifest; `weights_sha256`, the hash that names its training.
    """

    @property
    def name(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def needs_reference(self) -> bool: ...
    @property
    def needs_hints(self) -> bool: ...
    @property
    def honors_hints(self) -> bool: ...
    @property
    def working_size(self) -> int: ...

    def predict(
        self, lightness: Array, hints: HintField, references: Sequence[Reference], *, seed: int = 0
    ) -> Prediction:
        """Predict chroma.

        Args:
            lightness: CIE L*, shape (H, W), 0..100, float32, at the working size.
            hints: what the user asked for, at the same size; may be empty.
            references: color photographs, each at its own working size; may be empty.
            seed: what random choices start from.
        Raises:
            MethodError: if something it needs was not given.
        """
        ...


@runtime_checkable
class EditableMethod(Method, Protocol):
    """A method that answers in stages, so that an edit repeats only those that depend on what was edited.

    A photograph is encoded, recalls colors from the encoded references, is matched with the hints, and is decoded:
    `predict` is all of this, one after the other (`predicted`). What a stage gives is the method's own; only the
    method itself reads it.
    """

    def encode(self, lightness: Array) -> Any:
        """The features of a photograph, once for any number of references and hints.

        Args:
            lightness: CIE L*, shape (H, W), 0..100, float32, at the working size.
        """
        ...

    def encode_reference(self, reference: Reference) -> Any:
        """The features of a reference, once for any weight and trust; those of `reference` are not looked at."""
        ...

    def recall(self, features: Any, references: Sequence[EncodedReference]) -> Any:
        """What a photograph finds in references, once for any hints.

        Args:
            features: of the photograph.
            references: none, one or several.
        """
        ...

    def match(self, features: Any, recalled: Any, hints: HintField) -> Any:
        """What a photograph finds in hints, and all else that `decode` and `distribution` need."""
        ...

    def decode(self, matched: Any, *, seed: int = 0) -> Prediction:
        """Predict chroma from what `match` gave; a seed above 0 asks for another plausible answer."""
        ...


@runtime_checkable
class DistributionMethod(EditableMethod, Protocol):
    """A method that knows how likely each color is, and so can suggest colors, places to click, and alternatives."""

    def distribution(self, matched: Any) -> Distribution:
        """What is likely where, from what `match` gave."""
        ...


def predicted(
    method: EditableMethod,
    lightness: Array,
    hints: HintField,
    references: Sequence[Reference],
    *,
    seed: int = 0,
) -> Prediction:
    """All stages of a method, one after the other: its `predict`."""
    return method.decode(matched(method, lightness, hints, references), seed=seed)


def matched(
    method: EditableMethod, lightness: Array, hints: HintField, references: Sequence[Reference] = ()
) -> Any:
    """All stages of a method up to `match`."""
    features = method.encode(lightness)
    encoded = [
        EncodedReference(method.encode_reference(each), each.weight, each.trust) for each in references
    ]
    return method.match(features, method.recall(features, encoded), hints)
