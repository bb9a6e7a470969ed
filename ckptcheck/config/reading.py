"""Reads a configuration, and reports all of its problems at once."""

import difflib
import json
import os
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, TypeVar

from ..checkpoint.addresses import is_remote
from ..checkpoint.existing import is_there
from ..errors import UsageError
from ..ignores import OFF, Ignore
from ..option_values import either
from ..options import AgainstSpec, OptionError, SuiteSpec, options_of
from ..results import SEVERITIES
from ..rules import all_rules
from .expansion import expanded
from .toml_file import Document, find_file, read_document
from .toml_lines import Key
from .value import FAIL, SKIP, Configuration, ConfiguredCheck

_OPTIONS = options_of(AgainstSpec)
_DEFAULTS = set(_OPTIONS) - {"model_dir", "against"}
_TOP = {*_DEFAULTS, "check", "ignore", "severity", "baseline", "jobs"}
_CHECK = {*_OPTIONS, "name", "if_missing"}
_IGNORE = {"rule", "variable", "check", "reason"}


def find_configuration(given: str = "") -> Configuration:
    """Reads the configuration of the working directory.

    Args:
        given: the file; by default, the nearest one in the working directory or above it.

    Returns:
        The configuration; an empty one if there is none.

    Raises:
        UsageError: the configuration is wrong. The message has a line for each problem.
    """
    path = given or _nearest_file()
    return read_configuration(path) if path else Configuration()


def find_severities() -> Mapping[str, str]:
    """Reads only the severities of the configuration of the working directory.

    The checks may be wrong here: a clone may not have their model_dirs.

    Raises:
        UsageError: the severities are wrong. The message has a line for each problem.
    """
    path = _nearest_file()
    return _read(path, lambda reading: reading.severities()) if path else {}


def read_configuration(path: str) -> Configuration:
    """Reads a configuration file.

    Raises:
        UsageError: the configuration is wrong. The message has a line for each problem.
    """
    return _read(path, lambda reading: reading.configuration())


def _nearest_file() -> str:
    try:
        return find_file(os.getcwd())
    except OSError:  # the working directory was removed
        return ""


_Part = TypeVar("_Part")


def _read(path: str, part: Callable[["_Reading"], _Part]) -> _Part:
    reading = _Reading(read_document(path))
    found = part(reading)
    if reading.problems:
        shown = os.path.relpath(path)
        lines = [f"{shown}:{line}: {text}" for line, text in sorted(set(reading.problems))]
        raise UsageError("\n".join(["the configuration is wrong", *lines]))
    return found


class _Reading:
    """Reads one document. Each method adds what is wrong to ``problems``."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._root = os.path.dirname(os.path.abspath(document.file))
        self.problems: List[Tuple[int, str]] = []

    def configuration(self) -> Configuration:
        table = self._document.table
        given = self._known(table, _TOP, ())
        defaults = self._options({k: v for k, v in given.items() if k in _DEFAULTS}, ())
        ignores = [self._ignore(*item) for item in self._tables(given.get("ignore"), "ignore")]
        return Configuration(
            file=self._document.file,
            root=self._root,
            defaults=defaults,
            checks=tuple(self._checks(given.get("check"))),
            severities=self.severities(),
            ignores=tuple(item for item in ignores if item is not None),
            baseline=self._text(given, "baseline", (), ""),
            jobs=self._jobs(given.get("jobs", 0)),
        )

    def _problem(self, way: Key, text: str) -> None:
        lines = self._document.lines
        while way and way not in lines:
            way = way[:-1]
        self.problems.append((lines.get(way, 1), text))

    def _known(self, table: Mapping[str, Any], known: Iterable[str], way: Key) -> Dict[str, Any]:
        """Returns a table whose keys have underscores; leaves out unknown keys."""
        found: Dict[str, Any] = {}
        for written, value in table.items():
            key = written.replace("-", "_")
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                meant = f"did you mean {near[0]}?" if near else f"expected {_listed(known)}"
                self._problem((*way, written), f"unknown key {written!r}: {meant}")
            elif key in found:
                self._problem(
                    (*way, written), f"{key} is given twice: with a hyphen and with an underscore"
                )
            else:
                found[key] = value
        return found

    def _tables(self, value: Any, key: str) -> Iterator[Tuple[Dict[str, Any], Key]]:
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._problem((key,), f"{key}: expected tables, such as [[tool.ckptcheck.{key}]]")
            return
        for place, item in enumerate(value):
            known = _CHECK if key == "check" else _IGNORE
            yield self._known(item, known, (key, place)), (key, place)

    def _options(self, given: Mapping[str, Any], way: Key) -> Dict[str, Any]:
        """Returns the options of a table whose values are valid."""
        found: Dict[str, Any] = {}
        for key, value in given.items():
            try:
                plain = self._from_here(key, _as_option(key, value))
                _OPTIONS[key].kept(plain)
                found[key] = plain
            except (OptionError, UsageError) as error:
                self._problem(self._written(way, key), str(error))
        return found

    def _from_here(self, key: str, value: Any) -> Any:
        """Returns a path relative to the working directory instead of the file's directory."""
        is_path = isinstance(value, str) and (key in _PATHS or (key == "python" and "/" in value))
        if not is_path or value == "-" or is_remote(value) or (key == "python" and " " in value):
            return value
        return os.path.relpath(os.path.join(self._root, value)) if value else value

    def _written(self, way: Key, key: str) -> Key:
        """Returns the way to a key, as the file writes the key."""
        written = (*way, key.replace("_", "-"))
        return written if written in self._document.lines else (*way, key)

    def _text(self, table: Mapping[str, Any], key: str, way: Key, default: str) -> str:
        value = table.get(key, default)
        if isinstance(value, str) and (value or key not in table):
            return value
        self._problem(self._written(way, key), f"{key}: expected a string")
        return default

    def _jobs(self, value: Any) -> int:
        try:
            return int(options_of(SuiteSpec)["jobs"].kept(value))
        except UsageError as error:
            self._problem(("jobs",), str(error))
            return 0

    def severities(self) -> Dict[str, str]:
        value = self._document.table.get("severity", {})
        if not isinstance(value, dict):
            self._problem(("severity",), 'severity: expected a table, such as rule-id = "note"')
            return {}
        for rule, severity in value.items():
            self._verify_rule(rule, ("severity", rule), lints=True)
            if severity not in (*SEVERITIES, OFF):
                expected = either([*SEVERITIES, OFF])
                self._problem(("severity", rule), f"severity of {rule}: expected {expected}")
        return dict(value)

    def _verify_rule(self, rule: str, way: Key, lints: bool = False) -> None:
        """Verifies that a rule exists; with ``lints``, it may also be one of ``ckptcheck lint``."""
        if rule in all_rules():
            return
        from ..catalogue import catalogue  # most configurations name no lint rule

        known = catalogue()
        if rule not in known:
            near = difflib.get_close_matches(rule, known, 1)
            meant = f"did you mean {near[0]}?" if near else "ckptcheck --list-rules lists them"
            self._problem(way, f"no rule {rule!r}: {meant}")
        elif not lints:
            comment = f"# ckptcheck: ignore[{rule}]"
            self._problem(
                way,
                f"{rule} is a rule of ckptcheck lint. To ignore its findings, write a comment in "
                f"the code: {comment}",
            )

    def _ignore(self, table: Mapping[str, Any], way: Key) -> Optional[Ignore]:
        before = len(self.problems)
        reason = self._text(table, "reason", way, "")
        if "reason" not in table:
            self._problem(way, "an ignore needs a reason: say why the project accepts it")
        if not {"rule", "variable"} & set(table):
            self._problem(way, "an ignore needs a rule, a variable, or both")
        rule, variable, check = (self._text(table, key, way, "*") for key in _PATTERNS)
        if rule != "*":
            self._verify_rule(rule, (*way, "rule"))
        if len(self.problems) > before:
            return None
        line = self._document.lines.get(way, 1)
        return Ignore(reason, rule, variable, check, os.path.relpath(self._document.file), line)

    def _checks(self, value: Any) -> Iterator[ConfiguredCheck]:
        names: Dict[str, int] = {}
        for table, way in self._tables(value, "check"):
            line = self._document.lines.get(way, 1)
            name = self._text(table, "name", way, "")
            missing = self._text(table, "if_missing", way, FAIL)
            if missing not in (FAIL, SKIP):
                self._problem(self._written(way, "if_missing"), "if-missing: expected fail or skip")
            if not name or "/" in name or name.startswith("-"):
                self._problem(
                    way,
                    "a check needs a name that has no / and does not begin with -, such as "
                    'name = "base"',
                )
            elif names.setdefault(name, line) != line:
                self._problem(way, f"the name {name!r} is taken by the check in line {names[name]}")
            given = table.get("model_dir")
            if given == [] or not (given or table.get("against")):
                empty = "model-dir is an empty list: " if given == [] else ""
                self._problem(way, f"{empty}the check {name!r} needs model-dir or against")
                continue
            yield from self._expanded(name, table, way, missing)

    def _expanded(
        self, name: str, table: Mapping[str, Any], way: Key, missing: str
    ) -> Iterator[ConfiguredCheck]:
        """Yields the checks that one table stands for."""
        options = {key: value for key, value in table.items() if key in _OPTIONS}
        given = [key for key in ("model_dir", "params") if key in options]
        places: Dict[str, Any] = {key: options.pop(key) for key in given}
        plain = self._options(options, way)
        line = self._document.lines.get(way, 1)
        try:
            found = list(expanded(name, places, self._root))
        except UsageError as error:
            self._problem(self._written(way, "model_dir"), str(error))
            return
        for check in found:
            exists = self._is_there(check.places, missing)
            if exists and check.problem:
                self._problem(self._written(way, "model_dir"), check.problem)
            local = self._options(check.places, way) if exists else check.places
            yield ConfiguredCheck(check.name, name, {**local, **plain}, line, missing)

    def _is_there(self, place: Mapping[str, Any], missing: str) -> bool:
        """Whether the params of a check must exist. They must, unless the check is skipped."""
        folder = os.path.join(self._root, str(place.get("model_dir", "")))
        return missing == FAIL or is_there(folder)


_PATHS = ("model_dir", "params", "features", "app_dir", "cache_dir")
_PATTERNS = ("rule", "variable", "check")


def _as_option(key: str, value: Any) -> Any:
    """Converts a value of TOML to a value that an option accepts."""
    if key in ("set", "env") and isinstance(value, dict):
        return list(_pairs(value, "", json.dumps if key == "set" else _as_variable))
    return [value] if key in ("modes", "set", "env") and isinstance(value, str) else value


def _pairs(table: Mapping[str, Any], before: str, text: Callable[[Any], str]) -> Iterator[str]:
    """Yields ``key=value`` for each value; a table inside of it gives ``key.sub=value``."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _pairs(value, f"{before}{key}.", text)
        else:
            yield f"{before}{key}={text(value)}"


def _as_variable(value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"env: {value!r}: expected a string")
    return value


def _listed(known: Iterable[str]) -> str:
    return "one of " + ", ".join(sorted(known))
