"""The type of lint rules, and how they make findings."""

import ast
import dataclasses
from typing import Any, Callable, Iterable, List, Mapping

from ..results import Finding, Position
from .names import Project
from .syntax import Module

CODE = "code"
"""The category of all lint rules."""

Files = Mapping[str, str]
"""The code of an example, by file."""


@dataclasses.dataclass(frozen=True)
class LintRule:
    """One thing that can be wrong in Estimator code.

    Attributes:
        severity: ``error``, ``warning`` or ``note``.
        find: a pure function that makes findings with :func:`finding`.
        title: what is wrong, in a few words.
        bad: code in which the rule finds something.
        good: the same code without the mistake.
        across: whether it needs other files to find everything. Without them, it finds less, but
            nothing else.
        id: the name of the module, with hyphens.
        explanation: the docstring of the module: what goes wrong, why, and what to do.
    """

    severity: str
    find: Callable[[Project], Iterable[Finding]]
    title: str
    bad: Files
    good: Files
    across: bool = False
    id: str = ""
    explanation: str = ""

    category = CODE

    @property
    def summary(self) -> str:
        """What the rule finds, in one line."""
        return self.explanation.partition("\n")[0]

    def check(self, project: Project) -> List[Finding]:
        """Returns the findings of this rule."""
        return [
            dataclasses.replace(found, rule=self.id, severity=self.severity, category=CODE)
            for found in self.find(project)
        ]


def finding(
    module: Module, node: ast.AST, message: str, about: str, *, hint: str = "", **data: Any
) -> Finding:
    """Returns a finding. :meth:`LintRule.check` adds the fields of its rule.

    Args:
        module: the file.
        node: the code to look at.
        message: what is wrong.
        about: distinguishes the finding from others in the same function. It must not have a line
            number.
        hint: what to do, in one line.
        data: the values in the message.
    """
    around = module.qualified_name(node)
    return Finding(
        "",
        "",
        message,
        location=Position(
            module.path, line_of(node), module.column(node), line_of(module.statement_of(node))
        ),
        subject=":".join(filter(None, (module.path, around, about))),
        hint=hint,
        data=data,
    )


def line_of(node: ast.AST) -> int:
    """Returns the line at which a node begins."""
    return int(getattr(node, "lineno", 1))


def place_text(module: Module, other: Module, node: ast.AST) -> str:
    """Returns where other code is, as seen from a file: ``line 3`` or ``serve.py:3``."""
    line = line_of(node)
    return f"line {line}" if other is module else f"{other.path}:{line}"
