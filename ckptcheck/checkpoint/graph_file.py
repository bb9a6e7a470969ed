"""One file that holds a saved graph: as TensorFlow wrote it, or packed as in a snapshot."""

import io
import os
from typing import Optional

from ..graph.reader import parse_graph
from ..graph.summary import summary_of
from ..results import GraphSummary
from .bounded import GIT_LFS, has_pointer, read_whole
from .errors import DamagedError, TooLargeError
from .gzip_file import ENDING, unpack, unpacked_name

_LARGEST = 1 << 30
_LARGEST_UNPACKED = 1 << 29
"""Less, since a hostile file of a hundred kilobytes can hold as much."""


def read_graph_summary(prefix: str) -> Optional[GraphSummary]:
    """Summarizes the graph beside a checkpoint; None where there is none, or a too large one.

    Raises:
        DamagedError: there is one, and it cannot be read.
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
    """Whether a file that is named as a saved graph is one, as far as can be told without much.

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
    """The bytes of a graph, unpacked.

    Raises:
        DamagedError: the file is not a regular one, or cannot be unpacked.
        TooLargeError: it is larger than what is read.
        OSError: it cannot be read.
    """
    if not path.endswith(ENDING):
        return read_whole(path, _LARGEST)
    out = io.BytesIO()
    unpack(path, out, _LARGEST_UNPACKED)
    data = out.getvalue()
    if has_pointer(data):  # which a snapshot has packed
        raise DamagedError(GIT_LFS)
    return data
