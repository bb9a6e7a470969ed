"""Reads a JSON object from a file that the user names, and overrides single keys."""

import difflib
import itertools
import json
import os
from typing import Any, Dict, Mapping, Sequence

from . import json_values
from .errors import UsageError
from .input_files import read_input


def read_json_object(path: str) -> Dict[str, Any]:
    """Reads a JSON object from a file; ``-`` means standard input.

    Raises:
        UsageError: the file is missing, holds something else, or holds a key twice. The message
            starts with the path. The caller puts the name of the option before it.
    """
    name = "standard input" if path == "-" else path
    text = _read_text(path, name)
    if not text.strip():
        raise UsageError(f"{name}: it is empty; expected a JSON object, at least {{}}")
    try:
        value = json_values.parse(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{name}:{error.lineno}:{error.colno}: not JSON: {error.msg}{_instead(path)}"
        ) from None
    except ValueError as error:  # such as a number with more digits than Python converts
        raise UsageError(f"{name}: {error}") from None
    if not isinstance(value, dict):
        kind = _KINDS.get(type(value), "a number")
        raise UsageError(f"{name}: expected a JSON object, found {kind}")
    return value


_KINDS = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def _instead(path: str) -> str:
    """Suggests what to do with input that is not a JSON file; "" if there is no suggestion."""
    if path.lower().endswith((".yaml", ".yml")):
        return "; convert it from YAML to JSON first"
    if path.endswith(".py"):
        return "; write its values to a JSON file with json.dump"
    if path.lstrip().startswith("{"):
        return "; write the JSON to a file, or pipe it to ckptcheck and give -"
    is_param = "=" in path and "/" not in path and not os.path.exists(path)
    return f"; give a single param as --set {path}" if is_param else ""


def _meant(path: str) -> str:
    """Suggests a file with a similar name in the same directory; "" if there is none."""
    folder, name = os.path.split(path)
    try:
        with os.scandir(folder or os.curdir) as entries:
            names = [entry.name for entry in itertools.islice(entries, _MOST_NAMES)]
    except OSError:
        return ""
    near = difflib.get_close_matches(name, names, 3)
    paths = [os.path.join(folder, other) for other in near]
    return next((f"; did you mean {path}?" for path in paths if os.path.isfile(path)), "")


_MOST_NAMES = 1000


def _read_text(path: str, name: str) -> str:
    if not path:
        raise UsageError("is empty: give a file with a JSON object, or leave it out")
    try:
        return read_input(path).decode("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(
            f"{path}: no such file; expected a file with a JSON object, or - for standard input"
            + (_instead(path) or _meant(path))
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"{name}: not JSON: it is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None


def with_overrides(params: Mapping[str, Any], overrides: Sequence[str]) -> Dict[str, Any]:
    """Returns params with overrides, such as ``key.sub=value`` in ``--set key.sub=value``.

    A value that is not JSON is a string.

    Raises:
        UsageError: a part of a key is not an object.
    """
    result = dict(params)
    for override in overrides:
        path, _, text = override.partition("=")
        keys = path.split(".")
        at = result
        for key in keys[:-1]:
            inner = at.get(key, {})
            if not isinstance(inner, dict):
                raise UsageError(f"--set {override}: {key!r} is not an object in the params")
            at[key] = dict(inner)  # must not change the caller's params
            at = at[key]
        try:
            at[keys[-1]] = json_values.parse(text)
        except json.JSONDecodeError:
            at[keys[-1]] = text
        except ValueError as error:
            raise UsageError(f"--set {path}: {error}") from None
    return result
