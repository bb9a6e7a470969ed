"""The values of a configuration."""

import dataclasses
from typing import Any, Dict, Mapping, Tuple

from ..ignores import Ignore

SKIP, FAIL = "skip", "fail"
"""What happens to a check whose model_dir does not exist."""


_DROPS = {"input_fn": "features", "features": "input_fn", "against": "deep"}
"""An option, and the option of earlier levels that it replaces: both together are an error."""


def layered(*levels: Mapping[str, Any]) -> Dict[str, Any]:
    """Merges options. Each level replaces those of the levels before it."""
    found: Dict[str, Any] = {}
    for level in levels:
        for name in filter(level.get, _DROPS):
            found.pop(_DROPS[name], None)
        found.update(level)
    return found


@dataclasses.dataclass(frozen=True)
class ConfiguredCheck:
    """One check.

    Attributes:
        name: its name. A check with globs stands for several, such as ``train[runs/a]``.
        table: the name in the file. All checks of one table have it.
        options: the arguments of the check, by the names of the options.
        line: where it is in the file.
        if_missing: ``skip`` if the check is skipped without its model_dir, else ``fail``.
        problem: why it cannot run, such as a params file that is missing; "" if it can.
        python_at: the file and the line of its ``python``; "" if it has none.
    """

    name: str
    table: str
    options: Mapping[str, Any]
    line: int = 0
    if_missing: str = FAIL
    problem: str = ""
    python_at: str = ""


@dataclasses.dataclass(frozen=True)
class Configuration:
    """The configuration of a project.

    Attributes:
        file: its path; "" if there is none.
        root: the directory that its paths are relative to.
        defaults: options of all checks, and of a check on the command line.
        tables: the names of all tables of checks, in the order of the file.
        checks: the checks of the tables that were read.
        severities: the severity that a rule gets instead of its own, by rule.
        ignores: the findings that the project accepts.
        baseline: the path of the baseline, relative to ``root``.
        jobs: how many checks run at the same time; 0 for the default.
        python_at: the file and the line of the default of ``python``; "" if it has none.
    """

    file: str = ""
    root: str = ""
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    tables: Tuple[str, ...] = ()
    checks: Tuple[ConfiguredCheck, ...] = ()
    severities: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ignores: Tuple[Ignore, ...] = ()
    baseline: str = ""
    jobs: int = 0
    python_at: str = ""
