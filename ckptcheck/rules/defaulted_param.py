"""The model_fn used a default for a param that is not in the params.

That is often meant, and then there is nothing to do. If a shape or a value is not as it was in
training, look at these defaults first.

What to do: nothing, or add the key to the params.
"""

import dataclasses
import json
from typing import Dict, Iterator

from ..protocol import ParamRead
from ..results import Finding
from .base import CODE, PARAMS, Facts, Rule, counted
from .examples import with_params


def check(facts: Facts) -> Iterator[Finding]:
    """Finds params whose default was used."""
    found: Dict[str, Finding] = {}
    for trace in facts.traces:
        for read in trace.params.reads:
            if read.found or not read.has_default or read.default is None:
                continue
            known = found.setdefault(read.key, _finding(facts, read))
            found[read.key] = dataclasses.replace(known, modes=(*known.modes, trace.mode))
    return iter(found.values())


def _finding(facts: Facts, read: ParamRead) -> Finding:
    return RULE.finding(
        facts,
        f"{read.key} is not in the params; model_fn used {json.dumps(read.default)}",
        modes=(),
        subject=read.key,
        data={"param": read.key, "default": read.default},
        location=read.location,
    )


RULE = Rule(
    id="defaulted-param",
    severity="note",
    summary="The model_fn used a default for a param that is not in the params.",
    check=check,
    category=PARAMS,
    needs=(CODE,),
    title=counted("model_fn used a default for 1 param", "model_fn used a default for {} params"),
    good=lambda: with_params({"units": 8}, ParamRead("units", True)),
    bad=lambda: with_params({}, ParamRead("units", False, 4, True)),
)
