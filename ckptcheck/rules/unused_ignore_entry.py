"""An ignore in the configuration matches no finding.

What it accepted does not occur any more, or its rule, variable or check is misspelled. Such an
ignore would hide a later finding that it matches.

What to do: remove the ignore. If it should match, compare its rule and variable with the findings
that ``ckptcheck --no-ignores`` shows.
"""

from typing import Iterator, Mapping

from ..ignores import Ignore, Unused
from ..results import Finding
from ..uses import Location
from .base import CONFIGURATION, Facts, Rule, finding
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds ignores that match nothing."""
    for ignore in facts.unused.ignores:
        parts = {"rule": ignore.rule, "variable": ignore.variable, "check": ignore.check}
        given = {name: value for name, value in parts.items() if value != "*"}
        text = ", ".join(f"{name} {value}" for name, value in given.items())
        yield finding(
            f"the ignore{_all_of(given)} matches no finding",
            subject=text,
            location=Location(ignore.file, ignore.line),
            hint="remove the ignore",
            data=given,
        )


def _all_of(given: Mapping[str, str]) -> str:
    """Returns for example `` with rule = a, variable = b and check = c``."""
    *most, last = [f"{name} = {value}" for name, value in given.items()] or [""]
    text = " and ".join(filter(None, (", ".join(most), last)))
    return f" with {text}" if text else ""


RULE = Rule(
    severity="warning",
    category=CONFIGURATION,
    find=find,
    title="an ignore matches nothing",
    titles="{} ignores match nothing",
    bad=lambda: facts(unused=Unused((Ignore("old", "missing-variable", file="a.toml", line=3),))),
)
