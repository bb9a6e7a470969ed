"""Makes and verifies the list of the dependencies of a check's traces."""

import hashlib
import os
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ..seen import Look, Seen, Sight, state_of
from ..traced import Traced
from .states import (
    ABSENT,
    MOST_READ,
    is_lasting,
    modules_found,
    most_read_for,
    state,
    why_not_lasting,
)

_SLACK = 0.02
"""Seconds. The times that file systems write lag behind the clock."""
_LONGEST_NAME = 1000
_MOST_BYTES = 512 << 20
"""The most bytes to read of all files of a check. Of others, size, times and inode count."""
_MOST_SIGHTS = 20000


class Unstable(Exception):  # noqa: N818
    """The traces cannot be kept. The message says why."""


class Told(NamedTuple):
    """The results of a check that ran code.

    Attributes:
        tensorflow: the version of TensorFlow.
        main: the traces with the params of the check.
        trials: other params, each with its traces; None if the code rejects the params.
        texts: files that the traces depend on, and texts that may name files.
        others: the checkpoints in the model_dir, if the traces depend on their graphs; else None.
        seen: what the tracer itself depends on, and what the code depends on; None if a process
            ended before it could say so.
        began: when the check began, in seconds since 1970.
        started: when the tracer was started.
        variables: the environment variables of the tracer.
        folder: the working directory of the tracer.
    """

    tensorflow: str
    main: Traced
    trials: Sequence[Tuple[Mapping[str, Any], Optional[Traced]]]
    texts: Sequence[str]
    others: Optional[Sequence[str]]
    seen: Optional[Tuple[Seen, Seen]]
    began: float
    started: float
    variables: Mapping[str, str]
    folder: str


class Dependencies(NamedTuple):
    """The dependencies of traces that are not part of the entry's name.

    Attributes:
        files: the path, the look and the state of each file.
        modules: a directory, the names of modules, and its files that have these names.
        salt: goes into the digests of environment variables, because their values may be secret.
        variables: a digest of the value of each environment variable; "" if it is not set.
    """

    files: List[Tuple[str, str, str]]
    modules: List[Tuple[str, List[str], List[str]]]
    salt: str
    variables: Dict[str, str]


def dependencies_of(
    parts: Tuple[Seen, Seen], told: Told, variables: Mapping[str, str]
) -> Dependencies:
    """Returns the dependencies of traces.

    Args:
        parts: what the tracer itself depends on, and what the code depends on.
        told: the other results of the check.
        variables: the environment variables that a tracer would have now.

    Raises:
        Unstable: something has changed since it was looked at.
    """
    sights = {sight: None for seen in parts for sight in seen.sights}
    for sight in _named(told.texts):
        sights[sight] = None
        if len(sights) > _MOST_SIGHTS:
            raise Unstable(f"the check depends on more than {_MOST_SIGHTS:,} files")
    salt = os.urandom(16).hex()
    names = sorted({name for seen in parts for name in seen.variables})
    values = dict(told.variables)
    if values != variables:
        _verify_same(names, values, variables)
    return Dependencies(
        sorted(set(_files(sights, told.began))),
        list(_modules(parts, told.began, told.started)),
        salt,
        {name: _hidden(name, salt, values) for name in names},
    )


def _named(texts: Iterable[str]) -> Iterator[Sight]:
    for text in texts:
        path = os.path.join(os.getcwd(), text)
        if len(text) <= _LONGEST_NAME and "\0" not in text and ("." in text or os.sep in text):
            yield Sight(path, Look.CONTENT)


def _files(sights: Iterable[Sight], began: float) -> Iterator[Tuple[str, str, str]]:
    """Yields the path, the look and the state of each file. The smallest files are read first."""
    left = _MOST_BYTES
    for size, sight in sorted(((_bytes_of(sight), sight) for sight in sights), key=_by_size):
        found = _settled(sight, began, MOST_READ if size <= left else 0)
        left -= size
        yield sight.path, str(sight.look), found


def _by_size(item: Tuple[int, Sight]) -> int:
    return item[0]


def _bytes_of(sight: Sight) -> int:
    """Returns the bytes that must be read to know the state of a file."""
    info = state_of(sight.path, sight.look)
    size = info[2] if sight.look is Look.CONTENT and info[2:] else 0
    return size if size <= MOST_READ else 0


def _settled(sight: Sight, began: float, most_read: int) -> str:
    """Returns the state of a file that has not changed since it was looked at."""
    before = state_of(sight.path, sight.look)
    found = state(sight.path, sight.look, most_read)
    after = state_of(sight.path, sight.look)
    known = before if sight.state is None else sight.state
    late = sight.state is None and before[4:] and before[4] > (began - _SLACK) * 1e9
    if not before == after == known or late:
        raise Unstable(f"{sight.path} changed during the check")
    if not is_lasting(found):
        raise Unstable(why_not_lasting(sight.path, found))
    return found


def _modules(
    parts: Sequence[Seen], began: float, started: float
) -> Iterator[Tuple[str, List[str], List[str]]]:
    for number, seen in enumerate(parts):
        for folder, names in seen.modules.items():
            found = modules_found(folder, names)
            changed = _changed(folder)
            if changed > ((began if number else started) - _SLACK) * 1e9:
                raise Unstable(f"{folder} changed after the check began")
            yield folder, list(names), found


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_ctime_ns
    except OSError:
        return 0


def _verify_same(names: Iterable[str], values: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Verifies that a new tracer would get the same environment variables."""
    for name in names:
        if name == "*" or values.get(name) != now.get(name):
            raise Unstable(f"the environment variable {name} changed after the tracer was started")


def _hidden(name: str, salt: str, values: Mapping[str, str]) -> str:
    if name == "*":
        text: Optional[str] = repr(sorted(values.items()))
    else:
        text = values.get(name)
    if text is None:
        return ""
    data = f"{salt} {name} {text}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def first_change(found: Dependencies, variables: Mapping[str, str]) -> str:
    """Returns the first dependency that has changed, in words; "" if none has.

    Args:
        found: the dependencies.
        variables: the environment variables that a tracer would have now.
    """
    for name, known in found.variables.items():
        if _hidden(name, found.salt, variables) != known:
            shown = "an environment variable" if name == "*" else f"the environment variable {name}"
            return f"{shown} has changed"
    for folder, names, modules in found.modules:
        if modules_found(folder, names) != modules:
            return f"the modules in {folder} have changed"
    for path, look, known in found.files:
        if state(path, Look(look), most_read_for(known)) != known:
            return f"{path} {'is new' if known == ABSENT else 'has changed'}"
    return ""


def from_document(document: Mapping[str, Any]) -> Dependencies:
    """Reads what :func:`document_of` wrote.

    Raises:
        TypeError: it is damaged.
        ValueError: it is damaged.
        KeyError: it is damaged.
    """
    return Dependencies(
        [(str(path), str(Look(look)), str(known)) for path, look, known in document["files"]],
        [
            (str(folder), list(map(str, names)), list(map(str, found)))
            for folder, names, found in document["modules"]
        ],
        str(document["salt"]),
        {str(name): str(value) for name, value in document["variables"].items()},
    )


def document_of(found: Dependencies) -> Dict[str, Any]:
    """Returns dependencies as JSON."""
    return dict(found._asdict())
