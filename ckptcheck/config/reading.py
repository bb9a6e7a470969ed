"""Reads a configuration, and reports all of its problems at once."""

import contextlib
import difflib
import json
import os
import re
from typing import (
    Any,
    Callable,
    Container,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Tuple,
    TypeVar,
)

from ..errors import UsageError
from ..ignores import OFF, Ignore
from ..json_values import plain
from ..option_values import either
from ..options import AgainstSpec, OptionError, SuiteSpec, hyphenated, options_of
from ..results import SEVERITIES
from ..rules import all_rules
from .expansion import expanded
from .moving import PATHS, moved
from .toml_file import NO_DOCUMENT, SHARED_FILE, Document, find_file, read_document
from .toml_lines import Key
from .value import FAIL, SKIP, Configuration, ConfiguredCheck

_OPTIONS = options_of(AgainstSpec)
_DEFAULTS = set(_OPTIONS) - {"model_dir", "against"}
_TOP = {*_DEFAULTS, "check", "ignore", "severity", "baseline", "jobs"}
_CHECK = {*_OPTIONS, "name", "if_missing"}
_IGNORE = {"rule", "variable", "check", "reason"}


def find_document(given: str = "") -> Document:
    """Reads the configuration file of the working directory.

    Args:
        given: the file; by default, the nearest one in the working directory or above it.

    Raises:
        UsageError: it cannot be read, or it is not TOML.
    """
    path = given
    with contextlib.suppress(OSError):  # the working directory was removed
        path = given or find_file(os.getcwd())
    return read_document(path) if path else NO_DOCUMENT


def find_severities() -> Mapping[str, str]:
    """Reads only the severities of the configuration of the working directory.

    Mistakes in other keys do not matter.

    Raises:
        UsageError: the severities are wrong. The message has a line for each problem.
    """
    return _read(find_document(), lambda reading: reading.severities())


def read_configuration(document: Document, names: Optional[Container[str]] = None) -> Configuration:
    """Reads a configuration.

    Its paths become relative to the working directory.

    Args:
        document: the file.
        names: the tables of checks to read, by default all. With ``()``, the tables of checks may
            be wrong; otherwise, the keys of all tables have to be right.

    Raises:
        UsageError: the configuration is wrong. The message has a line for each problem.
    """
    if not document.file:
        return Configuration()
    return _read(document, lambda reading: reading.configuration(names))


_Part = TypeVar("_Part")


def _read(document: Document, part: Callable[["_Reading"], _Part]) -> _Part:
    reading = _Reading(document)
    found = part(reading)
    if reading.problems:
        lines = [reading.at(*problem) for problem in sorted(set(reading.problems))]
        raise UsageError("\n".join(["the configuration is wrong", *lines]))
    return found


class _Reading:
    """Reads one document. Each method adds what is wrong to ``problems``."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._root = os.path.dirname(document.file)
        self.problems: List[Tuple[int, str]] = []

    def configuration(self, names: Optional[Container[str]]) -> Configuration:
        table = self._document.table
        given = self._known(table, _TOP, ())
        defaults = self._options({k: v for k, v in given.items() if k in _DEFAULTS}, ())
        ignores = [self._ignore(*item) for item in self._tables(given.get("ignore"), "ignore")]
        return Configuration(
            file=self._document.file,
            root=self._root,
            defaults=defaults,
            tables=self._document.names,
            checks=() if names == () else tuple(self._checks(given.get("check"), names)),
            severities=self.severities(),
            ignores=tuple(item for item in ignores if item is not None),
            baseline=self._text(given, "baseline", (), ""),
            jobs=self._jobs(given.get("jobs", 0)),
            python_at=self._place_of("python", given, ()),
        )

    def at(self, line: int, text: str) -> str:
        """Returns a problem with its place."""
        return f"{os.path.relpath(self._document.file)}:{line}: {text}"

    def _place_of(self, key: str, table: Mapping[str, Any], way: Key) -> str:
        """Returns the file and the line of a key; "" if the table does not have it."""
        file = os.path.relpath(self._document.file)
        return f"{file}:{self._line(self._written(way, key))}" if key in table else ""

    def _problem(self, way: Key, text: str) -> None:
        self.problems.append((self._line(way), text))

    def _line(self, way: Key) -> int:
        lines = self._document.lines
        while way and way not in lines:
            way = way[:-1]
        return lines.get(way, 1)

    def _known(self, table: Mapping[str, Any], known: Iterable[str], way: Key) -> Dict[str, Any]:
        """Returns a table whose keys have underscores; leaves out unknown keys."""
        found: Dict[str, Any] = {}
        for written, value in table.items():
            key = written.replace("-", "_")
            if key not in known:
                self._problem((*way, written), f"unknown key {written!r}: {_meant(key, known)}")
            elif key in found:
                twice = "is given twice: with a hyphen and with an underscore"
                self._problem((*way, written), f"{hyphenated(key)} {twice}")
            else:
                found[key] = value
        return found

    def _tables(self, value: Any, key: str) -> Iterator[Tuple[Dict[str, Any], Key]]:
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            before = "tool.ckptcheck." if self._document.is_shared else ""
            self._problem((key,), f"{key}: expected tables, such as [[{before}{key}]]")
            return
        for place, item in enumerate(value):
            known = _CHECK if key == "check" else _IGNORE
            yield self._known(item, known, (key, place)), (key, place)

    def _options(self, given: Mapping[str, Any], way: Key) -> Dict[str, Any]:
        """Returns the options of a table whose values are valid."""
        found: Dict[str, Any] = {}
        for key, value in given.items():
            try:
                found[key] = self._from_here(key, _as_option(key, value))
                _OPTIONS[key].kept(found[key])
            except UsageError as error:
                self._problem(self._written(way, key), _message(error))
        return found

    def _from_here(self, key: str, value: Any) -> Any:
        """Returns a path relative to the working directory instead of the file's directory."""
        return moved(key, value, lambda path: os.path.relpath(os.path.join(self._root, path)))

    def _written(self, way: Key, key: str) -> Key:
        """Returns the way to a key, as the file writes the key."""
        written = (*way, key.replace("_", "-"))
        return written if written in self._document.lines else (*way, key)

    def _text(self, table: Mapping[str, Any], key: str, way: Key, default: str) -> str:
        value = table.get(key, default)
        if isinstance(value, str) and (value.strip() or key not in table):
            return value
        is_blank = isinstance(value, str) and value
        expected = "it has only blanks: expected words" if is_blank else "expected a string"
        self._problem(self._written(way, key), f"{key}: {expected}")
        return default

    def _jobs(self, value: Any) -> int:
        try:
            return int(options_of(SuiteSpec)["jobs"].kept(value))
        except UsageError as error:
            self._problem(("jobs",), _message(error))
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
            meant = f"did you mean {near[0]}?" if near else "ckptcheck --list-rules lists all rules"
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
            self._problem(way, "an ignore needs a reason: say why the project accepts the finding")
        if not {"rule", "variable"} & set(table):
            self._problem(way, "an ignore needs a rule, a variable, or both")
        rule, variable, check = (self._text(table, key, way, "*") for key in _PATTERNS)
        if rule != "*":
            self._verify_rule(rule, (*way, "rule"))
        if len(self.problems) > before:
            return None
        line = self._document.lines.get(way, 1)
        return Ignore(reason, rule, variable, check, os.path.relpath(self._document.file), line)

    def _checks(self, value: Any, names: Optional[Container[str]]) -> Iterator[ConfiguredCheck]:
        """Yields the checks of some tables, after it verified the keys of all tables."""
        taken: Dict[str, int] = {}
        for table, way in self._tables(value, "check"):
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
            elif name in taken:
                self._problem(way, f"the name {name!r} is taken by the check in line {taken[name]}")
            taken.setdefault(name, self._line(way))
            given = table.get("model_dir")
            if given == [] or (given in (None, "") and not table.get("against")):
                empty = "model-dir is an empty list: " if given == [] else ""
                self._problem(way, f"{empty}the check {name!r} needs model-dir or against")
            elif names is None or name in names:
                yield from self._expanded(name, table, way, missing)

    def _expanded(
        self, name: str, table: Mapping[str, Any], way: Key, missing: str
    ) -> Iterator[ConfiguredCheck]:
        """Yields the checks that one table stands for."""
        options = {key: value for key, value in table.items() if key in _OPTIONS}
        places: Dict[str, Any] = {key: options.pop(key) for key in PATHS if key in options}
        others = self._options(options, way)
        if not self._are_typed(places, way):
            return
        try:
            found = list(expanded(name, places, self._root))
        except UsageError as error:
            self._problem(self._written(way, "model_dir"), str(error))
            return
        for check in found:
            local, problem = self._files({**places, **check.places}, way)
            if check.problem:
                problem = self.at(self._line(self._written(way, check.wrong)), check.problem)
            line, python_at = self._line(way), self._place_of("python", table, way)
            every = {**local, **others}
            yield ConfiguredCheck(check.name, name, every, line, missing, problem, python_at)

    def _are_typed(self, places: Mapping[str, Any], way: Key) -> bool:
        """Whether each path of a check is one, or another value that the key may have."""
        before = len(self.problems)
        for key, value in places.items():
            kinds, expected = _PATH_TYPES.get(key, ((str,), "a path"))
            items = value if isinstance(value, list) else []
            wrong = [f"contains {_kind(item)}" for item in items if not isinstance(item, str)]
            if not isinstance(value, kinds):
                wrong = [f"is {_kind(value)}"]
            if wrong:
                problem = f"{hyphenated(key)} {wrong[0]}: expected {expected}"
                self._problem(self._written(way, key), problem)
            elif isinstance(value, dict):  # it is no file, so it is the same on each machine
                self._options({key: value}, way)
        return len(self.problems) == before

    def _files(self, places: Mapping[str, Any], way: Key) -> Tuple[Dict[str, Any], str]:
        """Returns the paths of a check, and what is wrong with them.

        Files may be missing on this machine, so they are a problem of this check only.
        """
        found: Dict[str, Any] = {}
        problem = ""
        for key, value in places.items():
            try:
                found[key] = self._from_here(key, value)
                _OPTIONS[key].kept(found[key])
            except UsageError as error:
                problem = problem or self.at(self._line(self._written(way, key)), _message(error))
        return found, problem


_PATTERNS = ("rule", "variable", "check")
_PATH_TYPES: Mapping[str, Tuple[Tuple[type, ...], str]] = {
    "model_dir": ((str, list), "a path, a glob, or a list of them"),
    "params": ((str, dict), "a path, a glob, or a table"),
    "features": ((str, dict), "a path, or a table"),
}
"""The types of the paths of a check that may be something else than a string."""


def _as_option(key: str, value: Any) -> Any:
    """Converts a value of TOML to a value that an option accepts."""
    if key == "set" and isinstance(value, dict):
        return [_override(way, item) for way, item in _items(value)]
    if key == "env" and isinstance(value, dict):
        return [f"{_name(name)}={_variable(name, text)}" for name, text in value.items()]
    return [value] if key in ("modes", "set", "env") and isinstance(value, str) else value


def _items(table: Mapping[str, Any], before: str = "") -> Iterator[Tuple[str, Any]]:
    """Yields the values of a table with their keys. A table inside of it has keys ``key.sub``."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _items(value, f"{before}{key}.")
        else:
            yield before + key, value


def _override(way: str, value: Any) -> str:
    if "=" in way or not all(way.split(".")):
        raise UsageError(
            f"set: {_quoted(way)}: a key must not be empty or contain =; set this param in params"
        )
    return f"{way}={json.dumps(plain(value, f'set.{way}'))}"


def _name(name: str) -> str:
    if not name or "=" in name:
        raise UsageError(
            f"env: {_quoted(name)}: the name of a variable must not be empty or contain ="
        )
    return name


def _variable(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"env.{name}: {_quoted(value)}: expected a string")
    return value


def _quoted(value: Any) -> str:
    """Returns a value as TOML writes it, or nearly so."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _meant(key: str, known: Iterable[str]) -> str:
    """Returns what to write instead of an unknown key."""
    if key == "tool":
        return f"leave out tool.ckptcheck; only {SHARED_FILE} needs it"
    near = difflib.get_close_matches(key, known, 1)
    if near:
        return f"did you mean {hyphenated(near[0])}?"
    return "expected one of " + ", ".join(map(hyphenated, sorted(known)))


def _message(error: UsageError) -> str:
    """Returns the message of an option, with the names that options and types have in TOML."""
    text = error.by_keys if isinstance(error, OptionError) else str(error)
    text = text.replace("True or False", "true or false").replace("a dict,", "a table,")
    return _TYPE.sub(lambda match: f"{match[1]} {_KINDS[match[2]]}", text)


_KINDS = {
    "bool": "a boolean",
    "int": "a number",
    "float": "a number",
    "str": "a string",
    "dict": "a table",
    "list": "an array",
    "date": "a date",
    "datetime": "a date",
    "time": "a time",
}
"""What TOML calls the types of its values."""
_TYPE = re.compile(rf"\b(is|contains) ({'|'.join(_KINDS)})(?=: expected|, which JSON)")


def _kind(value: Any) -> str:
    return _KINDS.get(type(value).__name__, "something else")
