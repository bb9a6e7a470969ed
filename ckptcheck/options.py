"""What to check: the arguments, read and verified, as one value."""

import dataclasses
import json
import os
import re
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from . import json_values
from .errors import UsageError
from .input_files import read_input
from .protocol import ALL_MODES, MODES
from .results import SEVERITIES

DEFAULT_TIMEOUT = 300.0
LONGEST_TIMEOUT = 24 * 3600.0
LEAST_MEMORY = 64 << 20
"""What a small graph takes; with less, nothing could be traced."""
MOST_MEMORY = 1 << 50


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
        for field, name in _TEXTS.items():
            verify_text(name, getattr(self, field) or "")
        _verify_name("TARGET", self.target, "model_fn")
        object.__setattr__(self, "params", json_values.plain(self.params, "params"))
        if self.input_fn:
            _verify_name("--input-fn", self.input_fn, "input_fn")
        if self.params_type not in ("dict", "attr"):
            what = "--params-type (dict, attr or module:callable)"
            _verify_name(what, self.params_type, "make_params")
        if self.input_fn and self.features is not None:
            raise UsageError("--input-fn and --features exclude each other: give one of them")
        verify_choices("--mode", self.modes, ALL_MODES)
        verify_choices("--behavior", (self.behavior,), ("auto", "v1", "v2"))
        verify_choices("--fail-on", (self.fail_on,), SEVERITIES)
        _verify_limits(self)
        object.__setattr__(self, "app_dir", _folder(self.app_dir))
        order = [mode for mode in ALL_MODES if mode in self.modes]
        object.__setattr__(self, "modes", tuple(order))


_TEXT = "a text"
_YES_OR_NO = "True or False"
_TYPES: Dict[str, Tuple[Any, str]] = {
    "model_dir": (str, "a path"),
    "target": (str, "a text such as 'package.module:model_fn'"),
    "params": (Mapping, "a dict, or the path of a JSON file"),
    "modes": (tuple, "a list of modes, such as ['predict', 'eval']"),
    "python": ((str, type(None)), "the path or the command of a Python"),
    "app_dir": (str, "the path of a directory"),
    "params_type": (str, "'dict', 'attr', or 'module:callable'"),
    "flags": (tuple, "a list of texts"),
    "input_fn": (str, "a text such as 'package.module:input_fn'"),
    "features": ((FeatureFile, type(None)), "the path of a features file, or what is in it"),
    "behavior": (str, "'auto', 'v1' or 'v2'"),
    "timeout": ((int, float), "a number of seconds"),
    "memory_limit": (int, "a size such as '4G', or a number of bytes"),
    "fail_on": (str, "'note', 'warning' or 'error'"),
    "quiet": (bool, _YES_OR_NO),
    "deep": (bool, _YES_OR_NO),
}
_TEXTS = {
    "model_dir": "MODEL_DIR",
    "target": "TARGET",
    "python": "--python",
    "app_dir": "--app-dir",
    "params_type": "--params-type",
    "input_fn": "--input-fn",
}
"""Fields that are or contain names of files, and what the user calls them."""


def _verify_types(spec: CheckSpec) -> None:
    """What only a caller from Python can get wrong."""
    for name, (kind, expected) in _TYPES.items():
        verify_type(name, getattr(spec, name), kind, expected)
    for name in ("modes", "flags"):
        for item in getattr(spec, name):
            verify_type(f"an item of {name}", item, str, _TEXT)


def verify_type(name: str, value: Any, kind: Any, expected: str) -> None:
    """Verifies the type of an argument. True and False do not count as numbers.

    Raises:
        UsageError: it is another.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UsageError(f"{name} is {type(value).__name__}: expected {expected}")


def verify_text(name: str, value: str) -> None:
    """Verifies that a text can be the name of a file.

    Raises:
        UsageError: it holds a character that no such name can hold.
    """
    try:
        known = os.fsencode(value)
    except UnicodeEncodeError as error:
        strange = ascii(value[error.start])[1:-1]
        raise UsageError(f"{name}: no name of a file can hold the character {strange}") from None
    if b"\0" in known:
        raise UsageError(f"{name}: no name of a file can hold the character \\x00")


def _verify_limits(spec: CheckSpec) -> None:
    try:
        timeout = float(spec.timeout)
    except OverflowError:
        timeout = float("inf")
    if not 0 < timeout <= LONGEST_TIMEOUT:
        raise UsageError(
            f"--timeout {timeout:g}: expected seconds above 0, {LONGEST_TIMEOUT:g} at most"
        )
    if spec.memory_limit and not LEAST_MEMORY <= spec.memory_limit <= MOST_MEMORY:
        given = f" {spec.memory_limit}" if abs(spec.memory_limit) < 1 << 64 else ""
        raise UsageError(f"--memory-limit{given}: expected a size such as 4G, {_ALLOWED}")


_ALLOWED = f"from {LEAST_MEMORY >> 20}M to {MOST_MEMORY >> 40}T"


def _folder(app_dir: str) -> str:
    try:
        folder = os.path.join(os.getcwd(), app_dir)
    except OSError as error:  # it was removed
        raise UsageError(f"the working directory cannot be used: {error.strerror}") from None
    if not os.path.isdir(folder):
        raise UsageError(f"--app-dir {app_dir}: no such directory")
    return os.path.normpath(folder)


def _verify_name(what: str, value: str, attribute: str) -> None:
    place, colon, path = value.rpartition(":")
    if not colon or not place or not path:
        raise UsageError(
            f"{what} {value!r}: expected module:attr or path/to/file.py:attr, such as "
            f"{_example(value, attribute)}"
        )
    if not all(part.isidentifier() for part in path.split(".")):
        raise UsageError(f"{what} {value!r}: {path!r} is no name in a module")
    is_file = place.endswith(".py")
    if not is_file and not all(part.isidentifier() for part in place.split(".")):
        is_path = "/" in place or os.sep in place
        hint = f"; did you mean {place.rstrip('/')}.py:{path}?" if is_path else ""
        raise UsageError(f"{what} {value!r}: {place!r} is no module{hint}")


def _example(value: str, attribute: str) -> str:
    """What may have been meant by a name without a module or an attribute."""
    if value.startswith(":") and value[1:].isidentifier():
        return f"models.net{value}"
    value = value.strip(":")
    if value.isidentifier() and value.endswith(attribute):
        return f"models.net:{value}"
    if value.endswith(".py"):
        return f"{value}:{attribute}"
    if "/" in value:
        return f"{value.rstrip('/')}.py:{attribute}"
    if not all(part.isidentifier() for part in value.split(".")):
        return f"models.net:{attribute}"
    module, dot, name = value.rpartition(".")
    return f"{module}:{name}" if dot else f"{value}:{attribute}"


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


def read_json_object(path: str, what: str) -> Dict[str, Any]:
    """Reads a JSON object from a file, ``-`` for standard input.

    Args:
        path: the file.
        what: what it is to the user, for the messages: ``PARAMS``.

    Raises:
        UsageError: it is missing, not JSON, no object, or holds a key twice.
    """
    name = "standard input" if path == "-" else path
    verify_text(what, path)
    text = _read_text(path, what)
    if not text.strip():
        raise UsageError(f"{what} {name}: it is empty; expected a JSON object, at least {{}}")
    try:
        value = json_values.parse(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{what} {name}:{error.lineno}:{error.colno}: not JSON: {error.msg}{_instead(path)}"
        ) from None
    except json_values.DuplicateKeyError as error:
        raise UsageError(
            f"{what} {name}: the key {error.args[0]!r} stands twice in one object; remove one"
        ) from None
    except json_values.TooDeepError as error:
        raise UsageError(f"{what} {name}: {error}") from None
    except ValueError as error:  # a number with more digits than Python converts
        raise UsageError(f"{what} {name}: not JSON that Python can read: {error}") from None
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
        return read_input(path, what).decode("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(
            f"{what} {path}: no such file; expected a file with a JSON object, - for standard input"
            + _instead(path)
        ) from None
    except UnicodeDecodeError:
        name = "standard input" if path == "-" else path
        raise UsageError(f"{what} {name}: not JSON: it is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{what} {path}: {error.strerror or error}") from None


def with_overrides(params: Mapping[str, Any], overrides: Sequence[str]) -> Dict[str, Any]:
    """Applies ``--set key.sub=value``; a value that is no JSON is a string.

    Raises:
        UsageError: an override has no ``=``, or goes through something that is no object.
    """
    result = dict(params)
    for override in overrides:
        path, equals, text = override.partition("=")
        keys = path.split(".")
        if not equals or not all(keys):
            raise UsageError(f"--set {override}: expected key=value or key.sub=value")
        at = result
        for key in keys[:-1]:
            inner = at.get(key, {})
            if not isinstance(inner, dict):
                raise UsageError(f"--set {override}: {key!r} is no object")
            at[key] = dict(inner)  # the params that were given stay as they are
            at = at[key]
        at[keys[-1]] = _value(path, text)
    return result


def _value(path: str, text: str) -> Any:
    try:
        return json_values.parse(text)
    except json.JSONDecodeError:
        return text
    except json_values.DuplicateKeyError as error:
        raise UsageError(
            f"--set {path}: the key {error.args[0]!r} stands twice in one object; remove one"
        ) from None
    except ValueError as error:
        raise UsageError(f"--set {path}: {error}") from None


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
    data = json_values.plain(data, f"--features {path}: features")
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
        and all(size is None or (type(size) is int and 0 <= size < 1 << 63) for size in shape)
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
    number = float(found.group(1)) * (1 << _UNITS[found.group(2).lower()])
    if number > MOST_MEMORY:
        raise UsageError(f"{option} {text}: expected a size such as 4G, {_ALLOWED}")
    return int(number)
