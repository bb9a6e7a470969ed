"""Findings about code that failed while it was traced; each rule takes its own kinds of failure."""

import difflib
from typing import Dict, Iterator, List, Tuple

from ..protocol import Failure, FailureKind, Location, ModeTrace, to_json
from ..results import Finding, Outcome
from .base import CANNOT_BE_TRACED, Facts, Rule


def failures(
    facts: Facts, kinds: Tuple[FailureKind, ...], rule: Rule, outcome: Outcome = CANNOT_BE_TRACED
) -> Iterator[Finding]:
    """Yields one finding for each failure; modes that fail alike share one.

    Args:
        facts: what is known.
        kinds: the kinds of failure that the rule is about.
        rule: the rule.
        outcome: what the failure does to its modes.
    """
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
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        message=named,
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
    """What to do where the code did not find a file that a snapshot leaves out."""
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
    """What to do where the code did not find a key in the params."""
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
