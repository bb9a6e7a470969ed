"""Reads the state file ``checkpoint``, which names the latest checkpoint of a model_dir.

It is a CheckpointState protocol buffer in text format. TensorFlow reads it with protobuf's parser.
This module has its own parser, which is as strict and does not need TensorFlow. If versions of
protobuf differ, it behaves like the versions that TensorFlow 1.15 and 2.15 use.
"""

import re
import warnings
from pathlib import Path
from typing import Dict, List, Optional

from ..errors import UsageError
from ..model_dir import StateFile
from .bounded import GIT_LFS, has_pointer

STATE_FILE = "checkpoint"
LARGEST_STATE_FILE = 16 << 20
"""Bytes, enough for a hundred thousand checkpoints. Parsing this many takes seconds."""

_GAP = r"(?:\s|\#[^\n]*(?:\n|\Z))*"
"""The gap between words. A comment must extend to the end of its line. Otherwise the expression
would try every way to split a run of # characters."""
_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_JOINED = rf"{_STRING}(?:{_GAP}{_STRING})*"
_PLAIN = r"(?:[a-zA-Z_][0-9a-zA-Z_+-]*|(?:[0-9+-]|\.[0-9])[0-9a-zA-Z_.+-]*|[^\W\x00-\x7f])"
"""A word for protobuf's parser. Each letter outside ASCII is a separate word.

No two alternatives start with the same character. Otherwise the expression would try every way to
read an unclosed list."""
_FIELD = re.compile(
    rf"""{_GAP}(?P<name>\w+){_GAP}:{_GAP}
        (?:(?P<strings>{_JOINED})
          |(?P<number>{_PLAIN})
          |(?P<list>\[{_GAP}(?:{_JOINED}{_GAP}(?:,{_GAP}{_JOINED}{_GAP})*
                             |{_PLAIN}{_GAP}(?:,{_GAP}{_PLAIN}{_GAP})*)?\]))\s*[;,]?""",
    re.VERBOSE,
)
_ELEMENT = re.compile(rf"(?P<comment>\#[^\n]*)|{_JOINED}|{_PLAIN}")
_COMMENT = re.compile(r"\s*#[^\n]*")
_NO_DIGITS = re.compile(r"-?(inf|infinity|nan)f?$", re.IGNORECASE)
_ONE_STRING = re.compile(r""""((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'""")
_STRINGS = ("model_checkpoint_path", "all_model_checkpoint_paths")
_NUMBERS = ("all_model_checkpoint_timestamps", "last_preserved_timestamp")


_REPEATED = ("all_model_checkpoint_paths", "all_model_checkpoint_timestamps")


def _values(field: "re.Match[str]") -> Optional[List[str]]:
    """Returns the values of a field; None if a CheckpointState has no such field.

    A list in brackets holds several values of a repeated field.
    """
    name = field.group("name")
    if field.group("list") is None:
        elements = [field.group("strings") or field.group("number")]
    elif name in _REPEATED:
        found = _ELEMENT.finditer(field.group("list"))
        elements = [element.group() for element in found if element.group("comment") is None]
    else:
        return None
    return elements if all(_is_known(name, element) for element in elements) else None


def _is_known(name: str, element: str) -> bool:
    """Whether a CheckpointState has a field of this name and type."""
    if element[0] in "\"'":
        return name in _STRINGS
    return name in _NUMBERS and _is_number(element)


def _is_number(word: str) -> bool:
    """Whether protobuf accepts a word as a number: like Python, but also with C's suffix f."""
    return _NO_DIGITS.match(word) is not None or _is_float(word) or _is_float(word.rstrip("f"))


def _is_float(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def read_state_file(model_dir: Path) -> Optional[StateFile]:
    """Reads the state file of a directory; returns None if it does not exist.

    Raises:
        UsageError: it is too large for ckptcheck.
    """
    path = model_dir / STATE_FILE
    try:
        if path.is_dir():
            return StateFile(problem="it is a directory", unseen=True, directory=True)
        if not path.exists():
            return None
        if not path.is_file():
            return StateFile(problem="it is not a regular file", unseen=True)
        verify_size(str(path), path.stat().st_size)
        return parse_state_bytes(path.read_bytes())
    except OSError as error:
        return StateFile(problem=f"it cannot be read: {error.strerror}", unseen=True)


def verify_size(path: str, size: int) -> None:
    """Verifies that a state file is not too large.

    Raises:
        UsageError: it is too large.
    """
    if size > LARGEST_STATE_FILE:
        raise UsageError(
            f"{path} is larger than {LARGEST_STATE_FILE >> 20} MiB, ckptcheck's limit for a state "
            "file. Remove checkpoints from its list, or give the checkpoint itself as MODEL_DIR"
        )


def parse_state_bytes(data: bytes) -> StateFile:
    """Parses the bytes of a state file. For an invalid one, the result has a ``problem``."""
    if has_pointer(data):
        return StateFile(problem=GIT_LFS)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return StateFile(problem=str(error), not_text=True)
    return parse_state(text)


def parse_state(text: str) -> StateFile:
    """Parses the text of a state file. For an invalid one, the result has a ``problem``."""
    fields: Dict[str, List[str]] = {}
    at = 0
    end = len(text.rstrip())
    while at < end:
        comment = _COMMENT.match(text, at)
        if comment:
            at = comment.end()
            continue
        field = _FIELD.match(text, at)
        values = _values(field) if field is not None else None
        if text.startswith("\ufeff"):
            return StateFile(problem="it begins with a byte order mark")
        if field is None or values is None:
            problem = f"line {_line(text, at)} is not a field of a CheckpointState"
            return StateFile(problem=problem)
        try:
            fields.setdefault(field.group("name"), []).extend(_value(item) for item in values)
        except UnicodeDecodeError:
            return StateFile(problem=f"a string in line {_line(text, at)} is not UTF-8")
        except ValueError:
            return StateFile(
                "", problem=f"a string in line {_line(text, at)} has an invalid escape"
            )
        at = field.end()
    latest = fields.get("model_checkpoint_path", [""])[-1]
    return StateFile(latest, tuple(fields.get("all_model_checkpoint_paths", ())))


def _line(text: str, at: int) -> int:
    """Returns the line number of the next word."""
    return text.count("\n", 0, at + len(text[at:]) - len(text[at:].lstrip())) + 1


_ONE_DIGIT = re.compile(r"(?<!\\)((?:\\\\)*\\x)(?=[0-9a-fA-F](?![0-9a-fA-F]))")
r"""A ``\x`` that is not escaped, before a single digit."""


def _value(literal: str) -> str:
    """Returns the value of adjacent string literals; "" for numbers, which are not needed.

    Raises:
        ValueError: protobuf rejects an escape in it.
        UnicodeDecodeError: its bytes are not UTF-8.
    """
    parts = [double or single for double, single in _ONE_STRING.findall(literal)]
    return b"".join(map(_unescaped, parts)).decode("utf-8")


def _unescaped(text: str) -> bytes:
    r"""Resolves C escapes as protobuf does: like Python, but ``\x`` may have only one digit.

    Raises:
        ValueError: an escape is invalid.
    """
    if "\\" not in text:
        return text.encode("utf-8")
    whole = _ONE_DIGIT.sub(r"\g<1>0", text).encode("utf-8")
    try:
        with warnings.catch_warnings():  # unknown escapes stay as they are
            warnings.simplefilter("ignore")
            return whole.decode("unicode_escape").encode("raw_unicode_escape")
    except UnicodeDecodeError as error:
        raise ValueError(error.reason)
