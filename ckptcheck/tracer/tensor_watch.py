"""Watches placeholders: code that uses one as a dict, a list or a tuple shows a wrong guess."""

import sys
from typing import Any, Dict, List, Optional, Tuple

from ..uses import InputEvent
from .failures import StructureMismatch
from .instructions import reads_attribute, unpacked

Path = Tuple[Any, ...]

_getframe = sys._getframe
_MOST_EVENTS = 10000
"""Events. Each new event is compared with all earlier events."""


class Recorder:
    """Collects the events of one trace, each once."""

    def __init__(self) -> None:
        self.events: List[InputEvent] = []
        self.wrong: Optional[StructureMismatch] = None
        """The first error that shows a wrong guess. The user's code may have caught it."""

    def note(self, path: Path, event: str, value: Any = None) -> None:
        """Notes an event."""
        if issubclass(type(value), str):
            value = str.__str__(value)  # a subclass of str may define its own equality
        noted = InputEvent(path, event, value)
        if len(self.events) < _MOST_EVENTS and noted not in self.events:
            self.events.append(noted)

    def mismatch(self, path: Path, event: str, value: Any = None) -> StructureMismatch:
        """Notes an event that shows the guess to be wrong."""
        self.note(path, event, value)
        found = StructureMismatch("{} of {}".format(event, ".".join(map(str, path))))
        self.wrong = self.wrong or found
        return found


_VIEWS = ("items", "keys", "values")
_DICT_METHODS = (*_VIEWS, "get", "pop", "copy", "update")


def watch_tensors(base: Any, paths: Dict[int, Path], recorder: Recorder) -> None:
    """Replaces methods of the class of tensors, so that they note the use of some tensors.

    Args:
        base: the class of tensors.
        paths: the path of each tensor to watch, by its id.
        recorder: collects the events.
    """
    plain_getitem, plain_iter, plain_bool = base.__getitem__, base.__iter__, base.__bool__
    plain_getattr = getattr(base, "__getattr__", _no_attribute)

    def getitem(tensor: Any, key: Any, *rest: Any) -> Any:
        _note_key(recorder, paths.get(id(tensor)), key)
        return plain_getitem(tensor, key, *rest)

    def iterate(tensor: Any) -> Any:
        if id(tensor) in paths:
            count = unpacked(_getframe(1))
            if count is not None:
                raise recorder.mismatch(paths[id(tensor)], "unpack", count)
            recorder.note(paths[id(tensor)], "maybe-index", 0)
        return plain_iter(tensor)

    def contains(tensor: Any, key: Any) -> bool:
        if id(tensor) in paths and isinstance(key, str):
            raise recorder.mismatch(paths[id(tensor)], "dict")
        return any(item is key or bool(item == key) for item in tensor)

    def attribute(tensor: Any, name: str) -> Any:
        if id(tensor) in paths and reads_attribute(_getframe(1), name):
            if name in _DICT_METHODS:
                raise recorder.mismatch(paths[id(tensor)], "dict", name if name in _VIEWS else None)
            recorder.note(paths[id(tensor)], "field", name)
        return plain_getattr(tensor, name)

    def truth(tensor: Any) -> bool:
        path = paths.get(id(tensor), ())
        if len(path) == 1:  # the features or the labels as a whole, such as "if labels:"
            raise recorder.mismatch(path, "dict")
        return bool(plain_bool(tensor))

    base.__getitem__, base.__iter__, base.__bool__ = getitem, iterate, truth
    base.__getattr__, base.__contains__ = attribute, contains


def _note_key(recorder: Recorder, path: Optional[Path], key: Any) -> None:
    """Notes a string or an integer that indexes a watched tensor."""
    if path is not None and isinstance(key, str):
        raise recorder.mismatch(path, "key", key)
    if path is not None and type(key) is int:
        recorder.note(path, "maybe-index", key)


def _no_attribute(tensor: Any, name: str) -> Any:
    """Raises what Python raises for a missing attribute of a tensor."""
    raise AttributeError(f"'{type(tensor).__name__}' object has no attribute '{name}'")
