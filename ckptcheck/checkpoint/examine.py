"""Examines one checkpoint without TensorFlow and without reading its data."""

import dataclasses
import os
from typing import Optional

from ..model_dir import CheckpointFiles
from ..results import GraphSummary
from .bundle import Bundle, read_bundle
from .errors import DamagedError, FirstVersionError
from .files import Listing, list_folder, look_at_files, read_global_step, readable_graphs
from .graph_file import read_graph_summary
from .gzip_file import unpacked_name
from .snapshot import read_marker
from .snapshot_source import newer_source


@dataclasses.dataclass(frozen=True)
class Examined:
    """What is known about a checkpoint.

    Attributes:
        bundle: the index; None if it cannot be read.
        files: the state of its files; None if the index cannot be read.
        problem: why the index cannot be read; "" if it can.
        first_version: whether it has the V1 format, which only TensorFlow reads.
        graph: a summary of the saved graph; None if there is none, or it cannot be read.
    """

    bundle: Optional[Bundle] = None
    files: Optional[CheckpointFiles] = None
    problem: str = ""
    first_version: bool = False
    graph: Optional[GraphSummary] = None


def examine(prefix: str, listing: Optional[Listing] = None) -> Examined:
    """Reads the index of a checkpoint and looks at its files.

    Args:
        prefix: the checkpoint.
        listing: the files in its directory. By default, this function lists the directory. Pass
            a listing to examine many checkpoints without listing their directory again.
    """
    try:
        bundle = read_bundle(prefix)
        files = _files(bundle, listing)
    except FirstVersionError as error:
        return Examined(problem=str(error), first_version=True)
    except DamagedError as error:
        return Examined(problem=str(error))
    try:
        return Examined(bundle, files, graph=read_graph_summary(prefix))
    except DamagedError as error:
        problem = files.graph_problem or str(error)
        return Examined(bundle, dataclasses.replace(files, graph_problem=problem))


def _files(bundle: Bundle, listing: Optional[Listing]) -> CheckpointFiles:
    folder, base = os.path.split(bundle.prefix)
    try:
        listing = list_folder(folder) if listing is None else listing
        marker = read_marker(folder, base, listing)
        if marker is not None:
            found = look_at_files(bundle, marker.listing, marker.step, snapshot=True)
            other = "graph.pbtxt" in map(unpacked_name, readable_graphs(base, listing))
            newer = newer_source(folder, marker.source, bundle)
            return dataclasses.replace(
                found, recorded=marker.recorded, other_graph=other, newer=newer
            )
        return look_at_files(bundle, listing, read_global_step(bundle))
    except OSError as error:
        raise DamagedError(f"{folder or os.curdir} cannot be read: {error.strerror}")
