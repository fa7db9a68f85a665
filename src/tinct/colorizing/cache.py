"""What a `Colorizer` keeps between two answers: typed slots, each bounded, and the bytes that they hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinct.methods import Prediction
from tinct.photo import Photo

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Array = NDArray[np.float32]

REFERENCES = 8
"""References whose features are kept at least, counted for each method and size; as many as are set, if more are."""

FEATURES_BYTES = 64 << 20
"""Bytes up to which the features of a second method or working size are kept; at their usual sizes two take a fifth."""


class Recent(Generic[Key, Value]):
    """The values computed last, by what they were computed from; the one asked for longest ago goes first.

    Attributes:
        limit: how many values are kept at most.
        bytes_limit: how many bytes they may take together before all but the last one go; None is any number.
    """

    def __init__(self, limit: int, bytes_limit: int | None = None) -> None:
        self.limit, self.bytes_limit = limit, bytes_limit
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The value of a key, computed if it is not kept."""
        if key not in self._values:
            self._values[key] = compute()
        self._values.move_to_end(key)
        while len(self._values) > 1 and self._is_full():
            self._values.popitem(last=False)
        return self._values[key]

    def _is_full(self) -> bool:
        if len(self._values) > self.limit:
            return True
        return self.bytes_limit is not None and held_bytes(self) > self.bytes_limit

    def drop(self, unwanted: Callable[[Key], bool]) -> None:
        """Remove the values whose keys are unwanted."""
        for key in [key for key in self._values if unwanted(key)]:
            del self._values[key]

    def clear(self) -> None:
        """Remove all values."""
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Value]:
        return iter(self._values.values())


class Cache:
    """The slots of one photograph; what a key lacks does not change the value.

    Attributes:
        lightness: L* of the photograph, by working size.
        shrunk: L* of the photograph that previews are made from, by longer side.
        small: gray pictures that previews color, by longer side.
        features: what a method encoded of the photograph, by method and working size.
        references: what a method encoded of references, by reference, method and working size.
        recalled: what the photograph found in its references: the last one.
        matched: what the photograph found in the hints, and what the method says of it: the last one.
        predictions: the last prediction, before vividness is added and hints are spread over it.
    """

    def __init__(self) -> None:
        self.lightness: Recent[int, Array] = Recent(4)
        self.shrunk: Recent[int, Array] = Recent(2)
        self.small: Recent[int, Photo] = Recent(4)
        self.features: Recent[Hashable, Any] = Recent(2, FEATURES_BYTES)
        self.references: Recent[tuple[int, str, int], Any] = Recent(REFERENCES)
        self.recalled: Recent[Hashable, Any] = Recent(1)
        self.matched: Recent[Hashable, Any] = Recent(1)
        self.predictions: Recent[Hashable, Prediction] = Recent(1)

    @property
    def slots(self) -> tuple[Recent[Any, Any], ...]:
        """All slots."""
        return tuple(vars(self).values())

    def forget_photo(self) -> None:
        """Remove all that was found for the photograph; what was found for references alone stays."""
        for slot in self.slots:
            if slot is not self.references:
                slot.clear()

    def keep_references(self, references: Sequence[Photo]) -> None:
        """Remove what was found for other references than these, and make room for these."""
        kept = {id(photo) for photo in references}
        self.references.drop(lambda key: key[0] not in kept)
        self.references.limit = max(REFERENCES, len(kept))
        for slot in (self.recalled, self.matched, self.predictions):
            slot.clear()


def held_bytes(*values: Any) -> int:
    """How many bytes of memory the arrays take that these values hold; an array that several hold counts once.

    Args:
        values: arrays, bytes, `Photo`, `Recent`, dataclasses, and dicts, tuples and lists of such; other things count
            as nothing.
    """
    buffers: dict[int, int] = {}
    for value in values:
        _count(value, buffers)
    return sum(buffers.values())


def _count(value: Any, buffers: dict[int, int]) -> None:
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        buffers[id(value)] = value.nbytes
    elif isinstance(value, bytes):
        buffers[id(value)] = len(value)
    else:
        for part in _parts(value):
            _count(part, buffers)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Photo):
        return list(vars(value).values())
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, tuple | list | Recent):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        named = {each.name: getattr(value, each.name) for each in fields(value)}
        return list({**named, **getattr(value, "__dict__", {})}.values())
    return []
