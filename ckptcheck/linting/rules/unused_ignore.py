"""A comment ignores a rule that finds nothing in this statement.

``# ckptcheck: ignore[rule]`` ignores findings of a rule in the statement that the comment is in. It
can be on any line of the statement. If the rule finds nothing there, the code was fixed, or the
comment has the wrong line or the wrong name of the rule. If single files are linted instead of a
directory, this rule leaves out comments about rules that need other files.

What to do: remove the comment, or correct the name of the rule.
"""

import difflib
from typing import Iterator

from ...results import Finding, Position
from ..base import LintRule
from ..names import Project
from ..syntax import Ignore, Module

UNUSED = "unused-ignore"


def find(project: Project) -> Iterator[Finding]:
    """Finds comments that ignored no finding. It runs after all other rules."""
    for module in project.modules:
        for ignore in module.ignores:
            if project.used is not None and (module.path, ignore) not in project.used:
                yield _finding(module, ignore)


def _finding(module: Module, ignore: Ignore) -> Finding:
    from . import all_rules  # all_rules imports this module, too

    rules = [name for name in all_rules() if name != UNUSED]
    if not ignore.rule:
        message, hint = "this comment names no rule", "write ignore[rule]"
    elif ignore.rule in rules:
        message, hint = f"{ignore.rule} finds nothing here", "remove the comment"
    else:
        near = difflib.get_close_matches(ignore.rule, rules, 1)
        message = f"there is no lint rule {ignore.rule!r}"
        hint = f"did you mean {near[0]}?" if near else "ckptcheck --list-rules lists the rules"
    return Finding(
        "",
        "",
        message,
        location=Position(module.path, ignore.line, ignore.column, ignore.line),
        subject=f"{module.path}:{ignore.rule}",
        hint=hint,
        data={"ignored": ignore.rule},
    )


_CODE = """
import tensorflow as tf

estimator = tf.estimator.Estimator(model_fn{})  # ckptcheck: ignore[temporary-model-dir]
estimator.train(input_fn, steps=10)
"""

RULE = LintRule(
    severity="warning",
    find=find,
    title="comment that ignores nothing",
    bad={"train.py": _CODE.format(', "runs/base"')},
    good={"train.py": _CODE.format("")},
)
