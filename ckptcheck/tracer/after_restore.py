"""Finds out whether a wrong shape that a restore accepts breaks the run after it.

A restore of a whole resource variable silently takes the checkpoint's shape. A dry run shows what
happens next (:mod:`.dry_run`). If a dry run is not possible, TensorFlow's shape functions decide:
the part of the graph that the mode runs is imported again, with the restored shapes instead of the
declared ones. Shape functions do not know what kernels verify, so there are extra checks for the
most common kernels: :mod:`.fusions`, :mod:`.optimizer_updates`, :mod:`.called_functions`.
"""

import itertools
import re
from dataclasses import replace
from typing import (
    Any,
    Collection,
    Dict,
    Iterable,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from ..protocol import Judgement, Read, RunError, TraceRequest, VariableSpec, allows
from . import called_functions, fusions, optimizer_updates
from .affected_ops import restore_shapes
from .data_dependence import Model, limits_of, lookups
from .dry_run import DryRun, dry_run
from .imports import ImportedError, imported, named_op, part_of
from .restore_plan import Restore, ancestors, as_op, consumers_of
from .static_shapes import full_shape
from .structures import Path
from .watch_graph import note_texts

_NUMBER = re.compile(r"(?<=[\[(, ])\d+(?=[\],. ]|$)")
_OWN_NAME = re.compile(r"ckptcheck_(?:inputs|dry_run)[\w/]*")


_NO_DRY_RUN = (
    "whether ops of {} raise an error when they run after the restore: ckptcheck could not do a "
    "dry run ({}), so it asked only TensorFlow's shape functions (docs/how-it-works.md)"
)
_ASSUMED = (
    "how {} ops handle the restored shapes in {}: a dry run does not execute them, and assumes "
    "that their results have the declared shapes"
)


def judged(
    tensorflow: Any,
    graph: Any,
    restore: Restore,
    changed: "Changed",
    fetches: Iterable[Any],
    inputs: Mapping[Path, Any],
    request: TraceRequest,
) -> Judgement:
    """Finds the shapes that the restore accepts and with which the run after it raises.

    Args:
        tensorflow: the module.
        graph: the graph of the trace, which a dry run changes.
        restore: its restore plan with the ops that are written to.
        changed: what :func:`changed_shapes` returned.
        fetches: what the mode runs.
        inputs: features and labels, by their paths.
        request: what to judge, and what the checkpoint holds.
    """
    note_texts(graph)
    fetched = list(fetches)
    model = _model(fetched, changed, inputs)
    ran = DryRun(request.no_kernels)
    if not ran.reason:
        ran = dry_run(tensorflow, graph, fetched, model, list(inputs.values()))
    refused: Optional[Tuple[str, str]] = (ran.op, ran.message)
    if ran.reason:
        refused = _refusal(tensorflow, graph, fetched, model.shapes, not request.no_kernels)
    mode = request.mode.upper()
    notes: Tuple[str, ...] = ()
    if ran.reason:
        notes = (_NO_DRY_RUN.format(mode, ran.reason),)
    elif ran.assumed:
        notes = (_ASSUMED.format(" and ".join(ran.assumed), mode),)
    declared = [spec.shape for spec in request.checkpoint]
    declared.extend(read.shape for read in restore.plan.reads)
    sizes = {size for shape in declared for size in shape or ()}
    if not refused or not refused[1]:
        limits = limits_of(lookups(tensorflow, graph, model)) if ran.reason else ran.limits
        said = (said_of_inputs(limit.message, sizes, ran.batch) for limit in limits)
        limits = tuple(replace(limit, message=text) for limit, text in zip(limits, said))
        return Judgement(request.mode, (), notes, limits)
    message = said_of_inputs(refused[1], sizes, ran.batch)
    keys = tuple(sorted(read.key for read, _ in changed.values()))
    return Judgement(request.mode, (RunError(keys, refused[0], message),), notes)


def _model(fetches: Iterable[Any], changed: "Changed", inputs: Mapping[Path, Any]) -> Model:
    shapes = {name: [size or 0 for size in s.shape or ()] for name, (_, s) in changed.items()}
    keys = {name: read.key for name, (read, _) in changed.items()}
    paths: Dict[str, str] = {}
    for path, tensor in inputs.items():
        parts = [tensor]
        if hasattr(tensor, "dense_shape"):
            parts = [tensor.indices, tensor.values, tensor.dense_shape]
        paths.update((part.name, ".".join(map(str, path))) for part in parts)
    ops = ancestors(op for op in map(as_op, fetches) if op is not None)
    return Model(ops, shapes, keys, paths)


Changed = Dict[str, Tuple[Read, VariableSpec]]
"""By the name of the variable's op: a read whose shape differs, and the stored variable."""


def changed_shapes(restore: Restore, checkpoint: Collection[VariableSpec]) -> Changed:
    """Returns the variables that get another shape than declared and are not initialized again."""
    stored = {spec.name: spec for spec in checkpoint}
    again = {spec.name for spec in restore.plan.reinitialized}  # their declared shape returns
    return {
        sink.name: (read, stored[read.key])
        for read, sink in zip(restore.plan.reads, restore.sinks)
        if sink is not None
        and sink.name not in again
        and read.key in stored
        and _passes(read, stored[read.key])
    }


def _passes(read: Read, stored: VariableSpec) -> bool:
    """Whether the restore lets a wrong shape through."""
    if read.check != "none" or read.dtype != stored.dtype:
        return False
    return not allows(read.shape, stored.shape)


def _refusal(
    tensorflow: Any,
    graph: Any,
    fetches: Iterable[Any],
    shapes: Mapping[str, Sequence[int]],
    runs_kernels: bool,
) -> Optional[Tuple[str, str]]:
    """Returns the op that raises with the restored shapes, and its message; None if none raises."""
    roots = [op for op in map(as_op, fetches) if op is not None]
    definition = part_of(graph, ancestors(roots))
    with imported(tensorflow, definition, {}) as declared:
        folded = _folded_shapes(declared)
        fused = None
        if runs_kernels:
            handles = (op for op in declared.get_operations() if op.name in shapes)
            reached = consumers_of(output for handle in handles for output in handle.outputs)
            fetched = {op.name for op in roots}
            fused = fusions.fuse(tensorflow, definition, reached, shapes, fetched)
    if fused is not None:
        return fused
    restore_shapes(tensorflow, definition, shapes)
    try:
        with imported(tensorflow, definition, {}, folded) as restored:
            kernels = (optimizer_updates, called_functions)
            refused = (kernel.refusals(tensorflow, graph, restored) for kernel in kernels)
            return next(itertools.chain.from_iterable(refused), None)
    except ImportedError as error:
        return named_op(str(error), definition), str(error).splitlines()[0]


def _folded_shapes(declared: Any) -> Dict[str, Any]:
    """Returns the values of ``Shape`` ops that the graph optimizer folds before a run.

    Args:
        declared: the part that runs, imported anew: TensorFlow does not see the shapes that only
            Python knows (``set_shape``).
    """
    return {
        output.name: (output.dtype, full_shape(given))
        for op in declared.get_operations()
        if op.type in ("Shape", "ShapeN")
        for output, given in zip(op.outputs, op.inputs)
        if full_shape(given) is not None and output.consumers()
    }


def said_of_inputs(message: str, sizes: Collection[Optional[int]] = (), batch: int = 0) -> str:
    """Removes made-up names and the made-up batch size from a message of TensorFlow.

    It writes an unknown size as a question mark, as TensorFlow's own messages do: ``[?,4]``.

    Args:
        message: what TensorFlow said.
        sizes: the sizes of the variables, which are not the batch size.
        batch: the made-up size that replaced an unknown one.
    """

    def shown(number: "re.Match[str]") -> str:
        count, rest = divmod(int(number.group()), batch or 1)
        if not batch or rest or not count or int(number.group()) in sizes:
            return number.group()
        return "?" if count == 1 else f"?*{count}"

    return _OWN_NAME.sub("an input", _NUMBER.sub(shown, message))
