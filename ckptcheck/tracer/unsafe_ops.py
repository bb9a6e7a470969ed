"""Ops that a dry run must not execute: they call Python, write something, or wait for a peer."""

import operator
import re
from typing import Any, Collection, Dict, Iterator, List, NamedTuple, Set

from . import compat
from .restore_plan import ancestors
from .static_shapes import static_shape

_UNSAFE = re.compile(
    r"PyFunc|^Write|Save|Summary|^Queue.*(Dequeue|Enqueue)|^_?Send|^_?Recv|Rpc|TPU|[IO](n|ut)feed"
    r"|^Barrier|^Stage|^Unstage|^Collective|^Nccl|^Experimental|^Debug|^Dump"
)


_name = operator.attrgetter("name")


class Cut(NamedTuple):
    """A graph without its unsafe ops.

    Attributes:
        reason: why the unsafe ops cannot be cut off; "" if they can.
        ops: the ops that remain.
        outputs: the outputs of unsafe ops that the remaining ops read.
        before: the remaining ops whose outputs the unsafe ops read.
        iterators: the ops that initialize the iterators of safe datasets.
    """

    reason: str
    ops: Set[Any]
    outputs: List[Any]
    before: List[Any]
    iterators: List[Any]


def cut_off(graph: Any, ops: Set[Any]) -> Cut:
    """Finds the unsafe ops among some ops, and removes the control inputs from them.

    Args:
        graph: their graph. Control inputs in it change.
        ops: all that a mode runs.
    """
    called = _unsafe_functions(graph)
    makers = [op for op in graph.get_operations() if op.type == "MakeIterator"]
    unsafe_makers = {
        maker
        for maker in makers
        if any(_is_unsafe(op, called) for op in ancestors([maker.inputs[0].op]))
    }
    iterators = {op.inputs[1].op for op in unsafe_makers}
    unsafe = {op for op in ops if _is_unsafe(op, called) or _reads(op, iterators)}
    outputs = [
        output
        for op in sorted(unsafe, key=_name)
        for output in op.outputs
        if any(user in ops and user not in unsafe for user in output.consumers())
    ]
    safe = [op for op in makers if op not in unsafe_makers]
    reason = next(filter(None, map(_why_not, outputs)), "")
    if not reason:
        _wait_for_others(ops, unsafe)
    before = {given.op for op in unsafe for given in op.inputs} - unsafe
    return Cut(reason, ops - unsafe, outputs, sorted(before, key=_name), safe)


def _is_unsafe(op: Any, called: Set[str]) -> bool:
    if _UNSAFE.search(op.type):
        return True
    # op.node_def copies the node, which takes long in a large graph
    return bool(called) and not called.isdisjoint(functions_of(op.node_def))


def _reads(op: Any, iterators: Set[Any]) -> bool:
    return op.type.startswith("IteratorGetNext") and op.inputs[0].op in iterators


def functions_of(node: Any) -> Iterator[str]:
    """The names of the functions that a node may call."""
    yield node.op
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func.name
        for function in value.list.func:
            yield function.name


def _unsafe_functions(graph: Any) -> Set[str]:
    """The functions of a graph that contain an unsafe op, or call a function that does."""
    calls: Dict[str, Set[str]] = {}
    unsafe: Set[str] = set()
    for function in graph.as_graph_def().library.function:
        name = function.signature.name
        calls[name] = {called for node in function.node_def for called in functions_of(node)}
        if any(_UNSAFE.search(node.op) for node in function.node_def):
            unsafe.add(name)
    while True:
        more = {name for name, called in calls.items() if called & unsafe} - unsafe
        if not more:
            return unsafe
        unsafe |= more


def _why_not(output: Any) -> str:
    """Returns why a made-up value cannot replace an output; "" if it can."""
    within = output.op._get_control_flow_context() is not None
    if within or output.dtype._is_ref_dtype or output.dtype.name in ("resource", "variant"):
        return f"it has {output.op.type} ops"
    if static_shape(output) is None:
        return f"the rank of the results of its {output.op.type} ops is unknown"
    return ""


def _wait_for_others(ops: Collection[Any], unsafe: Set[Any]) -> None:
    for op in ops:
        waits = list(op.control_inputs)
        if op not in unsafe and not unsafe.isdisjoint(waits):
            compat.set_control_inputs(op, [other for other in waits if other not in unsafe])
