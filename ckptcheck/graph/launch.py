"""Derives from a graph how the script that built it was set up."""

import itertools
import re
from typing import List, Tuple

from .graph import Graph

VARIABLE_OPS = ("VariableV2", "Variable", "VarHandleOp")
_REFERENCES = VARIABLE_OPS[:2]
_LONGEST_HEAD = 3000


def behavior(graph: Graph) -> str:
    """Returns the kind of the graph's variables.

    TPUEstimator's global step is a resource variable whatever the script chose, so reference
    variables count first.

    Returns:
        ``v1`` for reference variables, ``v2`` for resource variables, "" if there are none.
    """
    if graph.has(*_REFERENCES):
        return "v1"
    return "v2" if graph.has("VarHandleOp") else ""


def has_strategy(graph: Graph) -> bool:
    """Whether the graph was built under a distribution strategy.

    Without a strategy, Estimator creates the global step before it calls input_fn. Under a
    strategy, the iterator comes before the global step, and its GetNext ops come after it.
    """
    early: List[str] = []
    for node in graph.walk():
        if node.name == "global_step":
            return bool(early) and not any(op.startswith("IteratorGetNext") for op in early)
        if "Iterator" in node.op:
            early.append(node.op)
    return False


def restores_iterators(graph: Graph) -> bool:
    """Whether the graph's saver restores iterators of the input_fn."""
    return graph.has("DeserializeIterator")


def head_range(graph: Graph) -> Tuple[int, int]:
    """Returns the range that contains the input_fn's nodes.

    It starts after the global step and ends before the model's variables. Without a global step,
    it starts at the first node.
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
    """Returns the index of a variable's first node, which belongs to its initializer."""
    scope = re.sub(r"/part_\d+$", "", variable) + "/"
    below = (place for place, name in enumerate(names) if name.startswith(scope))
    return next(below, len(names))
