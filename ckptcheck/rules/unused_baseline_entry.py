"""The baseline accepts findings that do not occur any more.

These findings were fixed, or the model has changed. If one came back, the check would still pass.

What to do: run ``ckptcheck --write-baseline``, which writes the current findings.
"""

from typing import Iterator

from ..ignores import Unused
from ..results import Finding
from ..uses import Location
from .base import CONFIGURATION, Facts, Rule, finding
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds checks whose findings are fewer than the baseline accepts."""
    for check, count in sorted(facts.unused.baseline.items()):
        findings = "1 finding" if count == 1 else f"{count} findings"
        verb = "does" if count == 1 else "do"
        yield finding(
            f"the baseline accepts {findings} of {check} that {verb} not occur any more",
            subject=check,
            location=Location(facts.unused.file, 1) if facts.unused.file else None,
            hint="run ckptcheck --write-baseline",
            data={"check": check, "findings": count},
        )


RULE = Rule(
    severity="note",
    category=CONFIGURATION,
    find=find,
    title="the baseline accepts findings that do not occur",
    bad=lambda: facts(unused=Unused(baseline={"base": 2})),
)
