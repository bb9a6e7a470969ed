"""Whether a wrong shape that a restore lets through breaks the run after it.

A resource variable that is read whole takes the checkpoint's shape without a word. What happens
next is rehearsed (:mod:`.rehearsal`). Where that cannot be, TensorFlow's own shape functions are
asked: the part of the graph that the mode runs is imported once more with the restored shapes in
place of the declared ones. What TensorFlow does to a graph before it runs it is then taken into
account as far as it is known: :mod:`.simplified`, :mod:`.fusions`.
"""

import itertools
import re
from typing import (
    Any,
    Collection,
    Dict,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ..protocol import Read, RunError, TraceRequest, VariableSpec, allows
from . import applies, called_functions, convolutions, fusions, scratch, simplified, slices
from .dry_run import DryRun, dry_run
from .imports import ImportedError, imported, named_op, part_of
from .restore_plan import Restore, ancestors, as_op, consumers_of
from .static_shapes import static_shape
from .told_shapes import Pinned, told_shapes

_ANY_BATCH = 1009
"""A prime, which no size of a model divides: what a Reshape makes fit by chance does not fit."""

_NUMBER = re.compile(r"(?<=[\[(, ])\d+(?=[\],. ])")
_OWN_NAME = re.compile(r"ckptcheck_(?:pinned|inputs)[\w/]*")


class Judged(NamedTuple):
    """What is known of the run.

    Attributes:
        errors: what it will refuse.
        unjudged: whether the restore lets shapes through that are not the declared ones, and the
            request does not ask what comes of it.
        no_dry_run: why a dry run was not possible, "" where it was, or was not needed.
        assumed: see :class:`.DryRun`.
    """

    errors: Tuple[RunError, ...] = ()
    unjudged: bool = False
    no_dry_run: str = ""
    assumed: Tuple[str, ...] = ()

    def notes(self, mode: str) -> Tuple[str, ...]:
        """What was not judged."""
        if self.no_dry_run:
            return (_NO_DRY_RUN.format(mode.upper(), self.no_dry_run),)
        if self.assumed:
            return (_ASSUMED.format(" and ".join(self.assumed), mode.upper()),)
        return ()


_NO_DRY_RUN = (
    "{} could not be dry-run ({}); its verdict comes from TensorFlow's shape functions only"
)
_ASSUMED = (
    "what {} ops make of the restored shapes in {}: a dry run does not execute them, and assumes "
    "that their results have the declared shapes"
)


def judged(
    tensorflow: Any,
    graph: Any,
    restore: Restore,
    fetches: Iterable[Any],
    inputs: Sequence[Any],
    request: TraceRequest,
) -> Judged:
    """Says what the run after the restore will refuse of the shapes that the restore lets through.

    Args:
        tensorflow: the module.
        graph: the graph of the trace, which a dry run changes.
        restore: its restore plan with the ops that are written to.
        fetches: what the mode runs.
        inputs: features and labels.
        request: what to judge, and what the checkpoint holds.
    """
    changed = _changed(restore, request.checkpoint)
    if not changed or not request.judges_run:
        return Judged(unjudged=bool(changed))
    fetched = list(fetches)
    shapes = {name: [size or 0 for size in s.shape or ()] for name, (_, s) in changed.items()}
    ran = DryRun(request.no_dry_run)
    if not ran.reason:
        scratch.note_dry_run(request.scratch_dir)
        ran = dry_run(tensorflow, graph, fetched, shapes, inputs)
    refused: Optional[Tuple[str, str]] = (ran.op, ran.message)
    if ran.reason:
        roots = [op for op in map(as_op, fetched) if op is not None]
        refused = _refusal(tensorflow, graph, roots, changed, _dense(inputs))
    if not refused or not refused[1]:
        return Judged((), False, ran.reason, ran.assumed)
    declared = [spec.shape for spec in request.checkpoint]
    declared.extend(read.shape for read in restore.plan.reads)
    sizes = {size for shape in declared for size in shape or ()}
    message = said_of_inputs(refused[1], sizes, ran.batch or _ANY_BATCH)
    keys = tuple(sorted(read.key for read, _ in changed.values()))
    return Judged((RunError(keys, refused[0], message),), False, ran.reason, ran.assumed)


Changed = Dict[str, Tuple[Read, VariableSpec]]
"""The reads of other shapes with what the checkpoint holds, by the names of the variables' ops."""


def _changed(restore: Restore, checkpoint: Collection[VariableSpec]) -> Changed:
    """The variables that get other shapes than declared, without those initialized afterwards."""
    stored = {spec.name: spec for spec in checkpoint}
    again = {spec.name for spec in restore.plan.reinitialized}  # to its declared shape
    return {
        sink.name: (read, stored[read.key])
        for read, sink in zip(restore.plan.reads, restore.sinks)
        if sink is not None
        and sink.name not in again
        and read.key in stored
        and _passes(read, stored[read.key])
    }


def _dense(inputs: Sequence[Any]) -> List[Any]:
    return [tensor for tensor in inputs if not hasattr(tensor, "dense_shape")]


def _passes(read: Read, stored: VariableSpec) -> bool:
    """Whether the restore lets a wrong shape through."""
    if read.check != "none" or read.dtype != stored.dtype:
        return False
    return not allows(read.shape, stored.shape)


def _refusal(
    tensorflow: Any,
    graph: Any,
    roots: List[Any],
    changed: Changed,
    inputs: Sequence[Any],
) -> Optional[Tuple[str, str]]:
    """The op that refuses the restored shapes and what it says, None where none does."""
    ops = ancestors(roots)
    definition = part_of(graph, ops)
    with imported(tensorflow, definition, {}, {}) as declared:
        folded = simplified.shapes(declared)
        known = {**folded, **simplified.slices(tensorflow, declared)}
    pinned = _pins(inputs, ops)
    if pinned and _refusal_of(tensorflow, graph, definition, pinned, folded):
        pinned = {}  # the declared model itself refuses that size: then it is no batch's
    told = told_shapes(tensorflow, graph, definition, pinned, changed)
    if told and not _refusal_of(tensorflow, graph, definition, {**pinned, **told}, folded):
        pinned = {**pinned, **told}
    fetched = {op.name for op in roots}
    shapes = {name: fusions.known(stored.shape) or () for name, (_, stored) in changed.items()}
    with imported(tensorflow, definition, {}, known) as declared:
        handles = [op for op in declared.get_operations() if op.name in changed]
        reached = consumers_of(output for handle in handles for output in handle.outputs)
        simplified.drop_reshapes(definition, reached, fetched)
        refused = fusions.fuse(tensorflow, definition, reached, shapes, fetched)
    if refused is not None:
        return refused
    for node in definition.node:
        if node.name in changed:
            shape = changed[node.name][1].shape
            node.attr["shape"].shape.CopyFrom(tensorflow.TensorShape(shape).as_proto())
    return _refusal_of(tensorflow, graph, definition, pinned, folded)


def _pins(inputs: Sequence[Any], ops: Set[Any]) -> Pinned:
    """The inputs with their dtypes and shapes, those of an unknown batch for a known one.

    With it the shape functions know the sizes that are computed from a batch's, such as that of
    a Reshape, and the shapes that only Python knows, such as those of a queue's tensors.
    """
    shapes = [(tensor, static_shape(tensor)) for tensor in inputs]
    known = [shape[0] for _, shape in shapes if shape and shape[0]]
    size = known[0] if known else _ANY_BATCH
    return {
        tensor.name: (tensor.dtype, [shape[0] or size, *shape[1:]])
        for tensor, shape in shapes
        if shape and any(user in ops for user in tensor.consumers())
    }


def _refusal_of(
    tensorflow: Any,
    graph: Any,
    definition: Any,
    pinned: Pinned,
    folded: Dict[str, Any],
) -> Optional[Tuple[str, str]]:
    """What refuses a part of the graph with some inputs of known shapes and some known values.

    The shape functions do not see through a Slice of a shape. So the sizes that it takes are made
    known, one import after another, for they may be all that tells the shape of what comes next.
    """
    known = dict(folded)
    try:
        while True:
            with imported(tensorflow, definition, pinned, known) as restored:
                taken = simplified.slices(tensorflow, restored)
                if not taken.keys() <= known.keys():
                    known.update(taken)
                    continue
                kernels = (convolutions, slices, applies, called_functions)
                refused = (k.refusals(tensorflow, graph, restored) for k in kernels)
                return next(itertools.chain.from_iterable(refused), None)
    except ImportedError as error:
        return named_op(str(error), definition), str(error).splitlines()[0]


def said_of_inputs(
    message: str, sizes: Collection[Optional[int]] = (), batch: int = _ANY_BATCH
) -> str:
    """A message of TensorFlow's without the names and the size of a batch that are not the user's.

    An unknown size is a question mark in it, as in TensorFlow's own messages: ``[?,4]``.

    Args:
        message: what TensorFlow said.
        sizes: those of the variables, which are no batch's.
        batch: the size that stood for an unknown one.
    """

    def shown(number: "re.Match[str]") -> str:
        count, rest = divmod(int(number.group()), batch)
        if rest or not count or int(number.group()) in sizes:
            return number.group()
        return "?" if count == 1 else f"?*{count}"

    return _OWN_NAME.sub("an input", _NUMBER.sub(shown, message))
