"""What a restore will do in each mode, by what the findings do to it."""

from typing import List, Optional, Sequence, Tuple

from .protocol import RestorePlan
from .results import FAILS, OUTCOMES, RESTORES, Finding, Outcome, Trace, Verdict


def verdicts(
    modes: Sequence[str], findings: Sequence[Finding], trace: Optional[Trace]
) -> Tuple[Verdict, ...]:
    """The worst outcome of each mode; a restore that raises hides what the run would do.

    Args:
        modes: the modes that were checked.
        findings: all findings.
        trace: the traces; None where nothing was traced.

    Raises:
        ValueError: a mode has neither a finished plan nor a finding with an outcome.
    """
    plans = {plan.mode: plan for plan in trace.plans} if trace else {}
    return tuple(_verdict(mode, findings, plans.get(mode)) for mode in modes)


def _verdict(mode: str, findings: Sequence[Finding], plan: Optional[RestorePlan]) -> Verdict:
    outcomes: List[Outcome] = [
        finding.outcomes[mode] for finding in findings if mode in finding.outcomes
    ]
    worst = max(outcomes, key=_weight, default=Outcome(RESTORES))
    return Verdict(mode, worst.verdict, worst.at, plan)


def _weight(outcome: Outcome) -> Tuple[bool, int, bool]:
    at_restore = outcome.verdict == FAILS and outcome.at == "restore"
    return outcome.before_model_fn, OUTCOMES.index(outcome.verdict), at_restore
