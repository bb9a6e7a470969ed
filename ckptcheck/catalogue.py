"""All rules: those of checks and those of ``lint``, in one catalogue."""

from typing import Dict, Mapping, Union

from .linting.rules import LintRule
from .linting.rules import all_rules as lint_rules
from .rules import Rule
from .rules import all_rules as check_rules

AnyRule = Union[Rule, LintRule]


def catalogue() -> Mapping[str, AnyRule]:
    """Returns all rules by id, sorted.

    Raises:
        RuntimeError: a rule of checks and a lint rule have the same id.
    """
    ours, others = check_rules(), lint_rules()
    twice = sorted(set(ours) & set(others))
    if twice:
        raise RuntimeError(f"two rules have the id {twice[0]}")
    both: Dict[str, AnyRule] = {**ours, **others}
    return dict(sorted(both.items()))


def found_by(rule: AnyRule) -> str:
    """Returns the kind of command that finds what a rule is about, for tables."""
    return "lint" if isinstance(rule, LintRule) else "check"
