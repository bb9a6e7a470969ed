"""Computes the name of a check's entry from everything that is known before the code runs."""

import json
import os
import shutil
import sys
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Tuple

from .. import __version__
from ..codec import to_json
from ..interpreters import project_python
from ..model_dir import Located
from ..options import CheckSpec
from ..records.writer import record_path
from ..seen import Look
from ..traced import Wanted
from .states import state, text_digest
from .store import working_directory

_STARTS = (
    *("TF_", "TF2_", "XLA_", "CUDA_", "NVIDIA_", "KERAS_", "TPU_", "TENSORFLOW_", "AUTOGRAPH_"),
    *("PYTHON", "LD_", "DYLD_", "OMP_", "KMP_", "MKL_", "OPENBLAS_", "LC_", "TFHUB_"),
)
_NAMES = ("LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "CONDA_PREFIX")
"""Environment variables that native code or the interpreter reads."""
_IGNORED = (
    *("fail_on", "quiet", "deep", "params", "set", "features", "python"),
    *("cache_dir", "no_cache", "given"),
)
"""Options that the key leaves out: they do not change a trace, or the key has them in another form.
``given`` says how the user gave the options."""
_PACKED = ".gz"


class Asked(NamedTuple):
    """A check whose traces are wanted.

    Attributes:
        spec: what to check, completed from the record.
        located: the checkpoint.
        wanted: what to find out.
    """

    spec: CheckSpec
    located: Located
    wanted: Wanted


def interpreter_of(spec: CheckSpec) -> str:
    """Returns the path of the interpreter; "" if ``--python`` is a command of several words."""
    if spec.python is None:
        return project_python() or sys.executable
    if os.path.isfile(spec.python):
        return os.path.abspath(spec.python)
    return "" if len(spec.python.split()) != 1 else shutil.which(spec.python) or ""


def variables_of(spec: CheckSpec) -> Dict[str, str]:
    """Returns the environment variables that the tracer of a check has."""
    return {**os.environ, **dict(item.split("=", 1) for item in spec.env)}


def key_of(asked: Asked) -> str:
    """Returns the name of the entry.

    It does not depend on the order of the params, or on files that the code opens.
    """
    spec, located, wanted = asked
    options = {name: value for name, value in sorted(vars(spec).items()) if name not in _IGNORED}
    parts: List[Any] = [__version__, sys.version, working_directory(), interpreter_of(spec)]
    parts += [options, canonical(spec.params), json.dumps(to_json(spec.features))]
    parts += [
        type(located).__name__,
        located.prefix,
        located.model_dir,
        tuple(wanted_parts(wanted)),
    ]
    parts += [(path, state(path, Look.CONTENT)) for path in _files(located)]
    parts += sorted(relevant(variables_of(spec)).items())
    parts += [os.cpu_count(), _cores(), _devices()]
    return text_digest(parts)


def wanted_parts(wanted: Wanted) -> Iterator[Any]:
    """Yields what a check wants to find out."""
    yield from sorted(vars(wanted).items())


def canonical(params: Any) -> str:
    """Returns params as a text that does not depend on the order of the keys."""
    return json.dumps(params, sort_keys=True)


def relevant(variables: Mapping[str, str]) -> Dict[str, str]:
    """Returns the environment variables that always count, even if the watch sees no read."""
    return {
        name: value
        for name, value in variables.items()
        if name.startswith(_STARTS) or name in _NAMES
    }


def _files(located: Located) -> Iterator[str]:
    """Yields the files of the checkpoint that a check reads, except for the data files."""
    if located.prefix and "\0" not in located.prefix:
        yield located.prefix + ".index"
        yield record_path(located.prefix)
        yield located.prefix  # a V1 checkpoint
    for path in located.graphs:
        yield path
        yield path + _PACKED


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not Linux
        return 0


def _devices() -> Tuple[str, ...]:
    """Returns the names of the graphics cards."""
    try:
        return tuple(sorted(name for name in os.listdir("/dev") if name.startswith("nvidia")))
    except OSError:
        return ()
