"""What a graph tells of the script that launched it. Inspection and checks both read it here."""

import itertools
import re
from typing import List, Tuple

from .graph import Graph

VARIABLE_OPS = ("VariableV2", "Variable", "VarHandleOp")
_REFERENCES = VARIABLE_OPS[:2]
_LONGEST_HEAD = 3000


def behavior(graph: Graph) -> str:
    """The kind of its variables.

    TPUEstimator's global step is a resource variable whatever the script chose, so reference
    variables count first.

    Returns:
        ``v1`` for reference variables, ``v2`` for resource variables, "" where there are none.
    """
    if graph.has(*_REFERENCES):
        return "v1"
    return "v2" if graph.has("VarHandleOp") else ""


def has_strategy(graph: Graph) -> bool:
    """Whether a distribution strategy built it.

    Estimator makes the global step before it calls input_fn. Under a strategy the iterator is
    older than the step, and what the replicas take of it is not.
    """
    early: List[str] = []
    for node in graph.walk():
        if node.name == "global_step":
            return bool(early) and not any(op.startswith("IteratorGetNext") for op in early)
        if "Iterator" in node.op:
            early.append(node.op)
    return False


def restores_iterators(graph: Graph) -> bool:
    """Whether its saver restored iterators of the input_fn."""
    return graph.has("DeserializeIterator")


def head_range(graph: Graph) -> Tuple[int, int]:
    """Where the input_fn's nodes can be: behind the global step, before the model's variables.

    Without a global step they can begin with the first node.
    """
    first = _behind_step(graph)
    names: List[str] = []
    for node in itertools.islice(graph.walk(), first, first + _LONGEST_HEAD):
        if node.op in VARIABLE_OPS:
            return first, first + _first_below(names, node.name)
        names.append(node.name)
    return first, first + len(names)


def _behind_step(graph: Graph) -> int:
    first = 0
    for place, node in enumerate(graph.walk()):
        if node.name == "global_step" or node.name.startswith("global_step/"):
            first = place + 1
        elif first:
            break
    return first


def _first_below(names: List[str], variable: str) -> int:
    """Where the nodes of a variable begin: those of its initializer are older than its own."""
    scope = re.sub(r"/part_\d+$", "", variable) + "/"
    below = (place for place, name in enumerate(names) if name.startswith(scope))
    return next(below, len(names))
