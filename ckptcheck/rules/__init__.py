"""The rules: what can be wrong. Pure functions from facts to findings; no TensorFlow, no I/O.

Every module here that has a ``RULE`` is a rule; adding a file adds a rule.
"""

import functools
from typing import List, Mapping, Sequence

from ..results import Finding
from .base import CATEGORIES, Facts, Rule
from .discovery import rules_in

__all__ = ["Facts", "Rule", "all_rules", "role_of", "run_rules"]


@functools.lru_cache(maxsize=None)
def all_rules() -> Mapping[str, Rule]:
    """Returns all rules by id, sorted."""
    return rules_in(__name__, __path__)


def run_rules(facts: Facts, categories: Sequence[str] = CATEGORIES) -> List[Finding]:
    """Returns the findings of all rules, or of those of some categories."""
    rules = (rule for rule in all_rules().values() if rule.category in categories)
    return [finding for rule in rules for finding in rule.check(facts)]


def role_of(finding: Finding) -> str:
    """Returns the role of the rule of a finding; see :class:`.base.Rule`."""
    return all_rules()[finding.rule].role
