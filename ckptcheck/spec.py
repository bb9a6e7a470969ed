"""The value types that every room of ckptcheck shares.

Everything here is frozen, made of the standard library alone, and goes to JSON and back
(:func:`to_json`, :func:`from_json`): the same types travel between ckptcheck and the tracer, which
runs in the user's interpreter. That interpreter may be a Python 3.7, and has no ckptcheck in it.
"""

import dataclasses
import re
from typing import Any, Dict, Mapping, Optional, Tuple, Type, TypeVar, Union

__all__ = [
    "ALL_MODES",
    "EVAL",
    "EXPORT",
    "FAILS",
    "MODES",
    "OUTCOMES",
    "PREDICT",
    "PROBE",
    "RESTORES",
    "SEVERITIES",
    "SILENT",
    "TRAIN",
    "UNLABELED",
    "UNTRACEABLE",
    "Advice",
    "CheckpointFiles",
    "CheckpointIndex",
    "CheckpointSummary",
    "DataFile",
    "DataRead",
    "EntryFlaw",
    "Environment",
    "Failure",
    "Features",
    "FileChange",
    "Finding",
    "Frame",
    "GraphSummary",
    "Group",
    "HeadNode",
    "InputEvent",
    "InputSpec",
    "Inspection",
    "Launch",
    "Located",
    "Location",
    "ModeTrace",
    "Outcome",
    "ParamRead",
    "ParamsUse",
    "Read",
    "Report",
    "RestorePlan",
    "RunError",
    "SavedGraph",
    "SavedTensor",
    "StateFile",
    "TensorScan",
    "TensorUse",
    "Trace",
    "TraceRequest",
    "VariableRow",
    "VariableSpec",
    "Verdict",
    "Verification",
    "Verified",
    "allows",
    "from_json",
    "natural_key",
    "shape_text",
    "to_json",
]

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

RESTORES, FAILS, SILENT, UNTRACEABLE = "restores", "fails", "silent", "untraceable"
OUTCOMES = (RESTORES, SILENT, FAILS, UNTRACEABLE)
"""From the mildest to the one that hides all others."""

SEVERITIES = ("note", "warning", "error")
"""Of findings, the least severe first."""


# --- What a checkpoint holds -----------------------------------------------------------------


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


GLOBAL_STEPS = (
    "global_step",
    "global_step/.ATTRIBUTES/VARIABLE_VALUE",
    "estimator_global_step/.ATTRIBUTES/VARIABLE_VALUE",
)
"""Its keys: of Saver, ``tf.train.Checkpoint``, and what ``model_to_estimator`` saves first."""


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


def pattern_in(path: str) -> str:
    """The first character of a path that TensorFlow takes for a pattern's, "" for none."""
    return next((character for character in path if character in "[*?\\"), "")


@dataclasses.dataclass(frozen=True)
class StateFile:
    """What the state file ``checkpoint`` of a model_dir says.

    Attributes:
        latest: ``model_checkpoint_path`` as it is written, "" where it is missing.
        all: ``all_model_checkpoint_paths`` as they are written.
        problem: why it cannot be parsed, "" where it can.
        unseen: whether it could not even be read, so that there may be nothing wrong in it.
        directory: whether a directory stands in its place.
        not_text: whether it is not UTF-8, at which TensorFlow raises where it reads it.
    """

    latest: str
    all: Tuple[str, ...] = ()
    problem: str = ""
    unseen: bool = False
    directory: bool = False
    not_text: bool = False


@dataclasses.dataclass(frozen=True)
class Located:
    """What a MODEL_DIR argument leads to.

    Attributes:
        named: as the user wrote it.
        model_dir: the directory.
        prefix: the checkpoint that would be restored; "" where there is none.
        explicit: whether the user named the checkpoint and not the directory.
        state: the state file; None where there is none or it does not matter.
        exists: whether the files of ``prefix`` are there.
        lacks_index: whether they are there all but the index, without which there is none.
        hidden: whether they are there, and TensorFlow takes their directory for a pattern.
        names_file: whether ``prefix`` is something that TensorFlow finds, and no checkpoint.
        link: where ``prefix`` or its index links to, where that is not there; else "".
        doubled_slash: whether more than one slash stands before the checkpoint's name where what
            the state file says is joined to ``named``.
        folder_exists: whether the directory is there in which TensorFlow looks for ``prefix``.
        elsewhere: whether ``prefix`` lies neither in ``model_dir`` nor below it.
        missing_shards: names of the data files that should be beside the index and are not.
        listed_here: prefixes in the directory or below it that the state file lists.
        listed_elsewhere: checkpoints of other directories that the state file lists, and that are
            there.
        listed_nowhere: directories of checkpoints that the state file lists, and that are not
            there.
        candidates: the prefixes of all checkpoints in the directory, the latest last.
        graphs: where the saved graph can be, the best first.
        saved_model: the prefix of the variables, where the directory or the one above it is a
            SavedModel; else "".
        below: directories in the directory that hold checkpoints, where it holds none itself.
        data_alone: data files in the directory that nothing refers to, where it holds none.
    """

    named: str
    model_dir: str
    prefix: str
    explicit: bool
    state: Optional[StateFile]
    exists: bool
    lacks_index: bool = False
    hidden: bool = False
    names_file: bool = False
    link: str = ""
    doubled_slash: bool = False
    folder_exists: bool = True
    elsewhere: bool = False
    missing_shards: Tuple[str, ...] = ()
    listed_here: Tuple[str, ...] = ()
    listed_elsewhere: Tuple[str, ...] = ()
    listed_nowhere: Tuple[str, ...] = ()
    candidates: Tuple[str, ...] = ()
    graphs: Tuple[str, ...] = ()
    saved_model: str = ""
    below: Tuple[str, ...] = ()
    data_alone: Tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the state file is one at which TensorFlow raises, whoever asks for it."""
        if self.prefix or self.state is None:
            return False
        return self.state.not_text or not self.state.problem


@dataclasses.dataclass(frozen=True)
class FileChange:
    """What happened to a file or directory.

    Attributes:
        name: relative to the model_dir; a directory's ends with a slash.
        kind: ``written``, ``changed`` or ``removed``.
    """

    name: str
    kind: str


@dataclasses.dataclass(frozen=True)
class DataFile:
    """A data file (shard) that the index of a checkpoint refers to.

    Attributes:
        name: its name, without the directory.
        size: its bytes; None where it is not there or cannot be read.
        needed: the bytes that the index says are in it.
        problem: why it cannot be read, "" where it can or is not there.
    """

    name: str
    size: Optional[int]
    needed: int
    problem: str = ""

    @property
    def whole(self) -> bool:
        """Whether all that the index refers to can be in it."""
        return self.size is not None and self.size >= self.needed


@dataclasses.dataclass(frozen=True)
class EntryFlaw:
    """Something in an index that cannot be.

    Attributes:
        variable: whose entry it is.
        kind: ``past-end`` (its bytes lie beyond the end of the data file), ``no-file`` (its data
            file is not there), ``no-shard`` (there can be no such data file), ``size`` (its bytes
            are not what its shape and dtype take), ``missing-part``, ``overlap``, or ``checksum``.
        text: what is wrong, in a few words.
        file: the data file that is not there or too short for it, "" for none.
    """

    variable: str
    kind: str
    text: str
    file: str = ""


@dataclasses.dataclass(frozen=True)
class CheckpointFiles:
    """What the files of one checkpoint look like, beside what its index lists.

    Attributes:
        files: the data files that the index refers to.
        flaws: entries of the index that cannot be right, by variable.
        strangers: data files with the checkpoint's prefix that the index does not refer to.
        remains: files and directories that an interrupted save has left in the directory.
        data_newer_by: how many seconds the newest data file is younger than the index.
        global_step: the value of the tensor ``global_step``; None where there is none to be read.
        without_index: data files of other checkpoints in the directory whose index is not there.
        saved_graph: whether its ``.meta`` file is there.
        graph_problem: why the ``.meta`` file that is there cannot be read, "" where it can.
        other_graph: whether there is a ``graph.pbtxt``, which is read where the other cannot be.
        snapshot: whether this is a snapshot, which has no data files.
        said: what was found of the model_dir that it was made of, and is not to be seen in it.
    """

    files: Tuple[DataFile, ...] = ()
    flaws: Tuple[EntryFlaw, ...] = ()
    strangers: Tuple[str, ...] = ()
    remains: Tuple[str, ...] = ()
    data_newer_by: float = 0.0
    global_step: Optional[int] = None
    without_index: Tuple[str, ...] = ()
    saved_graph: bool = True
    graph_problem: str = ""
    other_graph: bool = False
    snapshot: bool = False
    said: Tuple[str, ...] = ()

    @property
    def left_out(self) -> Tuple[str, ...]:
        """What a snapshot says of its model_dir, of which no rule can judge any more."""
        return tuple(
            f"the model_dir that this is a snapshot of, where {text}" for text in self.said
        )


@dataclasses.dataclass(frozen=True)
class TensorScan:
    """What the bytes of one tensor are.

    Attributes:
        variable: its name, dtype, and shape.
        problem: why it cannot be read, "" where it can; its checksum is right then.
        nan: how many of its values are no number.
        infinite: how many are infinite.
        least: the least finite value; None where there is none, or values are no numbers.
        most: the greatest one.
    """

    variable: VariableSpec
    problem: str = ""
    nan: int = 0
    infinite: int = 0
    least: Optional[float] = None
    most: Optional[float] = None

    @property
    def constant(self) -> bool:
        """Whether all values are one and the same number."""
        return self.least is not None and self.least == self.most and not self.nan + self.infinite


# --- What an inspection and a verification say -----------------------------------------------


@dataclasses.dataclass(frozen=True)
class CheckpointSummary:
    """One of the checkpoints in a directory.

    Attributes:
        prefix: the path that ``Saver.restore`` takes.
        step: the number in its name, None where it has none.
        written: when its index was written, in seconds since 1970; None where that is not known.
        size: the bytes of all its files together.
        loaded: whether Estimator would load this one.
    """

    prefix: str
    step: Optional[int]
    written: Optional[float]
    size: int
    loaded: bool = False


@dataclasses.dataclass(frozen=True)
class VariableRow:
    """A variable of a checkpoint, as a person wants to see it.

    Attributes:
        variable: its name, dtype, and shape.
        role: ``weight``, ``optimizer``, ``global_step`` or ``other``, by its name.
        size: the bytes of its data.
        parts: into how many parts it is partitioned; 1 for none.
    """

    variable: VariableSpec
    role: str
    size: int
    parts: int = 1


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """One of the features and labels that a saved graph was fed.

    Attributes:
        name: the output that it is of, as ``IteratorGetNext:0``.
        shape: None where the graph does not say.
        dtype: TensorFlow's name for it.
        sparse: whether it is a ``SparseTensor``, which an iterator gives as a variant.
    """

    name: str
    shape: Shape
    dtype: str
    sparse: bool = False


@dataclasses.dataclass(frozen=True)
class GraphSummary:
    """What the saved graph tells at first sight.

    Attributes:
        file: where it was read.
        tensorflow: the version that saved it, "" where the file does not say.
        behavior: ``v1`` (reference variables), ``v2`` (resource variables), "" for not known.
        strategy: whether a distribution strategy built it.
        inputs: what the iterator or queue of the input_fn gave: features and labels, flat.
    """

    file: str
    tensorflow: str
    behavior: str
    strategy: bool = False
    inputs: Tuple[InputSpec, ...] = ()


# --- What a restore will ask for -------------------------------------------------------------


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
        sink: ``assign``, ``table``, ``iterator`` or ``opaque``.
        check: what TensorFlow verifies of the shape: ``slice``, ``assign``, ``reshape``,
            ``table`` or ``none``; or, of an iterator, that it is ``initialized``.
        role: ``weight``, ``slot`` (the optimizer's own state), ``global_step`` or ``other``.
    """

    key: str
    variable: str
    shape: Shape
    dtype: str
    slice: str
    sink: str
    check: str
    role: str


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
    """

    mode: str
    reads: Tuple[Read, ...]
    uninitialized: Tuple[VariableSpec, ...] = ()
    unwatched: Tuple[VariableSpec, ...] = ()
    reinitialized: Tuple[VariableSpec, ...] = ()
    run_errors: Tuple[RunError, ...] = ()
    opaque_errors: Tuple[RunError, ...] = ()


# --- What the tracer is asked, and what it replies -------------------------------------------


@dataclasses.dataclass(frozen=True)
class Location:
    """A line of the user's code."""

    file: str
    line: int


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame of the user's code in a traceback."""

    file: str
    line: int
    function: str
    text: str


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why something could not be traced.

    Attributes:
        kind: ``raised``, ``input-fn`` (the input_fn raised), ``timed-out``, ``crashed``,
            ``exited``, ``out-of-memory``, ``no-spec``, ``scaffold`` (TensorFlow refused the
            Scaffold), ``structure`` (the guess of the features' structure was wrong: try again
            with the events), or ``usage`` (ckptcheck was asked for something that is not there).
        type: the exception's type, "" where there is none.
        message: what it says, in one paragraph.
        frames: the last frames of the user's own code, the innermost last.
    """

    kind: str
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
class TensorUse:
    """Who consumes one leaf of the features or labels in the traced graph.

    Attributes:
        path: where the leaf stands, from the root.
        consumers: each consumer's name, op and input (``dense/MatMul MatMul:0``), sorted.
    """

    path: Tuple[Union[str, int], ...]
    consumers: Tuple[str, ...]


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
        rehearse: whether the run after the restore is to be rehearsed where shapes differ.
        guessed: whether the structures are a guess. Then a use that does not fit them ends the
            trace with a ``structure`` failure, which only the search for the features may see.
            Otherwise TensorFlow raises what it raises.
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
    rehearse: bool = False
    guessed: bool = False


@dataclasses.dataclass(frozen=True)
class ModeTrace:
    """What the tracer replies of one mode: either a finished plan, or why there is none.

    Attributes:
        plan: the finished plan; None where the trace failed.
        failure: why it failed; None where it did not.
        wants_v1: a name of TensorFlow 1 that the code asked for and this TensorFlow has only in
            ``tensorflow.compat.v1``; "" for none.
        stand_ins: what of TensorFlow was stood in for.
        head: the types of the first ops that the model_fn made, in their order.
        ops: how many ops it made, until it returned or raised.
        notes: what the user should know of this trace.
        behavior: ``v1`` or ``v2``: the kind of variables that the launch makes; "" where a
            distribution strategy decided.
        tpu_spec: whether model_fn returned a TPUEstimatorSpec, which only TPUEstimator takes.
        other_shapes: whether the restore lets shapes through that are not the declared ones.
    """

    mode: str
    plan: Optional[RestorePlan] = None
    failure: Optional[Failure] = None
    params: ParamsUse = ParamsUse()
    events: Tuple[InputEvent, ...] = ()
    uses: Tuple[TensorUse, ...] = ()
    features: Any = None
    labels: Any = None
    wants_v1: str = ""
    stand_ins: Tuple[str, ...] = ()
    head: Tuple[str, ...] = ()
    ops: int = 0
    notes: Tuple[str, ...] = ()
    behavior: str = ""
    tpu_spec: bool = False
    other_shapes: bool = False

    def __post_init__(self) -> None:
        """Verifies that there is a plan or a failure, and not both.

        Raises:
            ValueError: there are both, or neither.
        """
        if (self.plan is None) == (self.failure is None):
            raise ValueError(f"a trace of {self.mode} needs either a plan or a failure")


@dataclasses.dataclass(frozen=True)
class SavedTensor:
    """An output of a node of the saved graph; ``consumers`` as in :class:`TensorUse`."""

    dtype: str
    shape: Shape
    sparse: bool
    consumers: Tuple[str, ...]
    consumer_nodes: Tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class HeadNode:
    """A node of the saved graph between the global step and the first variable."""

    index: int
    name: str
    op: str
    outputs: Tuple[SavedTensor, ...]


@dataclasses.dataclass(frozen=True)
class SavedGraph:
    """What the graph that Estimator saved beside the weights tells of its making.

    Attributes:
        file: where it was read.
        tensorflow: the version that saved it, "" where the file does not say.
        behavior: ``v1`` (some reference variables) or ``v2`` (only resource variables); "" where
            there is no variable.
        head: the nodes from the global step to the first variable of the model.
        ops: the types of the nodes from the head's first on, for alignment with a trace.
        strategy: whether a distribution strategy built it.
        iterators: whether its saver restored iterators of the input_fn.
    """

    file: str
    tensorflow: str
    behavior: str
    head: Tuple[HeadNode, ...]
    ops: Tuple[str, ...]
    strategy: bool = False
    iterators: bool = False


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


@dataclasses.dataclass(frozen=True)
class Launch:
    """What the launching script decides and ckptcheck had to find out.

    Attributes:
        behavior: ``v1`` or ``v2``: which kind of variable was traced.
        reason: why that one.
    """

    behavior: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Features:
    """Where the features came from and what they are."""

    source: str
    spec: Any = None
    labels: Any = None


@dataclasses.dataclass(frozen=True)
class Trace:
    """All modes of one check, traced."""

    modes: Tuple[ModeTrace, ...]
    environment: Environment
    launch: Launch
    features: Features

    @property
    def plans(self) -> Tuple[RestorePlan, ...]:
        """The restore plans of the modes that could be traced."""
        return tuple(mode.plan for mode in self.modes if mode.plan is not None)


# --- What is said of it ----------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a finding does to one mode.

    Attributes:
        verdict: one of :data:`OUTCOMES`.
        at: where it fails, ``restore`` or ``run``; "" for the other verdicts.
        before_model_fn: whether TensorFlow raises before it calls model_fn, so that what model_fn
            does cannot matter.
    """

    verdict: str
    at: str = ""
    before_model_fn: bool = False


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing, about one variable or about the check.

    Attributes:
        rule: the id of the rule that found it.
        severity: ``error``, ``warning`` or ``note``.
        message: what is wrong, in one or two sentences.
        outcomes: what it does to each mode that it touches; empty where it does nothing.
        modes: the modes that it is about.
        variable: the variable or the key, "" where it is about none.
        checkpoint: what the checkpoint holds.
        model: what the model declares.
        location: the line of the user's code to look at.
        detail: lines that a person wants to see with it, such as frames.
        subject: what to tell it from others by, where no variable does.
        hint: what to do first about it, in one line.
    """

    rule: str
    severity: str
    message: str
    modes: Tuple[str, ...] = ()
    outcomes: Mapping[str, Outcome] = dataclasses.field(default_factory=dict)
    variable: str = ""
    checkpoint: Optional[VariableSpec] = None
    model: Optional[VariableSpec] = None
    location: Optional[Location] = None
    detail: Tuple[str, ...] = ()
    subject: str = ""
    hint: str = ""

    @property
    def key(self) -> str:
        """A key that stays the same while the finding does: rule, variable and specs."""
        key = f"{self.rule}:{self.variable or self.subject}"
        if self.checkpoint is None and self.model is None:
            return key
        return f"{key}:{_spec_text(self.checkpoint)}->{_spec_text(self.model)}"


def _spec_text(spec: Optional[VariableSpec]) -> str:
    if spec is None:
        return "-"
    return spec.dtype + shape_text(spec.shape)


def allows(declared: Shape, stored: Shape) -> bool:
    """Whether a declared shape, which may be unknown in part, allows a stored one."""
    if declared is None or stored is None:
        return True
    return len(declared) == len(stored) and all(
        mine is None or mine == theirs for mine, theirs in zip(declared, stored)
    )


def step_of(prefix: str) -> Optional[int]:
    """The step in a checkpoint's name, None where it has none.

    A V1 checkpoint in several files is named by a pattern: ``model.ckpt-10-?????-of-00002``.
    """
    found = re.search(r"-(\d{1,19})(-\?{5}-of-\d{5})?\Z", prefix)
    return int(found.group(1)) if found else None


def natural_key(name: str) -> Tuple[Tuple[int, int, str], ...]:
    """A sort key that puts ``layer_2`` before ``layer_10``."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p), p) if p.isdecimal() else (1, 0, p) for p in parts)


def elements(shape: Shape) -> Optional[int]:
    """How many values a tensor of a shape has; None where that is not known."""
    count = 1
    for size in (None,) if shape is None else shape:
        if size is None:
            return None
        count *= size
    return count


def shape_text(shape: Shape) -> str:
    """Writes a shape as people do: ``[64, ?]``, ``[]`` for a scalar, ``?`` for no rank."""
    if shape is None:
        return "?"
    return "[{}]".format(", ".join("?" if d is None else str(d) for d in shape))


@dataclasses.dataclass(frozen=True)
class Advice:
    """What to do about a group of findings; ``verified`` if a new trace showed that it helps."""

    kind: str
    text: str
    set: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    verified: bool = False


@dataclasses.dataclass(frozen=True)
class Group:
    """Findings with one cause."""

    title: str
    findings: Tuple[Finding, ...]
    advice: Tuple[Advice, ...] = ()


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a restore will do in one mode.

    Attributes:
        mode: the mode.
        verdict: one of :data:`OUTCOMES`.
        at: where it fails, ``restore`` or ``run``; "" for the other verdicts.
        plan: the finished plan, without which no mode restores; None where there is none.
    """

    mode: str
    verdict: str
    at: str = ""
    plan: Optional[RestorePlan] = None

    def __post_init__(self) -> None:
        """Verifies that only a finished plan restores.

        Raises:
            ValueError: there is no plan.
        """
        if self.verdict == RESTORES and self.plan is None:
            raise ValueError(f"{self.mode} has no restore plan, and no finding says why")

    @property
    def reads(self) -> int:
        """How many tensors the restore reads; 0 where there is no plan."""
        return len(self.plan.reads) if self.plan else 0


@dataclasses.dataclass(frozen=True)
class DataRead:
    """How much of a checkpoint's data was read, and was as the index says.

    Attributes:
        tensors: how many tensors.
        size: their bytes.
    """

    tensors: int
    size: int


@dataclasses.dataclass(frozen=True)
class Report:
    """The result of one check.

    Attributes:
        ok: whether no finding reaches the severity that fails the check.
        checked: whether there was a checkpoint to check at all.
        not_judged: what this run could not know.
        data: what was read of the data; None where that was not asked for.
    """

    ok: bool
    checked: bool
    target: str
    model_dir: str
    checkpoint: Optional[CheckpointIndex]
    trace: Optional[Trace]
    verdicts: Tuple[Verdict, ...]
    groups: Tuple[Group, ...]
    not_judged: Tuple[str, ...] = ()
    data: Optional[DataRead] = None

    @property
    def findings(self) -> Tuple[Finding, ...]:
        """All findings, in the order of their groups."""
        return tuple(finding for group in self.groups for finding in group.findings)


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What the files of a model_dir are, without any code that they belong to.

    Attributes:
        ok: whether no finding reaches the severity that fails it.
        checked: whether there is a checkpoint at all, of a format that can be read.
        model_dir: as the user named it.
        why: why Estimator would load the one that it would.
        checkpoints: all that are in the directory, the latest last.
        prefix: the one that the rest is about; "" for none.
        variables: what it holds.
        shards: into how many data files it is divided.
        object_based: whether ``tf.train.Checkpoint`` or Keras wrote it.
        snapshot: whether this is a snapshot, without data.
        graph: what the saved graph tells, None where there is none.
        groups: what is wrong.
        not_judged: what could not be known.
    """

    ok: bool
    checked: bool
    model_dir: str
    why: str
    checkpoints: Tuple[CheckpointSummary, ...]
    prefix: str = ""
    variables: Tuple[VariableRow, ...] = ()
    shards: int = 0
    object_based: bool = False
    snapshot: bool = False
    graph: Optional[GraphSummary] = None
    groups: Tuple[Group, ...] = ()
    not_judged: Tuple[str, ...] = ()

    @property
    def findings(self) -> Tuple[Finding, ...]:
        """All findings, in the order of their groups."""
        return tuple(finding for group in self.groups for finding in group.findings)


@dataclasses.dataclass(frozen=True)
class Verified:
    """One checkpoint whose data has been read.

    Attributes:
        ok: whether no finding reaches the severity that fails it.
        prefix: the path that ``Saver.restore`` takes.
        step: the number in its name, None where it has none.
        tensors: how many were read.
        size: how many bytes.
        groups: what is wrong.
        loaded: whether it is the one that Estimator would load, or that was named.
        whole: whether its data is there, as it was saved, and finite, whatever else was found.
    """

    ok: bool
    prefix: str
    step: Optional[int]
    tensors: int
    size: int
    groups: Tuple[Group, ...] = ()
    loaded: bool = False
    whole: bool = False


@dataclasses.dataclass(frozen=True)
class Verification:
    """All checkpoints whose data has been read, the latest last.

    Attributes:
        ok: whether the one that Estimator would load is good; of several, whether all are.
        checked: whether any was read.
        model_dir: as the user named it.
        checkpoints: what was found.
        not_judged: what was left out, and why.
        why: of several, why Estimator would load the one that it would; else "".
    """

    ok: bool
    checked: bool
    model_dir: str
    checkpoints: Tuple[Verified, ...]
    not_judged: Tuple[str, ...] = ()
    why: str = ""

    @property
    def last_good(self) -> str:
        """The latest checkpoint whose data is whole, "" where none is."""
        good = [item.prefix for item in self.checkpoints if item.whole]
        return good[-1] if good else ""


# --- JSON ------------------------------------------------------------------------------------

T = TypeVar("T")


_is_dataclass, _fields = dataclasses.is_dataclass, dataclasses.fields
"""Bound before code that is traced runs, which may replace what dataclasses holds."""


def to_json(value: Any) -> Any:
    """Turns a value of this module into what :mod:`json` writes."""
    if _is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in _fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def from_json(cls: Type[T], data: Mapping[str, Any]) -> T:
    """Builds a dataclass of this module from what :func:`to_json` made of it.

    Fields that it does not have are left out, so that an older side can read a newer one's.

    Raises:
        TypeError: a field is missing, or has a value of another type.
    """
    if not isinstance(data, Mapping):
        raise TypeError(f"{cls.__name__} is {type(data).__name__}")
    hints = _hints(cls)
    fields = {name: _decode(hints[name], value) for name, value in data.items() if name in hints}
    return cls(**fields)


_HINTS: Dict[type, Dict[str, Any]] = {}


def _hints(cls: type) -> Dict[str, Any]:
    if cls not in _HINTS:
        import typing

        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def _decode(hint: Any, value: Any) -> Any:
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return from_json(hint, value)  # type: ignore[arg-type]
    origin = getattr(hint, "__origin__", None)
    arguments: Any = getattr(hint, "__args__", ())
    if origin is Union:
        return _decode_union(arguments, value)
    if origin is tuple:
        return _decode_tuple(arguments, value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _verify_type(value, Mapping)
        return {key: _decode(arguments[-1], item) for key, item in value.items()}
    _verify_type(value, (int, float) if hint is float else hint)
    if isinstance(value, bool) and hint is not bool:
        raise TypeError(f"{value!r} is not of type {hint.__name__}")
    return value


def _decode_tuple(arguments: Any, value: Any) -> Any:
    _verify_type(value, (list, tuple))
    if arguments[-1] is Ellipsis:
        return tuple(_decode(arguments[0], item) for item in value)
    if len(arguments) != len(value):
        raise TypeError(f"{len(value)} items instead of {len(arguments)}")
    return tuple(map(_decode, arguments, value))


def _decode_union(arguments: Any, value: Any) -> Any:
    if value is None and type(None) in arguments:
        return None
    chosen = [argument for argument in arguments if argument is not type(None)]
    for argument in chosen[:-1]:
        try:
            return _decode(argument, value)
        except TypeError:
            continue
    return _decode(chosen[-1], value)


def _verify_type(value: Any, kind: Any) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"a value is {type(value).__name__}")
