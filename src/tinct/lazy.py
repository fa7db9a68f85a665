"""Properties that are computed when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):
    """A property that is computed at its first use and kept, as `functools.cached_property` from Python 3.12 on.

    Up to Python 3.11 that one holds a lock for all instances while it computes, so that threads with different
    photographs wait for each other's networks. Here two threads that first ask the same instance at once may both
    compute the value; they get equal ones.

    Args:
        compute: the value of an instance; its docstring is the property's.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> lazy[T]: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...

    def __get__(self, instance: object | None, owner: type | None = None) -> lazy[T] | T:
        if instance is None:
            return self
        # What lies in the instance's dictionary by this name hides the descriptor from then on.
        value: T = instance.__dict__.setdefault(self._name, self._compute(instance))
        return value
