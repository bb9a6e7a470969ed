"""Some values of a tensor are NaN or infinite (ckptcheck verify).

When the loss becomes NaN, the weights become NaN. Everything that is computed from them becomes
NaN, too. Such weights restore without an error. Infinite values often appear first, in weights or
in the state of an optimizer. No optimizer of TensorFlow starts with an infinite value. If the
sum of the squared gradients of a weight (a slot of Adagrad) is infinite, training does not change
this weight any more. A mask, or the best loss so far, may be infinite on purpose; for such a
checkpoint, verify with ``--fail-on error``. Only ``ckptcheck verify`` and
``ckptcheck check --deep`` read all data. They look at every value of every floating-point dtype.

What to do: go back to the last checkpoint without such values (``ckptcheck verify
--all-checkpoints``), and find out what happened to the loss after that.
"""

from typing import Iterator

from ..model_dir import TensorScan
from ..results import Finding
from .base import UNSOUND, Facts, Rule, finding
from .examples import with_scan


def find(facts: Facts) -> Iterator[Finding]:
    """Finds tensors with values that are not finite."""
    for scan in facts.scans or ():
        if scan.nan or scan.infinite:
            yield finding(
                _message(scan),
                variable=scan.variable.name,
                hint="go back to the last checkpoint without NaN or infinite values",
                data={
                    "nan": scan.nan,
                    "infinite": scan.infinite,
                    "values": scan.variable.elements,
                },
            )


def _message(scan: TensorScan) -> str:
    """Returns for example ``w: 3 of 10,000 values are NaN, and 2 are infinite``."""
    counts = [(scan.nan, "NaN"), (scan.infinite, "infinite")]
    (count, what), *more = [(count, what) for count, what in counts if count]
    text = f"{count:,} of {scan.variable.elements:,} values {_are(count)} {what}"
    text += "".join(f", and {count:,} {_are(count)} {what}" for count, what in more)
    return f"{scan.variable.name}: {text}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


RULE = Rule(
    severity="warning",
    category="data",
    find=find,
    role=UNSOUND,
    title="1 tensor holds values that are NaN or infinite",
    titles="{} tensors hold values that are NaN or infinite",
    bad=lambda: with_scan(nan=3, least=-1.0, most=1.0),
)
