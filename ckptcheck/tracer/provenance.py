"""Finds the origins of the model in this process; see :class:`..origins.Origins`.

The tracer uses this module, and so does the hook that writes records in training.
"""

import os
import sys
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence

from ..origins import Origins, texts_in
from . import compat, flags, target
from .data_contents import data_files_among, is_below, read_contents
from .git_revision import revision_of
from .source_digests import Project, project_of
from .user_code import absolute, is_installed, is_user_file
from .watch import WATCH

_LONGEST_VERSION = 100
_ALWAYS = ("numpy", "tensorflow_estimator", "keras", "tf_keras")
_NAMED_ELSEWHERE = ("tensorflow", "tensorflow_core")


def origins_of_target(tensorflow: Any, request: Any, wanted: Dict[str, Any]) -> Origins:
    """Imports a target as a trace does, and returns its origins.

    Args:
        tensorflow: the module.
        request: the TraceRequest.
        wanted: ``names``: texts that may name files; ``modules`` and ``files``: the modules and the
            files that a record has; ``texts``: the texts in params that come from a record.

    Raises:
        UsageError: there is no such target.
    """
    compat.use_behavior(tensorflow, request.behavior)
    if request.names == "v1":
        compat.use_v1_names(tensorflow)
    flags.set_command_line(request.target.rpartition(":")[0], request.flags)
    target.load(request.target, request.app_dir)
    names = {*wanted["names"], *texts_in(request.params), *request.flags} - {*wanted["texts"]}
    place = request.target.rpartition(":")[0]
    folders = [os.curdir, request.app_dir, request.model_dir]
    if place.endswith(".py"):
        folders.append(os.path.dirname(absolute(place)))
    return origins_of(
        tensorflow,
        target.module_of(request.target),
        names,
        wanted["modules"],
        wanted["files"],
        request.model_dir,
        folders,
    )


def origins_of(
    tensorflow: Any,
    module: str,
    names: Iterable[str],
    modules: Sequence[str] = (),
    files: Sequence[str] = (),
    model_dir: str = "",
    folders: Optional[Sequence[str]] = None,
) -> Origins:
    """Returns the origins of a model.

    Args:
        tensorflow: the module.
        module: the name of the module with the model_fn.
        names: texts that may name files.
        modules: more modules to read.
        files: files to read in any case.
        model_dir: a directory whose files do not count.
        folders: directories of the project. Other ``files`` are private if neither ``names`` nor
            the source code names them. None if no file is private.
    """
    project = project_of(module, modules)
    texts = {*names, *_texts_in_modules(project)}
    others = data_files_among(texts - set(files), model_dir)
    contents = read_contents([*files, *others])
    private = () if folders is None else (n for n in files if not is_below(n, folders))
    return Origins(
        python=".".join(map(str, sys.version_info[:3])),
        tensorflow=tensorflow.__version__,
        packages=_versions((*project.packages, *_ALWAYS)),
        sources=project.sources,
        data_files=tuple(sorted(contents, key=lambda item: item.path)),
        revision=_revision(project),
        private=tuple(name for name in private if name not in texts),
    )


def _revision(project: Project) -> str:
    paths = [absolute(source.path) for source in project.sources]
    with WATCH.paused():  # a check does not depend on it
        return next(filter(None, map(revision_of, paths[:1])), "")


def _texts_in_modules(project: Project) -> Iterator[str]:
    """Yields the strings among the global names of the project's modules."""
    for source in project.sources:
        module = sys.modules.get(source.module)
        if module is not None and is_user_file(getattr(module, "__file__", None)):
            for value in list(vars(module).values()):
                if type(value) is str:
                    yield value


def _versions(packages: Iterable[str]) -> Dict[str, str]:
    """Returns the version that each package states."""
    found: List[Any] = [(name, sys.modules.get(name)) for name in sorted(set(packages))]
    versions = {
        name: vars(module).get("__version__")
        for name, module in found
        if is_installed(getattr(module, "__file__", None)) and name not in _NAMED_ELSEWHERE
    }
    return {
        name: version
        for name, version in versions.items()
        if type(version) is str and len(version) <= _LONGEST_VERSION
    }
