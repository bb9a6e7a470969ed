"""The model_fn asked for a param that is not there and fell back to a default.

That is often meant, and then this note is all there is to it. Where a shape or a value is not what
it was in training, the default that was fallen back to is the first thing to look at.

What to do: nothing, or put the key into the params.
"""

import dataclasses
import json
from typing import Dict, Iterator, Tuple

from ..protocol import ParamRead
from ..results import Finding
from .base import Facts, Rule
from .examples import with_params


def check(facts: Facts) -> Iterator[Finding]:
    """Finds looks at params that fell back to a default."""
    found: Dict[str, Finding] = {}
    for trace in facts.traces:
        for read in trace.params.reads:
            if read.found or not read.has_default or read.default is None:
                continue
            known = found.setdefault(read.key, _finding(read))
            found[read.key] = dataclasses.replace(known, modes=(*known.modes, trace.mode))
    return iter(found.values())


def _finding(read: ParamRead) -> Finding:
    return Finding(
        rule=RULE.id,
        severity=RULE.severity,
        message=f"{read.key} is not in the params; model_fn used {json.dumps(read.default)}",
        subject=read.key,
        location=read.location,
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    if len(findings) == 1:
        return "model_fn fell back to a default"
    return f"model_fn fell back to {len(findings)} defaults"


RULE = Rule(
    id="defaulted-param",
    severity="note",
    summary="The model_fn asked for a param that is not there and used a default.",
    check=check,
    title=title,
    good=lambda: with_params({"units": 8}, ParamRead("units", True)),
    bad=lambda: with_params({}, ParamRead("units", False, 4, True)),
)
