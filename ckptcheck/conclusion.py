"""Makes the report of a check from its traces, with advice."""

import contextlib
import dataclasses
import json
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from .advice import with_advice
from .errors import HiddenParamError
from .groups import group
from .options import CheckSpec
from .results import CHECK, RESTORES, Report, failing
from .rules import Facts, run_rules
from .traced import Wanted
from .traces import Checkpoint, Followed, KeptTraces, LiveTraces
from .verdicts import verdicts

_UNTRIED = (
    "whether other params are a fix: there was not enough time to try all of them (--timeout)"
)


class Checked(NamedTuple):
    """A check that was run.

    Attributes:
        report: the report.
        spec: what was checked: TARGET and params may come from the record.
        facts: what the rules read; None if there is no checkpoint to restore.
    """

    report: Report
    spec: CheckSpec
    facts: Optional[Facts] = None


def concluded(
    spec: CheckSpec,
    checkpoint: Checkpoint,
    traces: Union[KeptTraces, LiveTraces],
    wanted: Wanted,
    facts_of: Callable[[CheckSpec, Followed], Facts],
    doubts: Sequence[str],
) -> Checked:
    """Judges a check by its traces. It also tries other params, for the advice.

    Args:
        spec: what to check, with TARGET and params.
        checkpoint: the checkpoint whose restore is traced.
        traces: gives the traces.
        wanted: what to find out.
        facts_of: returns what the rules read, for a specification and its traces.
        doubts: what ckptcheck already knows that it cannot find out.

    Raises:
        UsageError: the Python, the target or the features cannot be found.
        NotKeptError: the traces come from the cache, and it lacks some.
    """
    followed = traces.main(spec, checkpoint, wanted)
    facts = facts_of(spec, followed)
    doubts = (*followed.unknown, *doubts)
    trials: Dict[str, Optional[Report]] = {}
    is_over = False
    on_trial = Wanted(
        judgement=False,
        drift=bool(facts.drift.changes),
        places=False,
        same_inputs=wanted.same_inputs,
    )

    def try_params(params: Mapping[str, Any]) -> Optional[Report]:
        nonlocal is_over
        key = json.dumps(params)
        if key not in trials:
            other = dataclasses.replace(spec, params=params)
            tried, late = traces.tried(other, checkpoint, on_trial)
            is_over = is_over or late
            if tried is None and late:
                return None
            trials[key] = None
            with contextlib.suppress(HiddenParamError):  # only with these params
                if tried is not None:
                    trials[key] = report_of(other, facts_of(other, tried), ())
        return trials[key]

    report = report_of(spec, facts, (*followed.traced.not_judged, *doubts))
    params = spec.params or {}
    report = with_advice(params, facts, report, try_params)
    judged = traces.judged()
    if judged is not None:  # the tracer judged the runs while it traced the trials
        facts = dataclasses.replace(facts, trace=judged.trace)
        report = report_of(spec, facts, (*judged.not_judged, *doubts))
        report = with_advice(params, facts, report, try_params)
    if is_over and not any(item.advice for item in report.groups):
        report = dataclasses.replace(report, not_judged=(*report.not_judged, _UNTRIED))
    return Checked(report, spec, facts)


def report_of(spec: CheckSpec, facts: Facts, not_judged: Tuple[str, ...]) -> Report:
    """Returns the report of a check, without advice.

    Args:
        spec: what was checked.
        facts: what the rules read.
        not_judged: what could not be found out.
    """
    findings = run_rules(facts)
    restored = facts.trace if facts.index else None
    checked = bool(facts.index or facts.located.prefix or facts.located.candidates)
    said = verdicts(spec.modes, findings, restored) if checked else ()
    restores = all(verdict.verdict == RESTORES for verdict in said)
    return Report(
        CHECK,
        ok=checked and restores and not failing(findings, spec.fail_on),
        checked=checked,
        target=spec.target or "",
        app_dir=spec.app_dir,
        model_dir=spec.model_dir,
        checkpoint=facts.index,
        trace=facts.trace,
        verdicts=said,
        groups=group(findings),
        not_judged=not_judged,
        drift=facts.drift,
        fail_on=spec.fail_on,
    )
