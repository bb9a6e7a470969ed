"""Shapes that only Python knows: what ``set_shape`` says is not in a GraphDef.

A table's lookup of TensorFlow 1.15 is such a tensor, and so is what a ``py_func`` or a parser
returns: the code says the shape, the shape function does not know it. In a graph that is imported
anew all that is computed from them would be of an unknown shape, which fits every variable.
"""

from typing import Any, Collection, Dict, List, Optional, Tuple

from .imports import imported
from .restore_plan import consumers_of
from .static_shapes import static_shape

Pinned = Dict[str, Tuple[Any, List[Optional[int]]]]
"""Dtypes and shapes by the name of the tensor."""

_MOST_ROUNDS = 4
_LOOPS = ("Enter", "RefEnter", "Exit", "Merge", "Switch", "NextIteration", "LoopCond")


def told_shapes(
    tensorflow: Any, graph: Any, definition: Any, pinned: Pinned, changed: Collection[str]
) -> Pinned:
    """The tensors of which an import of a graph knows less than the graph itself does.

    Only where the knowledge is lost: from there on the shape functions know the rest.

    Args:
        tensorflow: the module.
        graph: the graph of the trace.
        definition: what is imported of it.
        pinned: the inputs of known shapes.
        changed: the variables whose restored shape is another; what is computed from them has no
            longer the shape that the code says.
    """
    told: Pinned = {}
    for _ in range(_MOST_ROUNDS):
        with imported(tensorflow, definition, {**pinned, **told}, {}) as again:
            more = _lost(graph, again, {*pinned, *told}, changed)
        if not more:
            break
        told.update(more)
    return told


def _lost(graph: Any, again: Any, known: Collection[str], changed: Collection[str]) -> Pinned:
    handles = [op for op in again.get_operations() if op.name in changed]
    reached = consumers_of(output for handle in handles for output in handle.outputs)
    own = {op.name: op for op in graph.get_operations()}
    lost: Dict[str, Tuple[Any, List[Optional[int]]]] = {}
    sources: Pinned = {}
    for op in again.get_operations():
        if op in reached or op.name in changed or op.name not in own or _is_in_loop(own[op.name]):
            continue
        for mine, theirs in zip(op.outputs, own[op.name].outputs):
            shape = _told(mine, theirs)
            if shape is not None and mine.name not in known:
                lost[mine.name] = (mine.dtype, shape)
    for name, pin in lost.items():
        op = again.get_tensor_by_name(name).op
        if not any(given.name in lost for given in op.inputs):
            sources[name] = pin
    return sources


def _is_in_loop(op: Any) -> bool:
    return op.type in _LOOPS or op._get_control_flow_context() is not None


def _told(mine: Any, theirs: Any) -> Optional[List[Optional[int]]]:
    """What both graphs know of a shape together; None where the graph itself knows no more."""
    if mine.dtype._is_ref_dtype or mine.dtype.name in ("resource", "variant"):
        return None
    if not mine.consumers():
        return None
    own = static_shape(theirs)
    if own is None:
        return None
    seen = static_shape(mine)
    if seen is None:
        return own
    if len(seen) != len(own):
        return None
    merged = [size if other is None else other for size, other in zip(seen, own)]
    fits = all(size in (None, other) for size, other in zip(seen, merged))
    return merged if fits and merged != seen else None
