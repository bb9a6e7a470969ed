"""Compares the traced graphs with the saved one, if the comparison is exact."""

import dataclasses
import re
from typing import AbstractSet, Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..changes import CHANGED, NO_DRIFT, NONE, UNKNOWN, Change, Drift, Unlike
from ..drift.compare import compare
from ..drift.sides import SHAPE, Side, with_common_outputs
from ..encoding.errors import DamagedError
from ..graph.graph import Graph
from ..graph.launch import VARIABLE_OPS, behavior, has_strategy, head_range
from ..graph.lazy import Lazy
from ..graph.nodes import split_input
from ..graph.reader import traced_graph
from ..protocol import TRAIN, CheckpointIndex, FinishedTrace, VariableSpec, allows
from ..records.value import Record
from ..uses import InputTensor, Location
from .answers import Answer, unfit_reads
from .guess import Guess
from .input_pools import Pool
from .pairing import (
    MOST_EXCHANGES,
    Pairing,
    exchanges,
    guess_of_given,
    has_other_sizes,
    pair,
)
from .structure import Path

_LOSSES = "losses"
"""Estimator adds the loss to this collection last."""
_PARTS = ("indices", "values", SHAPE)
_SOURCES = ("IteratorGetNext", "Placeholder", "QueueDequeue", "DeserializeSparse")
Inputs = Dict[Tuple[str, int], Tuple[Any, ...]]


def unknown(modes: Sequence[str], why: str) -> Drift:
    """Returns the result for modes that could not be compared."""
    return Drift((), dict.fromkeys(modes, UNKNOWN), why)


def compared(
    graph: Graph,
    answers: Mapping[str, Answer],
    guess: Optional[Guess],
    modes: Sequence[str],
    tensorflow: str,
    index: Optional[CheckpointIndex],
) -> Drift:
    """Compares traces with the saved graph.

    Args:
        graph: the saved graph.
        answers: the traces.
        guess: the pairing of features and tensors; None if the user gave the features.
        modes: the modes that are checked.
        tensorflow: the version that traced.
        index: what the checkpoint holds.
    """
    why = _obstacle(graph, answers.get(TRAIN), tensorflow, index)
    if why or index is None:
        return unknown(modes, why)
    given = guess is None
    guess = guess or guess_of_given(graph, answers[TRAIN])
    if guess is None:
        return unknown(modes, _NOT_FOUND)
    pairing = pair(guess, answers[TRAIN].uses)
    finished = {mode: answer for mode, answer in answers.items() if answer.finished}
    across = _minor(graph.tensorflow) != _minor(tensorflow)
    comparison = _Comparison(graph, guess, finished, across)
    restoring = _restoring(finished, index)
    try:
        drift = comparison.with_pairs(pairing.places)
    except DamagedError as error:
        return unknown(modes, f"the saved graph is damaged: {error}")
    if drift.changes and not across and behavior(graph) != behavior(answers[TRAIN].graph):
        return unknown(modes, "the code makes another kind of variables (see --behavior)")
    if drift.changes and given and has_other_sizes(guess, answers[TRAIN]):
        why = "the features that you gave have another batch size than those in the saved graph"
        return unknown(modes, why)
    doubt = _doubt(comparison, pairing, drift)
    if doubt is not None:
        why, settled = doubt
        common = comparison.with_one_anchor(settled)
        if not common.changes:
            return unknown(modes, why)
        return _within(_in_all_pairings(common, drift.states, why), modes, restoring)
    if comparison.may_be_of_inputs(drift):
        return unknown(modes, "it is not certain where the input_fn ends in the saved graph")
    return _within(drift, modes, restoring)


_NOT_FOUND = (
    "the saved graph does not show the tensors of the features that you gave, because their "
    "number, dtypes or shapes differ, or because one is a constant SparseTensor"
)


@dataclasses.dataclass(frozen=True)
class _Comparison:
    """What is compared: the saved graph, and the traces that finished.

    ``across`` tells whether two versions of TensorFlow made them.
    """

    graph: Graph
    guess: Guess
    finished: Mapping[str, Answer]
    across: bool

    @Lazy
    def traced(self) -> Mapping[str, Side]:
        """The side of each trace."""
        return {mode: _traced(answer) for mode, answer in self.finished.items()}

    def with_pairs(self, places: Mapping[Path, int]) -> Drift:
        """Returns what has changed if each tensor is the leaf of the pool at its place."""
        saved = _saved(self.graph, self.guess.pool, places)
        return compare(saved, self.traced, across=self.across)

    def with_one_anchor(self, settled: Mapping[Path, int]) -> Drift:
        """Returns what has changed with one anchor for all inputs that are not settled.

        Tensors with one anchor make more computations equal, never fewer. So a change that is still
        found does not depend on which tensor is which.
        """
        if not self.guess.pool.sorted_keys:  # one leaf may be made of another
            return NO_DRIFT
        saved = _saved(self.graph, self.guess.pool, settled, others=True)
        sides = {mode: _traced(answer, settled) for mode, answer in self.finished.items()}
        drift = compare(saved, sides, across=self.across)
        return NO_DRIFT if self.may_be_of_inputs(drift) else drift

    def may_be_of_inputs(self, drift: Drift) -> bool:
        """Whether ops that changed may belong to the input_fn."""
        return _may_be_of_inputs(self.graph, self.finished[TRAIN].graph, drift)


def _doubt(
    comparison: _Comparison, pairing: Pairing, drift: Drift
) -> Optional[Tuple[str, Mapping[Path, int]]]:
    """Returns why a pairing may be wrong, and the pairs that are right; None if all are right."""
    if not drift.changes:
        return None
    if not pairing.certain:
        return _UNCERTAIN, pairing.settled
    places, uses = pairing.places, comparison.finished[TRAIN].uses
    pairs = exchanges(dataclasses.replace(comparison.guess, places=places), uses)
    open_paths = {path for both in pairs for path in both}
    for one, other in pairs:
        swapped = comparison.with_pairs({**places, one: places[other], other: places[one]})
        if len(swapped.changes) < len(drift.changes):
            cut = len(pairs) == MOST_EXCHANGES  # there may be more of them
            settled = {} if cut else {p: at for p, at in places.items() if p not in open_paths}
            return _EXCHANGED.format(one[-1], other[-1]), settled
    return None


_UNCERTAIN = "it is not certain which feature is which tensor of the saved graph"
_EXCHANGED = (
    "it is not certain which of the features {} and {} is which tensor of the saved graph: if they "
    "change places, fewer ops differ"
)


def with_places(
    drift: Drift,
    answers: Mapping[str, Answer],
    places: Callable[[Answer, Sequence[str]], Mapping[str, Location]],
    recorded: bool = False,
) -> Drift:
    """Returns a drift in which each change names the line of the user's code that makes its ops.

    Args:
        drift: a comparison.
        answers: the traces that were compared.
        places: asks for the lines that make some ops of a trace.
        recorded: whether the graphs of each mode were compared, and not only that of TRAIN.
    """

    def mode_of(change: Change) -> str:
        return change.modes[0] if recorded and TRAIN not in change.modes else TRAIN

    names: Dict[str, List[str]] = {}
    for change in drift.changes:
        names.setdefault(mode_of(change), []).extend(change.new[:_MOST_PLACES])
    found = {mode: places(answers[mode], some) for mode, some in names.items() if some}
    changes = []
    for change in drift.changes:
        lines = found.get(mode_of(change), {})
        known = (lines[name] for name in change.new[:_MOST_PLACES] if name in lines)
        changes.append(dataclasses.replace(change, location=next(known, None)))
    return dataclasses.replace(drift, changes=tuple(changes))


_MOST_PLACES = 20
"""How many nodes of a change are looked up."""


def recorded_sides(record: Record, graph: Optional[Graph]) -> Dict[str, Side]:
    """Returns what a record knows about each mode.

    Args:
        record: the record of the checkpoint.
        graph: the graph that was saved with the checkpoint. A record from training
            names tensors of this graph.

    Raises:
        DamagedError: a graph is damaged.
    """
    found: Dict[str, Side] = {}
    for mode, its in record.modes.items():
        if its.graph and its.outputs:
            own = traced_graph(its.graph)
            inputs = _inputs(its.inputs)
            keys = its.output_keys
            if not keys and len(its.outputs) == 1:  # an older record, which has no keys
                keys = _LOSS_KEY
            found[mode] = Side(own, its.restore_op, its.outputs, inputs, its.train_op, keys)
        elif mode == TRAIN and its.inputs and graph is not None and not _graph_obstacle(graph):
            found[mode] = _of_estimator(graph, _inputs(its.inputs))
    return found


def compared_with_record(
    recorded: Mapping[str, Side],
    made_by: str,
    answers: Mapping[str, Answer],
    modes: Sequence[str],
    tensorflow: str,
    index: Optional[CheckpointIndex],
) -> Drift:
    """Compares traces with what a record knows of each mode.

    Args:
        recorded: what :func:`recorded_sides` returned.
        made_by: the version of TensorFlow in the record.
        answers: the traces, with the features in the record.
        modes: the modes that are checked.
        tensorflow: the version that traced.
        index: what the checkpoint holds.
    """
    if not recorded:
        return unknown(modes, "the record has no graph")
    across = _minor(made_by) != _minor(tensorflow)
    if across and not _is_comparable(made_by):
        return unknown(modes, _old_text(made_by, "the record"))
    finished = {mode: answer for mode, answer in answers.items() if answer.finished}
    traced = {mode: _traced(answer) for mode, answer in finished.items()}
    drift = Drift((), {})
    if TRAIN in recorded and TRAIN in traced and not _trace_obstacle(answers[TRAIN], index):
        drift = compare(recorded[TRAIN], traced, across=across)
    for mode in (mode for mode in traced if mode in recorded and mode != TRAIN):
        then, now = with_common_outputs(recorded[mode], traced[mode])
        own = compare(then, {TRAIN: now}, trains=False, across=across)
        drift = _with_mode(drift, own, mode)
    return _within(drift, modes, _restoring(finished, index))


def _with_mode(drift: Drift, own: Drift, mode: str) -> Drift:
    """Returns a drift. For one mode, the comparison of this mode's own graphs decides."""
    texts = {change.text for change in own.changes}
    changes = []
    for change in drift.changes:
        others = tuple(m for m in change.modes if m != mode)
        mine = (mode,) if change.text in texts or (mode in change.modes and texts) else ()
        changes.append(dataclasses.replace(change, modes=(*mine, *others)))
    known = {change.text for change in drift.changes}
    new = (change for change in own.changes if change.text not in known)
    changes.extend(dataclasses.replace(change, modes=(mode,)) for change in new)
    ops = {m: ops for m, ops in drift.own.items() if m != mode}
    doubts = {m: why for m, why in drift.doubts.items() if m != mode}
    unlike = (
        *(_reduced(item, {m for m in item.modes if m != mode}) for item in drift.unlike),
        *(dataclasses.replace(item, modes=(mode,)) for item in own.unlike),
    )
    states = {**drift.states, mode: own.states[TRAIN]}
    return Drift(tuple(changes), states, own=ops, doubts=doubts, unlike=unlike)


def _reduced(item: Unlike, modes: AbstractSet[str]) -> Unlike:
    """Returns a difference, restricted to some of its modes."""
    return dataclasses.replace(item, modes=tuple(mode for mode in item.modes if mode in modes))


def _may_be_of_inputs(graph: Graph, traced: Graph, drift: Drift) -> bool:
    """Whether removed ops may belong to the input_fn. A trace has no ops of the input_fn.

    Such ops come before the first variable, so they depend only on the features. Ops of a change
    that read an input without a pair may also belong to the input_fn.
    """
    head = {node.name for node in graph.nodes[slice(*head_range(graph))]}
    head -= _in_model_scopes(graph, head)
    saved, new = (
        {node.name for node in one.nodes if node.op.startswith(_SOURCES)} for one in (graph, traced)
    )
    return any(
        (change.old and not change.new and head.issuperset(change.old))
        or not saved.isdisjoint(change.old)
        or not new.isdisjoint(change.new)
        for change in drift.changes
    )


def _in_model_scopes(graph: Graph, head: AbstractSet[str]) -> AbstractSet[str]:
    """Returns the ops of a head whose scope also has ops after the head.

    Such ops belong to the model: a scope such as ``input_layer`` gets a number if it is opened
    again. Only variables and their ops keep the name, so they do not count.
    """
    variables = tuple(f"{node.name}/" for node in graph.nodes if node.op in VARIABLE_OPS)
    behind = (node.name for node in graph.nodes if node.name not in head)
    plain = (name for name in behind if not f"{name}/".startswith(variables))
    scopes = {name.partition("/")[0] for name in plain if "/" in name}
    return {name for name in head if "/" in name and name.partition("/")[0] in scopes}


def _within(drift: Drift, modes: Sequence[str], restoring: AbstractSet[str]) -> Drift:
    """Restricts a comparison to the modes that restore. Findings describe the other modes."""
    kept = (
        dataclasses.replace(change, modes=tuple(m for m in change.modes if m in restoring))
        for change in drift.changes
    )
    states = {m: drift.states.get(m, UNKNOWN) if m in restoring else UNKNOWN for m in modes}
    own = {mode: ops for mode, ops in drift.own.items() if states.get(mode) == UNKNOWN}
    doubts = {mode: why for mode, why in drift.doubts.items() if states.get(mode) == UNKNOWN}
    open_modes = {mode for mode, state in states.items() if state == UNKNOWN}
    unlike = (_reduced(item, open_modes & restoring) for item in drift.unlike)
    changes = tuple(change for change in kept if change.modes)
    return Drift(
        changes,
        states,
        own=own,
        doubts=doubts,
        unlike=tuple(item for item in unlike if item.modes),
    )


def _restoring(
    finished: Mapping[str, Answer], index: Optional[CheckpointIndex]
) -> AbstractSet[str]:
    """Returns the modes that restore all their global variables."""
    modes = (mode for mode, answer in finished.items() if not _unfilled(answer))
    return {mode for mode in modes if not unfit_reads(finished[mode], index)}


def _unfilled(answer: Answer) -> Sequence[VariableSpec]:
    """The variables that are neither restored nor initialized. Findings describe them."""
    plan = answer.trace.plan if isinstance(answer.trace, FinishedTrace) else None
    return (*plan.uninitialized, *plan.unwatched) if plan is not None else ()


def _obstacle(
    graph: Graph, train: Optional[Answer], tensorflow: str, index: Optional[CheckpointIndex]
) -> str:
    """Returns why the graphs cannot be compared; "" if they can."""
    if not graph.tensorflow:
        return "the saved graph does not say which TensorFlow made it"
    across = _minor(graph.tensorflow) != _minor(tensorflow)
    if across and not _is_comparable(graph.tensorflow):
        return _old_text(graph.tensorflow, "the saved graph")
    return _graph_obstacle(graph) or _trace_obstacle(train, index)


def _graph_obstacle(graph: Graph) -> str:
    if not graph.collection(_LOSSES) or not graph.restore_op:
        return "the saved graph does not say which tensor is the loss"
    if has_strategy(graph):
        return "the saved graph was made under a distribution strategy"
    return ""


def _trace_obstacle(train: Optional[Answer], index: Optional[CheckpointIndex]) -> str:
    if train is None or not train.finished or not train.seen.outputs:
        return "TRAIN could not be traced"
    lost = _unfilled(train)
    if lost:
        return f"TRAIN does not restore {lost[0].name}"
    stored = {spec.name: spec for spec in index.variables} if index else {}
    for read in train.reads if stored else ():
        held = stored.get(read.key)
        if held is None and read.role != "slot":
            return f"the checkpoint has no {read.key}"
        if held is not None and not allows(read.shape, held.shape):
            return f"{read.key} has another shape in the checkpoint"
        if held is not None and held.dtype != read.dtype:
            return f"{read.key} has another dtype in the checkpoint"
    return ""


def _minor(version: str) -> Tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _is_comparable(version: str) -> bool:
    """Whether graphs of a version can be compared with those of other versions."""
    numbers = [int(number) if number.isdecimal() else 0 for number in _minor(version)]
    return numbers >= _FIRST_COMPARABLE


_FIRST_COMPARABLE = [1, 15]


def _old_text(version: str, made: str) -> str:
    return (
        f"TensorFlow {version} made {made}. ckptcheck compares graphs from before 1.15 only with "
        "graphs of the same version"
    )


_ANY = ("a feature",)
"""The anchor of all tensors that may change places."""


def _in_all_pairings(drift: Drift, guessed: Mapping[str, str], why: str) -> Drift:
    """Returns the changes that do not depend on the pairing.

    Args:
        drift: what was found with one anchor for all inputs that may change places.
        guessed: the states with the likeliest pairing. If nothing has changed for a mode with this
            pairing, it counts as right.
        why: why the other modes are unknown.
    """
    same = {mode for mode, state in guessed.items() if state == NONE}
    changes = (
        dataclasses.replace(change, modes=tuple(m for m in change.modes if m not in same))
        for change in drift.changes
    )
    changed = {mode for mode, state in drift.states.items() if state == CHANGED}
    states = {m: NONE if m in same else CHANGED if m in changed else UNKNOWN for m in drift.states}
    doubts = {m: drift.doubts.get(m, why) for m, state in states.items() if state == UNKNOWN}
    kept = tuple(change for change in changes if change.modes)
    return dataclasses.replace(drift, changes=kept, states=states, doubts=doubts)


def _saved(graph: Graph, pool: Pool, places: Mapping[Path, int], others: bool = False) -> Side:
    """Returns the saved side. With ``others``, the other leaves of the pool are inputs, too."""
    paths: Dict[int, Path] = {place: path for path, place in places.items()}
    inputs: Inputs = {}
    for place, leaf in enumerate(pool.leaves):
        if place not in paths and not others:
            continue
        path = paths.get(place, _ANY)
        node, output = split_input(leaf.name)
        if leaf.spec.get("sparse"):
            inputs.update(((node, slot), (*path, part)) for slot, part in enumerate(_PARTS))
        else:
            inputs[node, output] = path
    return _of_estimator(graph, _named(inputs))


_LOSS_KEY = ("",)
_OF_LOSS = re.compile(r"loss(_\d+)?$")


def _of_estimator(graph: Graph, inputs: Mapping[Tuple[str, int], Tuple[Any, ...]]) -> Side:
    """Returns the side of a graph that was saved with a checkpoint.

    Each ``tf.losses`` puts its own loss into a collection. Estimator adds the loss of the
    EstimatorSpec, and makes a summary of it with the name ``loss``. Other training loops do not, so
    their last loss may be only a part of the whole.
    """
    losses = graph.collection(_LOSSES)
    summaries = (n for n in graph.nodes if n.op == "ScalarSummary" and _OF_LOSS.match(n.name))
    shown = {split_input(node.inputs[1]) for node in summaries if len(node.inputs) > 1}
    is_whole = losses.count(losses[-1]) > 1 or split_input(losses[-1]) in shown
    keys = _LOSS_KEY if is_whole else ()
    return Side(graph, graph.restore_op, losses[-1:], inputs, output_keys=keys)


def _traced(answer: Answer, settled: Optional[Mapping[Path, int]] = None) -> Side:
    """Returns the traced side. With ``settled``, all other inputs get one anchor."""
    seen = answer.seen
    tensors = seen.inputs
    if settled is not None:
        tensors = tuple(
            t if t.path in settled else dataclasses.replace(t, path=_ANY) for t in tensors
        )
    inputs = _inputs(tensors)
    outputs, keys = seen.outputs, seen.output_keys
    return Side(answer.graph, seen.restore_op, outputs, inputs, seen.train_op, keys)


def _inputs(tensors: Sequence[InputTensor]) -> Mapping[Tuple[str, int], Tuple[Any, ...]]:
    inputs: Inputs = {}
    for tensor in tensors:
        for name, part in zip(tensor.parts, _PARTS):
            inputs[split_input(name)] = (*tensor.path, part)
        if not tensor.parts:
            inputs[split_input(tensor.name)] = tensor.path
    return _named(inputs)


def _named(inputs: Inputs) -> Mapping[Tuple[str, int], Tuple[Any, ...]]:
    return {at: ("input", *path) for at, path in inputs.items()}
