"""Converts params for a record, and compares params with a record."""

import hashlib
import json
import os
import re
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from .value import HiddenValue, RecordedParams

_DIGITS = 32
_DEEPEST = 50
_LARGEST = 1 << 128
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_SECRET = re.compile(
    r"""secret|passw(or)?d|passphrase|credential|private_?key|access_?key|api_?key|auth_?key
        |(^|_)(api|auth|access|bearer|refresh|session|hf|git|github|gitlab)_?token$|^token$""",
    re.IGNORECASE | re.VERBOSE,
)


_SECRET_TEXT = re.compile(
    r"""(^|_)(auth|authorization|bearer|cookies?|pass|pwd|session(_?id)?|sig|signature)$
        |(signing|encryption|account)_?key$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Names of params whose values are secret if they are texts: ``low_pass`` may be a number."""
_CREDENTIALS = re.compile(
    r"""://[^/@\s]*:[^/@\s]+@|\bbearer\s+\S|-----BEGIN[ A-Z]*PRIVATE KEY
        |\b(\w*token|passw(or)?d|pwd|sig(nature)?|secret|api_?key|account_?key)=[^&;\s]
        |\b(AKIA[0-9A-Z]{16}|gh[opsu]_\w{20}|hf_\w{20}|xox[abp]-\w)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Texts with a password, a token or a key in them, such as an address."""


class ParamChange(NamedTuple):
    """A param whose value differs from the value in training.

    Attributes:
        key: its path, such as ``optimizer.rate``.
        was: the value in training, None if there was none.
        now: the value now, None if there is none.
        had: whether there was a value in training.
        has: whether there is a value now.
        hidden: whether only digests differ, because the value is redacted.
    """

    key: str
    was: Any
    now: Any
    had: bool = True
    has: bool = True
    hidden: bool = False


def recorded_params(params: Any, redacted: Sequence[str] = ()) -> RecordedParams:
    """Returns params as a record holds them.

    Args:
        params: a mapping, or an object with attributes, such as HParams.
        redacted: the keys whose values must not be in the record, besides those that look secret.
    """
    salt = os.urandom(16).hex()
    hidden: Dict[str, HiddenValue] = {}
    return RecordedParams(_kept(as_mapping(params), "", set(redacted), salt, hidden), hidden, salt)


def as_mapping(params: Any) -> Mapping[str, Any]:
    """Returns params as a mapping."""
    if params is None:
        return {}
    if isinstance(params, Mapping):
        return params
    values = getattr(params, "values", None)
    found = values() if callable(values) else vars(params)  # HParams has values()
    return found if isinstance(found, Mapping) else vars(params)


def params_type_of(params: Any) -> str:
    """Returns the ``--params-type`` for these params: ``dict`` or ``attr``."""
    return "dict" if params is None or isinstance(params, Mapping) else "attr"


def _kept(
    params: Mapping[Any, Any],
    prefix: str,
    redacted: "set[str]",
    salt: str,
    hidden: Dict[str, HiddenValue],
) -> Dict[str, Any]:
    kept: Dict[str, Any] = {}
    for key, value in params.items():
        path = f"{prefix}{key}"
        if path in redacted or is_secret(key, value, redacted):
            hidden[path] = HiddenValue(type(value).__name__, _digest(value, salt), True)
        elif isinstance(value, Mapping) and all(isinstance(item, str) for item in value):
            kept[str(key)] = _kept(value, path + ".", redacted, salt, hidden)
        else:
            plain = _plain(value)
            if isinstance(key, str) and plain.known:
                kept[key] = plain.value
            else:
                hidden[path] = HiddenValue(_type_name(value), _digest(value, ""))
    return kept


def is_secret(key: Any, value: Any, redacted: "set[str]", depth: int = 0) -> bool:
    """Whether a value must not be in a record, or is a list in which such a value is."""
    if str(key) in redacted or _SECRET.search(str(key)):
        return True
    if isinstance(value, str):
        return any(
            it.search(text) for it, text in ((_SECRET_TEXT, str(key)), (_CREDENTIALS, value))
        )
    if depth >= _DEEPEST:
        return False
    if isinstance(value, (list, tuple)):
        return any(is_secret("", item, redacted, depth + 1) for item in value)
    if isinstance(value, Mapping) and depth:
        return any(is_secret(*item, redacted, depth + 1) for item in value.items())
    return False


class _Plain(NamedTuple):
    """A value as JSON, if JSON can hold it."""

    known: bool
    value: Any = None


def _plain(value: Any, depth: int = 0) -> _Plain:
    kind = type(value)
    if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if value is None or isinstance(value, (bool, str, float)):
        return _Plain(True, value)
    if isinstance(value, int):
        return _Plain(-_LARGEST < value < _LARGEST, int(value))
    if depth < _DEEPEST and isinstance(value, (list, tuple)):
        items = [_plain(item, depth + 1) for item in value]
        return _Plain(all(item.known for item in items), [item.value for item in items])
    if depth < _DEEPEST and isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        parts = {key: _plain(item, depth + 1) for key, item in value.items()}
        known = all(part.known for part in parts.values())
        return _Plain(known, {key: part.value for key, part in parts.items()})
    return _Plain(False)


def _type_name(value: Any) -> str:
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _digest(value: Any, salt: str) -> str:
    """Returns a digest of a value. Another process computes the same digest, where possible.

    If the repr of an object has only its type and address, this returns a digest of the type.
    """
    plain = _plain(value)
    if plain.known:
        text = json.dumps(plain.value, sort_keys=True).encode()
    elif hasattr(value, "tobytes") and hasattr(value, "dtype"):
        text = f"{value.dtype}{value.shape}".encode() + value.tobytes()
    elif callable(value) and hasattr(value, "__qualname__"):
        text = f"{value.__module__}.{value.__qualname__}".encode()
    else:
        text = _ADDRESS.sub("", repr(value)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(salt.encode() + text).hexdigest()[:_DIGITS]


def holds(recorded: RecordedParams, key: str) -> bool:
    """Returns whether the training run had a param."""
    return key in recorded.hidden or _value_at(recorded.values, key)[0]


def value_in_training(recorded: RecordedParams, key: str) -> Any:
    """Returns the value that a param had; None if the record does not hold it."""
    return _value_at(recorded.values, key)[1]


def unknown_keys(
    recorded: RecordedParams, params: Mapping[str, Any], redacted: bool = False
) -> List[str]:
    """Returns the params whose values the record does not hold, and that these params lack.

    Args:
        recorded: the params of the training run.
        params: the params of the check.
        redacted: whether to return those that are redacted, or those that JSON cannot hold.
    """
    hidden = (key for key, value in recorded.hidden.items() if value.redacted == redacted)
    return [key for key in hidden if not _value_at(params, key)[0]]


def _value_at(params: Any, path: str) -> Tuple[bool, Any]:
    """Returns whether params have a value at a path, and the value."""
    if isinstance(params, Mapping):
        if path in params:
            return True, params[path]
        head, dot, rest = path.partition(".")
        if dot and head in params:
            return _value_at(params[head], rest)
    return False, None


def changed_params(
    recorded: RecordedParams,
    defaults: Mapping[str, Any],
    params: Mapping[str, Any],
    now_defaults: Mapping[str, Any],
) -> Iterator[ParamChange]:
    """Compares the effective params: their values, and the defaults of those that are missing.

    Args:
        recorded: the params of the training run.
        defaults: the defaults that the code used then.
        params: the params of the check.
        now_defaults: the defaults that the code uses now.
    """
    values, given = _flat(recorded.values), _flat(params)
    was, now = {**defaults, **values}, {**now_defaults, **given}
    keys = {*values, *given, *(set(defaults) & set(now_defaults))} - set(recorded.hidden)
    for key in sorted(keys):
        if _under(key, recorded.hidden) or _over(key, {**was, **now, **recorded.hidden}):
            continue
        if key not in was or key not in now or not same(was[key], now[key]):
            had, has = key in was, key in now
            yield ParamChange(key, was.get(key), now.get(key), had, has)
    for key, value in sorted(recorded.hidden.items()):
        has, new = _value_at(params, key)
        if has and value.redacted and _digest(new, recorded.salt) != value.digest:
            yield ParamChange(key, None, None, hidden=True)


def _under(key: str, hidden: Mapping[str, Any]) -> bool:
    """Whether a key is in an object that is hidden."""
    parts = key.split(".")
    return any(".".join(parts[:count]) in hidden for count in range(1, len(parts)))


def _over(key: str, others: Mapping[str, Any]) -> bool:
    """Whether the value of a key is an object that has one of the other keys."""
    return any(other.startswith(key + ".") for other in others)


def _flat(params: Mapping[str, Any], prefix: str = "") -> Dict[str, Any]:
    """Returns params by their paths. An empty object counts as a value."""
    found: Dict[str, Any] = {}
    for key, value in params.items():
        if isinstance(value, Mapping) and value:
            found.update(_flat(value, f"{prefix}{key}."))
        else:
            found[prefix + key] = value
    return found


def same(was: Any, now: Any) -> bool:
    """Whether two values are the same to a model. 1 and 1.0 are, but 1 and True are not."""
    if isinstance(was, bool) or isinstance(now, bool):
        return was is now
    if isinstance(was, list) and isinstance(now, list):
        return len(was) == len(now) and all(map(same, was, now))
    return bool(was == now) or (was != was and now != now)
