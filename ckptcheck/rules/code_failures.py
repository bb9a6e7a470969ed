"""Makes the rules about code that failed while it was traced: one rule for each kind of failure."""

import difflib
from typing import Dict, Iterator, List, Tuple

from ..codec import to_json
from ..protocol import Failure, FailureKind, Location, ModeTrace
from ..results import Finding, Outcome
from .base import CANNOT_BE_TRACED, CODE, Facts, Rule
from .examples import failed


def failure_rule(
    rule_id: str,
    summary: str,
    title: str,
    example: Failure,
    also: Tuple[FailureKind, ...] = (),
    outcome: Outcome = CANNOT_BE_TRACED,
) -> Rule:
    """Returns a rule that finds failures of one kind.

    Args:
        rule_id: the id of the rule.
        summary: one line for ``--list-rules``.
        title: the headline of a group, with ``{}`` for the modes.
        example: a failure of this kind.
        also: other kinds of failure that the rule finds.
        outcome: what the failure does to its modes.
    """
    rule = Rule(
        id=rule_id,
        severity="error",
        summary=summary,
        check=lambda facts: _findings(facts, (example.kind, *also), rule, outcome),
        category=CODE,
        needs=(CODE,),
        title=lambda findings: title.format(", ".join(findings[0].modes).upper()),
        bad=lambda: failed(example),
    )
    return rule


def _findings(
    facts: Facts, kinds: Tuple[FailureKind, ...], rule: Rule, outcome: Outcome
) -> Iterator[Finding]:
    """Yields one finding for each failure; modes that fail alike share one."""
    alike: Dict[Failure, List[ModeTrace]] = {}
    for trace in facts.traces:
        if trace.failure is not None and trace.failure.kind in kinds:
            alike.setdefault(trace.failure, []).append(trace)
    for failure, traces in alike.items():
        yield _finding(facts, failure, traces, rule, outcome)


def _finding(
    facts: Facts, failure: Failure, traces: List[ModeTrace], rule: Rule, outcome: Outcome
) -> Finding:
    modes = tuple(trace.mode for trace in traces)
    last = failure.frames[-1] if failure.frames else None
    named = f"{failure.type}: {failure.message}" if failure.type else failure.message
    return rule.finding(
        facts,
        named,
        modes=modes,
        outcomes=dict.fromkeys(modes, outcome),
        subject="{}@{}".format(failure.type or failure.kind.value, "+".join(modes)),
        location=Location(last.file, last.line) if last else None,
        detail=tuple(
            f"{frame.file}:{frame.line} in {frame.function}: {frame.text}"
            for frame in failure.frames
        ),
        hint=_missing_param(facts, traces[0])
        or _missing_file(facts, failure)
        or "; ".join(traces[0].notes)
        or _hint(facts, modes),
        data=to_json(failure),
    )


def _missing_file(facts: Facts, failure: Failure) -> str:
    """Returns a hint if the code did not find a file that a snapshot leaves out, else ""."""
    model_dir = facts.located.model_dir
    not_found = failure.type in ("FileNotFoundError", "NotFoundError")
    if facts.files is None or not facts.files.snapshot or not not_found:
        return ""
    if model_dir not in failure.message:
        return ""
    return (
        f"of {model_dir} only the files of the checkpoint are at hand: copy what the code reads "
        "into the snapshot; if it is a remote model_dir, check a copy of it"
    )


def _missing_param(facts: Facts, trace: ModeTrace) -> str:
    """Returns a hint if the code did not find a key in the params, else ""."""
    failure = trace.failure
    raised = [read for read in trace.params.reads if read.raised]
    if failure is None or failure.type not in ("KeyError", "AttributeError") or not raised:
        return ""
    key = raised[-1].key
    if key.rpartition(".")[2] not in failure.message:
        return ""
    near = difflib.get_close_matches(key, list(facts.params), 1, 0.6)
    meant = f"; did you call it {near[0]!r}?" if near else ""
    return f"add {key!r} to the params{meant}"


def _hint(facts: Facts, modes: Tuple[str, ...]) -> str:
    traced = {trace.mode for trace in facts.traces if trace.failure is None}
    others = [mode for mode in facts.modes if mode in traced and mode not in modes]
    if not others:
        return "fix what raised and check again"
    return "fix it, or check the other modes alone: {}".format(
        " ".join("--mode " + mode for mode in others)
    )
