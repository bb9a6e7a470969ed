"""Runs a mode on made-up values, as after a restore that accepts other shapes.

Shape functions alone do not tell whether the run raises: the graph optimizer drops, folds and fuses
ops, only kernels know some sizes, and shape functions do not look into branches and loops. So the
graph runs in a session: first with the declared shapes, to see that it runs with made-up values,
and then with the restored shapes. If the second run raises, the restored shapes are the reason.

Made-up values do not decide a verdict. If an op that looks at values or lengths makes the second
run raise, the graph runs again with other data. If that run does not raise, the data decides
whether the run after the restore raises (:mod:`.data_dependence`).

A dry run reads no weight and writes nothing: variables and inputs hold made-up values, and ops that
could write something, call Python, or wait for a peer are cut off (:mod:`.unsafe_ops`).

A shape can claim any size, so two bounds limit the memory: no tensor of known size may be large,
and on Linux the process can allocate no more than a limit. If a model is too large, only the part
that the restored shapes can affect runs (:mod:`.affected_ops`).
"""

from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..protocol import DataKind, DataLimit
from . import compat, processes
from .affected_ops import affected_sinks
from .data_dependence import Lookup, Model, limits_of, looks_at_data, lookups, sliced
from .restore_plan import ancestors, as_op, consumers_of
from .stage import MOST_MEMORY, Data, Raised, Run, Stage
from .unsafe_ops import cut_off

_FILLINGS = (1, 0)
"""The values that fill the inputs. 1 is a valid id, class, length and number in most models."""
_MOST_LENGTHS = 3
"""The most sizes of tables that are tried as lengths."""


class DryRun(NamedTuple):
    """What a dry run showed.

    Attributes:
        reason: why there was no dry run; "" if there was one.
        op: the op that raises with the restored shapes, whatever the data is; "" for none.
        message: what it says.
        batch: the size that was used for an unknown one.
        assumed: the types of ops that read restored values and were not executed. The dry run
            assumes that their results have the declared shapes.
        limits: the data with which the run raises, if it does not raise with all data.
    """

    reason: str
    op: str = ""
    message: str = ""
    batch: int = 0
    assumed: Tuple[str, ...] = ()
    limits: Tuple[DataLimit, ...] = ()


def dry_run(
    tensorflow: Any, graph: Any, fetches: Iterable[Any], model: Model, inputs: Sequence[Any]
) -> DryRun:
    """Runs what a mode runs with the declared shapes, and with the restored ones.

    Args:
        tensorflow: the module.
        graph: the graph of the trace. The dry run adds ops to it and reroutes its tensors.
        fetches: what the mode runs.
        model: the same with all that it depends on.
        inputs: features and labels.
    """
    compat.reopen(graph)
    changed = model.shapes
    wanted = [item for item in fetches if as_op(item) is not None]
    cut = cut_off(graph, model.ops)
    if cut.reason:
        return DryRun(cut.reason)
    wanted = [*(item for item in wanted if as_op(item) in cut.ops), *cut.before]
    stage = Stage(tensorflow, graph, wanted, cut, inputs)
    if any(shape is None and name not in changed for name, shape in stage.shapes.items()):
        return DryRun("the shape of a variable is unknown")
    large = stage.large(changed)
    if large:
        sinks = affected_sinks(tensorflow, graph, cut.ops, changed, stage.pinned())
        cut = cut._replace(ops=ancestors(sinks))
        stage = Stage(tensorflow, graph, sinks, cut, inputs)
        large = stage.large(changed) if sinks else large
    if large:
        return DryRun(large)
    handles = map(graph.get_operation_by_name, changed)
    reached = consumers_of(output for op in handles for output in op.outputs)
    assumed = tuple(sorted({output.op.type for output in cut.outputs if output.op in reached}))
    with processes.limited_memory(MOST_MEMORY):
        stage.fill()
        paths = {new: model.paths.get(old, "") for new, old in stage.replaced.items()}
        model = model._replace(ops=cut.ops, paths={**model.paths, **paths})
        return _Runs(tensorflow, graph, stage, model).outcome()._replace(assumed=assumed)


class _Tried(NamedTuple):
    """What runs with other data showed.

    Attributes:
        raised: the last error.
        data: data with which nothing raises; None if there is none.
        always: whether the op that raised does not look at data.
    """

    raised: Raised
    data: Optional[Data] = None
    always: bool = False


class _Runs:
    """Runs with the declared and with the restored shapes."""

    def __init__(self, tensorflow: Any, graph: Any, stage: Stage, model: Model) -> None:
        self._tensorflow = tensorflow
        self._graph = graph
        self._stage = stage
        self._model = model

    def outcome(self) -> DryRun:
        """Runs until it is known whether the run after the restore raises."""
        with self._stage.session(self._model.shapes) as run:
            data, declared, restored = self._first(run)
            raised = declared or restored
            if raised is None:
                return self._depends((*limits_of(self._lookups()), *self._of_length(run, data)))
            if not raised.known:
                return DryRun(raised.message)
            if declared is not None:
                return DryRun(f"it raises an error with made-up values: {raised.message}")
            if not self._may_run(raised):
                return self._raises(raised)
            tried = self._tried(run, self._other_data(data), raised)
            if tried.data is not None:
                return self._depends(self._why(raised, data, run, tried.data))
        return self._raises(tried.raised) if tried.always else self._with_low_ids(data, tried)

    def _with_low_ids(self, data: Data, tried: _Tried) -> DryRun:
        """Runs with ids and labels that the restored shapes have room for."""
        found = self._lookups()
        low = [(item.indices, item.limit.least or 0) for item in found if item.indices is not None]
        if not low:
            return self._raises(tried.raised)
        self._stage.keep_low(low)
        with self._stage.session(self._model.shapes) as run:
            tried = self._tried(run, (data, *self._other_data(data)), tried.raised)
            if tried.data is not None:
                return self._depends((*limits_of(found), *self._of_length(run, tried.data)))
        return self._raises(tried.raised)

    def _raises(self, raised: Raised) -> DryRun:
        return DryRun("", raised.op, raised.message, self._stage.batch)

    def _depends(self, limits: Tuple[DataLimit, ...]) -> DryRun:
        return DryRun("", batch=self._stage.batch, limits=limits)

    def _first(self, run: Run) -> Tuple[Data, Optional[Raised], Optional[Raised]]:
        """Returns the first data that runs with the declared shapes, and what both runs raise."""
        for filling in _FILLINGS:
            data = Data(filling, self._stage.length)
            declared, restored = self._both(run, data)
            if declared is None or not declared.known:
                break
        return data, declared, restored

    def _both(self, run: Run, data: Data) -> Tuple[Optional[Raised], Optional[Raised]]:
        """Returns the error with the declared shapes; without one, also that with restored ones.

        A small part of TRAIN, the loss, runs first, because TensorFlow takes long to optimize a
        graph with gradients. If the loss raises, so does TRAIN.
        """
        stage = self._stage
        if stage.small_part:
            declared, restored = _both(run, stage.small_part, data)
            op = stage.op_named(restored.op) if restored is not None else None
            if op is not None and op.type in _NEVER_FUSED:
                return declared, restored
        return _both(run, stage.fetches, data)

    def _may_run(self, raised: Raised) -> bool:
        """Whether the run with the restored shapes may not raise with other data."""
        stage = self._stage
        op = stage.op_named(raised.op)
        return stage.is_made_up and looks_at_data(op, stage.has_lengths, self._model.paths)

    def _other_data(self, data: Data) -> Iterator[Data]:
        """Yields data with other values and with shorter inputs."""
        lengths = [data.length]
        if self._stage.has_lengths:
            sizes = [m for item in self._model.smaller() for _, m in item.sizes]
            lengths += sorted({1, *(m for m in sizes if 1 < m < data.length)}, reverse=True)[-2:]
        for length in lengths:
            for filling in dict.fromkeys((data.filling, 0)):
                if (filling, length) != data:
                    yield Data(filling, length)

    def _tried(self, run: Run, others: Iterable[Data], raised: Raised) -> _Tried:
        """Runs with other data until nothing raises, or an op that raises with any data."""
        for other in others:
            declared, restored = self._both(run, other)
            if declared is not None or (restored is not None and not restored.known):
                continue
            if restored is None:
                return _Tried(raised, other)
            raised = restored
            if not self._may_run(raised):
                return _Tried(raised, always=True)
        return _Tried(raised)

    def _why(self, raised: Raised, data: Data, run: Run, other: Data) -> Tuple[DataLimit, ...]:
        """Returns why some data raises an error although other data does not."""
        found = self._lookups()
        limits = (*limits_of(found), *self._of_length(run, other))
        of_function = self._stage.op_named(raised.op) is None
        explained = any(
            lookup.op.name == raised.op or (of_function and lookup.indices is None)
            for lookup in found
        )
        if explained or any(limit.kind == DataKind.LENGTH for limit in limits):
            return limits
        kind = DataKind.LENGTH if other.filling == data.filling else DataKind.VALUE
        keys = tuple(sorted(self._model.keys.values()))
        return (*limits, DataLimit(keys, kind, message=raised.message))

    def _lookups(self) -> List[Lookup]:
        return lookups(self._tensorflow, self._graph, self._model)

    def _of_length(self, run: Run, data: Data) -> Iterator[DataLimit]:
        """Yields the lengths that are too long for tables that have become smaller."""
        stage, shapes = self._stage, self._model.shapes
        tables = sliced(self._model) if stage.has_lengths else []
        sizes = dict.fromkeys(pair for item in tables for pair in item.sizes)
        for n, m in list(sizes)[:_MOST_LENGTHS]:
            if stage.large(shapes, n):
                continue
            declared, restored = self._both(run, data._replace(length=n))
            if declared is None and restored is not None and restored.known:
                keys = tuple(item.key for item in tables if (n, m) in item.sizes)
                fits = self._both(run, data._replace(length=m)) == (None, None)
                exact = fits and self._both(run, data._replace(length=m + 1))[1] is not None
                least = m + 1 if exact else None
                yield DataLimit(keys, DataKind.LENGTH, least, message=restored.message)


_NEVER_FUSED = ("BatchMatMul", "BatchMatMulV2", "ConcatV2", "MatMul", "Reshape", "SelectV2")
"""Ops that cannot be the last op of a fusion. The graph optimizer fuses an op with the next op if
no other op takes its output. So the loss alone may have fused ops that TRAIN does not have."""


def _both(run: Run, part: List[Any], data: Data) -> Tuple[Optional[Raised], Optional[Raised]]:
    """Returns the error of a part with the declared shapes; without one, also the other one."""
    declared = run(False, part, data)
    return declared, (run(True, part, data) if declared is None else None)
