"""Derives the verdict of each mode from the findings."""

from typing import Optional, Sequence, Tuple

from .results import Finding, Outcome, Trace, Verdict


def verdicts(
    modes: Sequence[str], findings: Sequence[Finding], trace: Optional[Trace]
) -> Tuple[Verdict, ...]:
    """Returns the worst outcome of each mode, or that its plan restores.

    Args:
        modes: the modes that were checked.
        findings: all findings.
        trace: the traces; None if nothing was traced.

    Raises:
        ValueError: a mode has neither a finished plan nor a finding with an outcome.
    """
    reads = {plan.mode: len(plan.reads) for plan in trace.plans} if trace else {}
    found = []
    for mode in modes:
        outcomes = [finding.outcomes[mode] for finding in findings if mode in finding.outcomes]
        worst = max(outcomes, key=list(Outcome).index, default=None)  # from mild to bad
        if worst is None and mode not in reads:
            raise ValueError(f"{mode} has no restore plan, and no finding says why")
        found.append(Verdict(mode, reads.get(mode, 0), worst))
    return tuple(found)
