"""Reads a file that holds a saved graph, which is compressed in a snapshot."""

import os
from typing import Optional

from ..graph.reader import parse_graph
from ..graph.summary import summary_of
from ..results import GraphSummary
from .bounded import GIT_LFS, has_pointer, read_whole
from .errors import DamagedError, TooLargeError
from .gzip_file import ENDING, unpacked, unpacked_name

_LARGEST = 1 << 30
_LARGEST_UNPACKED = 1 << 29
"""Less than ``_LARGEST``, since a small hostile file can unpack to this size."""


def read_graph_summary(prefix: str) -> Optional[GraphSummary]:
    """Summarizes the saved graph of a checkpoint; returns None if it is missing or too large.

    Raises:
        DamagedError: the saved graph cannot be read.
    """
    plain = prefix + ".meta"
    path = plain if os.path.lexists(plain) else plain + ENDING
    if not os.path.lexists(path):
        return None
    try:
        return summary_of(parse_graph(graph_bytes(path), path))
    except TooLargeError:
        return None
    except OSError as error:
        raise DamagedError(str(error.strerror))


def is_graph(path: str) -> bool:
    """Whether a file with the name of a saved graph is probably a graph.

    It accepts text files and files that are too large, without parsing them.

    Raises:
        OSError: it cannot be read.
    """
    if unpacked_name(path).endswith(".pbtxt"):
        return True
    try:
        summary_of(parse_graph(graph_bytes(path), path))
    except TooLargeError:
        return True
    except DamagedError:
        return False
    return True


def graph_bytes(path: str) -> bytes:
    """Returns the decompressed bytes of a saved graph.

    Raises:
        DamagedError: it is not a regular file, is a Git LFS pointer, or cannot be decompressed.
        TooLargeError: it is larger than the limit for reading it.
        OSError: it cannot be read.
    """
    if not path.endswith(ENDING):
        return read_whole(path, _LARGEST)
    data = unpacked(path, _LARGEST_UNPACKED)
    if has_pointer(data):  # a snapshot may hold a compressed pointer
        raise DamagedError(GIT_LFS)
    return data
