"""Starts the watch of the dependencies of traced code; see :mod:`.watch`.

The tracer watches its own start, which imports TensorFlow. Each fork starts to watch before
it runs the user's code.
"""

import os
import sys
from os.path import dirname, expanduser, join
from typing import Callable, List, Set

from ..protocol import TraceRequest
from ..seen import Look, Seen
from .temporary import run_folder
from .user_code import absolute, is_user_file
from .watch import WATCH
from .watch_chance import watch_chance
from .watch_environment import watch_environment
from .watch_files import compile_sources, watch_files, watch_opens_of_import
from .watch_imports import (
    interpreter_files,
    note_modules,
    note_own_modules,
    note_start,
    package_folders,
    watch_imports,
)
from .watch_opens import OpensWatch

_MODULES: Set[str] = set()


def begin() -> None:
    """Watches environment variables and imports, before TensorFlow is imported.

    From now on, Python also compiles the user's modules from their sources.
    """
    watch_environment(WATCH)
    watch_imports(WATCH)
    note_start(WATCH)
    compile_sources(WATCH)
    watch_opens_of_import(WATCH)


def know_modules() -> None:
    """Notes which modules the tracer has imported: each fork starts with them."""
    _MODULES.update(sys.modules)
    WATCH.starts = False


def of_interpreter() -> Seen:
    """Returns what the tracer itself depends on: the interpreter and TensorFlow."""
    note_own_modules(WATCH)
    home = os.environ.get("KERAS_HOME") or join(expanduser("~"), ".keras")
    WATCH.note(join(home, "keras.json"), Look.CONTENT)
    WATCH.installed.update(interpreter_files())
    for folder in package_folders():
        WATCH.note(folder, Look.NAMES)
    return WATCH.seen()


def start(request: TraceRequest) -> Callable[[], Seen]:
    """Watches everything that the code in this fork depends on, from now on.

    Args:
        request: what is traced.

    Returns:
        A function that says what was seen until now.
    """
    from .watch_tensorflow import watch_tensorflow

    watch = WATCH
    watch.modules, watch.variables, watch.sights = {}, set(), {}
    run = run_folder(dirname(request.scratch_dir))
    watch.use_folders(run, request.scratch_dir, request.model_dir)
    opens = OpensWatch(_roots(request), [request.model_dir, run])
    watch_tensorflow(watch)
    watch_chance(watch)
    watch_files(watch)

    def seen() -> Seen:
        note_modules(watch, _MODULES)
        opens.look(watch)
        return watch.seen()

    return seen


def _roots(request: TraceRequest) -> List[str]:
    place = request.target.rpartition(":")[0]
    own = [dirname(absolute(place))] if place.endswith(".py") else []
    others = (absolute(folder) for folder in sys.path)
    return [request.app_dir, *own, os.getcwd(), *filter(is_user_file, others)]
