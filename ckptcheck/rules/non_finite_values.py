"""Values of a tensor are no numbers, or infinite.

A loss that went to NaN takes the weights with it, and everything that is computed from them. They
restore without a word, and predictions may be NaN. An infinite value is one step before that, in a
weight as in the state of an optimizer: no optimizer of TensorFlow begins with one, and a sum of
squares that has become infinite stops its weight for good. A mask, or the best loss so far, may be
infinite and be meant so: then verify with ``--fail-on error``. ``ckptcheck verify`` reads all of
the data and looks at every value of every dtype of floating point; other checks do not.

What to do: go back to the last checkpoint without them (``ckptcheck verify --all-checkpoints``) and
find out what the loss did after it.
"""

import dataclasses
from typing import Iterator, Tuple

from ..model_dir import TensorScan
from ..protocol import VariableSpec
from ..results import Finding
from .base import DATA, UNSOUND, Facts, Rule, counted
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds tensors with values that are not finite."""
    for scan in facts.scans or ():
        if not scan.nan and not scan.infinite:
            continue
        variable = scan.variable
        parts = [
            f"{number} {what}"
            for number, what in ((scan.nan, "NaN"), (scan.infinite, "infinite"))
            if number
        ]
        yield Finding(
            rule=RULE.id,
            severity=RULE.severity,
            message=f"{variable.name}: {' and '.join(parts)} of {variable.elements:,} values",
            modes=facts.modes,
            variable=variable.name,
            hint="go back to the last checkpoint without them",
        )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    what = "values that are NaN or infinite"
    return counted(findings, f"1 tensor holds {what}", f"{{}} tensors hold {what}")


RULE = Rule(
    id="non-finite-values",
    severity="warning",
    summary="Values of a tensor are NaN or infinite (ckptcheck verify).",
    check=check,
    category=DATA,
    needs=(DATA,),
    role=UNSOUND,
    title=title,
    good=facts,
    bad=lambda: dataclasses.replace(
        facts(),
        scans=(TensorScan(VariableSpec("dense/kernel", (1, 64), "float32"), "", 3, 0, -1.0, 1.0),),
    ),
)
