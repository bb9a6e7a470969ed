"""Names a model_fn as TARGET does."""

import functools
import os
import sys
from typing import Any, Callable, Optional

from ..tracer.source_digests import module_name
from ..tracer.user_code import absolute, is_user_file, shown


def module_of(model_fn: Optional[Callable[..., Any]]) -> str:
    """Returns the name of the module of the user's project that defines a model_fn.

    If there is none, such as for the model_fn of a canned Estimator, it is the script that runs.
    """
    name = _module_of(model_fn)
    path = getattr(sys.modules.get(name), "__file__", None)
    return name if is_user_file(path) else "__main__"


def _module_of(model_fn: Optional[Callable[..., Any]]) -> str:
    while isinstance(model_fn, functools.partial):
        model_fn = model_fn.func
    return str(getattr(model_fn, "__module__", None) or type(model_fn).__module__)


def target_of(model_fn: Optional[Callable[..., Any]]) -> str:
    """Returns TARGET for a model_fn; "" if no module has it under a name.

    It has the name of the module if that can be imported from the working directory, and else the
    path of the file.
    """
    module, name = _module_of(model_fn), getattr(model_fn, "__qualname__", "")
    held: Any = sys.modules.get(module)
    path = getattr(held, "__file__", None)
    for part in name.split("."):
        held = getattr(held, part, None)
    if held is None or held is not model_fn or not isinstance(path, str):
        return ""
    known_as = module_name(module, path)
    below = os.path.join(*known_as.split("."))
    places = (absolute(below + ".py"), absolute(os.path.join(below, "__init__.py")))
    return f"{known_as if absolute(path) in places else shown(path)}:{name}"
