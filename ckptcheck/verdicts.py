"""Derives the verdict of each mode from the findings."""

from typing import Optional, Sequence, Tuple

from .protocol import RestorePlan
from .results import Broken, Finding, Outcome, Restores, Trace, Verdict


def verdicts(
    modes: Sequence[str], findings: Sequence[Finding], trace: Optional[Trace]
) -> Tuple[Verdict, ...]:
    """Returns the verdict of each mode: the worst outcome, or ``restores``.

    Args:
        modes: the modes that were checked.
        findings: all findings.
        trace: the traces; None if nothing was traced.

    Raises:
        ValueError: a mode has neither a finished plan nor a finding with an outcome.
    """
    plans = {plan.mode: plan for plan in trace.plans} if trace else {}
    return tuple(_verdict(mode, findings, plans.get(mode)) for mode in modes)


_FROM_MILD_TO_BAD = list(Outcome)


def _verdict(mode: str, findings: Sequence[Finding], plan: Optional[RestorePlan]) -> Verdict:
    outcomes = [finding.outcomes[mode] for finding in findings if mode in finding.outcomes]
    if outcomes:
        worst = max(outcomes, key=_FROM_MILD_TO_BAD.index)
        limits = plan.data_limits if plan and worst is Outcome.SILENTLY_WRONG else ()
        return Broken(mode, worst, len(plan.reads) if plan else 0, limits)
    if plan is None:
        raise ValueError(f"{mode} has no restore plan, and no finding says why")
    return Restores(plan)
