"""What a restore will do in each mode, by what the findings do to it."""

from typing import List, Optional, Sequence, Tuple

from .spec import (
    FAILS,
    OUTCOMES,
    RESTORES,
    Finding,
    ModeTrace,
    Outcome,
    Trace,
    Verdict,
)


def verdicts(
    modes: Sequence[str], findings: Sequence[Finding], trace: Optional[Trace]
) -> Tuple[Verdict, ...]:
    """The worst outcome of each mode; a restore that raises hides what the run would do.

    Args:
        modes: the modes that were checked.
        findings: all findings.
        trace: the traces, for the count of reads; None where nothing was traced.
    """
    traces = {item.mode: item for item in trace.modes} if trace else {}
    return tuple(_verdict(mode, findings, traces.get(mode)) for mode in modes)


def _verdict(mode: str, findings: Sequence[Finding], trace: Optional[ModeTrace]) -> Verdict:
    outcomes: List[Outcome] = [
        finding.outcomes[mode] for finding in findings if mode in finding.outcomes
    ]
    reads = len(trace.plan.reads) if trace and trace.plan else 0
    worst = max(outcomes, key=_weight, default=Outcome(RESTORES))
    return Verdict(mode, worst.verdict, worst.at, reads)


def _weight(outcome: Outcome) -> Tuple[bool, int, bool]:
    at_restore = outcome.verdict == FAILS and outcome.at == "restore"
    return outcome.before_model_fn, OUTCOMES.index(outcome.verdict), at_restore
