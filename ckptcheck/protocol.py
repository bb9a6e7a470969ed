"""The values that ckptcheck and the tracer send each other through a pipe.

The values are frozen, and convert to JSON and back (:mod:`.codec`). ckptcheck sends this file to
the user's interpreter, where the tracer runs. That interpreter may be Python 3.7 and does not have
ckptcheck installed, so this file uses only the standard library.
"""

import dataclasses
import re
from typing import Any, Mapping, Optional, Tuple, Union

from .codec import Word
from .uses import InputEvent, InputTensor, Location, ParamsUse

Shape = Optional[Tuple[Optional[int], ...]]
"""A tensor's shape. None is an unknown rank. A None inside the tuple is an unknown dimension."""


PREDICT, EVAL, TRAIN, EXPORT = "predict", "eval", "train", "export"


MODES = (PREDICT, EVAL, TRAIN)
"""What is checked by default."""


ALL_MODES = (*MODES, EXPORT)
"""All modes. EXPORT is ``Estimator.export_saved_model``; a check leaves it out by default."""


UNLABELED = (PREDICT, EXPORT)
"""The modes whose model_fn gets no labels."""


PROBE = "ckptcheck_probe"
"""The only key of a dict that represents features with unknown keys. No feature of a user has this
name."""


UNNAMED = "ckptcheck_unnamed_"
"""The beginning of a made-up key: the key of a feature or label that the code iterates over."""


@dataclasses.dataclass(frozen=True)
class VariableSpec:
    """A variable by its name, its full shape and its dtype (TensorFlow's name: ``float32``)."""

    name: str
    shape: Shape
    dtype: str

    @property
    def elements(self) -> Optional[int]:
        """Returns the number of values; None if the shape is not fully known."""
        return elements(self.shape)


@dataclasses.dataclass(frozen=True)
class CheckpointIndex:
    """What a checkpoint holds.

    Attributes:
        prefix: the path that ``Saver.restore`` takes.
        step: the number in the file's name; None if the name has no number.
        variables: every tensor in it, sorted by name.
        object_based: whether ``tf.train.Checkpoint`` or Keras wrote it. The keys are then paths
            of objects, not names of variables.
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
    """TensorFlow verifies that the iterator is initialized. It verifies no shape."""
    NONE = "none"


@dataclasses.dataclass(frozen=True)
class Read:
    """One tensor that the saver's restore op reads out of the checkpoint.

    Attributes:
        key: its name in the checkpoint.
        variable: the variable that receives the tensor; "" if the sink is not a variable.
        shape: the full shape that the model declares. For a partitioned variable, the shape of
            the whole variable.
        dtype: the dtype that the read asks for.
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
class RunError:
    """A restored shape with which the run raises an error.

    Attributes:
        keys: the keys in the checkpoint whose shapes were put in.
        op: the first op that raises.
        message: what TensorFlow's shape function says.
    """

    keys: Tuple[str, ...]
    op: str
    message: str


class DataKind(Word):
    """The part of the data that decides whether a run raises."""

    ID = "id"
    LABEL = "label"
    LENGTH = "length"
    VALUE = "value"


@dataclasses.dataclass(frozen=True)
class DataLimit:
    """Data with which the run after a restore raises. With other data, the run does not raise.

    Attributes:
        keys: the keys in the checkpoint whose shapes are the reason.
        kind: the part of the data that counts.
        least: the smallest id, label or length with which the run raises; None if not known.
        inputs: the features and labels that count, such as ``features.ids``; empty if unknown.
        message: what TensorFlow says; "" if no run has shown it.
    """

    keys: Tuple[str, ...]
    kind: DataKind
    least: Optional[int] = None
    inputs: Tuple[str, ...] = ()
    message: str = ""


@dataclasses.dataclass(frozen=True)
class RestorePlan:
    """What a restore in one mode will do, as TensorFlow built it.

    Attributes:
        mode: ``predict``, ``eval``, ``train`` or ``export``.
        reads: every tensor that it reads.
        uninitialized: variables that are neither restored nor initialized, and that TensorFlow's
            ready ops report.
        unwatched: variables that are neither restored nor initialized, and that no ready op
            reports.
        reinitialized: restored variables that the local init op then overwrites.
        run_errors: see :class:`RunError`.
        data_limits: the data with which the run raises, if only some data makes it raise.
        opaque_errors: the errors of the restore itself, for reads with an ``opaque`` sink. If the
            message is empty, nothing raises and the variable gets another shape.
        locations: the lines of the user's code that create the variables that the restore does not
            restore as declared. The key is the variable's name, or the checkpoint key if the sink
            is not a variable.
    """

    mode: str
    reads: Tuple[Read, ...]
    uninitialized: Tuple[VariableSpec, ...] = ()
    unwatched: Tuple[VariableSpec, ...] = ()
    reinitialized: Tuple[VariableSpec, ...] = ()
    run_errors: Tuple[RunError, ...] = ()
    opaque_errors: Tuple[RunError, ...] = ()
    data_limits: Tuple[DataLimit, ...] = ()
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
    NO_RESULT = "no-result"
    """The process sent no result that ckptcheck can read."""
    OUT_OF_MEMORY = "out-of-memory"
    NO_SPEC = "no-spec"
    """The model_fn returned no EstimatorSpec."""
    SCAFFOLD = "scaffold"
    """TensorFlow rejected the Scaffold."""
    USAGE = "usage"
    """An argument is wrong."""
    NO_SUCH_CODE = "no-such-code"
    """An argument names code that does not exist."""


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why something could not be traced.

    Attributes:
        kind: how it failed.
        type: the exception's type; "" if there is none.
        message: what it says, in one paragraph.
        frames: the last frames of the user's own code, the innermost last.
    """

    kind: FailureKind
    type: str
    message: str
    frames: Tuple[Frame, ...] = ()


@dataclasses.dataclass(frozen=True)
class ProjectCopy:
    """A copy of the user's project that code runs in, such as the project at a git revision.

    Attributes:
        original: the directory of the project.
        path: the copy of this directory. Links in it lead to files that the copy shares.
        folder: the working directory, relative to both.
    """

    original: str
    path: str
    folder: str


@dataclasses.dataclass(frozen=True)
class TraceRequest:
    """One (target, params, mode) to trace.

    Attributes:
        features: the structure of the features, as in docs/features.md; None for an input_fn.
        labels: the same for the labels; None if there are none.
        taken_names: the names of the input_fn's ops. The model_fn's ops cannot use them, so they
            affect the name of a ``tf.Variable`` outside a scope.
        input_fn: ``module:input_fn`` to call instead, "" for none.
        names: what ``import tensorflow`` means to the user's code: ``native`` or ``v1``.
        behavior: ``v1``, ``v2``, or "" for TensorFlow's default.
        checkpoint: the checkpoint's variables. Their shapes are the shapes after the restore.
        tpu: whether to add to the params what TPUEstimator adds.
        strategy: whether the saved graph shows a distribution strategy for the mode. The config of
            an Estimator takes precedence.
        judges_run: whether to judge the run after the restore if shapes differ.
        no_kernels: why the run is judged without kernels; "" if kernels may run. It is set after
            kernels have ended a process.
        guessed: whether the structures are a guess. If so, a use that does not fit ends the trace
            with a :class:`Misfit`, and the reply has the graph. If not, TensorFlow raises its own
            error.
        places: the names of ops. If there are any, the reply has the lines of code that make them,
            and no graph.
        copy: where the code runs; None for the project itself.
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
    no_kernels: str = ""
    guessed: bool = False
    places: Tuple[str, ...] = ()
    copy: Optional[ProjectCopy] = None


@dataclasses.dataclass(frozen=True)
class Observed:
    """What a trace saw, however it ended.

    Attributes:
        params: how the params were used.
        events: what the model_fn did with its features and labels.
        features: the structure of the features, as far as the trace found it out.
        labels: the same for the labels.
        inputs: the tensors of features and labels.
        stand_ins: the parts of TensorFlow that ckptcheck replaced.
        notes: what the user should know of this trace.
        tpu_spec: whether model_fn returned a TPUEstimatorSpec, which only TPUEstimator takes.
        graph: the graph, as :mod:`.tracer.graph_text` writes it; "" if the request does not want
            it, or there is no graph.
        first_op: the number of nodes before the first node of the model_fn; 0 if it was not called.
        restore_op: the name of the saver's restore op; "" if there is none.
        outputs: the names of the tensors that the mode computes: the loss, or the predictions.
        output_keys: the key of each output in the predictions; "" for the loss.
        train_op: the name of the op that runs a step of training; "" in other modes.
        places: the lines of the user's code that make the ops in the request.
    """

    params: ParamsUse = dataclasses.field(default_factory=ParamsUse)
    events: Tuple[InputEvent, ...] = ()
    features: Any = None
    labels: Any = None
    inputs: Tuple[InputTensor, ...] = ()
    stand_ins: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()
    tpu_spec: bool = False
    graph: str = ""
    first_op: int = 0
    restore_op: str = ""
    outputs: Tuple[str, ...] = ()
    output_keys: Tuple[str, ...] = ()
    train_op: str = ""
    places: Mapping[str, Location] = dataclasses.field(default_factory=dict, hash=False)


class _Seen:
    """Shortcuts to what a trace saw."""

    seen: Observed

    @property
    def params(self) -> ParamsUse:
        """How the params were used."""
        return self.seen.params

    @property
    def notes(self) -> Tuple[str, ...]:
        """What the user should know of this trace."""
        return self.seen.notes


@dataclasses.dataclass(frozen=True)
class FinishedTrace(_Seen):
    """The trace of a mode that was traced to its end.

    Attributes:
        plan: the restore plan.
        seen: what else the trace saw.
        behavior: ``v1`` or ``v2``: the kind of variables that the launch makes; "" if
            a distribution strategy decided.
        unjudged: whether the tracer still judges the run after the restore. Its next reply is a
            :class:`Judgement`.
    """

    mode: str
    plan: RestorePlan
    seen: Observed = Observed()
    behavior: str = ""
    unjudged: bool = False

    def judged(self, judgement: "Judgement") -> "FinishedTrace":
        """Returns this trace with the judgement of the run."""
        return dataclasses.replace(
            self,
            plan=dataclasses.replace(
                self.plan, run_errors=judgement.errors, data_limits=judgement.data_limits
            ),
            seen=dataclasses.replace(self.seen, notes=(*self.seen.notes, *judgement.notes)),
            unjudged=False,
        )

    @property
    def failure(self) -> None:
        """Returns None, because a finished trace did not fail."""
        return None


@dataclasses.dataclass(frozen=True)
class FailedTrace(_Seen):
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
    def missing_param(self) -> str:
        """The param whose absence made the code raise the error; "" if no param did."""
        if self.failure.type not in ("KeyError", "AttributeError"):
            return ""
        missed = [read.key for read in self.seen.params.reads if read.raised] or [""]
        name = re.escape(missed[-1].rpartition(".")[2])
        return missed[-1] if re.search(rf"\b{name}\b", self.failure.message) else ""


@dataclasses.dataclass(frozen=True)
class Misfit:
    """The answer for a wrong guess of the features' structure. It does not judge the code.

    Attributes:
        use: what does not fit, such as ``key of features``.
        seen: what the trace saw until then.
    """

    mode: str
    use: str
    seen: Observed = Observed()


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What the run after the restore does with restored shapes that differ.

    Attributes:
        errors: the shapes with which it raises.
        notes: what was not judged.
        data_limits: see :class:`RestorePlan`.
    """

    mode: str
    errors: Tuple[RunError, ...]
    notes: Tuple[str, ...]
    data_limits: Tuple[DataLimit, ...] = ()


ModeTrace = Union[FinishedTrace, FailedTrace]
"""The trace of one mode. Reports use only these two types."""


Reply = Union[FinishedTrace, FailedTrace, Misfit, Judgement]
"""What the tracer replies to a :class:`TraceRequest`. A judgement follows an unjudged trace."""


@dataclasses.dataclass(frozen=True)
class Environment:
    """The interpreter and the TensorFlow that traced.

    Attributes:
        tf_api: ``v1`` or ``v2``: what ``import tensorflow`` meant to the user's code.
        stand_ins: the parts of TensorFlow that ckptcheck replaced.
    """

    tensorflow: str
    python: str
    tf_api: str = "v2"
    stand_ins: Tuple[str, ...] = ()


def allows(declared: Shape, stored: Shape) -> bool:
    """Whether a stored shape fits a declared shape. The declared shape may have unknown sizes."""
    if declared is None or stored is None:
        return True
    return len(declared) == len(stored) and all(
        mine is None or mine == theirs for mine, theirs in zip(declared, stored)
    )


def elements(shape: Shape) -> Optional[int]:
    """Returns the number of values in a tensor with a shape; None if it is not known."""
    count = 1
    for size in (None,) if shape is None else shape:
        if size is None:
            return None
        count *= size
    return count
