"""The result of every command: what the rules, the advice and the reporters share.

A command returns one :class:`Report`. Its sections say what the command looked at; sections that
do not apply to the command keep their defaults.
"""

import dataclasses
import enum
import re
from typing import Any, ClassVar, List, Mapping, Optional, Sequence, Tuple, Union

from .changes import NO_DRIFT, Drift
from .model_dir import Against
from .protocol import (
    CheckpointIndex,
    DataLimit,
    Environment,
    FinishedTrace,
    ModeTrace,
    RestorePlan,
    Shape,
    VariableSpec,
)
from .uses import Location

RESTORES, FAILS, SILENT, UNTRACEABLE = "restores", "fails", "silent", "untraceable"

CHECK, INSPECT, VERIFY, SNAPSHOT, LINT = "check", "inspect", "verify", "snapshot", "lint"
"""The commands that return a report."""

SEVERITIES = ("note", "warning", "error")
"""Of findings, the least severe first."""


@dataclasses.dataclass(frozen=True)
class Position(Location):
    """A place in code that was linted.

    Attributes:
        column: the first character, from 1.
        statement: the line at which the statement begins.
    """

    column: int
    statement: int


@dataclasses.dataclass(frozen=True)
class CheckpointSummary:
    """One of the checkpoints in a directory.

    Attributes:
        prefix: the path that ``Saver.restore`` takes.
        step: the number in its name, None if it has none.
        written: when its index was written, in seconds since 1970; None if unknown.
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
    """A variable of a checkpoint, as ``inspect`` shows it.

    Attributes:
        variable: its name, dtype, and shape.
        role: ``weight``, ``optimizer``, ``global_step`` or ``other``, by its name.
        size: the bytes of its data.
        parts: the number of parts of a partitioned variable; 1 if it is not partitioned.
    """

    variable: VariableSpec
    role: str
    size: int
    parts: int = 1


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """One of the features and labels that a saved graph was fed.

    Attributes:
        name: the output of the graph, such as ``IteratorGetNext:0``.
        shape: None if the graph does not say.
        dtype: TensorFlow's name for it.
        sparse: whether it is a ``SparseTensor``, which an iterator gives as a variant.
    """

    name: str
    shape: Shape
    dtype: str
    sparse: bool = False


@dataclasses.dataclass(frozen=True)
class GraphSummary:
    """A summary of the saved graph.

    Attributes:
        file: the file that holds it.
        tensorflow: the version that saved it; "" if the file does not say.
        behavior: ``v1`` (reference variables), ``v2`` (resource variables), "" if unknown.
        strategy: whether a distribution strategy built it.
        inputs: what the iterator or queue of the input_fn gave: features and labels, flat.
    """

    file: str
    tensorflow: str
    behavior: str
    strategy: bool = False
    inputs: Tuple[InputSpec, ...] = ()


@dataclasses.dataclass(frozen=True)
class Launch:
    """A choice that the launch script usually makes.

    Attributes:
        behavior: ``v1`` or ``v2``: which kind of variable was traced.
        reason: why this one.
    """

    behavior: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Features:
    """The features and labels, and where they came from."""

    source: str
    spec: Any = None
    labels: Any = None


@dataclasses.dataclass(frozen=True)
class Trace:
    """The traces of all modes of one check.

    Attributes:
        taken_names: the names of the input_fn's ops; see :class:`.protocol.TraceRequest`.
    """

    modes: Tuple[ModeTrace, ...]
    environment: Environment
    launch: Launch
    features: Features
    taken_names: Tuple[str, ...] = ()

    @property
    def plans(self) -> Tuple[RestorePlan, ...]:
        """The restore plans of the modes that could be traced."""
        return tuple(mode.plan for mode in self.modes if isinstance(mode, FinishedTrace))


class Outcome(enum.Enum):
    """What a finding does to one mode, from the mildest to the worst.

    A failure before TensorFlow calls model_fn hides what model_fn does.
    """

    SILENTLY_WRONG = "silent"
    FAILS_AT_RUN = "fails at run"
    FAILS_AT_RESTORE = "fails at restore"
    UNTRACEABLE = "untraceable"
    FAILS_BEFORE_MODEL_FN = "fails at restore, before model_fn is called"

    @property
    def verdict(self) -> str:
        """``silent``, ``fails`` or ``untraceable``."""
        return self.value.partition(" ")[0]

    @property
    def at(self) -> str:
        """Where it fails, ``restore`` or ``run``; "" if it does not fail."""
        return "" if self.verdict != FAILS else "run" if self is self.FAILS_AT_RUN else "restore"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing, about one variable or about the check.

    Attributes:
        rule: the id of the rule that found it.
        severity: ``error``, ``warning`` or ``note``.
        message: what is wrong, in one or two sentences.
        modes: the modes that it is about.
        outcomes: the outcome of each mode that it breaks; empty if it breaks none.
        category: what kind of thing the rule is about; see :data:`.rules.base.CATEGORIES`.
        variable: the variable or the key; "" if it is about none.
        checkpoint: what the checkpoint holds.
        model: what the model declares.
        location: the line of the user's code to look at.
        detail: lines that belong to the message, such as the frames of a traceback.
        subject: distinguishes it from other findings of the rule if there is no variable. It has no
            path, step or time, since these change with the next save.
        hint: what to do first, in one line; "" for none.
        data: what the message says, as values that JSON has.
    """

    rule: str
    severity: str
    message: str
    modes: Tuple[str, ...] = ()
    outcomes: Mapping[str, Outcome] = dataclasses.field(default_factory=dict)
    category: str = ""
    variable: str = ""
    checkpoint: Optional[VariableSpec] = None
    model: Optional[VariableSpec] = None
    location: Optional[Location] = None
    detail: Tuple[str, ...] = ()
    subject: str = ""
    hint: str = ""
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)

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


def failing(findings: Sequence[Finding], fail_on: str) -> List[Finding]:
    """Returns the findings of a severity or a higher one."""
    least = SEVERITIES.index(fail_on)
    return [finding for finding in findings if SEVERITIES.index(finding.severity) >= least]


def natural_key(name: str) -> Tuple[Tuple[int, int, str], ...]:
    """A sort key that puts ``layer_2`` before ``layer_10``."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p), p) if p.isdecimal() else (1, 0, p) for p in parts)


def shape_text(shape: Shape) -> str:
    """Formats a shape: ``[64, ?]``, ``[]`` for a scalar, ``?`` for an unknown rank."""
    if shape is None:
        return "?"
    return "[{}]".format(", ".join("?" if d is None else str(d) for d in shape))


@dataclasses.dataclass(frozen=True)
class Advice:
    """What to do about a group of findings; ``verified`` if a new trace shows that it helps."""

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
class Accepted:
    """A finding that the project accepts: it is not among the findings, and fails nothing.

    Attributes:
        finding: what was found.
        by: ``ignore`` for an ignore of the configuration, ``baseline`` for the baseline.
        reason: why the project accepts it, as the configuration says.
    """

    finding: Finding
    by: str
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Restores:
    """The verdict that a mode restores. Only a mode with a finished plan can have it."""

    plan: RestorePlan

    verdict = RESTORES
    at = ""
    data_limits: ClassVar[Tuple[DataLimit, ...]] = ()

    @property
    def mode(self) -> str:
        """The mode."""
        return self.plan.mode

    @property
    def reads(self) -> int:
        """How many tensors the restore reads."""
        return len(self.plan.reads)


@dataclasses.dataclass(frozen=True)
class Broken:
    """The verdict that a mode does not restore correctly. It comes from a finding's outcome.

    Attributes:
        mode: the mode.
        outcome: the worst that a finding does to it.
        reads: how many tensors the restore reads; 0 if there is no plan.
        data_limits: the data with which the mode raises; empty if that does not depend on the data.
    """

    mode: str
    outcome: Outcome
    reads: int = 0
    data_limits: Tuple[DataLimit, ...] = ()

    @property
    def verdict(self) -> str:
        """``silent``, ``fails`` or ``untraceable``."""
        return self.outcome.verdict

    @property
    def at(self) -> str:
        """Where it fails, ``restore`` or ``run``; "" if it does not fail."""
        return self.outcome.at


Verdict = Union[Restores, Broken]
"""What a restore will do in one mode."""


@dataclasses.dataclass(frozen=True)
class DataRead:
    """How much of a checkpoint's data was read and matches the index.

    Attributes:
        tensors: how many tensors.
        size: their bytes.
    """

    tensors: int
    size: int


@dataclasses.dataclass(frozen=True)
class Contents:
    """What one checkpoint holds, as its files say.

    Attributes:
        prefix: the path that ``Saver.restore`` takes; "" if no index can be read.
        variables: every tensor in it.
        shards: how many data files it has.
        object_based: whether ``tf.train.Checkpoint`` or Keras wrote it.
        snapshot: whether this is a snapshot, without data.
        graph: a summary of the saved graph; None if there is none.
    """

    prefix: str = ""
    variables: Tuple[VariableRow, ...] = ()
    shards: int = 0
    object_based: bool = False
    snapshot: bool = False
    graph: Optional[GraphSummary] = None


@dataclasses.dataclass(frozen=True)
class Verified:
    """One checkpoint whose data was read.

    Attributes:
        ok: whether no finding reaches the severity that fails it.
        prefix: the path that ``Saver.restore`` takes; "" for a state file that names none.
        step: the number in its name, None if it has none.
        data: how much was read and matches the index.
        groups: what is wrong.
        loaded: whether it is the one that Estimator would load, or that was named.
        whole: whether its data is complete, unchanged since the save, and finite.
    """

    ok: bool
    prefix: str
    step: Optional[int]
    data: DataRead
    groups: Tuple[Group, ...] = ()
    loaded: bool = False
    whole: bool = False


@dataclasses.dataclass(frozen=True)
class Written:
    """A snapshot or a record that was written.

    Attributes:
        folder: its directory; "" if none was written.
        names: the files in it.
    """

    folder: str = ""
    names: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class RecordUse:
    """The record of the checkpoint that a check used.

    Attributes:
        file: its path.
        writer: ``training`` or ``traced``: the training process, or ``ckptcheck record``.
        used: what the check took from it: ``target``, ``params``.
    """

    file: str
    writer: str
    used: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Report:
    """The result of a command.

    Attributes:
        command: the command that made the report.
        ok: whether no finding reaches the severity that fails the command.
        checked: whether there was a checkpoint to look at, of a format that can be read.
        model_dir: as the user named it.
        groups: what is wrong.
        not_judged: what the command could not find out.
        target: TARGET as it was given; "" without a model_fn.
        app_dir: the directory that TARGET was imported from.
        checkpoint: the contents of the checkpoint that was checked; None if it cannot be read.
        trace: the traced modes of a check.
        verdicts: what a restore will do in each checked mode.
        drift: what the model computes differently than when it was saved.
        data: how much data a check read; None without ``--deep``.
        why: which checkpoint Estimator would load, and why; "" if it does not apply.
        checkpoints: all checkpoints in the directory of an inspection, the latest last.
        contents: the contents of the inspected checkpoint.
        verified: the checkpoints whose data was verified, the latest last.
        written: the snapshot or the record that the command wrote.
        record: the record of the checkpoint that a check used; None if there is none.
        accepted: the findings that the project accepts.
        files: how many files were linted.
        against: the revision whose code a check compares with; None for a checkpoint.
        fail_on: the lowest severity of a finding that fails the command.
    """

    command: str
    ok: bool
    checked: bool
    model_dir: str
    groups: Tuple[Group, ...] = ()
    not_judged: Tuple[str, ...] = ()
    target: str = ""
    app_dir: str = ""
    checkpoint: Optional[CheckpointIndex] = None
    trace: Optional[Trace] = None
    verdicts: Tuple[Verdict, ...] = ()
    drift: Drift = NO_DRIFT
    data: Optional[DataRead] = None
    why: str = ""
    checkpoints: Tuple[CheckpointSummary, ...] = ()
    contents: Contents = Contents()
    verified: Tuple[Verified, ...] = ()
    written: Written = Written()
    record: Optional[RecordUse] = None
    accepted: Tuple[Accepted, ...] = ()
    files: int = 0
    against: Optional[Against] = None
    fail_on: str = "error"

    @property
    def all_groups(self) -> Tuple[Group, ...]:
        """The groups of the report, and those of each verified checkpoint."""
        return (*self.groups, *(group for item in self.verified for group in item.groups))

    @property
    def findings(self) -> Tuple[Finding, ...]:
        """All findings, in the order of their groups."""
        return tuple(finding for group in self.all_groups for finding in group.findings)

    @property
    def last_good(self) -> str:
        """The latest verified checkpoint whose data is whole, "" if none is."""
        return next((item.prefix for item in reversed(self.verified) if item.whole), "")

    def text(self) -> str:
        """Returns the report as the command prints it."""
        from .reporters import render  # not needed without the text

        return render(self)
