"""Reads the saved graph that a check needs."""

import os
from typing import Iterable, Optional

from ..errors import UsageError
from ..graph.graph import Graph
from ..graph.reader import parse_graph, parse_saved_model
from .errors import DamagedError, TooLargeError
from .graph_file import graph_bytes
from .gzip_file import ENDING
from .snapshot import MARKER


def read_graph(paths: Iterable[str]) -> Optional[Graph]:
    """Reads the graph that a check needs, from the first file that holds a graph.

    Args:
        paths: the files, in order of preference.

    Returns:
        The graph; None if all files are missing, empty or too large.

    Raises:
        DamagedError: no file holds a graph. The error describes the first damaged file.
        UsageError: the graph of a snapshot cannot be decompressed.
    """
    problem: Optional[DamagedError] = None
    for path in paths:
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


def read_serving_graph(prefix: str) -> Optional[Graph]:
    """Reads the graph of the SavedModel that has a checkpoint as its variables.

    Returns:
        The graph that serves predictions; None if there is no SavedModel or no such graph.

    Raises:
        DamagedError: the SavedModel cannot be read.
    """
    folder = os.path.dirname(os.path.abspath(prefix))
    if (os.path.basename(prefix), os.path.basename(folder)) != ("variables", "variables"):
        return None
    path = os.path.normpath(os.path.join(os.path.dirname(prefix), os.pardir, "saved_model.pb"))
    try:
        return parse_saved_model(graph_bytes(path), path) if os.path.isfile(path) else None
    except TooLargeError:
        return None
    except OSError as error:
        raise DamagedError(str(error.strerror))


def _read(path: str) -> bytes:
    """Returns the bytes of a graph's file; b"" if the file does not exist."""
    marker = os.path.join(os.path.dirname(path), MARKER)
    if os.path.isfile(path):
        return graph_bytes(path)
    if not (os.path.isfile(path + ENDING) and os.path.isfile(marker)):
        return b""  # outside a snapshot, a .gz file is not ckptcheck's
    try:
        return graph_bytes(path + ENDING)
    except (DamagedError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"{path}{ENDING} cannot be decompressed ({reason}): make the snapshot again"
        )
