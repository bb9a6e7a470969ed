"""The graphs that a record holds, for the comparison with the graphs of a check."""

import dataclasses
import struct
from typing import Any, Dict, Iterator, Optional, Tuple

from ..encoding.errors import DamagedError
from ..graph.graph import Graph
from ..graph.reader import traced_graph
from ..graph.values import Constant
from ..protocol import InputTensor, RestorePlan
from .value import Record

_LENGTH = struct.Struct("<Q")


def texts_of(graph: Graph) -> Iterator[str]:
    """Yields the strings among the constants of a graph, such as the names of files.

    Raises:
        DamagedError: the graph is damaged.
    """
    for node in graph.walk():
        if node.op != "Const":
            continue
        for value in node.values("value"):
            if isinstance(value, Constant) and value.dtype == "string" and value.shape == ():
                yield value.content[_LENGTH.size :].decode("utf-8", "replace")


@dataclasses.dataclass(frozen=True)
class RecordedGraph:
    """The graph of one mode.

    Attributes:
        graph: the graph. It has placeholders or the input_fn's ops for the inputs.
        inputs: which feature or label is which tensor.
        plan: what a restore reads; None if the record was written in training.
        first_op: the number of nodes before the first node of the model_fn; 0 if not known.
    """

    graph: Graph
    inputs: Tuple[InputTensor, ...]
    plan: Optional[RestorePlan]
    first_op: int


def recorded_graphs(record: Record) -> Dict[str, RecordedGraph]:
    """Returns the graph of each mode that the record has one for.

    Raises:
        DamagedError: a graph cannot be read.
    """
    found: Dict[str, Any] = {}
    for mode, recorded in record.modes.items():
        if recorded.graph:
            graph = traced_graph(recorded.graph)
            if not graph.nodes:
                raise DamagedError(f"the graph of {mode.upper()} is empty")
            found[mode] = RecordedGraph(graph, recorded.inputs, recorded.plan, recorded.first_op)
    return found
