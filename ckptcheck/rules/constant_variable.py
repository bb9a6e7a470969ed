"""All values of a variable are equal.

Weights start with random values. A matrix that is 0 (or any other number) everywhere was never
trained, was reset by a tool, or is not what somebody meant to save. Vectors (biases, scales) start
constant, and the slots of an optimizer often are, so this rule leaves them out. It needs all data
of the checkpoint, which ``ckptcheck verify`` reads.

What to do: nothing if the variable is meant to be constant (a mask, a table of zeros). Otherwise
compare it with an earlier checkpoint.
"""

import math
from typing import Iterator, Optional

from ..model_dir import TensorScan
from ..protocol import VariableSpec
from ..results import Finding
from .base import DATA, Facts, Rule, counted, is_slot_name
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
        yield RULE.finding(
            facts,
            f"{name} is {scan.least:g} everywhere",
            variable=name,
            data={"value": _number(scan.least)},
        )


def _number(value: Optional[float]) -> object:
    """A value as JSON has it: an infinite one is a text."""
    return value if value is None or math.isfinite(value) else str(value)


RULE = Rule(
    id="constant-variable",
    severity="note",
    summary="All values of a variable are equal (ckptcheck verify).",
    check=check,
    category=DATA,
    needs=(DATA,),
    title=counted("1 variable is constant", "{} variables are constant"),
    bad=lambda: facts(
        scans=(TensorScan(VariableSpec("dense/kernel", (1, 64), "float32"), "", 0, 0, 0.0, 0.0),)
    ),
)
