"""What to check: the arguments, read and verified, as one value."""

import dataclasses
import json
import os
import re
import sys
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .errors import UsageError
from .spec import ALL_MODES, MODES, SEVERITIES

DEFAULT_TIMEOUT = 300.0
LONGEST_TIMEOUT = 24 * 3600.0
LEAST_MEMORY = 64 << 20
"""What a small graph takes; with less, nothing could be traced."""
MOST_MEMORY = 1 << 50
_LARGEST_PARAMS = 64 << 20


@dataclasses.dataclass(frozen=True)
class FeatureFile:
    """A ``--features`` file: structures for all modes, and for single ones.

    The format is described in docs/features.md.
    """

    features: Any
    labels: Any
    modes: Mapping[str, Mapping[str, Any]]

    def of(self, mode: str) -> Tuple[Any, Any]:
        """The structures of features and labels for one mode."""
        own = self.modes.get(mode, {})
        return own.get("features", self.features), own.get("labels", self.labels)


@dataclasses.dataclass(frozen=True)
class CheckSpec:
    """One check.

    Attributes:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        target: ``module:attr`` or ``path/to/file.py:attr``.
        params: the JSON object.
        modes: the modes to check, in TensorFlow's order.
        python: the command of the interpreter that has TensorFlow; None for this one.
        app_dir: what is put on the path for the target.
        params_type: ``dict``, ``attr``, or ``module:callable``.
        flags: the user's absl flags.
        input_fn: ``module:input_fn``, "" for none.
        features: what ``--features`` says, None where it was not given.
        behavior: ``auto``, ``v1`` or ``v2``.
        timeout: seconds for each mode, and for TensorFlow's import.
        memory_limit: bytes that each mode may use beside TensorFlow's own; 0 for no limit.
        fail_on: the severity from which on the check fails.
        quiet: does not show what the traced code prints.
        deep: reads all data of the checkpoint too.
    """

    model_dir: str
    target: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    modes: Tuple[str, ...] = MODES
    python: Optional[str] = None
    app_dir: str = ""
    params_type: str = "dict"
    flags: Tuple[str, ...] = ()
    input_fn: str = ""
    features: Optional[FeatureFile] = None
    behavior: str = "auto"
    timeout: float = DEFAULT_TIMEOUT
    memory_limit: int = 0
    fail_on: str = "error"
    quiet: bool = False
    deep: bool = False

    def __post_init__(self) -> None:
        """Verifies what a user can get wrong.

        Raises:
            UsageError: the first thing that is wrong.
        """
        _verify_types(self)
        _verify_name("TARGET", self.target)
        _verify_json(self.params, "params")
        if self.input_fn:
            _verify_name("--input-fn", self.input_fn)
        if self.params_type not in ("dict", "attr"):
            _verify_name("--params-type (dict, attr or module:callable)", self.params_type)
        if self.input_fn and self.features is not None:
            raise UsageError("--input-fn and --features exclude each other: give one of them")
        verify_choices("--mode", self.modes, ALL_MODES)
        verify_choices("--behavior", (self.behavior,), ("auto", "v1", "v2"))
        verify_choices("--fail-on", (self.fail_on,), SEVERITIES)
        if not 0 < self.timeout <= LONGEST_TIMEOUT:
            raise UsageError(
                f"--timeout {self.timeout:g}: expected seconds above 0, {LONGEST_TIMEOUT:g} at most"
            )
        if self.memory_limit and not LEAST_MEMORY <= self.memory_limit <= MOST_MEMORY:
            raise UsageError(
                f"--memory-limit {self.memory_limit}: expected a size such as 4G, from "
                f"{LEAST_MEMORY >> 20}M to {MOST_MEMORY >> 40}T"
            )
        folder = os.path.abspath(self.app_dir or os.curdir)
        if not os.path.isdir(folder):
            raise UsageError(f"--app-dir {self.app_dir}: no such directory")
        object.__setattr__(self, "app_dir", folder)
        order = [mode for mode in ALL_MODES if mode in self.modes]
        object.__setattr__(self, "modes", tuple(order))


_TYPES: Dict[str, Tuple[Any, str]] = {
    "model_dir": (str, "a path"),
    "target": (str, "a text such as 'package.module:model_fn'"),
    "params": (Mapping, "a dict, or the path of a JSON file"),
    "input_fn": (str, "a text such as 'package.module:input_fn'"),
    "timeout": ((int, float), "a number of seconds"),
    "memory_limit": (int, "a size such as '4G', or a number of bytes"),
}


def _verify_types(spec: CheckSpec) -> None:
    """What only a caller from Python can get wrong."""
    for name, (kind, expected) in _TYPES.items():
        value = getattr(spec, name)
        if not isinstance(value, kind):
            raise UsageError(f"{name} is {type(value).__name__}: expected {expected}")


def _verify_name(what: str, value: str) -> None:
    place, colon, path = value.rpartition(":")
    if not colon or not place or not path:
        raise UsageError(
            f"{what} {value!r}: expected module:attr or path/to/file.py:attr, such as "
            f"{_example(value)}"
        )
    if not all(part.isidentifier() for part in path.split(".")):
        raise UsageError(f"{what} {value!r}: {path!r} is no name in a module")
    is_file = place.endswith(".py")
    if not is_file and not all(part.isidentifier() for part in place.split(".")):
        is_path = "/" in place or os.sep in place
        hint = f"; did you mean {place.rstrip('/')}.py:{path}?" if is_path else ""
        raise UsageError(f"{what} {value!r}: {place!r} is no module{hint}")


def _example(value: str) -> str:
    """What may have been meant by a name without a module or an attribute."""
    if value.startswith(":") and value[1:].isidentifier():
        return f"models.net{value}"
    value = value.strip(":")
    if value.endswith(".py"):
        return f"{value}:model_fn"
    if "/" in value:
        return f"{value.rstrip('/')}.py:model_fn"
    if not all(part.isidentifier() for part in value.split(".")):
        return "models.net:model_fn"
    module, dot, name = value.rpartition(".")
    return f"{module}:{name}" if dot else f"{value}:model_fn"


_DEEPEST = 100
"""Objects and arrays in one another: what goes through them needs frames of Python for each, of
which there are 1000, and the code that is traced needs most of them."""


def _verify_json(value: Any, where: str, depth: int = 0) -> None:
    """Params go to another process as JSON, so they hold what JSON holds."""
    if depth > _DEEPEST:
        raise UsageError(f"{where[:60]}…: it is nested deeper than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise UsageError(f"{where}: the key {key!r} is not a string")
            _verify_json(item, f"{where}[{key!r}]", depth + 1)
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            _verify_json(item, f"{where}[{place}]", depth + 1)
    elif not (value is None or isinstance(value, (bool, int, float, str))):
        raise UsageError(
            f"{where} is {type(value).__name__}, which JSON cannot hold: name an adapter as TARGET "
            "that puts it in"
        )


def verify_choices(what: str, values: Sequence[str], allowed: Sequence[str]) -> None:
    """Verifies the values of an option.

    Raises:
        UsageError: there is none, or one that is not allowed.
    """
    if not values:
        raise UsageError("{}: expected at least one of {}".format(what, ", ".join(allowed)))
    for value in values:
        if value not in allowed:
            *others, last = allowed
            choices = f"{', '.join(others)} or {last}" if others else last
            raise UsageError(f"{what} {value}: expected {choices}")


class _DuplicateKeyError(ValueError):
    """A key that stands twice in a JSON object."""


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKeyError(key)
        found[key] = value
    return found


def read_json_object(path: str, what: str) -> Dict[str, Any]:
    """Reads a JSON object from a file, ``-`` for standard input.

    Args:
        path: the file.
        what: what it is to the user, for the messages: ``PARAMS``.

    Raises:
        UsageError: it is missing, not JSON, no object, or holds a key twice.
    """
    name = "standard input" if path == "-" else path
    text = _read_text(path, what)
    if not text.strip():
        raise UsageError(f"{what} {name}: it is empty; expected a JSON object, at least {{}}")
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{what} {name}:{error.lineno}:{error.colno}: not JSON: {error.msg}{_instead(path)}"
        ) from None
    except _DuplicateKeyError as error:
        raise UsageError(
            f"{what} {name}: the key {error.args[0]!r} stands twice in one object; remove one"
        ) from None
    except ValueError as error:  # a number with more digits than Python converts
        raise UsageError(f"{what} {name}: not JSON that Python can read: {error}") from None
    except RecursionError:
        raise UsageError(f"{what} {name}: it is nested too deeply") from None
    if not isinstance(value, dict):
        kind = _KINDS.get(type(value), "a number")
        raise UsageError(f"{what} {name}: expected a JSON object, found {kind}")
    return value


_KINDS = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def _instead(path: str) -> str:
    """What to do with params that are of another form."""
    if path.lower().endswith((".yaml", ".yml")):
        return "; YAML has to be converted to JSON first"
    if path.endswith(".py"):
        return "; write the params of Python code to a file with json.dump"
    if path.lstrip().startswith("{"):
        return "; write the params to a file, or pipe them to ckptcheck and give -"
    is_param = "=" in path and "/" not in path and not os.path.exists(path)
    return f"; a single param is given by --set {path}" if is_param else ""


def _read_text(path: str, what: str) -> str:
    if not path:
        raise UsageError(f"{what} is empty: expected a file with a JSON object, or nothing at all")
    try:
        if path == "-":
            if sys.stdin is None:
                raise UsageError(f"{what} standard input: it is closed")
            return sys.stdin.buffer.read().decode("utf-8-sig")
        if os.path.isfile(path) and os.path.getsize(path) > _LARGEST_PARAMS:
            raise UsageError(f"{what} {path}: larger than {_LARGEST_PARAMS >> 20} MiB")
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except FileNotFoundError:
        raise UsageError(
            f"{what} {path}: no such file; expected a file with a JSON object, - for standard input"
            + _instead(path)
        ) from None
    except UnicodeDecodeError:
        name = "standard input" if path == "-" else path
        raise UsageError(f"{what} {name}: not JSON: it is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{what} {path}: {error.strerror}") from None


def with_overrides(params: Mapping[str, Any], overrides: Sequence[str]) -> Dict[str, Any]:
    """Applies ``--set key.sub=value``; a value that is no JSON is a string.

    Raises:
        UsageError: an override has no ``=``, or goes through something that is no object.
    """
    result: Dict[str, Any] = json.loads(json.dumps(dict(params)))
    for override in overrides:
        path, equals, text = override.partition("=")
        keys = path.split(".")
        if not equals or not all(keys):
            raise UsageError(f"--set {override}: expected key=value or key.sub=value")
        at = result
        for key in keys[:-1]:
            at = at.setdefault(key, {})
            if not isinstance(at, dict):
                raise UsageError(f"--set {override}: {key!r} is no object")
        at[keys[-1]] = _value(text)
    return result


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def read_feature_file(path: str) -> FeatureFile:
    """Reads a ``--features`` file.

    Raises:
        UsageError: it is not of the form that docs/features.md describes.
    """
    return feature_file(read_json_object(path, "--features"), path)


def feature_file(data: Mapping[str, Any], path: str) -> FeatureFile:
    """What an object says of the features.

    Args:
        data: of the form that docs/features.md describes.
        path: where it is from.

    Raises:
        UsageError: it is not of that form.
    """
    strangers = [key for key in data if key not in ("features", "labels", *ALL_MODES)]
    if strangers:
        raise UsageError(
            "--features {}: unknown key {!r}: expected features, labels, and for single modes "
            "{}".format(path, strangers[0], ", ".join(ALL_MODES))
        )
    modes = {mode: data[mode] for mode in ALL_MODES if mode in data}
    for where, part in [("", data), *modes.items()]:
        if not isinstance(part, dict):
            raise UsageError(f"--features {path}: {where} must be an object")
        strangers = [key for key in part if where and key not in ("features", "labels")]
        if strangers:
            raise UsageError(
                f"--features {path}: {where}: unknown key {strangers[0]!r}: expected features "
                "and labels"
            )
        for key in ("features", "labels"):
            _verify_structure(path, ".".join(filter(None, (where, key))), part.get(key))
    return FeatureFile(data.get("features"), data.get("labels"), modes)


_LEAF = {"dtype", "shape", "sparse"}


def _verify_no_half_leaf(path: str, where: str, node: Mapping[str, Any]) -> None:
    """A tensor that lacks its dtype or shape is no dict of features."""
    if _LEAF & set(node):
        lacking = "shape" if isinstance(node.get("dtype"), str) else "dtype"
        raise UsageError(f"--features {path}: {where}: a tensor needs {lacking}")


def _verify_structure(path: str, where: str, node: Any) -> None:
    if node is None:
        return
    if isinstance(node, list):
        for place, item in enumerate(node):
            _verify_structure(path, f"{where}[{place}]", item)
        return
    if not isinstance(node, dict):
        raise UsageError(f"--features {path}: {where}: expected an object or an array")
    if not (isinstance(node.get("dtype"), str) and "shape" in node):
        if set(node) and all(not isinstance(node[key], dict) for key in _LEAF & set(node)):
            _verify_no_half_leaf(path, where, node)
        for key, item in node.items():
            _verify_structure(path, f"{where}.{key}", item)
        return
    strangers = sorted(set(node) - _LEAF)
    if strangers:
        raise UsageError(f"--features {path}: {where}: unknown {strangers[0]!r}")
    shape = node["shape"]
    sizes_are_right = shape is None or (
        isinstance(shape, list)
        and all(size is None or (type(size) is int and size >= 0) for size in shape)
    )
    if not sizes_are_right:
        raise UsageError(
            f"--features {path}: {where}.shape: expected an array of sizes, null for an unknown one"
        )


def seconds(option: str, text: str) -> float:
    """The value of an option that is a number of seconds.

    Raises:
        UsageError: it is no number.
    """
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{option} {text}: expected a number of seconds") from None


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def size(option: str, text: str) -> int:
    """The value of an option that is a number of bytes: ``4G``, ``500M``, ``1.5 GiB``.

    Raises:
        UsageError: it is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{option} {text}: expected a size such as 4G or 500M")
    return int(float(found.group(1)) * (1 << _UNITS[found.group(2).lower()]))
