"""What a check, an inspection and a verification found: what rules and reporters share."""

import dataclasses
import re
from typing import Any, Mapping, Optional, Tuple

from .protocol import (
    CheckpointIndex,
    Environment,
    Location,
    ModeTrace,
    RestorePlan,
    Shape,
    VariableSpec,
)

RESTORES, FAILS, SILENT, UNTRACEABLE = "restores", "fails", "silent", "untraceable"


OUTCOMES = (RESTORES, SILENT, FAILS, UNTRACEABLE)
"""From the mildest to the one that hides all others."""


SEVERITIES = ("note", "warning", "error")
"""Of findings, the least severe first."""


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
        data: the facts of the message, by name, for programs.
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


def natural_key(name: str) -> Tuple[Tuple[int, int, str], ...]:
    """A sort key that puts ``layer_2`` before ``layer_10``."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p), p) if p.isdecimal() else (1, 0, p) for p in parts)


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
