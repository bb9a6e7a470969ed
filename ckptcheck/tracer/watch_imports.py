"""Watches which modules code looks for, and where."""

import os
import site
import sys
from os.path import isdir
from typing import AbstractSet, Any, Iterator, List, Tuple

from ..seen import Look
from .user_code import absolute, is_user_file
from .watch import Watch

_HARMLESS = frozenset(
    (
        *("numpy", "scipy", "pandas", "sklearn", "google", "wrapt", "yaml", "_yaml", "regex"),
        *("simplejson", "ujson", "orjson", "msgpack", "markupsafe", "ml_dtypes", "bottleneck"),
        *("numexpr", "charset_normalizer", "psutil", "tensorflow", "tensorflow_core", "optree"),
    )
)
"""Packages whose native code opens files only through Python or other watched functions."""
_READING_NATIVE = frozenset(
    (
        *("_dbm", "_gdbm", "_sqlite3", "_lzma", "_curses"),
        "scipy.io._fast_matrix_market._fmm_core",
    )
)
"""Native modules of Python and of these packages that open files themselves."""
_OF_SITE = frozenset(("sitecustomize", "usercustomize"))
"""Modules that Python imports at its start, if they exist."""
_PACKAGES = ("site-packages", "dist-packages")
_NATIVE = (".so", ".pyd", ".dylib")
_listdir = os.listdir


class Finder:
    """A finder that notes every name that an import looks for. It never finds a module."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Notes a name and the directories that Python looks for it in."""
        last = name.rpartition(".")[2]
        modules = self._watch.modules
        try:
            folders = [str(folder) for folder in (sys.path if path is None else path)]
        except TypeError:  # the path of a package can be anything
            return
        for folder in folders:
            if path is None or is_user_file(folder):
                modules.setdefault(absolute(folder), set()).add(last)


def watch_imports(watch: Watch) -> None:
    """Watches imports from now on, in this process and its forks."""
    finder = Finder(watch)
    sys.meta_path.insert(0, finder)

    def look(watch: Watch) -> None:
        if finder not in sys.meta_path:
            watch.give_up("changes how Python imports modules (sys.meta_path)")

    watch.at_the_end(look)


def note_start(watch: Watch) -> None:
    """Notes the modules that Python looked for before it ran the tracer."""
    names = {name.partition(".")[0] for name in sys.modules} | _OF_SITE
    for folder in sys.path:
        watch.modules.setdefault(absolute(folder), set()).update(names)


def note_modules(watch: Watch, known: AbstractSet[str]) -> None:
    """Notes the files of the modules that were imported.

    Args:
        watch: gets them.
        known: the names of the modules that the tracer imported. Their native code is TensorFlow's,
            or that of a package that TensorFlow imports.
    """
    for name, path in _module_files(known):
        if not is_user_file(path):
            watch.installed.add(path)
            if path.endswith(_NATIVE) and not _is_harmless(name):
                watch.give_up(f"imports {name}, whose native code may read files unseen")
            continue
        if path.endswith(_NATIVE):
            watch.give_up(f"imports {name}, whose native code may do anything")
        watch.note(path, Look.CONTENT)


def note_own_modules(watch: Watch) -> None:
    """Notes the files of the modules that the tracer imported."""
    for _, path in _module_files(frozenset()):
        if is_user_file(path):
            watch.note(path, Look.CONTENT)
        else:
            watch.installed.add(path)


def _is_harmless(name: str) -> bool:
    if name in _READING_NATIVE:
        return False
    return name.partition(".")[0] in _HARMLESS or _is_of_python(name)


def _is_of_python(name: str) -> bool:
    path = getattr(sys.modules.get(name), "__file__", "") or ""
    return "/lib-dynload/" in path


def _module_files(known: AbstractSet[str]) -> Iterator[Tuple[str, str]]:
    for name, module in list(sys.modules.items()):
        if name in known:
            continue
        try:
            path = vars(module).get("__file__")
        except Exception:  # the object is not a module; it may even run code
            continue
        if type(path) is str and not path.startswith("<"):
            yield name, absolute(path)


def interpreter_files() -> List[str]:
    """Returns the files that decide what the interpreter is and where it finds packages."""
    found = [sys.executable, os.path.realpath(sys.executable)]
    found.append(os.path.join(sys.prefix, "pyvenv.cfg"))
    for folder in sys.path:
        if isdir(folder) and not is_user_file(os.path.join(folder, "x")):
            names = sorted(_listdir(folder))
            found.extend(os.path.join(folder, name) for name in names if name.endswith(".pth"))
            named = (n for n in names if n.endswith((".dist-info", ".egg-info")))
            found.extend(os.path.join(folder, name, "METADATA") for name in named)
    return [*found, *_libraries()]


def package_folders() -> List[str]:
    """Returns the site-packages directories: a new ``.pth`` file in them adds to ``sys.path``."""
    found = [folder for folder in sys.path if os.path.basename(folder) in _PACKAGES]
    return [*found, site.getusersitepackages()] if site.ENABLE_USER_SITE else found


def _libraries() -> Iterator[str]:
    """Yields the native libraries of installed packages that are loaded."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
            paths = {line.rstrip("\n").partition("/")[2] for line in file}
    except OSError:  # not Linux
        return
    yield from ("/" + path for path in paths if "/site-packages/" in path)
