"""A variable has one value everywhere.

A matrix of weights starts with random values, so one that is 0 (or anything else) everywhere was
never trained, was reset by a tool, or is not what was meant to be saved. Vectors (biases, scales)
start constant, and slots of an optimizer often are: they do not count. ``ckptcheck verify`` reads
all of the data; other checks do not.

What to do: nothing if the variable is meant to be constant (a mask, a table of zeros); otherwise
compare it with an earlier checkpoint.
"""

import dataclasses
from typing import Iterator, Tuple

from ..model_dir import TensorScan
from ..protocol import VariableSpec
from ..results import Finding
from .base import Facts, Rule, counted, is_slot_name
from .examples import facts
from .roles import roles


def check(facts: Facts) -> Iterator[Finding]:
    """Finds matrices with one value."""
    names = {scan.variable.name: scan for scan in facts.scans or ()}
    role = roles(names, {name: scan.variable.shape for name, scan in names.items()})
    for name, scan in names.items():
        if role[name] == "optimizer" or is_slot_name(name, names):
            continue
        shape = scan.variable.shape or ()
        if len(shape) < 2 or (scan.variable.elements or 0) < 2 or not scan.constant:
            continue
        yield Finding(
            rule=RULE.id,
            severity=RULE.severity,
            message=f"{name} is {scan.least:g} everywhere",
            modes=facts.modes,
            variable=name,
        )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return counted(findings, "1 variable is constant", "{} variables are constant")


RULE = Rule(
    id="constant-variable",
    severity="note",
    summary="A variable has one value everywhere (ckptcheck verify).",
    check=check,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(),
        scans=(TensorScan(VariableSpec("dense/kernel", (1, 64), "float32"), "", 0, 0, 0.0, 0.0),),
    ),
)
