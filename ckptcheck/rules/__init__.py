"""The rules: what can be wrong. Pure functions from facts to findings; no TensorFlow, no I/O.

Every module here that has a ``RULE`` is a rule; adding a file adds a rule.
"""

import dataclasses
import functools
import importlib
import inspect
import pkgutil
import types
from typing import Dict, List, Mapping

from ..results import Finding
from .base import Facts, Rule

__all__ = ["Facts", "Rule", "all_rules", "role_of", "run_rules"]


@functools.lru_cache(maxsize=None)
def all_rules() -> Mapping[str, Rule]:
    """Returns all rules by id, sorted."""
    found: Dict[str, Rule] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        if hasattr(module, "RULE"):
            name = info.name.replace("_", "-")
            explanation = inspect.cleandoc(module.__doc__ or "").replace("``", "`")
            found[name] = dataclasses.replace(module.RULE, id=name, explanation=explanation)
    if not found:  # without rules, every check would pass
        raise RuntimeError(f"no rules in {__path__}: the directory cannot be listed")
    return types.MappingProxyType(dict(sorted(found.items())))


def run_rules(facts: Facts) -> List[Finding]:
    """Returns the findings of all rules."""
    return [finding for rule in all_rules().values() for finding in rule.check(facts)]


def role_of(finding: Finding) -> str:
    """Returns the role of the rule of a finding; see :class:`.base.Rule`."""
    return all_rules()[finding.rule].role
