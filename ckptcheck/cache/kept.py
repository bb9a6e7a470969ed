"""Keeps the traces of a check in the cache, and finds them again."""

import json
import os
import time
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from ..codec import from_json, to_json
from ..options import AgainstSpec, CheckSpec
from ..seen import Look, Seen
from ..traced import Traced
from .dependencies import (
    Told,
    Unstable,
    dependencies_of,
    document_of,
    first_change,
    from_document,
)
from .key import Asked, canonical, interpreter_of, key_of, relevant, variables_of
from .states import Row, first_changed, numbers, row_of, text_digest
from .store import Store, folder_for

_CHECK, _PACKAGES = "check", "packages"
_SOURCES = Path(__file__).resolve().parent.parent


class NotKeptError(Exception):
    """The cache does not have a trace that the check needs."""


class Kept:
    """The traces of a check from the cache.

    Attributes:
        tensorflow: the version of TensorFlow.
        main: the traces with the params of the check.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Decodes an entry.

        Raises:
            TypeError: it is damaged.
            ValueError: it is damaged.
            KeyError: it is damaged.
        """
        self.tensorflow = str(document["tensorflow"])
        self.main = from_json(Traced, document["main"])
        self._trials: Mapping[str, Any] = document["trials"]
        self._files = from_document(document).files

    def depends_on(self, path: str) -> bool:
        """Returns whether the traces may change if a file is edited, added or removed.

        Args:
            path: its absolute path.
        """
        names = {path, os.path.realpath(path)}
        folders = {str(folder) for name in names for folder in Path(name).parents}
        lists = (str(Look.NAMES), str(Look.STATS))
        return any(
            seen in names or (look in lists and seen in folders) for seen, look, _ in self._files
        )

    def trial(self, params: Mapping[str, Any]) -> Optional[Traced]:
        """Returns the traces with other params; None if the code rejects them.

        Raises:
            NotKeptError: they have not been tried.
        """
        try:
            found = self._trials[canonical(params)]
            return None if found is None else from_json(Traced, found)
        except (KeyError, TypeError, ValueError):
            shown = canonical(params)[:200]
            raise NotKeptError(f"ckptcheck has not tried the params {shown} before") from None


class Cache:
    """The cache as one check uses it."""

    def __init__(self, folder: str = "", say: Callable[[str], object] = lambda text: None) -> None:
        """Opens the cache.

        Args:
            folder: what the user chose; see :func:`.store.folder_for`.
            say: is called with a message about the cache.
        """
        self._store = Store(folder_for(folder))
        self.say = say

    def find(self, asked: Asked, name: str) -> Optional[Kept]:
        """Returns the traces of a check, if none of their dependencies has changed.

        Args:
            asked: the check.
            name: what :func:`.key.key_of` returned for it.
        """
        if not interpreter_of(asked.spec):
            self.say(f"not in the cache: {_COMMAND}")
            return None
        document = self._store.read(_CHECK, name)
        if document is None:
            self.say("not in the cache")
            return None
        try:
            why = self._change(asked, document)
            found = None if why else Kept(document)
        except (KeyError, TypeError, ValueError, AttributeError):
            why, found = "the entry is damaged", None
        if found is None:
            self.say(f"not in the cache: {why}")
            return None
        self._store.touch(_CHECK, name)
        self.say("taken from the cache")
        return found

    def _change(self, asked: Asked, document: Mapping[str, Any]) -> str:
        """Returns what has changed since an entry was written; "" if nothing has."""
        if document["order"] and document["order"] != _order(asked.spec.params):
            return "the params are in another order"
        if document["others"] not in (None, list(asked.located.candidates)):
            return "the list of checkpoints in the model_dir has changed"
        why = first_change(from_document(document), variables_of(asked.spec))
        if why:
            return why
        packages = str(document["packages"])
        shared = self._store.read(_PACKAGES, packages)
        if shared is None:
            return "the list of the installed packages is missing"
        return self._changed_package(packages, _rows(shared)) or self._changed_file(document)

    def _changed_package(self, packages: str, rows: Sequence[Row]) -> str:
        changed, current = first_changed(rows, time.time_ns())
        if changed:
            return f"{changed} has changed"
        if current != rows:  # only the times differ, as on another machine
            self._store.write(_PACKAGES, packages, {"rows": current})
        self._store.touch(_PACKAGES, packages)
        return ""

    @staticmethod
    def _changed_file(document: Mapping[str, Any]) -> str:
        changed, _ = first_changed(_rows(document), time.time_ns())
        return f"{changed} has changed" if changed else ""

    def keep(self, asked: Asked, name: str, told: Told) -> None:
        """Writes the traces of a check.

        Args:
            asked: the check.
            name: what :func:`.key.key_of` returned when the check began.
            told: the results.
        """
        try:
            self._keep(asked, name, told)
        except Unstable as error:
            self.say(f"not kept in the cache: {error}")
        else:
            self.say("kept in the cache")

    def _keep(self, asked: Asked, name: str, told: Told) -> None:
        document = _document(asked, told)
        packages = self._packages(told)
        if key_of(asked) != name:
            raise Unstable("the checkpoint changed during the check")
        problem = self._store.write(_CHECK, name, {**document, "packages": packages})
        if problem:
            raise Unstable(problem)

    def _packages(self, told: Told) -> str:
        """Writes the part of an entry that most checks share; returns its name."""
        paths = sorted({*_seen(told)[0].installed, *map(str, _SOURCES.rglob("*.py"))})
        name = text_digest((path, *numbers(path)) for path in paths)
        if self._store.read(_PACKAGES, name) is None:
            problem = self._store.write(_PACKAGES, name, {"rows": _new_rows(paths, told.started)})
            if problem:
                raise Unstable(problem)
        return name


def cache_of(spec: AgainstSpec, say: Callable[[str], object]) -> Optional[Cache]:
    """Returns the cache that the user chose; None if the check does not use the cache."""
    if spec.against:
        say("not used: a check with --against always runs the code")
        return None
    if spec.no_cache or os.environ.get("CKPTCHECK_NO_CACHE"):
        say("not used")
        return None
    return Cache(os.fspath(spec.cache_dir), say)


_COMMAND = "--python is a command, and what it runs may change unseen"


def _rows(document: Mapping[str, Any]) -> List[Row]:
    """Returns the files of installed packages in a document. There may be thousands."""
    rows = [tuple(row) for row in document["rows"]]
    if any(len(row) != 6 or type(row[0]) is not str for row in rows):
        raise ValueError("rows")
    return rows


def _order(params: Any) -> str:
    return text_digest([repr(params)])


def _new_rows(paths: Iterable[str], started: float) -> List[Row]:
    """Returns the states of files that the tracer has loaded.

    Raises:
        Unstable: one has changed since.
    """
    rows = [row_of(path, time.time_ns()) for path in paths]
    for row in rows:
        if numbers(row[0])[2] > started * 1e9:
            raise Unstable(f"{row[0]} changed after the tracer was started")
    return rows


def _seen(told: Told) -> Tuple[Seen, Seen]:
    """Returns what the tracer itself depends on, and what the code depends on.

    Raises:
        Unstable: it is not known.
    """
    if told.seen is None:
        raise Unstable("a process did not report what the code depends on")
    return told.seen


def _document(asked: Asked, told: Told) -> Dict[str, Any]:
    """Returns the entry of a check, without the shared part.

    Raises:
        Unstable: it cannot be kept.
    """
    interpreter, code = _seen(told)
    for reason in (*code.reasons, *interpreter.reasons):
        raise Unstable(reason)
    named = interpreter_of(asked.spec)
    if not named:
        raise Unstable(_COMMAND)
    if os.path.abspath(interpreter.executable) != os.path.abspath(named):
        raise Unstable(f"{named} ran another Python: {interpreter.executable}")
    if told.folder != os.getcwd():
        raise Unstable("the working directory changed after the tracer was started")
    variables = variables_of(asked.spec)
    if relevant(told.variables) != relevant(variables):
        raise Unstable("environment variables changed after the tracer was started")
    found = dependencies_of((interpreter, code), told, variables)
    traced = [told.main, *(item for _, item in told.trials if item is not None)]
    return {
        **document_of(found),
        "rows": _new_rows(sorted(code.installed), told.started),
        "tensorflow": told.tensorflow,
        "others": told.others,
        "main": _plain(told.main),
        "trials": {canonical(params): item and _plain(item) for params, item in told.trials},
        "order": _order(asked.spec.params) if _order_counts(asked.spec, traced) else "",
    }


def _plain(traced: Traced) -> Any:
    """Returns traces as JSON.

    Raises:
        Unstable: JSON cannot hold a part of them.
    """
    made: Any = to_json(traced)
    try:
        same = from_json(Traced, json.loads(json.dumps(made))) == traced
    except (TypeError, ValueError) as error:
        raise Unstable(f"the trace cannot be stored as JSON ({error})") from None
    if not same:
        raise Unstable("the trace would not stay the same in JSON")
    return made


def _order_counts(spec: CheckSpec, found: Iterable[Traced]) -> bool:
    """Whether the order of the params may change what the code does."""
    if spec.params_type != "dict":
        return True
    traces = [item.trace for item in found]
    return any(t is None or any(m.params.bulk for m in t.modes) for t in traces)
