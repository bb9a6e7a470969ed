"""The saved graph of a checkpoint as a file: that of a snapshot is packed.

The tracer reads files, so that a check unpacks the graph into a temporary directory.
"""

import contextlib
import dataclasses
import os
from typing import Iterator, List, NamedTuple, Sequence

from ..errors import UsageError
from ..model_dir import Located
from .errors import DamagedError
from .graph import is_graph
from .gzip_file import ENDING, unpack
from .own_folder import full_disk_message, own_folder
from .remote import LocalView
from .snapshot import MARKER

_LARGEST_FILE = 1 << 30
"""What the tracer reads of a graph. What is packed could be a thousand times as large."""


class Graphs(NamedTuple):
    """A checkpoint whose saved graph can be read as a file.

    Attributes:
        located: the checkpoint.
        place: turns the names of unpacked files into those that the user knows.
    """

    located: Located
    place: LocalView


@contextlib.contextmanager
def graphs_at_hand(located: Located) -> Iterator[Graphs]:
    """Unpacks the saved graph of a snapshot for as long as the context lasts.

    Raises:
        UsageError: it cannot be unpacked.
    """
    paths = [path for path in located.graphs if _is_there(path)]
    if not paths or os.path.isfile(paths[0]):
        yield Graphs(located, LocalView(located.named))
        return
    folder = os.path.dirname(paths[0])
    with own_folder() as local:
        unpacked = _unpacked([path for path in paths if os.path.dirname(path) == folder], local)
        place = LocalView(located.named, folder or os.curdir, local)
        graphs = (*unpacked, *(name for name in located.graphs if name not in paths))
        try:
            yield Graphs(dataclasses.replace(located, graphs=graphs), place)
        except UsageError as error:
            raise UsageError(place.shown(str(error))) from None


def _unpacked(paths: Sequence[str], local: str) -> List[str]:
    """Unpacks graphs, the best first, until there is one that is a graph."""
    found = []
    for path in paths:
        found.append(os.path.join(local, os.path.basename(path)))
        _unpack_file(path + ENDING, found[-1])
        if is_graph(found[-1]):
            break
    return found


def _is_there(path: str) -> bool:
    """Whether there is a graph; a packed one is a snapshot's, and nobody else's business."""
    marker = os.path.join(os.path.dirname(path), MARKER)
    return os.path.isfile(path) or (os.path.isfile(path + ENDING) and os.path.isfile(marker))


def _unpack_file(path: str, target: str) -> None:
    try:
        with open(target, "wb") as file:
            unpack(path, file, _LARGEST_FILE)
    except DamagedError as error:
        raise UsageError(f"{path} cannot be unpacked: {error}: make the snapshot again")
    except OSError as error:
        reason = full_disk_message(error) or error.strerror
        raise UsageError(f"{path} cannot be unpacked: {reason}")
