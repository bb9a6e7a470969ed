"""Whether a wrong shape that a restore lets through breaks the run after it.

A resource variable that is read whole takes the checkpoint's shape without a word. What happens
next is asked of TensorFlow's own shape functions: the part of the graph that the mode runs is
imported once more with the restored shapes in place of the declared ones.
"""

import itertools
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from ..spec import Read, RunError, VariableSpec, allows
from . import convolutions, slices
from .restore_plan import Restore, ancestors, as_op


def run_errors(
    tensorflow: Any,
    graph: Any,
    restore: Restore,
    checkpoint: Iterable[VariableSpec],
    fetches: Iterable[Any],
) -> Tuple[RunError, ...]:
    """What the run after the restore will refuse of the shapes that the restore lets through.

    Args:
        tensorflow: the module.
        graph: the graph of the trace.
        restore: its restore plan with the ops that are written to.
        checkpoint: what the checkpoint holds.
        fetches: what the mode runs.
    """
    stored = {spec.name: spec for spec in checkpoint}
    changed = {
        sink.name: (read, stored[read.key])
        for read, sink in zip(restore.plan.reads, restore.sinks)
        if sink is not None and read.key in stored and _passes(read, stored[read.key])
    }
    if not changed:
        return ()
    roots = [op for op in map(as_op, fetches) if op is not None]
    refused = _refusal(tensorflow, graph, roots, changed)
    if refused is None:
        return ()
    op, message = refused
    keys = tuple(sorted(read.key for read, _ in changed.values()))
    return (RunError(keys, op, message),)


def _passes(read: Read, stored: VariableSpec) -> bool:
    """Whether the restore lets a wrong shape through."""
    if read.check != "none" or read.dtype != stored.dtype:
        return False
    return not allows(read.shape, stored.shape)


def _refusal(
    tensorflow: Any,
    graph: Any,
    roots: List[Any],
    changed: Dict[str, Tuple[Read, VariableSpec]],
) -> Optional[Tuple[str, str]]:
    """The op that refuses the restored shapes and what it says, None where none does."""
    v1 = tensorflow.compat.v1
    definition = part_of(graph, ancestors(roots))
    for node in definition.node:
        for attribute in ("_output_shapes", "_class"):
            if attribute in node.attr:
                del node.attr[attribute]
        if node.name in changed:
            shape = changed[node.name][1].shape
            node.attr["shape"].shape.CopyFrom(tensorflow.TensorShape(shape).as_proto())
    with v1.Graph().as_default() as restored:
        try:
            v1.import_graph_def(definition, name="")
        except ValueError as error:
            return named_op(str(error), definition), str(error).splitlines()[0]
        kernels = (convolutions, slices)
        refused = (k.refusals(tensorflow, graph, restored) for k in kernels)
        return next(itertools.chain.from_iterable(refused), None)


def part_of(graph: Any, ops: Set[Any]) -> Any:
    """The GraphDef of some ops, with the functions of the whole graph."""
    definition = graph.as_graph_def()
    names = {op.name for op in ops}
    kept = [node for node in definition.node if node.name in names]
    part = type(definition)()
    part.versions.CopyFrom(definition.versions)
    part.library.CopyFrom(definition.library)
    part.node.extend(kept)
    return part


def named_op(message: str, definition: Any) -> str:
    """The op that an error message names: the longest of the graph's names in quotes or braces."""
    found = [
        node.name
        for node in definition.node
        if any(
            mark.format(node.name) in message
            for mark in ("'{}'", "node {}}}", "{{{{node {}}}}}", "'{} ")
        )
    ]
    return max(found, key=len) if found else ""
