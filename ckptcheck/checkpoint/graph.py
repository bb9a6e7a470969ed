"""What a saved graph tells at its start: who saved it, and which kind of variables it has."""

import io
import os
from typing import Iterator, Optional, Tuple

from ..spec import GraphSummary
from .bounded import read_whole
from .damage import DamagedError
from .packed import ENDING, unpack
from .wire import BYTES, Value, bytes_of, fields

_LARGEST = 1 << 29
_LARGEST_UNPACKED = 1 << 27
"""Less, since a hostile file of a hundred kilobytes can hold as much."""
_MOST_FIELDS = 1 << 20
"""What is looked for stands before all of these in what Estimator saves. A hostile file has as many
fields as half of its bytes."""
_KINDS = {b"VariableV2": "v1", b"Variable": "v1", b"VarHandleOp": "v2"}


def read_graph_summary(prefix: str) -> Optional[GraphSummary]:
    """Reads the graph beside a checkpoint; None where there is none that can be read.

    Nothing depends on it: the tracer reads the graph again, with TensorFlow.
    """
    plain = prefix + ".meta"
    path = plain if os.path.isfile(plain) else plain + ENDING
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        return None
    try:
        return _summary(path, _content(path))
    except (DamagedError, OSError):
        return None


def _content(path: str) -> bytes:
    if not path.endswith(ENDING):
        return read_whole(path, _LARGEST)
    out = io.BytesIO()
    unpack(path, out, _LARGEST_UNPACKED)
    return out.getvalue()


class _Walk:
    """The fields of messages, of which only so many are looked at in all."""

    def __init__(self, most: int) -> None:
        self._left = most

    def fields(self, data: bytes) -> Iterator[Tuple[int, int, Value]]:
        for field in fields(data):
            if self._left == 0:
                return
            self._left -= 1
            yield field


def _summary(path: str, data: bytes) -> GraphSummary:
    version = behavior = ""
    walk = _Walk(_MOST_FIELDS)
    for number, kind, value in walk.fields(data):
        if number == 1 and kind == BYTES:
            version = _version(walk, bytes_of(kind, value))
        elif number == 2 and kind == BYTES:
            behavior = _behavior(walk, bytes_of(kind, value))
            break
    return GraphSummary(path, version, behavior)


def _version(walk: _Walk, info: bytes) -> str:
    for number, kind, value in walk.fields(info):
        if number == 5 and kind == BYTES:
            return bytes_of(kind, value).decode("utf-8", "replace")
    return ""


def _behavior(walk: _Walk, graph: bytes) -> str:
    """By the op of the global step, which Estimator makes first."""
    for number, kind, value in walk.fields(graph):
        if number != 1 or kind != BYTES:
            continue
        name = op = b""
        for part, part_kind, part_value in walk.fields(bytes_of(kind, value)):
            if part == 1:
                name = bytes_of(part_kind, part_value)
            elif part == 2:
                op = bytes_of(part_kind, part_value)
                break
        if name == b"global_step":
            return _KINDS.get(op, "")
    return ""
