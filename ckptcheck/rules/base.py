"""The types of rules and facts, and helpers that rules share."""

import dataclasses
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from ..model_dir import CheckpointFiles, FileChange, Located, TensorScan
from ..protocol import CheckpointIndex, Failure, ModeTrace, Read, RestorePlan, VariableSpec
from ..results import Finding, Outcome, Trace, natural_key

FAILS_AT_RESTORE = Outcome.FAILS_AT_RESTORE
FAILS_BEFORE_MODEL_FN = Outcome.FAILS_BEFORE_MODEL_FN
FAILS_AT_RUN = Outcome.FAILS_AT_RUN
SILENTLY_WRONG = Outcome.SILENTLY_WRONG
CANNOT_BE_TRACED = Outcome.UNTRACEABLE

RESTORE, FILES, DATA, CODE, PARAMS, DRIFT, ENVIRONMENT = CATEGORIES = (
    "restore",
    "files",
    "data",
    "code",
    "params",
    "drift",
    "environment",
)
"""What a rule can be about."""

TRACE, RECORD = "trace", "record"
NEEDS = (FILES, DATA, TRACE, CODE, RECORD)
"""What a rule can need: the list of files, all data of the checkpoint, a restore plan and a
readable checkpoint, a call of model_fn (even one that failed), or a record of the training."""

MISSING, UNUSED, SHAPES, UNSOUND, FOR_CHECKS = ROLES = (
    "missing",
    "unused",
    "shapes",
    "unsound",
    "for-checks",
)
"""What other parts of ckptcheck do with the findings of a rule: ``missing`` and ``unused`` pair up
if a variable was renamed; the advice looks for the param that sets the ``shapes``; a checkpoint
with an ``unsound`` finding is not the last good one; a snapshot reports what is missing
``for-checks``, even if it is a note."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything that a rule may use.

    Attributes:
        located: which checkpoint a restore would load.
        modes: the modes that are checked.
        tensorflow: the version of TensorFlow in the interpreter, "" if it is not known.
        index: what the checkpoint holds; None if it does not exist or cannot be read.
        unreadable: why it cannot be read.
        trace: the traces; None if nothing was traced, because there is nothing to restore.
        params: the params of the check.
        changes: what happened to the files of the model_dir while the code was traced.
        files: the state of the checkpoint's files; None if nothing examined them.
        scans: a summary of the data of each tensor; None if the data was not read.
        disagreement: what ckptcheck and TensorFlow read differently from the index, "" for none.
    """

    located: Located
    modes: Tuple[str, ...]
    tensorflow: str = ""
    index: Optional[CheckpointIndex] = None
    unreadable: Optional[Failure] = None
    trace: Optional[Trace] = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    changes: Tuple[FileChange, ...] = ()
    files: Optional[CheckpointFiles] = None
    scans: Optional[Tuple[TensorScan, ...]] = None
    disagreement: str = ""

    @property
    def stored(self) -> Dict[str, VariableSpec]:
        """What the checkpoint holds, by name."""
        return {spec.name: spec for spec in self.index.variables} if self.index else {}

    @property
    def data_is_right(self) -> bool:
        """Whether all data was read and its checksums match the index."""
        return self.scans is not None and not any(scan.problem for scan in self.scans)

    @property
    def plans(self) -> Tuple[RestorePlan, ...]:
        """The restore plans; none if the checkpoint cannot be read."""
        return self.trace.plans if self.trace and self.index else ()

    @property
    def traces(self) -> Tuple[ModeTrace, ...]:
        """The traces of all modes, including failed ones."""
        return self.trace.modes if self.trace else ()

    @property
    def major(self) -> int:
        """The major version of TensorFlow; 0 if it is not known."""
        head = self.tensorflow.partition(".")[0]
        return int(head) if head.isdigit() else 2 if head else 0

    def has(self, need: str) -> bool:
        """Whether the facts hold this one of :data:`NEEDS`."""
        return {
            FILES: self.files is not None,
            DATA: self.scans is not None,
            TRACE: bool(self.plans),
            CODE: self.trace is not None,
            RECORD: False,
        }[need]


Title = Callable[[Tuple[Finding, ...]], str]
"""Makes the headline of a group from its findings."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """One thing that can be wrong.

    Attributes:
        id: a kebab-case name that explains itself.
        severity: ``error``, ``warning`` or ``note``.
        category: one of :data:`CATEGORIES`.
        needs: what the rule needs to run, from :data:`NEEDS`.
        role: one of :data:`ROLES`, or "".
        summary: one line for ``--list-rules``.
        check: a pure function that yields the findings.
        title: the headline of a group, or a function that returns it for the group's findings.
        bad: facts in which the rule finds something.
        good: facts in which it finds nothing; None for those of :func:`.examples.facts`.
        explanation: the docstring of the module: what goes wrong, why, and what to do.
    """

    id: str
    severity: str
    summary: str
    check: Callable[[Facts], Iterator[Finding]]
    title: Union[str, Title]
    bad: Callable[[], Facts]
    category: str
    good: Optional[Callable[[], Facts]] = None
    needs: Tuple[str, ...] = ()
    role: str = ""
    explanation: str = ""

    def headline(self, findings: Tuple[Finding, ...]) -> str:
        """Returns the headline of a group of findings of this rule."""
        return self.title if isinstance(self.title, str) else self.title(findings)

    def finding(self, facts: Facts, message: str, **fields: Any) -> Finding:
        """Returns a finding of this rule.

        Args:
            facts: the facts of the check. The finding is about all its modes.
            message: what is wrong.
            fields: other fields of :class:`Finding`. They override the severity of the rule and
                the modes of the check.
        """
        found = Finding(self.id, self.severity, message, facts.modes)
        return dataclasses.replace(found, **fields)


def counted(one: str, many: str) -> Title:
    """Returns a title that counts variables, or the subjects of findings without a variable.

    Args:
        one: the title for one variable.
        many: the title for several, with ``{}`` for their number.
    """

    def title(findings: Tuple[Finding, ...]) -> str:
        count = len({finding.variable or finding.subject for finding in findings})
        return one if count == 1 else many.format(count)

    return title


class PerVariable:
    """Collects findings about variables from all modes.

    Modes in which a variable has the same outcome share one finding. Each other outcome has its own
    finding, because the message differs.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._found: Dict[Tuple[Any, ...], Finding] = {}

    def add(
        self,
        plan: RestorePlan,
        declared: Union[Read, VariableSpec],
        outcome: Outcome,
        message: str,
        stored: Optional[VariableSpec] = None,
        **data: Any,
    ) -> None:
        """Adds one mode's finding about a variable.

        Args:
            plan: the plan of the mode.
            declared: the read, or the model's variable if nothing reads it.
            outcome: the outcome of the mode.
            message: what is wrong.
            stored: what the checkpoint holds.
            data: the values in the message.
        """
        if isinstance(declared, Read):
            name, model, data = declared.key, model_spec(declared), {"role": declared.role, **data}
            location = plan.locations.get(declared.variable or declared.key)
        else:
            name, model = declared.name, declared
            location = plan.locations.get(name)
        known = self._found.get((model, stored, outcome))
        if known is None:
            known = Finding(
                rule=self._rule.id,
                severity=self._rule.severity,
                message=message,
                variable=name,
                checkpoint=stored,
                model=model,
                location=location,
                data=data,
            )
        self._found[model, stored, outcome] = dataclasses.replace(
            known,
            modes=known.modes if plan.mode in known.modes else (*known.modes, plan.mode),
            outcomes={**known.outcomes, plan.mode: outcome},
        )

    def findings(self) -> Iterator[Finding]:
        """Returns the findings, sorted by variable."""
        return iter(sorted(self._found.values(), key=lambda found: natural_key(found.variable)))


def model_spec(read: Read) -> VariableSpec:
    """Returns what the model declares for a read, under its name in the checkpoint."""
    return VariableSpec(read.key, read.shape, read.dtype)


def reads_by_key(plan: RestorePlan) -> Dict[str, Read]:
    """Returns one read for each key. The parts of a partitioned variable have the same key."""
    found: Dict[str, Read] = {}
    for read in plan.reads:
        found.setdefault(read.key, read)
    return found


def missing_reads(facts: Facts, plan: RestorePlan) -> List[Read]:
    """Returns the reads of a plan that find no tensor in the checkpoint."""
    stored = facts.stored
    return [read for key, read in reads_by_key(plan).items() if key not in stored]


def lost_optimizer(facts: Facts, plan: RestorePlan) -> List[Read]:
    """Returns the missing reads if only slots of the optimizer are missing, else nothing."""
    missing = missing_reads(facts, plan)
    weights = [read for read in plan.reads if read.role == "weight"]
    only_slots = bool(weights) and all(read.role == "slot" for read in missing)
    return missing if only_slots else []


def of_another_kind(facts: Facts) -> bool:
    """Whether the checkpoint is object-based, but the saver asks for names of variables."""
    if facts.index is None or not facts.index.object_based:
        return False
    return any(missing_reads(facts, plan) for plan in facts.plans)


def restores_nothing(facts: Facts) -> int:
    """Returns the number of unread tensors if no plan reads more than the global step.

    Returns:
        0 if a plan reads more, if the restore fails for another reason, or if the checkpoint holds
        nothing else.
    """
    if of_another_kind(facts) or not facts.plans or any(p.uninitialized for p in facts.plans):
        return 0
    reads = [read for plan in facts.plans for read in plan.reads]
    if any(read.role != "global_step" for read in reads):
        return 0
    return len(set(facts.stored) - {read.key for read in reads})


def outcomes_of_reading(
    facts: Facts, names: Iterable[str], outcome: Outcome = FAILS_AT_RESTORE
) -> Dict[str, Outcome]:
    """Returns the outcome for each mode that restores one of these tensors.

    Without a trace (``inspect``, ``verify``) the reads are not known, and the result is empty.
    """
    wanted = set(names)
    return {
        plan.mode: outcome for plan in facts.plans if any(read.key in wanted for read in plan.reads)
    }


def untraced(facts: Facts, effect: str) -> str:
    """Returns the end of a message that says what TensorFlow does; "" if verdicts say it."""
    return "" if facts.modes else f"; {effect}"


def bytes_said(count: int, adjective: str = "") -> str:
    """Returns a number of bytes in words: ``1 byte``, ``12 more bytes``."""
    words = (str(count), adjective, "byte" if count == 1 else "bytes")
    return " ".join(word for word in words if word)


def some_names(names: Sequence[str], most: int = 3) -> str:
    """Returns the first names in one line, and how many more there are."""
    shown = ", ".join(sorted(names, key=natural_key)[:most])
    rest = len(names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def is_slot_name(name: str, names: Mapping[str, Any]) -> bool:
    """Whether the name of another variable, followed by a slash, starts this name."""
    end = name.find("/")
    for _ in range(_MOST_SCOPES):
        if end < 0:
            break
        if name[:end] in names:
            return True
        end = name.find("/", end + 1)
    return False


_MOST_SCOPES = 64
"""Real names have fewer scopes. A hostile index may hold a name that is all slashes."""
