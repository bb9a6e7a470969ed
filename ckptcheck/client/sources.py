"""Asks for the origins of the code: sources, files that the code reads, versions."""

import os
from typing import Dict, Iterable, NamedTuple, Optional, Sequence

from ..graph.graph import Graph
from ..origins import Origins
from ..protocol import Failure, ProjectCopy
from ..records.graphs import texts_of
from ..records.value import Record
from .asking import Asker

SOURCES_UNKNOWN = "whether the source code has changed since the checkpoint was saved"
_OTHER_MODULES = f"{SOURCES_UNKNOWN}: the record has no module of TARGET"


class Sources(NamedTuple):
    """The origins of the code.

    Attributes:
        origins: what was found; None if that failed.
        doubt: what could not be found out; "" for nothing.
    """

    origins: Optional[Origins]
    doubt: str = ""


def sources_of(
    asker: Asker,
    mode: str,
    graphs: Iterable[Graph],
    record: Optional[Record],
    of_record: Sequence[str],
    copy: Optional[ProjectCopy],
) -> Sources:
    """Asks for the origins of the code.

    Args:
        asker: has traced the code.
        mode: a mode that was traced.
        graphs: the graphs, which may name files that the code reads.
        record: the record of the checkpoint; None if there is none.
        of_record: the texts in params that come from the record.
        copy: where the code runs; None for the project itself.
    """
    texts = {text for graph in graphs for text in texts_of(graph)}
    if copy is not None:  # the graphs have the paths of the project
        original, path = (os.path.join(folder, "") for folder in (copy.original, copy.path))
        texts = {text.replace(original, path, 1) for text in texts}
    wanted: Dict[str, Sequence[str]] = {
        "names": sorted(texts),
        "texts": of_record,
        "modules": [source.module for source in record.origins.sources] if record else (),
        "files": [file.path for file in record.origins.data_files] if record else (),
    }
    found = asker.origins(mode, wanted)
    if isinstance(found, Failure):
        return Sources(None, f"{SOURCES_UNKNOWN}: {found.message}")
    known = {source.module for source in found.sources}
    other = record is not None and known.isdisjoint(wanted["modules"])
    return Sources(found, _OTHER_MODULES if other else "")
