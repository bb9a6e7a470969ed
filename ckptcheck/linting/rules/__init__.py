"""The lint rules: what can be wrong in Estimator code. Pure functions from modules to findings.

Every module here that has a ``RULE`` is a rule; adding a file adds a rule.
"""

import functools
from typing import Mapping

from ...rules.discovery import rules_in
from ..base import LintRule

__all__ = ["LintRule", "all_rules"]


@functools.lru_cache(maxsize=None)
def all_rules() -> Mapping[str, LintRule]:
    """Returns all lint rules by id, sorted."""
    return rules_in(__name__, __path__)
