"""What crosses the pipe between ckptcheck and the tracer, which runs in the user's interpreter.

Everything here is frozen, made of the standard library alone, and goes to JSON and back
(:mod:`.codec`). This file is shipped to that interpreter, which may be a
Python 3.7 and has no ckptcheck in it.
"""

import dataclasses
import hashlib
from typing import Any, Mapping, Optional, Tuple, Union

from .codec import Word

Shape = Optional[Tuple[Optional[int], ...]]
"""A tensor's shape: None is an unknown rank, a None in it an unknown dimension."""


PREDICT, EVAL, TRAIN, EXPORT = "predict", "eval", "train", "export"


MODES = (PREDICT, EVAL, TRAIN)
"""What is checked by default."""


ALL_MODES = (*MODES, EXPORT)
"""With ``Estimator.export_saved_model``, which is checked when it is asked for."""


UNLABELED = (PREDICT, EXPORT)
"""The modes whose model_fn gets no labels."""


PROBE = "ckptcheck_probe"
"""The only key of a dict that stands for features whose keys are not known yet. No feature of the
user's has this name."""


@dataclasses.dataclass(frozen=True)
class VariableSpec:
    """A variable by its name, its full shape and its dtype (TensorFlow's name: ``float32``)."""

    name: str
    shape: Shape
    dtype: str

    @property
    def elements(self) -> Optional[int]:
        """How many values it has; None where its shape does not say."""
        return elements(self.shape)


@dataclasses.dataclass(frozen=True)
class CheckpointIndex:
    """What a checkpoint holds.

    Attributes:
        prefix: the path that ``Saver.restore`` takes.
        step: the number in the file's name, None where it has none.
        variables: every tensor in it, sorted by name.
        object_based: whether ``tf.train.Checkpoint`` or Keras wrote it, whose keys are paths
            of objects and not names of variables.
    """

    prefix: str
    step: Optional[int]
    variables: Tuple[VariableSpec, ...]
    object_based: bool = False


class ReadSink(Word):
    """What receives a tensor that a restore op reads."""

    ASSIGN = "assign"
    TABLE = "table"
    ITERATOR = "iterator"
    OPAQUE = "opaque"


class ReadCheck(Word):
    """What TensorFlow verifies when it restores a tensor."""

    SLICE = "slice"
    ASSIGN = "assign"
    RESHAPE = "reshape"
    TABLE = "table"
    INITIALIZED = "initialized"
    """Not the shape, but that the iterator is initialized."""
    NONE = "none"


@dataclasses.dataclass(frozen=True)
class Read:
    """One tensor that the saver's restore op reads out of the checkpoint.

    Attributes:
        key: its name in the checkpoint.
        variable: the variable that it is written to, "" where that is not a variable.
        shape: the full shape that the model declares for it (of a partitioned variable, the
            shape of the whole).
        dtype: what the read asks for.
        slice: TensorFlow's ``shape_and_slice`` of this read, "" for a whole tensor.
        sink: what receives the tensor.
        check: what TensorFlow verifies.
        role: ``weight``, ``slot`` (the optimizer's own state), ``global_step`` or ``other``.
    """

    key: str
    variable: str
    shape: Shape
    dtype: str
    slice: str
    sink: ReadSink
    check: ReadCheck
    role: str


@dataclasses.dataclass(frozen=True)
class Location:
    """A line of the user's code."""

    file: str
    line: int


@dataclasses.dataclass(frozen=True)
class RunError:
    """A restored shape that the rest of the graph does not accept.

    Attributes:
        keys: the keys in the checkpoint whose shapes were put in.
        op: the first op that refuses them.
        message: what TensorFlow's shape function says.
    """

    keys: Tuple[str, ...]
    op: str
    message: str


@dataclasses.dataclass(frozen=True)
class RestorePlan:
    """What a restore in one mode will do, as TensorFlow built it.

    Attributes:
        mode: ``predict``, ``eval``, ``train`` or ``export``.
        reads: every tensor that it reads.
        uninitialized: variables that nothing fills and that TensorFlow's ready ops report.
        unwatched: variables that nothing fills and that no ready op looks at.
        reinitialized: restored variables that the local init op then overwrites.
        run_errors: see :class:`RunError`.
        opaque_errors: the same of reads whose sink is ``opaque``, in the restore itself; where
            the message is empty, nothing raises and the variable gets another shape.
        locations: the lines of the user's code that create the variables which are not restored as
            they are declared, by the variable's name, or by the key of what is no variable.
    """

    mode: str
    reads: Tuple[Read, ...]
    uninitialized: Tuple[VariableSpec, ...] = ()
    unwatched: Tuple[VariableSpec, ...] = ()
    reinitialized: Tuple[VariableSpec, ...] = ()
    run_errors: Tuple[RunError, ...] = ()
    opaque_errors: Tuple[RunError, ...] = ()
    locations: Mapping[str, Location] = dataclasses.field(default_factory=dict, hash=False)


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame of the user's code in a traceback."""

    file: str
    line: int
    function: str
    text: str


class FailureKind(Word):
    """How a trace failed."""

    RAISED = "raised"
    INPUT_FN = "input-fn"
    """The input_fn raised."""
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    EXITED = "exited"
    OUT_OF_MEMORY = "out-of-memory"
    NO_SPEC = "no-spec"
    """The model_fn returned no EstimatorSpec."""
    SCAFFOLD = "scaffold"
    """TensorFlow refused the Scaffold."""
    USAGE = "usage"
    """The user asked for something that does not exist."""


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why something could not be traced.

    Attributes:
        kind: how it failed.
        type: the exception's type, "" where there is none.
        message: what it says, in one paragraph.
        frames: the last frames of the user's own code, the innermost last.
    """

    kind: FailureKind
    type: str
    message: str
    frames: Tuple[Frame, ...] = ()


@dataclasses.dataclass(frozen=True)
class ParamRead:
    """One look of the model_fn at a key of its params.

    Attributes:
        key: dotted where params are nested.
        found: whether params hold it.
        default: the value fallen back to, as JSON or as its repr; None where there was none.
        raised: whether the look raised KeyError or AttributeError.
        location: the line of the user's code that looked.
    """

    key: str
    found: bool
    default: Any = None
    has_default: bool = False
    raised: bool = False
    location: Optional[Location] = None


@dataclasses.dataclass(frozen=True)
class ParamsUse:
    """How params were used: each key once, and whether they were read as a whole."""

    reads: Tuple[ParamRead, ...] = ()
    bulk: bool = False
    taken: bool = True


@dataclasses.dataclass(frozen=True)
class InputEvent:
    """What the model_fn did with its features or labels.

    Attributes:
        path: where, from the root: ``("features", "x")``.
        event: ``key``, ``index``, ``unpack``, ``tensor``, ``iterate``, ``named``, ``maybe-key`` or
            ``dict`` (which a failure told, or a look at whether there are any).
        value: the key, the index, the number of values unpacked, or, of ``iterate``, the method
            of a dict that was called for it.
    """

    path: Tuple[Union[str, int], ...]
    event: str
    value: Union[str, int, None] = None


@dataclasses.dataclass(frozen=True)
class InputTensor:
    """One leaf of the features or labels in the traced graph.

    Attributes:
        path: where the leaf is, from the root.
        name: the name of the tensor, or of the values of a sparse one.
    """

    path: Tuple[Union[str, int], ...]
    name: str


@dataclasses.dataclass(frozen=True)
class TraceRequest:
    """One (target, params, mode) to trace.

    Attributes:
        features: the structure of the features, as in docs/features.md; None for an input_fn.
        labels: the same of the labels, None for no labels.
        taken_names: the names of the input_fn's ops, which the model_fn's ops cannot have: a
            ``tf.Variable`` without a scope of its own is named after what is left.
        input_fn: ``module:input_fn`` to call instead, "" for none.
        names: what ``import tensorflow`` means to the user's code: ``native`` or ``v1``.
        behavior: ``v1``, ``v2``, or "" for TensorFlow's default.
        checkpoint: what the checkpoint holds, for the shapes of the run after the restore.
        tpu: whether to add to the params what TPUEstimator adds.
        strategy: whether the mode runs under a distribution strategy, as far as the saved graph
            tells; an Estimator's own config knows better.
        judges_run: whether to judge the run after the restore where shapes differ.
        no_dry_run: why it is judged without a dry run, "" where it is judged with one.
        runs_kernels: whether kernels may run to judge it. A process that ran them may have died.
        guessed: whether the structures are a guess. Then a use that does not fit them ends the
            trace with a :class:`Misfit`, and the reply has the graph. Otherwise TensorFlow raises
            what it raises.
    """

    mode: str
    target: str
    params: Mapping[str, Any]
    params_type: str
    app_dir: str
    model_dir: str
    scratch_dir: str
    flags: Tuple[str, ...]
    features: Any
    labels: Any
    taken_names: Tuple[str, ...]
    input_fn: str
    names: str
    behavior: str
    checkpoint: Tuple[VariableSpec, ...]
    tpu: bool = False
    strategy: bool = False
    judges_run: bool = False
    no_dry_run: str = ""
    runs_kernels: bool = True
    guessed: bool = False


@dataclasses.dataclass(frozen=True)
class Observed:
    """What a trace saw, however it ended.

    Attributes:
        params: how the params were used.
        events: what the model_fn did with its features and labels.
        features: the structure of the features, as far as the trace found it out.
        labels: the same of the labels.
        inputs: the tensors of features and labels.
        stand_ins: what of TensorFlow was stood in for.
        notes: what the user should know of this trace.
        tpu_spec: whether model_fn returned a TPUEstimatorSpec, which only TPUEstimator takes.
        graph: the graph, as :mod:`.tracer.graph_text` writes it; "" where it was not wanted, or
            there is none.
        first_op: how many nodes of the graph are older than the model_fn's.
    """

    params: ParamsUse = ParamsUse()
    events: Tuple[InputEvent, ...] = ()
    features: Any = None
    labels: Any = None
    inputs: Tuple[InputTensor, ...] = ()
    stand_ins: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    tpu_spec: bool = False
    graph: str = ""
    first_op: int = 0


@dataclasses.dataclass(frozen=True)
class FinishedTrace:
    """The trace of a mode that was traced to its end.

    Attributes:
        plan: the restore plan.
        seen: what else the trace saw.
        behavior: ``v1`` or ``v2``: the kind of variables that the launch makes; "" where a
            distribution strategy decided.
    """

    mode: str
    plan: RestorePlan
    seen: Observed = Observed()
    behavior: str = ""

    @property
    def failure(self) -> None:
        """None: it did not fail."""
        return None

    @property
    def params(self) -> ParamsUse:
        """How the params were used."""
        return self.seen.params

    @property
    def notes(self) -> Tuple[str, ...]:
        """What the user should know of this trace."""
        return self.seen.notes


@dataclasses.dataclass(frozen=True)
class FailedTrace:
    """The trace of a mode that could not be traced to its end.

    Attributes:
        failure: why.
        seen: what the trace saw until then.
        wants_v1: a name of TensorFlow 1 that the code asked for and this TensorFlow has only in
            ``tensorflow.compat.v1``; "" for none.
    """

    mode: str
    failure: Failure
    seen: Observed = Observed()
    wants_v1: str = ""

    @property
    def params(self) -> ParamsUse:
        """How the params were used."""
        return self.seen.params

    @property
    def notes(self) -> Tuple[str, ...]:
        """What the user should know of this trace."""
        return self.seen.notes


@dataclasses.dataclass(frozen=True)
class Misfit:
    """The sign that a guessed structure of the features is wrong. It says nothing of the code.

    Attributes:
        use: what does not fit, such as ``key of features``.
        seen: what the trace saw until then.
    """

    mode: str
    use: str
    seen: Observed = Observed()


ModeTrace = Union[FinishedTrace, FailedTrace]
"""The trace of one mode. Of these alone reports are made."""


@dataclasses.dataclass(frozen=True)
class TraceReply:
    """What the tracer replies to a :class:`TraceRequest`."""

    outcome: Union[FinishedTrace, FailedTrace, Misfit]


@dataclasses.dataclass(frozen=True)
class Environment:
    """The interpreter and the TensorFlow that traced.

    Attributes:
        tf_api: ``v1`` or ``v2``: what ``import tensorflow`` meant to the user's code.
        stand_ins: what of TensorFlow was stood in for.
    """

    tensorflow: str
    python: str
    tf_api: str = "v2"
    stand_ins: Tuple[str, ...] = ()


def allows(declared: Shape, stored: Shape) -> bool:
    """Whether a declared shape, which may be unknown in part, allows a stored one."""
    if declared is None or stored is None:
        return True
    return len(declared) == len(stored) and all(
        mine is None or mine == theirs for mine, theirs in zip(declared, stored)
    )


def elements(shape: Shape) -> Optional[int]:
    """How many values a tensor of a shape has; None where that is not known."""
    count = 1
    for size in (None,) if shape is None else shape:
        if size is None:
            return None
        count *= size
    return count


def content_digest(content: bytes, size: int) -> Tuple[str, int]:
    """A digest of a tensor's values, which both sides of the pipe make alike.

    TensorFlow leaves out repetitions of the last value, or writes them, so they do not count.

    Args:
        content: the values.
        size: the bytes of one value.

    Returns:
        The digest in hexadecimal, and how many bytes count.
    """
    end = len(content)
    last = content[-size:]
    for step in (size << 16, size << 8, size):
        if end < step + size:
            continue
        repeated = last * (step // size)
        while content.endswith(repeated, max(end - size - step, 0), max(end - size, 0)):
            end -= step
    return _sha256(memoryview(content)[:end]).hexdigest(), end


_sha256 = hashlib.sha256
"""Bound, as what follows, before code that is traced may replace what its module holds."""
