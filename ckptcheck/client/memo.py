"""What checks of the same checkpoint and model_fn share."""

import base64
import dataclasses
import os
from typing import Any, Optional, Union

from ..checkpoint.graphs import read_graph, read_serving_graph
from ..encoding.errors import DamagedError
from ..errors import UsageError
from ..graph.graph import Graph
from ..graph.launch import head_range
from ..model_dir import Located
from ..protocol import CheckpointIndex, Failure, FailureKind
from .guess import Guess
from .input_pools import has_inputs
from .process import Tracer


@dataclasses.dataclass(frozen=True)
class TraceMemo:
    """What one check found out and other checks of the same checkpoint and model_fn can use.

    Attributes:
        index: what TensorFlow lists in the checkpoint, or why it cannot; None without a checkpoint.
        graph: the saved graph; None if there is none, or it cannot be read.
        graph_problem: why the graph cannot be read; "" if it can, or there is none.
        guess: the features; None if the user gave them, or they are not known yet.
        names: ``v1`` if the code needs the names of TensorFlow 1, else ``native``.
        tpu: whether the code needs the params that TPUEstimator adds.
    """

    index: Union[CheckpointIndex, Failure, None]
    graph: Optional[Graph]
    graph_problem: str = ""
    guess: Optional[Guess] = None
    names: str = "native"
    tpu: bool = False

    @property
    def graph_name(self) -> str:
        """The name of the file that holds the saved graph, "" for none."""
        return os.path.basename(self.graph.file) if self.graph is not None else ""


def memo_of(located: Located, tracer: Tracer) -> TraceMemo:
    """Reads the saved graph, and lets TensorFlow list the checkpoint meanwhile.

    No trace reads these files again, so they may be removed after this.

    Raises:
        UsageError: TensorFlow did not finish reading the checkpoint, or the graph of a snapshot
            cannot be decompressed.
    """
    tracer.forget()
    if located.exists:
        tracer.send("checkpoint", prefix=located.prefix)
    graph, problem = None, ""
    try:
        graph = read_graph(located.graphs)
        if graph is not None:
            len(graph.nodes)  # reads all nodes, so that damage is found here and not later
    except DamagedError as error:
        graph, problem = None, str(error)
    if not problem and (graph is None or not has_inputs(graph)):
        graph = _graph_of_another(located) or _serving_graph(located) or graph
    index: Union[CheckpointIndex, Failure, None] = None
    if located.exists:
        _, reply = tracer.receive()
        index = reply if isinstance(reply, Failure) else tracer.understood(CheckpointIndex, reply)
        if isinstance(index, Failure) and index.kind is not FailureKind.RAISED:
            raise UsageError(f"reading {located.prefix}: {index.message}")
    if graph is not None and not graph.op_list:
        graph = _with_op_list(graph, tracer)
    return TraceMemo(index, graph, problem)


_MOST_OTHERS = 3


def _graph_of_another(located: Located) -> Optional[Graph]:
    """Returns the graph of another checkpoint of the directory; None if none has inputs.

    If a script made the checkpoint, such as an average of other checkpoints, it has no graph, or a
    graph without an input pipeline.
    """
    others = [
        p + ".meta" for p in reversed(located.candidates) if p + ".meta" not in located.graphs
    ]
    for path in others[:_MOST_OTHERS]:
        try:
            graph = read_graph((path,))
            if graph is not None and has_inputs(graph):
                return graph
        except DamagedError:  # it is not the graph of this checkpoint
            continue
    return None


def _serving_graph(located: Located) -> Optional[Graph]:
    """Returns the graph of the SavedModel that has the checkpoint; None if it has no inputs."""
    try:
        graph = read_serving_graph(located.prefix) if located.exists else None
        return graph if graph is not None and has_inputs(graph) else None
    except DamagedError:  # the checkpoint does not need it
        return None


def _with_op_list(graph: Graph, tracer: Tracer) -> Graph:
    """Adds TensorFlow's definitions of ops to a graph: a ``graph.pbtxt`` does not have them."""
    nodes = graph.nodes[slice(*head_range(graph))]
    reply: Any = tracer.ask("op-list", ops=sorted({node.op for node in nodes}))
    try:
        return dataclasses.replace(graph, op_list=base64.b64decode(reply))
    except (TypeError, ValueError):  # a failure, or nothing that the tracer wrote
        return graph
