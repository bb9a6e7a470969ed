"""Some values of a tensor are NaN or infinite.

A loss that became NaN makes the weights NaN, and everything that is computed from them. Such
weights restore without an error, and predictions may be NaN. Infinite values often come first, in
weights or in the state of an optimizer: no optimizer of TensorFlow starts with one, and a sum of
squares that became infinite stops the training of its weight. A mask, or the best loss so far, may
be infinite on purpose; then verify with ``--fail-on error``. ``ckptcheck verify`` reads all of the
data and looks at every value of every floating-point dtype; other checks do not.

What to do: go back to the last checkpoint without such values (``ckptcheck verify
--all-checkpoints``) and find out what the loss did after it.
"""

from typing import Iterator

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
        counts = ((scan.nan, "NaN"), (scan.infinite, "infinite"))
        parts = " and ".join(f"{count} {what}" for count, what in counts if count)
        yield RULE.finding(
            facts,
            f"{variable.name}: {parts} of {variable.elements:,} values",
            variable=variable.name,
            hint="go back to the last checkpoint without them",
            data={"nan": scan.nan, "infinite": scan.infinite, "values": variable.elements},
        )


RULE = Rule(
    id="non-finite-values",
    severity="warning",
    summary="Some values of a tensor are NaN or infinite (ckptcheck verify).",
    check=check,
    category=DATA,
    needs=(DATA,),
    role=UNSOUND,
    title=counted(
        "1 tensor holds values that are NaN or infinite",
        "{} tensors hold values that are NaN or infinite",
    ),
    bad=lambda: facts(
        scans=(TensorScan(VariableSpec("dense/kernel", (1, 64), "float32"), "", 3, 0, -1.0, 1.0),)
    ),
)
