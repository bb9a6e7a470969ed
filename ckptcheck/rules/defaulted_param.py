"""The model_fn used a default for a param that is not in the params.

That is often meant, and then there is nothing to do. If a shape or a value is not as it was in
training, look at these defaults first.

What to do: nothing, or add the key to the params.
"""

import dataclasses
import json
from typing import Dict, Iterator, Tuple

from ..protocol import ParamRead
from ..results import Finding
from .base import CODE, PARAMS, Facts, Rule
from .examples import with_params


def check(facts: Facts) -> Iterator[Finding]:
    """Finds params whose default was used."""
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
        data={"param": read.key, "default": read.default},
        location=read.location,
    )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    if len(findings) == 1:
        return "model_fn used a default for 1 param"
    return f"model_fn used a default for {len(findings)} params"


RULE = Rule(
    id="defaulted-param",
    severity="note",
    summary="The model_fn used a default for a param that is not in the params.",
    check=check,
    category=PARAMS,
    needs=(CODE,),
    title=title,
    good=lambda: with_params({"units": 8}, ParamRead("units", True)),
    bad=lambda: with_params({}, ParamRead("units", False, 4, True)),
)
