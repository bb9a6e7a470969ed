"""model_fn raised: it cannot be built in this mode with these params.

The lines shown are the user's own, the innermost last. A model_fn that does not support a mode
(one that always builds the loss cannot PREDICT, where labels are None) is untraceable in that mode;
since a gate must not be green by accident, that is an error.

What to do: fix what raised; if the mode is never used, name the others (``--mode train --mode
eval``).
"""

import difflib
from typing import Dict, Iterator, List, Tuple

from ..protocol import Failure, FailureKind, Location, ModeTrace
from ..results import Finding, Outcome
from .base import CANNOT_BE_TRACED, Facts, Rule
from .examples import facts, failed

_KINDS = ("raised",)


def check(facts: Facts) -> Iterator[Finding]:
    """Finds modes whose model_fn raised."""
    return failures(facts, _KINDS, RULE)


def failures(
    facts: Facts, kinds: Tuple[str, ...], rule: Rule, outcome: Outcome = CANNOT_BE_TRACED
) -> Iterator[Finding]:
    """One finding for each way in which some modes failed alike."""
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
        subject="{}@{}".format(failure.type or failure.kind, "+".join(modes)),
        location=Location(last.file, last.line) if last else None,
        detail=tuple(
            f"{frame.file}:{frame.line} in {frame.function}: {frame.text}"
            for frame in failure.frames
        ),
        hint=_missing_param(facts, traces[0])
        or _missing_file(facts, failure)
        or "; ".join(traces[0].notes)
        or _hint(facts, modes),
    )


def _missing_file(facts: Facts, failure: Failure) -> str:
    """What to do where it raised because a file of the model_dir was not copied with the rest."""
    model_dir = facts.located.model_dir
    not_found = failure.type in ("FileNotFoundError", "NotFoundError")
    if facts.files is None or not facts.files.snapshot or not not_found:
        return ""
    if model_dir not in failure.message:
        return ""
    return (
        f"of {model_dir} only the files of the checkpoint are at hand: copy what the code reads "
        "into the snapshot, or, where that is a remote model_dir, check a copy of it"
    )


def _missing_param(facts: Facts, trace: ModeTrace) -> str:
    """What to do where it raised because a key of the params is not there."""
    failure = trace.failure
    raised = [read for read in trace.params.reads if read.raised]
    if failure is None or failure.type not in ("KeyError", "AttributeError") or not raised:
        return ""
    key = raised[-1].key
    if key.rpartition(".")[2] not in failure.message:
        return ""
    near = difflib.get_close_matches(key, list(facts.params), 1, 0.6)
    meant = f"; did you mean it by {near[0]!r}?" if near else ""
    return f"put {key!r} into the params, which lack it{meant}"


def _hint(facts: Facts, modes: Tuple[str, ...]) -> str:
    traced = {trace.mode for trace in facts.traces if trace.failure is None}
    others = [mode for mode in facts.modes if mode in traced and mode not in modes]
    if not others:
        return "fix what raised and check again"
    return "fix it, or check the other modes alone: {}".format(
        " ".join("--mode " + mode for mode in others)
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "model_fn raised in {}".format(", ".join(findings[0].modes).upper())


RULE = Rule(
    id="model-fn-raised",
    severity="error",
    summary="model_fn, or the import of its module, raised.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: failed(Failure(FailureKind.RAISED, "ValueError", "rank must be 2")),
)
