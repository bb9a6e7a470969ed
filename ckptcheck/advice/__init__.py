"""What to do about a group of findings; every suggestion is verified before it is printed."""

import dataclasses
from typing import Any, Callable, Mapping, Optional

from ..results import Report
from ..rules import Facts, role_of
from ..rules.base import SHAPES
from . import params as params_advice

__all__ = ["with_advice"]


def with_advice(
    params: Mapping[str, Any],
    facts: Facts,
    report: Report,
    try_params: Callable[[Mapping[str, Any]], Optional[Report]],
) -> Report:
    """Adds advice to the groups of a report.

    Args:
        params: the params of the check.
        facts: the facts of the check.
        report: the report of the check.
        try_params: checks again with other params; returns None if that was not possible.
    """
    groups = list(report.groups)
    for place, group in enumerate(groups):
        if role_of(group.findings[0]) == SHAPES:
            advice = params_advice.advise(params, facts, group, try_params)
            groups[place] = dataclasses.replace(group, advice=advice)
    return dataclasses.replace(report, groups=tuple(groups))
