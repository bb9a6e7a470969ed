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


_FIELD = re.compile(
    r"""\s*(?P<name>\w+)\s*:\s*
        (?:(?P<strings>(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
                       (?:\s*(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))*)
          |(?P<number>[-+\w.]+))\s*[;,]?""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"\s*#[^\n]*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?f?$|[-+]?(inf|infinity|nan)f?$", re.I)
_ONE_STRING = re.compile(r""""((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'""")
_STRINGS = ("model_checkpoint_path", "all_model_checkpoint_paths")
_NUMBERS = ("all_model_checkpoint_timestamps", "last_preserved_timestamp")


def _is_known(field: "re.Match[str]") -> bool:
    """Whether a field is one of a CheckpointState, with a value of its type."""
    name, number = field.group("name"), field.group("number")
    if number is None:
        return name in _STRINGS
    return name in _NUMBERS and _NUMBER.match(number) is not None


def read_state_file(model_dir: Path) -> Optional[StateFile]:
    """Reads the state file of a directory; None where there is none."""
    path = model_dir / STATE_FILE
    if not path.is_file():
        return None
    if path.stat().st_size > _LARGEST:
        return StateFile("", problem=f"it is larger than {_LARGEST} bytes")
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return StateFile("", problem="it is not text")
    except OSError as error:
        return StateFile("", problem=str(error.strerror))
    return parse_state(text)


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
        if field is None or not _is_known(field):
            line = text.count("\n", 0, at + len(text[at:]) - len(text[at:].lstrip())) + 1
            return StateFile("", problem=f"line {line} is no field of a CheckpointState")
        value = field.group("strings") or ""
        fields.setdefault(field.group("name"), []).append(_unquoted(value))
        at = field.end()
    latest = fields.get("model_checkpoint_path", [""])[-1]
    return StateFile(latest, tuple(fields.get("all_model_checkpoint_paths", ())))


_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)")
_NAMED = {"n": b"\n", "t": b"\t", "r": b"\r", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v"}


def _unquoted(literal: str) -> str:
    """The value of one or more adjacent string literals with C escapes, which are bytes."""
    parts = [double or single for double, single in _ONE_STRING.findall(literal)]
    data = b""
    for part in parts:
        at = 0
        for escape in _ESCAPE.finditer(part):
            data += part[at : escape.start()].encode("utf-8") + _escaped(escape.group(1))
            at = escape.end()
        data += part[at:].encode("utf-8")
    return data.decode("utf-8", "surrogateescape")


def _escaped(code: str) -> bytes:
    if code[0] == "x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code[0] in "01234567":
        return bytes([int(code, 8) & 0xFF])
    return _NAMED.get(code, code.encode("utf-8"))
