"""The state file ``checkpoint``: which checkpoint of a model_dir is the latest.

It is a CheckpointState protocol buffer in text form. TensorFlow reads it with protobuf's parser;
here its few fields are read by hand, strictly, so that no TensorFlow is needed.
"""

import re
from pathlib import Path
from typing import Dict, List, Optional

from ..spec import StateFile

STATE_FILE = "checkpoint"
_LARGEST = 1 << 20


_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_JOINED = rf"{_STRING}(?:\s*{_STRING})*"
_PLAIN = r"[-+\w.]+"
_FIELD = re.compile(
    rf"""\s*(?P<name>\w+)\s*:\s*
        (?:(?P<strings>{_JOINED})
          |(?P<number>{_PLAIN})
          |(?P<list>\[\s*(?:{_JOINED}\s*(?:,\s*{_JOINED}\s*)*
                           |{_PLAIN}\s*(?:,\s*{_PLAIN}\s*)*)?\]))\s*[;,]?""",
    re.VERBOSE,
)
_ELEMENT = re.compile(rf"(?P<strings>{_JOINED})|{_PLAIN}")
_COMMENT = re.compile(r"\s*#[^\n]*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?f?$|[-+]?(inf|infinity|nan)f?$", re.I)
_ONE_STRING = re.compile(r""""((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'""")
_STRINGS = ("model_checkpoint_path", "all_model_checkpoint_paths")
_NUMBERS = ("all_model_checkpoint_timestamps", "last_preserved_timestamp")


_REPEATED = ("all_model_checkpoint_paths", "all_model_checkpoint_timestamps")


def _values(field: "re.Match[str]") -> Optional[List[str]]:
    """The values of a field of a CheckpointState; None where it is no such field.

    A list in brackets is as many values, of a field that can have several.
    """
    name = field.group("name")
    if field.group("list") is None:
        elements = [field.group("strings") or field.group("number")]
    elif name in _REPEATED:
        elements = [element.group() for element in _ELEMENT.finditer(field.group("list"))]
    else:
        return None
    return elements if all(_is_known(name, element) for element in elements) else None


def _is_known(name: str, element: str) -> bool:
    """Whether a field is one of a CheckpointState, with a value of its type."""
    if element[0] in "\"'":
        return name in _STRINGS
    return name in _NUMBERS and _NUMBER.match(element) is not None


def read_state_file(model_dir: Path) -> Optional[StateFile]:
    """Reads the state file of a directory; None where there is none."""
    path = model_dir / STATE_FILE
    try:
        if path.is_dir():
            return StateFile("", problem="it is a directory", unseen=True, directory=True)
        if not path.is_file():
            return _unseen("it is no regular file") if path.exists() else None
        if path.stat().st_size > _LARGEST:
            return StateFile("", problem=f"it is larger than {_LARGEST} bytes")
        return parse_state(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError:
        return StateFile("", problem="it is not text")
    except OSError as error:
        return _unseen(f"it cannot be read: {error.strerror}")


def _unseen(problem: str) -> StateFile:
    return StateFile("", problem=problem, unseen=True)


def parse_state(text: str) -> StateFile:
    """Parses the text of a state file; what is wrong with it is in ``problem``."""
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
        if field is None or values is None:
            line = text.count("\n", 0, at + len(text[at:]) - len(text[at:].lstrip())) + 1
            return StateFile("", problem=f"line {line} is no field of a CheckpointState")
        fields.setdefault(field.group("name"), []).extend(map(_unquoted, values))
        at = field.end()
    latest = fields.get("model_checkpoint_path", [""])[-1]
    return StateFile(latest, tuple(fields.get("all_model_checkpoint_paths", ())))


_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)")
_NAMED = {"n": b"\n", "t": b"\t", "r": b"\r", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v"}


def _unquoted(literal: str) -> str:
    """The value of one or more adjacent string literals with C escapes, which are bytes."""
    parts = [double or single for double, single in _ONE_STRING.findall(literal)]
    data: List[bytes] = []
    for part in parts:
        at = 0
        for escape in _ESCAPE.finditer(part):
            data += (part[at : escape.start()].encode("utf-8"), _escaped(escape.group(1)))
            at = escape.end()
        data.append(part[at:].encode("utf-8"))
    return b"".join(data).decode("utf-8", "surrogateescape")


def _escaped(code: str) -> bytes:
    if code[0] == "x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code[0] in "01234567":
        return bytes([int(code, 8) & 0xFF])
    return _NAMED.get(code, code.encode("utf-8"))
