"""The types of rules and facts, and helpers that rules share."""

import dataclasses
import functools
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

from ..changes import NO_DRIFT, Drift
from ..ignores import NOTHING_UNUSED, Unused
from ..model_dir import CheckpointFiles, FileChange, Located, TensorScan
from ..origins import Origins
from ..protocol import CheckpointIndex, Failure, ModeTrace, Read, RestorePlan, VariableSpec
from ..records.value import Record
from ..results import Finding, Outcome, Trace, natural_key
from .roles import is_average

DRIFT = "drift"
CONFIGURATION = "configuration"
CATEGORIES = ("restore", "files", "data", "code", "params", DRIFT, "environment", CONFIGURATION)
"""What a rule can be about."""

MISSING = "missing"
"""The role of findings about missing variables. A renamed variable also has an UNUSED finding."""
UNUSED = "unused"
SHAPES = "shapes"
"""The role of findings for which the advice looks for a param."""
UNSOUND = "unsound"
"""The role of findings about bad data. The last good checkpoint has none of them."""
FOR_CHECKS = "for-checks"
"""The role of findings that a snapshot reports, even if they are notes."""


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
        params_known: whether the user gave these params. A target that is an Estimator has its own.
        record: the record of the checkpoint; None if there is none.
        origins: the current sources, files that the code reads, and versions; None if they were not
            read.
        drift: what the model computes differently than when it was saved.
        unused: ignores and baseline entries that match no finding.
    """

    located: Located
    modes: Tuple[str, ...] = ()
    tensorflow: str = ""
    index: Optional[CheckpointIndex] = None
    unreadable: Optional[Failure] = None
    trace: Optional[Trace] = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    changes: Tuple[FileChange, ...] = ()
    files: Optional[CheckpointFiles] = None
    scans: Optional[Tuple[TensorScan, ...]] = None
    disagreement: str = ""
    params_known: bool = True
    record: Optional[Record] = None
    origins: Optional[Origins] = None
    drift: Drift = NO_DRIFT
    unused: Unused = NOTHING_UNUSED

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


Finder = Callable[[Facts], Iterable[Finding]]


@dataclasses.dataclass(frozen=True)
class Rule:
    """One thing that can be wrong.

    Attributes:
        severity: ``error``, ``warning`` or ``note``.
        category: one of :data:`CATEGORIES`.
        find: a pure function that makes findings with :func:`finding`.
        title: the headline of a group, or a function that returns it for the first finding.
        bad: facts in which the rule finds something.
        titles: the headline of a group about several variables, with ``{}`` for their number.
        good: facts in which it finds nothing; None means :func:`.examples.facts`.
        role: what other modules do with the findings, such as :data:`UNUSED`; "" for nothing.
        id: the name of the module, with hyphens.
        explanation: the docstring of the module: what goes wrong, why, and what to do.
    """

    severity: str
    category: str
    find: Finder
    title: Union[str, Callable[[Finding], str]]
    bad: Callable[[], Facts]
    titles: str = ""
    good: Optional[Callable[[], Facts]] = None
    role: str = ""
    id: str = ""
    explanation: str = ""

    @property
    def summary(self) -> str:
        """What the rule finds, in one line."""
        return self.explanation.partition("\n")[0]

    def check(self, facts: Facts) -> List[Finding]:
        """Returns the findings of this rule."""
        return [
            dataclasses.replace(
                found,
                rule=self.id,
                severity=found.severity or self.severity,
                category=self.category,
                modes=found.modes or facts.modes,
            )
            for found in self.find(facts)
        ]

    def headline(self, findings: Sequence[Finding]) -> str:
        """Returns the headline of a group of findings of this rule."""
        if callable(self.title):
            return self.title(findings[0])
        count = len({found.variable or found.subject for found in findings})
        return self.titles.format(count) if self.titles and count > 1 else self.title


def finding(message: str, **fields: Any) -> Finding:
    """Returns a finding. :meth:`Rule.check` adds the fields that all findings of the rule share.

    Args:
        message: what is wrong.
        fields: other fields of :class:`Finding`. Without ``severity``, the finding has the
            severity of its rule. Without ``modes``, it is about all modes of the check.
    """
    return Finding("", fields.pop("severity", ""), message, **fields)


def in_mode(
    plan: RestorePlan,
    declared: Union[Read, VariableSpec],
    outcome: Outcome,
    message: str,
    stored: Optional[VariableSpec] = None,
    **data: Any,
) -> Finding:
    """Returns one mode's finding about a variable.

    Args:
        plan: the plan of the mode.
        declared: the read, or the model's variable if nothing reads it.
        outcome: the outcome of the mode.
        message: what is wrong.
        stored: what the checkpoint holds.
        data: the values in the message.
    """
    if isinstance(declared, Read):
        model = VariableSpec(declared.key, declared.shape, declared.dtype)
        variable, data = declared.variable or declared.key, {"role": declared.role, **data}
    else:
        model, variable = declared, declared.name
    return finding(
        message,
        modes=(plan.mode,),
        outcomes={plan.mode: outcome},
        variable=model.name,
        checkpoint=stored,
        model=model,
        location=plan.locations.get(variable),
        data=data,
    )


def not_found(plan: RestorePlan, read: Read) -> Finding:
    """Returns the finding about a read that finds no tensor."""
    message = f"Key {read.key} not found in checkpoint"
    return in_mode(plan, read, Outcome.FAILS_AT_RESTORE, message)


def joins_modes(find: Finder) -> Finder:
    """Decorates a function that makes a finding for each mode: joins findings that are alike.

    Findings about one variable with the same outcome become one finding. Findings with different
    outcomes stay separate, because their messages differ. The result is sorted by variable.
    """

    @functools.wraps(find)
    def joined(facts: Facts) -> Iterable[Finding]:
        found: Dict[Tuple[Any, ...], Finding] = {}
        for new in find(facts):
            about = (new.variable, new.subject, new.model, new.checkpoint)
            key = (*about, *new.outcomes.values())
            known = found.get(key, new)
            found[key] = dataclasses.replace(
                known,
                modes=tuple(dict.fromkeys((*known.modes, *new.modes))),
                outcomes={**known.outcomes, **new.outcomes},
            )
        return sorted(found.values(), key=lambda item: natural_key(item.variable))

    return joined


def reads_of(plan: RestorePlan) -> List[Read]:
    """Returns one read for each key. The parts of a partitioned variable have the same key."""
    found: Dict[str, Read] = {}
    for read in plan.reads:
        found.setdefault(read.key, read)
    return list(found.values())


def compared(facts: Facts) -> Iterator[Tuple[RestorePlan, Read, Optional[VariableSpec]]]:
    """Yields the plan of each read, the read, and what the checkpoint holds for it, if anything."""
    stored = facts.stored
    for plan in facts.plans:
        for read in reads_of(plan):
            yield plan, read, stored.get(read.key)


def missing_reads(facts: Facts, plan: RestorePlan) -> List[Read]:
    """Returns the reads of a plan that find no tensor in the checkpoint."""
    stored = facts.stored
    return [read for read in reads_of(plan) if read.key not in stored]


def lost_optimizer(facts: Facts, plan: RestorePlan) -> List[Read]:
    """Returns the missing slots of the optimizer, if all weights are there; else nothing."""
    missing = missing_reads(facts, plan)
    weights = [read for read in plan.reads if read.role == "weight"]
    only_slots = bool(weights) and all(read.role == "slot" for read in missing)
    return [read for read in missing if not is_average(read.key)] if only_slots else []


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


def outcomes_of_reading(facts: Facts, names: Iterable[str]) -> Dict[str, Outcome]:
    """Returns the outcome of each mode that restores one of these tensors: the restore fails.

    Without a trace (``inspect``, ``verify``) the reads are not known, and the result is empty.
    """
    wanted = set(names)
    return {
        plan.mode: Outcome.FAILS_AT_RESTORE
        for plan in facts.plans
        if not wanted.isdisjoint(read.key for read in plan.reads)
    }


def untraced(facts: Facts, effect: str, traced: str = "") -> str:
    """Returns the end of a message that says what TensorFlow does.

    Args:
        facts: the facts of the command.
        effect: what it does.
        traced: the part that verdicts do not say.
    """
    said = traced if facts.modes else effect
    return f"; {said}" if said else ""


def bytes_said(count: int, adjective: str = "") -> str:
    """Returns a number of bytes in words: ``1 byte``, ``12 more bytes``."""
    words = (str(count), adjective, "byte" if count == 1 else "bytes")
    return " ".join(word for word in words if word)


def some_names(names: Sequence[str], most: int = 3) -> str:
    """Returns the first names in one line, and how many more there are."""
    shown = ", ".join(sorted(names, key=natural_key)[:most])
    rest = len(names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown
