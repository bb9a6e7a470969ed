"""What a saved graph tells at its start: who saved it, and which kind of variables it has."""

import os
from typing import Optional

from ..spec import GraphSummary
from .bounded import read_whole
from .damage import DamagedError
from .wire import BYTES, bytes_of, fields

_LARGEST = 1 << 29
_KINDS = {b"VariableV2": "v1", b"Variable": "v1", b"VarHandleOp": "v2"}


def read_graph_summary(prefix: str) -> Optional[GraphSummary]:
    """Reads the graph beside a checkpoint; None where there is none that can be read.

    Nothing depends on it: the tracer reads the graph again, with TensorFlow.
    """
    path = prefix + ".meta"
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        return None
    try:
        return _summary(path, read_whole(path, _LARGEST))
    except (DamagedError, OSError):
        return None


def _summary(path: str, data: bytes) -> GraphSummary:
    version = behavior = ""
    for number, kind, value in fields(data):
        if number == 1 and kind == BYTES:
            version = _version(bytes_of(kind, value))
        elif number == 2 and kind == BYTES:
            behavior = _behavior(bytes_of(kind, value))
            break
    return GraphSummary(path, version, behavior)


def _version(info: bytes) -> str:
    for number, kind, value in fields(info):
        if number == 5 and kind == BYTES:
            return bytes_of(kind, value).decode("utf-8", "replace")
    return ""


def _behavior(graph: bytes) -> str:
    """By the op of the global step, which Estimator makes first."""
    for number, kind, value in fields(graph):
        if number != 1 or kind != BYTES:
            continue
        name = op = b""
        for part, part_kind, part_value in fields(bytes_of(kind, value)):
            if part == 1:
                name = bytes_of(part_kind, part_value)
            elif part == 2:
                op = bytes_of(part_kind, part_value)
                break
        if name == b"global_step":
            return _KINDS.get(op, "")
    return ""
