"""Compares the traced graphs with the saved one, where the comparison would be exact."""

import dataclasses
from typing import AbstractSet, Any, Dict, Mapping, Optional, Sequence, Tuple

from ..changes import UNKNOWN, Drift
from ..drift.compare import compare
from ..drift.sides import SHAPE, Side
from ..encoding.errors import DamagedError
from ..graph.graph import Graph
from ..graph.launch import behavior, has_strategy, head_range
from ..graph.nodes import split_input
from ..protocol import TRAIN, CheckpointIndex, allows
from .answers import Answer
from .input_pools import Pool
from .pairing import pair
from .search import Found
from .structure import Path

_LOSSES = "losses"
"""The collection to which Estimator adds the loss, after all others."""
_PARTS = ("indices", "values", SHAPE)
_SOURCES = ("IteratorGetNext", "Placeholder", "QueueDequeue", "DeserializeSparse")
Inputs = Dict[Tuple[str, int], Tuple[Any, ...]]


def unknown(modes: Sequence[str], why: str) -> Drift:
    """Returns that nothing was compared."""
    return Drift((), dict.fromkeys(modes, UNKNOWN), why)


def compared(
    graph: Graph,
    found: Found,
    modes: Sequence[str],
    tensorflow: str,
    index: Optional[CheckpointIndex],
) -> Drift:
    """Compares traces with the saved graph.

    Args:
        graph: the saved graph.
        found: the traces, with the pairing of features and tensors.
        modes: the modes that are checked.
        tensorflow: the version that traced.
        index: what the checkpoint holds.
    """
    answers = found.traces
    why = _obstacle(graph, answers.get(TRAIN), tensorflow, index)
    guess = found.guess
    if why or guess is None or index is None:
        return unknown(modes, why)
    pairing = pair(guess, answers[TRAIN].uses)
    finished = {mode: answer for mode, answer in answers.items() if answer.finished}
    traced = {mode: _traced(answer) for mode, answer in finished.items()}
    try:
        drift = compare(_saved(graph, guess.pool, pairing.places), traced)
    except DamagedError as error:
        return unknown(modes, f"the saved graph is damaged: {error}")
    if drift.changes and behavior(graph) != behavior(answers[TRAIN].graph):
        return unknown(modes, "its variables are of another kind (see --behavior)")
    if drift.changes and not pairing.certain:
        return unknown(modes, "it is not certain which feature is which tensor of the saved graph")
    if _may_be_of_inputs(graph, drift):
        return unknown(modes, "it is not certain where the input_fn ends in the saved graph")
    restoring = {mode for mode, answer in finished.items() if _finds_all(answer, index)}
    return _within(drift, modes, restoring)


def _may_be_of_inputs(graph: Graph, drift: Drift) -> bool:
    """Whether ops that are gone may be the input_fn's, which no trace has.

    They stand before the first variable, so they work on the features alone. Or an input that is
    paired with nothing takes part in a change.
    """
    head = {node.name for node in graph.nodes[slice(*head_range(graph))]}
    sources = {node.name for node in graph.nodes if node.op.startswith(_SOURCES)}
    return any(
        (change.old and not change.new and head.issuperset(change.old))
        or not sources.isdisjoint(change.old)
        or any("ckptcheck_inputs/" in name for name in change.new)
        for change in drift.changes
    )


def _within(drift: Drift, modes: Sequence[str], restoring: AbstractSet[str]) -> Drift:
    """Returns what a comparison says of the modes that restore. Of the others, findings tell."""
    kept = (
        dataclasses.replace(change, modes=tuple(m for m in change.modes if m in restoring))
        for change in drift.changes
    )
    states = {m: drift.states.get(m, UNKNOWN) if m in restoring else UNKNOWN for m in modes}
    return Drift(tuple(change for change in kept if change.modes), states)


def _finds_all(answer: Answer, index: Optional[CheckpointIndex]) -> bool:
    """Whether the checkpoint holds all that a mode reads."""
    stored = {spec.name for spec in index.variables} if index else set()
    return stored.issuperset(read.key for read in answer.reads)


def _obstacle(
    graph: Graph, train: Optional[Answer], tensorflow: str, index: Optional[CheckpointIndex]
) -> str:
    """Returns why the graphs cannot be compared; "" if they can."""
    if not graph.tensorflow:
        return "the saved graph does not tell which TensorFlow made it"
    if _minor(graph.tensorflow) != _minor(tensorflow):
        return f"the saved graph was made by TensorFlow {graph.tensorflow}"
    if not graph.collection(_LOSSES) or not graph.restore_op:
        return "the saved graph does not tell which tensor is the loss"
    if has_strategy(graph):
        return "the saved graph was made under a distribution strategy"
    if train is None or not train.finished or not train.seen.outputs:
        return "TRAIN could not be traced"
    stored = {spec.name: spec for spec in index.variables} if index else {}
    for read in train.reads if stored else ():
        held = stored.get(read.key)
        if held is None and read.role != "slot":
            return f"the checkpoint has no {read.key}"
        if held is not None and not allows(read.shape, held.shape):
            return f"{read.key} has another shape"
    return ""


def _minor(version: str) -> Tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _saved(graph: Graph, pool: Pool, places: Mapping[Path, int]) -> Side:
    inputs: Inputs = {}
    for path, place in places.items():
        leaf = pool.leaves[place]
        node, output = split_input(leaf.name)
        if leaf.spec.get("sparse"):
            inputs.update(((node, slot), (*path, part)) for slot, part in enumerate(_PARTS))
        else:
            inputs[node, output] = path
    return Side(graph, graph.restore_op, graph.collection(_LOSSES)[-1:], _named(inputs))


def _traced(answer: Answer) -> Side:
    inputs: Inputs = {}
    for tensor in answer.seen.inputs:
        for name, part in zip(tensor.parts, _PARTS):
            inputs[split_input(name)] = (*tensor.path, part)
        if not tensor.parts:
            inputs[split_input(tensor.name)] = tensor.path
    seen = answer.seen
    return Side(answer.graph, seen.restore_op, seen.outputs, _named(inputs), seen.train_op)


def _named(inputs: Inputs) -> Mapping[Tuple[str, int], Tuple[Any, ...]]:
    return {at: ("input", *path) for at, path in inputs.items()}
