"""Cached properties, which also work for frozen dataclasses."""

from typing import Any, Callable, Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """A property that is computed once: ``functools.cached_property``, which Python 3.7 lacks."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, owner: Any, kind: Any = None) -> T:
        value = owner.__dict__[self._compute.__name__] = self._compute(owner)
        return value
