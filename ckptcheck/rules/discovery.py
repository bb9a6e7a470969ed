"""Finds the rules of a package."""

import dataclasses
import importlib
import inspect
import pkgutil
import types
from typing import Any, Dict, Iterable, Mapping


def rules_in(package: str, path: Iterable[str]) -> Mapping[str, Any]:
    """Returns the rules of a package by id, sorted.

    Every module that has a ``RULE`` is a rule. Its id is its name, with hyphens.

    Args:
        package: the name of the package.
        path: its directories.

    Raises:
        RuntimeError: there is no rule. Without rules, everything would pass.
    """
    found: Dict[str, Any] = {}
    for info in pkgutil.iter_modules(path):
        module = importlib.import_module(f"{package}.{info.name}")
        if hasattr(module, "RULE"):
            name = info.name.replace("_", "-")
            explanation = inspect.cleandoc(module.__doc__ or "").replace("``", "`")
            found[name] = dataclasses.replace(module.RULE, id=name, explanation=explanation)
    if not found:
        raise RuntimeError(f"no rules in {package}: the directory cannot be listed")
    return types.MappingProxyType(dict(sorted(found.items())))
