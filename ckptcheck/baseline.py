"""The baseline: the findings of each check that a project had when it began to use ckptcheck."""

import dataclasses
import hashlib
import json
import os
import re
from typing import Any, Dict, Iterable, Iterator, Mapping, Tuple

from .errors import UsageError
from .json_files import read_json_object
from .output import write_file
from .results import UNTRACEABLE, Finding

VERSION = 1
DEFAULT_FILE = "ckptcheck-baseline.json"

_CHANGES = re.compile(r"0x[0-9a-fA-F]+|(?<![\w.])/[^\s'\"]+|\d+")
"""What differs between two errors of one kind: addresses, paths and numbers."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A finding that the baseline accepts.

    Attributes:
        key: the key of the finding.
        modes: for each mode that it is about, the value of its outcome; "" if it has none.
        message: the message of the finding.
        value: a digest of the new value, if the finding says that a value changed; else "".
    """

    key: str
    modes: Mapping[str, str]
    message: str
    value: str = ""

    def accepts(self, finding: Finding) -> bool:
        """Whether it accepts a finding of its key.

        The finding must not break more modes than before, and must not break a mode in another way.
        If the code raises an error, the error has to be the same, apart from numbers and paths. If
        a param, or a file that the code reads, changed, its new value has to be the same.
        """
        effects = _effects(finding).items()
        known = all(effect in ("", self.modes.get(mode)) for mode, effect in effects)
        raises = any(outcome.verdict == UNTRACEABLE for outcome in finding.outcomes.values())
        same = not raises or _plain(self.message) == _plain(finding.message)
        same = same and self.value == _value_of(finding)
        return known and same and self.modes.keys() >= {mode for mode, _ in effects}


def _effects(finding: Finding) -> Dict[str, str]:
    """Returns what a finding does to each mode that it is about, as an entry has it."""
    outcomes = {mode: outcome.value for mode, outcome in finding.outcomes.items()}
    return {**dict.fromkeys(finding.modes, ""), **outcomes}


_VALUES = {"params-changed": "now", "data-file-changed": "content"}
"""The new value in the data of a finding, by rule. Neither the key nor the modes tell it."""


def _value_of(finding: Finding) -> str:
    if finding.rule not in _VALUES:
        return ""
    text = json.dumps(finding.data.get(_VALUES[finding.rule]), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def entries_for(findings: Iterable[Finding]) -> Dict[str, Entry]:
    """Returns entries that accept some findings, sorted by their keys."""
    found: Dict[str, Entry] = {}
    for item in sorted(findings, key=lambda item: (item.key, item.message)):
        before = found[item.key].modes if item.key in found else {}
        modes = {**before, **_effects(item)}
        kept = dict(sorted(modes.items()))
        found[item.key] = Entry(item.key, kept, item.message, _value_of(item))
    return found


Baseline = Mapping[str, Mapping[str, Entry]]
"""By the name of the check: the accepted findings, by their keys."""


def read_baseline(path: str) -> Baseline:
    """Reads a baseline.

    Raises:
        UsageError: it cannot be read, or it is not a baseline.
    """
    if not os.path.exists(path):
        raise UsageError(f"{path}: no such baseline; ckptcheck --write-baseline writes it")
    document = read_json_object(path)
    if document.get("version") != VERSION or not isinstance(document.get("checks"), dict):
        raise UsageError(f"{path}: it is not a baseline of ckptcheck: {_ANEW}")
    checks = document["checks"]
    return {name: {entry.key: entry for entry in _read(path, checks[name])} for name in checks}


_ANEW = "remove the file, then ckptcheck --write-baseline writes a new one"


def _read(path: str, items: Any) -> Iterator[Entry]:
    for item in items if isinstance(items, list) else [None]:
        given = item if isinstance(item, dict) else {}
        key, message, value = (given.get(name, "") for name in ("key", "message", "value"))
        modes = given.get("modes")
        texts = all(isinstance(text, str) for text in (key, message, value))
        if not texts or not isinstance(modes, dict) or not {"key", "message"} <= given.keys():
            raise UsageError(f"{path}: each entry needs a key, modes and a message: {_ANEW}")
        yield Entry(key, modes, message, value)


def _plain(message: str) -> str:
    return _CHANGES.sub("", message)


def write_baseline(path: str, found: Mapping[str, Tuple[Finding, ...]], known: Baseline) -> int:
    """Writes a baseline, atomically.

    Args:
        path: the file.
        found: the findings to accept, of each check that was run.
        known: the entries of the other checks; those of checks that were run are replaced.

    Returns:
        How many findings it accepts.

    Raises:
        UsageError: it cannot be written.
    """
    entries = {**known, **{name: entries_for(findings) for name, findings in found.items()}}
    checks = {
        name: [_written(entry) for entry in entries[name].values()] for name in sorted(entries)
    }
    write_file(path, json.dumps({"version": VERSION, "checks": checks}, indent=1) + "\n")
    return sum(map(len, checks.values()))


def _written(entry: Entry) -> Dict[str, Any]:
    fields = dataclasses.asdict(entry)
    return {name: value for name, value in fields.items() if value or name != "value"}
