"""Summarizes a saved graph: the version that saved it, its kind of variables, and its inputs."""

import itertools
from typing import Iterator, Mapping, Tuple

from ..results import GraphSummary, InputSpec
from .graph import Graph
from .launch import behavior, has_strategy, head_range
from .nodes import Node, split_input


def summary_of(graph: Graph) -> GraphSummary:
    """Summarizes a graph. It decodes only the parts that the summary needs.

    Raises:
        DamagedError: one of these parts is damaged.
    """
    strategy = has_strategy(graph)
    inputs = _inputs(graph, strategy)
    return GraphSummary(graph.file, graph.tensorflow, behavior(graph), strategy, inputs)


def _inputs(graph: Graph, strategy: bool) -> Tuple[InputSpec, ...]:
    """Returns the features and labels that an iterator or a queue yields, without repetitions.

    Under a strategy, each replica has its own GetNext op. A queue also yields the number of the
    row, which nothing consumes. If there are several queues, the last one yields the batches.
    """
    first, last = head_range(graph)
    nodes = list(itertools.islice(graph.walk(), first, last)) if first else []
    iterators = [node for node in nodes if node.op.startswith("IteratorGetNext")]
    if iterators:
        chosen = iterators[:1] if strategy else iterators
        sparse = {split_input(node.inputs[0]): node for node in nodes if _makes_sparse(node)}
        return tuple(spec for node in chosen for spec in _specs(graph, node, sparse))
    queues = [node for node in nodes if node.op.startswith("QueueDequeue")]
    specs = [spec for node in queues[-1:] for spec in _specs(graph, node, {})]
    return tuple(spec for spec in specs if graph.may_use(*split_input(spec.name)))


def _specs(graph: Graph, node: Node, sparse: Mapping[Tuple[str, int], Node]) -> Iterator[InputSpec]:
    """Yields the outputs of a node, with sparse tensors in place of their variants."""
    for place, (dtype, shape) in enumerate(graph.outputs(node)):
        name, made = f"{node.name}:{place}", sparse.get((node.name, place))
        if made is None:
            yield InputSpec(name, shape, dtype)
        else:
            yield InputSpec(name, None, str(made.values("dtype")[0]), True)


def _makes_sparse(node: Node) -> bool:
    return node.op == "DeserializeSparse" and bool(node.inputs and node.values("dtype"))
