"""All values of a variable are equal (ckptcheck verify).

Weights start with random values. If all values of a matrix are the same number, the matrix was
never trained, a tool reset it, or the wrong matrix was saved. This rule ignores vectors (biases,
scales) and the slots of an optimizer, which are often constant. It needs all data of the
checkpoint, which ``ckptcheck verify`` and ``ckptcheck check --deep`` read.

What to do: nothing if the variable is meant to be constant (a mask, a table of zeros). Otherwise
compare it with an earlier checkpoint.
"""

from typing import Iterator

from ..results import Finding
from .base import Facts, Rule, finding
from .examples import with_scan
from .roles import is_slot_name, roles


def find(facts: Facts) -> Iterator[Finding]:
    """Finds matrices with one value."""
    names = {scan.variable.name: scan for scan in facts.scans or ()}
    role = roles(names, {name: scan.variable.shape for name, scan in names.items()})
    for name, scan in names.items():
        if role[name] == "optimizer" or is_slot_name(name, names):
            continue
        is_matrix = len(scan.variable.shape or ()) > 1 and (scan.variable.elements or 0) > 1
        if is_matrix and scan.constant:
            message = f"every value of {name} is {scan.least:g}"
            yield finding(message, variable=name, data={"value": scan.least})


RULE = Rule(
    severity="note",
    category="data",
    find=find,
    title="1 variable is constant",
    titles="{} variables are constant",
    bad=lambda: with_scan(least=0.0, most=0.0),
)
