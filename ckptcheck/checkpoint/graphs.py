"""Reads the saved graph that a check needs."""

import os
from typing import Optional

from ..errors import UsageError
from ..graph.graph import Graph
from ..graph.reader import parse_graph
from ..model_dir import Located
from .errors import DamagedError, TooLargeError
from .graph_file import graph_bytes
from .gzip_file import ENDING
from .snapshot import MARKER


def read_graph(located: Located) -> Optional[Graph]:
    """Reads the graph that a check needs: the first of the files that has one.

    Returns:
        None where there is no file, or only files that are empty or too large.

    Raises:
        DamagedError: what is wrong with the first file, where no other has a graph.
        UsageError: the graph of a snapshot cannot be unpacked.
    """
    problem: Optional[DamagedError] = None
    for path in located.graphs:
        try:
            data = _read(path)
            if data:
                return parse_graph(data, path)
        except TooLargeError:
            continue
        except OSError as error:
            problem = problem or DamagedError(str(error.strerror))
        except DamagedError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return None


def _read(path: str) -> bytes:
    """The bytes of a graph's file; nothing where it is not there."""
    marker = os.path.join(os.path.dirname(path), MARKER)
    if os.path.isfile(path):
        return graph_bytes(path)
    if not (os.path.isfile(path + ENDING) and os.path.isfile(marker)):
        return b""  # a packed file that is not a snapshot's is somebody else's
    try:
        return graph_bytes(path + ENDING)
    except (DamagedError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path}{ENDING} cannot be unpacked: {reason}: make the snapshot again")
