"""The cache of a `Colorizer`: typed slots, each bounded, and the bytes that they hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from copy import copy
from dataclasses import fields, is_dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinct.methods import Prediction
from tinct.photo import Photo
from tinct.photo.picture import Picture

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Array = NDArray[np.float32]

REFERENCES = 8
"""The least number of references whose features are kept, counted for each method and size; more are kept if more are
set."""

FEATURES_BYTES = 64 << 20
"""Bytes up to which the features of a second method or working size are kept; at the usual sizes two take a third."""


class Followed(NamedTuple):
    """How a method follows references.

    Attributes:
        doubted: the references that it takes little of, as they do not fit: the number of each, and its likeness.
        turn: the angle by which it turns the answer's hues, as the references' are turned, in radians; 0 mostly.
    """

    doubted: list[tuple[int, float]]
    turn: float


class LruCache(Generic[Key, Value]):
    """A bounded cache, from which the least recently used value is dropped first.

    Attributes:
        limit: the most values that are kept.
        bytes_limit: the most bytes of all values, unless the last value alone has more; None is any number.
    """

    def __init__(self, limit: int, bytes_limit: int | None = None) -> None:
        self.limit, self.bytes_limit = limit, bytes_limit
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The value of a key; `compute` is called if the value is not kept."""
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

    def __copy__(self) -> LruCache[Key, Value]:
        """A cache with the same values, which it keeps and drops by itself."""
        other: LruCache[Key, Value] = LruCache(self.limit, self.bytes_limit)
        other._values = self._values.copy()
        return other

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Value]:
        return iter(self._values.values())


class Cache:
    """The cached values of one photograph. A value does not depend on anything that is not in its key.

    Attributes:
        lightness: L* of the photograph, by working size.
        pictures: the picture within the photograph's borders, None where there are none.
        within: whether all of the last hints lie within that picture.
        preview_lightness: L* of the photograph that previews are made from, by longer side.
        preview_gray: gray pictures that previews color, by longer side.
        features: a method's features of the photograph, by method, working size and picture within borders.
        references: a method's features of references, by reference, method and working size.
        attended: the photograph's attention to references, by reference and what the features depend on.
        followed: how the method follows the references, for the last ones and their trust.
        recalled: the last colors that the photograph took from all its references by their weights.
        matched: the last colors that the photograph took from hints, with the method's distribution.
        predictions: the last prediction, before vividness is added and hints are spread over it.
    """

    def __init__(self) -> None:
        self.lightness: LruCache[int, Array] = LruCache(4)
        self.pictures: LruCache[None, Picture | None] = LruCache(1)
        self.within: LruCache[Hashable, bool] = LruCache(1)
        self.preview_lightness: LruCache[int, Array] = LruCache(2)
        self.preview_gray: LruCache[int, Photo] = LruCache(4)
        self.features: LruCache[Hashable, Any] = LruCache(2, FEATURES_BYTES)
        self.references: LruCache[tuple[int, str, int], Any] = LruCache(REFERENCES)
        self.attended: LruCache[tuple[int, Hashable], Any] = LruCache(REFERENCES)
        self.followed: LruCache[Hashable, Followed] = LruCache(1)
        self.recalled: LruCache[Hashable, Any] = LruCache(1)
        self.matched: LruCache[Hashable, Any] = LruCache(1)
        self.predictions: LruCache[Hashable, Prediction] = LruCache(1)

    def __copy__(self) -> Cache:
        """A cache with the same values in slots of its own."""
        other = Cache()
        vars(other).update({name: copy(slot) for name, slot in vars(self).items()})
        return other

    @property
    def slots(self) -> tuple[LruCache[Any, Any], ...]:
        """All slots."""
        return tuple(vars(self).values())

    def forget_photo(self) -> None:
        """Remove all values that depend on the photograph; features of references stay."""
        for slot in self.slots:
            if slot is not self.references:
                slot.clear()

    def keep_references(self, references: Sequence[Photo]) -> None:
        """Remove the values of other references than these, and make room for these."""
        kept = {id(photo) for photo in references}
        for each in (self.references, self.attended):
            each.drop(lambda key: key[0] not in kept)
            each.limit = max(REFERENCES, len(kept))
        for slot in (self.followed, self.recalled, self.matched, self.predictions):
            slot.clear()


def held_bytes(*values: Any) -> int:
    """Bytes of the arrays that values hold; an array that several values hold counts once.

    Args:
        values: arrays, bytes, `Photo`, `LruCache`, dataclasses, and dicts, tuples and lists of such; others count
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
    if isinstance(value, tuple | list | LruCache):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        named = {each.name: getattr(value, each.name) for each in fields(value)}
        return list({**named, **getattr(value, "__dict__", {})}.values())
    return []
