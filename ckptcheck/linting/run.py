"""The command ``lint``: reads Python files, runs the rules, applies ignore comments."""

import dataclasses
import os
from types import MappingProxyType
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ..ignores import OFF
from ..options import LintSpec
from ..results import LINT, SEVERITIES, Finding, Group, Position, Report, failing
from ..sanitize import printable
from .names import Project
from .rules import all_rules
from .rules.unused_ignore import UNUSED
from .source import NotParsed, python_files, read_module
from .syntax import Ignore, Module

_Used = Tuple[str, Ignore]
"""A comment that ignored a finding, with its file."""


def lint(spec: LintSpec, severities: Mapping[str, str] = MappingProxyType({})) -> Report:
    """Runs the lint rules on Python files, without importing them.

    Args:
        spec: the options.
        severities: the severity that a rule gets instead of its own, by rule.

    Raises:
        UsageError: a path does not exist or cannot be read.
    """
    paths = python_files(spec.files or (os.curdir,), spec.exclude)
    modules: List[Module] = []
    not_judged = []
    others = []
    for path in paths:
        read = read_module(path)
        if isinstance(read, Module):
            modules.append(read)
            continue
        others.append(os.path.abspath(path))
        if isinstance(read, NotParsed):
            not_judged.append(f"{path}: {printable(read.reason)}")
    whole = any(os.path.isdir(path) for path in spec.files or (os.curdir,))
    checked = bool(paths) or not whole  # --exclude left out all files
    found = lint_modules(modules, _Imports(paths).load, whole, others)
    changed = (dataclasses.replace(f, severity=severities.get(f.rule, f.severity)) for f in found)
    findings = [finding for finding in changed if finding.severity != OFF]
    return Report(
        LINT,
        ok=checked and not failing(findings, spec.fail_on),
        checked=checked,
        model_dir="",
        fail_on=spec.fail_on,
        groups=_groups(findings),
        not_judged=tuple(not_judged),
        files=len(paths) - len(not_judged),
    )


class _Imports:
    """Reads files that linted files import: linted ones, and others in the working directory."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = {os.path.abspath(path): path for path in paths}
        self._folders = {os.path.dirname(path) for path in self._paths}
        self._root = os.path.join(os.getcwd(), "")

    def load(self, file: str) -> Optional[Module]:
        """Returns a module; None if the file does not exist or cannot be parsed."""
        path = self._paths.get(file)
        if path is None:
            near = file.startswith(self._root) or os.path.dirname(file) in self._folders
            if not near or not os.path.isfile(file):
                return None
            path = os.path.relpath(file)
        read = read_module(path, imported=True)
        return read if isinstance(read, Module) else None


def lint_modules(
    modules: Sequence[Module],
    load: Callable[[str], Optional[Module]] = lambda path: None,
    whole: bool = True,
    others: Sequence[str] = (),
) -> List[Finding]:
    """Returns the findings in some modules that no comment ignores.

    Args:
        modules: the parsed files.
        load: returns the module of another file that one of them imports.
        whole: whether these may be all files of a project. If not, a comment about a rule that
            needs other files does not count as unused.
        others: the absolute paths of the other linted files.
    """
    rules = all_rules()
    project = Project(modules, load, whole=whole, others=others)
    found = [finding for rule in rules.values() for finding in rule.check(project)]
    kept, used = _without_ignored(modules, found)
    if not whole:
        across = {name for name, rule in rules.items() if rule.across}
        used |= {(m.path, i) for m in modules for i in m.ignores if i.rule in across}
    unused = rules[UNUSED].check(Project(modules, used=frozenset(used)))
    return _with_unique_keys(kept + unused)


def _without_ignored(
    modules: Sequence[Module], findings: Sequence[Finding]
) -> Tuple[List[Finding], Set[_Used]]:
    """Returns the findings that no comment ignores, and the comments that ignore others."""
    comments = {module.path: module.ignores for module in modules}
    kept, used = [], set()
    for finding in findings:
        place = finding.location
        assert isinstance(place, Position)
        if place.file not in comments:
            continue  # an imported file
        ignores = [
            (place.file, comment)
            for comment in comments[place.file]
            if comment.rule == finding.rule
            and not {comment.line, comment.statement}.isdisjoint((place.line, place.statement))
        ]
        used.update(ignores)
        if not ignores:
            kept.append(finding)
    return kept, used


def _with_unique_keys(findings: Sequence[Finding]) -> List[Finding]:
    """Numbers findings that would have the same key, in the order of the file."""
    count: Dict[str, int] = {}
    unique = []
    for finding in sorted(findings, key=_place):
        number = count[finding.key] = count.get(finding.key, 0) + 1
        subject = finding.subject if number == 1 else f"{finding.subject}#{number}"
        unique.append(dataclasses.replace(finding, subject=subject))
    return unique


def _place(finding: Finding) -> Tuple[str, int, int, str]:
    place = finding.location
    assert isinstance(place, Position)
    return place.file, place.line, place.column, finding.rule


def _groups(findings: Sequence[Finding]) -> Tuple[Group, ...]:
    """Makes each finding a group, since each has a place of its own; errors come first."""
    rules = all_rules()
    ordered = sorted(findings, key=lambda item: -SEVERITIES.index(item.severity))
    return tuple(Group(rules[item.rule].title, (item,)) for item in ordered)
