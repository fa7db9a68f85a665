"""A result beside the truth that it is compared with: the argument of a metric's function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinct.color.lab import rgb_to_lab
from tinct.errors import EvaluationError
from tinct.evaluation.photographs.rgb import Image
from tinct.evaluation.protocols.case import Case

Array = NDArray[np.float32]
Value = TypeVar("Value")


class Truth:
    """A true photograph, and the values computed from its picture, which all methods' results share.

    Attributes:
        rgb: sRGB, (H, W, 3), uint8.
    """

    def __init__(self, rgb: Image) -> None:
        self.rgb = rgb
        self._values: dict[Callable[[Image], Any], Any] = {}

    def once(self, compute: Callable[[Image], Value]) -> Value:
        """The value of `compute(rgb)`; a second call with the same function returns the first call's value."""
        if compute not in self._values:
            self._values[compute] = compute(self.rgb)
        value: Value = self._values[compute]
        return value


class Comparison:
    """One result of a case and what the result is compared with; conversions are computed once, on demand.

    Attributes:
        case: the question.
        result: the contestant's answer, sRGB, (H, W, 3), uint8.
        unhelped: the same contestant's answer to the protocol's baseline case, or plain gray if the contestant
            cannot answer that case; None where the case has no help whose effect could be measured.
    """

    def __init__(self, case: Case, result: Image, known: Truth | None, unhelped: Image | None) -> None:
        self.case, self.result, self.unhelped = case, result, unhelped
        self._known = known

    @property
    def known(self) -> Truth:
        """The truth with its cached values.

        Raises:
            EvaluationError: if the photograph has no truth.
        """
        if self._known is None:
            raise EvaluationError(f"{self.case.photograph.name} has no truth; choose a protocol without one.")
        return self._known

    @property
    def truth(self) -> Image:
        """The true photograph, sRGB, (H, W, 3), uint8."""
        return self.known.rgb

    @cached_property
    def lab(self) -> Array:
        """The result in CIE Lab, (H, W, 3)."""
        return rgb_to_lab(self.result)

    @property
    def true_lab(self) -> Array:
        """The truth in CIE Lab, (H, W, 3)."""
        return self.known.once(rgb_to_lab)

    @property
    def ab(self) -> Array:
        """The result's a*, b*, (H, W, 2)."""
        return self.lab[..., 1:]

    @property
    def true_ab(self) -> Array:
        """The truth's a*, b*, (H, W, 2)."""
        return self.true_lab[..., 1:]

    @cached_property
    def unhelped_ab(self) -> Array | None:
        """The a*, b* of `unhelped`, (H, W, 2), or None where there is no such answer."""
        return None if self.unhelped is None else rgb_to_lab(self.unhelped)[..., 1:]
