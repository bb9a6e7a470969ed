"""The tracer's answer for one mode, as the search for the features sees it."""

import dataclasses
import re
from typing import Dict, FrozenSet, List, Mapping, Optional, Tuple, Union

from ..encoding.errors import DamagedError
from ..graph.graph import Graph
from ..graph.lazy import Lazy
from ..graph.nodes import Node, split_input
from ..graph.reader import traced_graph
from ..protocol import (
    TRAIN,
    CheckpointIndex,
    FailedTrace,
    Failure,
    FailureKind,
    FinishedTrace,
    Misfit,
    ModeTrace,
    Observed,
    Read,
    Shape,
    allows,
)
from .structure import Path

_HEAD_OPS = 400
_ENDED = (
    FailureKind.TIMED_OUT,
    FailureKind.CRASHED,
    FailureKind.NO_RESULT,
    FailureKind.OUT_OF_MEMORY,
)
_NUMBER = re.compile(r"_\d+(?=/|$)")


def consumer_text(node: Node, slot: int) -> str:
    """Returns a consumer of a tensor as text, such as ``dense/MatMul MatMul:0``.

    The text has the name of the node without the numbers that make it unique, the type of its op,
    and the number of the input that takes the tensor.
    """
    return f"{_NUMBER.sub('', node.name)} {node.op}:{slot}"


def consumers_of(graph: Graph, node: str, output: int) -> Tuple[str, ...]:
    """The consumers of an output, sorted."""
    uses = graph.consumers.get((node, output), ())
    return tuple(sorted(consumer_text(graph.nodes[use.node], use.slot) for use in uses))


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer for one mode: a trace, or a misfit if the guess does not fit.

    Attributes:
        outcome: the finished trace, the failed trace, or the misfit.
        number: the id of the request.
    """

    outcome: Union[FinishedTrace, FailedTrace, Misfit]
    number: int = 0

    @property
    def mode(self) -> str:
        """The mode."""
        return self.outcome.mode

    @property
    def seen(self) -> Observed:
        """What the tracer saw until the trace ended."""
        return self.outcome.seen

    @property
    def trace(self) -> Optional[ModeTrace]:
        """The trace; None if the guess does not fit, which says nothing about the code."""
        return None if isinstance(self.outcome, Misfit) else self.outcome

    @property
    def finished(self) -> bool:
        """Whether the mode was traced to its end."""
        return isinstance(self.outcome, FinishedTrace)

    @property
    def unjudged(self) -> bool:
        """Whether the tracer still judges the run after the restore."""
        return isinstance(self.outcome, FinishedTrace) and self.outcome.unjudged

    @property
    def misfit(self) -> bool:
        """Whether the guess does not fit."""
        return isinstance(self.outcome, Misfit)

    @property
    def failure(self) -> Optional[Failure]:
        """Why the trace failed; None if it did not fail."""
        return self.outcome.failure if isinstance(self.outcome, FailedTrace) else None

    @property
    def raised(self) -> bool:
        """Whether the code raised an error."""
        return self.failure is not None and self.failure.kind is FailureKind.RAISED

    @property
    def ended(self) -> bool:
        """Whether the process ended, or was stopped. The search does not trace the mode again."""
        return self.failure is not None and self.failure.kind in _ENDED

    @property
    def timed_out(self) -> bool:
        """Whether the mode was stopped after ``--timeout``."""
        return self.failure is not None and self.failure.kind is FailureKind.TIMED_OUT

    @property
    def problem(self) -> Union[Failure, str, None]:
        """Why the mode was not traced to its end; None if it was."""
        return self.outcome.use if isinstance(self.outcome, Misfit) else self.failure

    @property
    def misses_param(self) -> bool:
        """Whether the code raised because a param is missing."""
        return isinstance(self.outcome, FailedTrace) and bool(self.outcome.missing_param)

    @property
    def said(self) -> str:
        """The message of :attr:`problem`; "" if there is no problem."""
        problem = self.problem
        return problem.message if isinstance(problem, Failure) else problem or ""

    @property
    def reads(self) -> Tuple[Read, ...]:
        """What the restore reads; empty if the trace has no plan."""
        return self.outcome.plan.reads if isinstance(self.outcome, FinishedTrace) else ()

    @Lazy
    def graph(self) -> Graph:
        """The traced graph; an empty one if the tracer sent none."""
        try:
            graph = traced_graph(self.seen.graph) if self.seen.graph else Graph(b"")
            return graph if graph.nodes else Graph(b"")
        except DamagedError:  # traced code wrote this answer, not the tracer
            return Graph(b"")

    @Lazy
    def uses(self) -> Mapping[Path, Tuple[str, ...]]:
        """The consumers of each tensor of features and labels."""
        if not self.seen.graph:
            return {}
        tensors = ((item.path, split_input(item.name)) for item in self.seen.inputs)
        return {path: consumers_of(self.graph, *output) for path, output in tensors}

    @property
    def head(self) -> Tuple[str, ...]:
        """The types of the first ops that the model_fn made."""
        made = self.graph.nodes[self.seen.first_op : self.seen.first_op + _HEAD_OPS]
        return tuple(node.op for node in made if not node.name.startswith("ckptcheck_inputs"))

    @property
    def ops(self) -> int:
        """How many ops follow those of the input_fn, without the ops that the plan adds."""
        return max(len(self.graph.nodes) - self.seen.first_op, 0)


def unfit_reads(answer: Answer, index: Optional[CheckpointIndex]) -> FrozenSet[str]:
    """Returns the keys of the reads that the checkpoint lacks, or holds as other tensors."""
    stored = {spec.name: spec for spec in index.variables} if index else {}
    pairs = ((read, stored.get(read.key)) for read in answer.reads)
    return frozenset(
        read.key
        for read, held in pairs
        if held is None or held.dtype != read.dtype or not allows(read.shape, held.shape)
    )


def shapes_read(answer: Answer) -> FrozenSet[Tuple[str, Shape]]:
    """Returns the keys that the restore reads, with the shapes of their variables."""
    return frozenset((read.key, read.shape) for read in answer.reads)


def reference_first(traces: Mapping[str, Answer]) -> List[Answer]:
    """Returns the answers, TRAIN first, because TRAIN saved the graph."""
    return sorted(traces.values(), key=lambda trace: trace.mode != TRAIN)


def uses_in_train(traces: Mapping[str, Answer]) -> Dict[Path, Tuple[str, ...]]:
    """Returns the consumers of each tensor in TRAIN, or in PREDICT for the graph of a SavedModel.

    If TRAIN raised, the tensors without consumers are left out: the code may use them later.
    """
    if not traces:
        return {}
    train = reference_first(traces)[0]
    return {path: uses for path, uses in train.uses.items() if uses or train.finished}
