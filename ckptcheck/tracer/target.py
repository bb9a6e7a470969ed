"""Turns ``module:attr`` into a function that can be called as Estimator calls a model_fn."""

import difflib
import functools
import importlib
import importlib.util
import inspect
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterable, NamedTuple, Optional, Tuple

from ..protocol import TraceRequest
from . import scratch
from .failures import NoSuchCodeError, UsageError
from .inputs import ESTIMATOR_MODES
from .user_code import absolute, add_target

MODEL_FN_ARGUMENTS = ("features", "labels", "mode", "params", "config")


class Model(NamedTuple):
    """A model_fn with the params that it gets.

    Attributes:
        function: called by keyword with what its signature names.
        arguments: the names in its signature.
        params: the params of the Estimator, if the target is one; None to use those of the user.
        config: the config of such an Estimator, else None.
        batch_size: what a TPUEstimator adds to the params of input_fn; None for others.
    """

    function: Any
    arguments: Tuple[str, ...]
    params: Any = None
    config: Any = None
    batch_size: Optional[int] = None

    @property
    def is_estimator(self) -> bool:
        """Whether the target was an Estimator, which has its own params."""
        return self.config is not None


class ImportFailedError(Exception):
    """The user's module raised during its import. The cause is the exception."""


def load(name: str, app_dir: str, given_as: str = "TARGET") -> Any:
    """Imports the module of a target and gets its attribute.

    Args:
        name: ``module:attr`` or ``path.py:attr``.
        app_dir: where modules are imported from.
        given_as: the argument or option that named it.

    Raises:
        NoSuchCodeError: there is no such module or attribute.
        ImportFailedError: the module raised. ``__cause__`` is the exception.
    """
    place, _, path = name.rpartition(":")
    if app_dir not in sys.path:
        sys.path.insert(0, app_dir)
    try:
        module = _import_file(place) if place.endswith(".py") else _import_module(place, app_dir)
        return _attribute(module, path)
    except UsageError as error:
        raise NoSuchCodeError(f"{given_as} {name}: {error}") from None


def module_of(name: str) -> str:
    """Returns the name under which :func:`load` imports the module of a target."""
    place = name.rpartition(":")[0]
    return _package_of(absolute(place))[1] if place.endswith(".py") else place


def _spec_of(name: str) -> Any:
    with suppress(ImportError, ValueError):  # the import itself will say what is wrong
        return importlib.util.find_spec(name)
    return None


def _claim(name: str) -> None:
    """Marks the package of a target as the user's code, before the import."""
    spec = _spec_of(name.partition(".")[0])
    if spec is not None:
        for place in list(spec.submodule_search_locations or ()) or [spec.origin]:
            if place:
                add_target(place)


def _import_module(name: str, app_dir: str) -> Any:
    _claim(name)
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{name}.".startswith(f"{missing}."):
            parents = missing.split(".")[:-1]
            beside = Path(app_dir, *parents).glob("*")
            names = [p.stem for p in beside if p.suffix == ".py" or any(p.glob("*.py"))]
            near = _near(missing, [".".join([*parents, name]) for name in names])
            raise UsageError(
                f"no module {missing!r}: looked in {app_dir} (--app-dir) and in the packages of "
                f"{sys.executable}{near}"
            )
        raise ImportFailedError("importing " + name) from error


def _import_file(path: str) -> Any:
    full = absolute(path)
    if not os.path.isfile(full):
        near = _near(Path(full).stem, [file.stem for file in Path(full).parent.glob("*.py")])
        raise UsageError(f"no file {path}{near}")
    root, name = _package_of(full)
    if root not in sys.path:
        sys.path.insert(0, root)
    spec = _spec_of(name)
    if spec is not None and spec.origin and absolute(spec.origin) == full:
        return _import_module(name, root)
    return _execute(full, name)


def _package_of(path: str) -> Tuple[str, str]:
    """Returns the directory that must be on the path, and the dotted name of the module."""
    folder, file = os.path.split(path)
    parts = [] if file == "__init__.py" else [file[: -len(".py")]]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    return folder, ".".join(parts)


def _execute(path: str, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ImportFailedError("importing " + name) from error
    return module


def _attribute(module: Any, path: str) -> Any:
    found = module
    for part in path.split("."):
        if not hasattr(found, part):
            name = getattr(found, "__name__", type(found).__name__)
            where = f"the module {name!r}" if found is module else repr(name)
            raise UsageError(f"{where} has no attribute {part!r}" + _near(part, dir(found)))
        found = getattr(found, part)
    return found


def _near(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, [n for n in names if not n.startswith("__")], 3, 0.5)
    return "; did you mean {}?".format(" or ".join(map(repr, close))) if close else ""


def resolve(
    found: Any, request: TraceRequest, make_config: Callable[[], Any], params: Any
) -> Model:
    """Returns the model_fn of a target: a model_fn, an Estimator, or a factory of either.

    Args:
        found: what ``module:attr`` named.
        request: the request. A factory is called with its params.
        make_config: makes a RunConfig for a factory that takes one.
        params: the watched params, for a factory that takes them as a whole.

    Raises:
        UsageError: it is none of these, or its signature is not one that Estimator accepts.
    """
    if _is_estimator(found) and request.params:
        raise UsageError(
            f"TARGET {request.target} is an Estimator and already has params: leave PARAMS out, or "
            "name a function that builds the Estimator from the params"
        )
    is_factory = factory_took(found)
    made = _call_factory(found, request, make_config, params) if is_factory else found
    if _is_estimator(made):
        return _of_estimator(made, request)
    if callable(made) and _takes_features(made):
        _check_signature(made, request.target)
        return Model(made, estimator_arguments(made))
    kind = type(made).__name__
    if is_factory:
        raise UsageError(
            f"TARGET {request.target} {_AS_FACTORY}. It returned {kind}: expected a model_fn or an "
            "Estimator (Estimator also requires that a model_fn has an argument named features)"
        )
    raise UsageError(
        f"TARGET {request.target} is {kind}, which is not callable: expected a model_fn, an "
        "Estimator, or a function that returns one of them"
    )


_AS_FACTORY = (
    "has no argument named features, so ckptcheck calls it as a factory, with the params as "
    "arguments"
)


def _is_estimator(value: Any) -> bool:
    if inspect.isclass(value):
        return False
    return all(hasattr(value, name) for name in ("_model_fn", "params", "config", "model_dir"))


def _of_estimator(estimator: Any, request: TraceRequest) -> Model:
    """Returns the model_fn of an Estimator. If it has the checked model_dir, it gets the copy.

    A TPUEstimator's own hooks write event files to its model_dir before any session is made.
    """
    named = estimator.model_dir
    if isinstance(named, str) and _is_same_directory(named, request.model_dir):
        scratch.note_asked(request.scratch_dir)
        estimator._model_dir = request.scratch_dir
        estimator._config = estimator.config.replace(model_dir=request.scratch_dir)
    if hasattr(estimator, "_is_input_fn_invoked"):  # a TPUEstimator: allow an export
        estimator._is_input_fn_invoked = True
    function = estimator._model_fn
    arguments, size = estimator_arguments(function), _batch_size(estimator, request.mode)
    return Model(function, arguments, estimator.params, estimator.config, size)


def _batch_size(estimator: Any, mode: str) -> Optional[int]:
    context = getattr(estimator, "_ctx", None)
    if context is None or not hasattr(context, "with_mode"):
        return None
    with context.with_mode(ESTIMATOR_MODES[mode]) as of_mode:
        size: Optional[int] = of_mode.batch_size_for_input_fn
        return size


def _is_same_directory(path: str, other: str) -> bool:
    with suppress(OSError):  # one of them is not there
        return os.path.samefile(path, other)
    return False


def estimator_arguments(function: Any) -> Tuple[str, ...]:
    """The names of a callable's positional arguments, read as Estimator reads them.

    Bound arguments of a partial are left out. Wrapped functions are not looked at.
    """
    if isinstance(function, functools.partial):
        names = estimator_arguments(function.func)[len(function.args) :]
        return tuple(name for name in names if name not in function.keywords)
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = function.__call__
    names = tuple(inspect.getfullargspec(function).args)
    bound = inspect.ismethod(function) or inspect.isclass(function)
    return names[1:] if bound else names


def _takes_features(function: Any) -> bool:
    try:
        return "features" in estimator_arguments(function)
    except TypeError:  # a builtin without a signature
        return False


def _check_signature(function: Any, target: str) -> None:
    arguments = estimator_arguments(function)
    strangers = [name for name in arguments if name not in MODEL_FN_ARGUMENTS]
    if strangers:
        raise UsageError(
            f"TARGET {target} has arguments that Estimator does not pass to a model_fn: "
            f"{', '.join(strangers)}. Estimator passes {', '.join(MODEL_FN_ARGUMENTS)}: bind other "
            "arguments with functools.partial"
        )


def _call_factory(
    factory: Any, request: TraceRequest, make_config: Callable[[], Any], params: Any
) -> Any:
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):
        raise UsageError(f"TARGET {request.target} is a builtin, not a model_fn or a factory")
    by_name = [p.name for p in parameters.values() if p.kind is not p.VAR_KEYWORD]
    offered = _offered(by_name, request, make_config, params)
    unknown = [name for name in offered if name not in by_name]
    if unknown and len(by_name) == len(parameters):  # without **params, which would take them
        raise UsageError(
            f"TARGET {request.target} {_AS_FACTORY}. It does not take "
            f"{', '.join(map(repr, unknown))}: its arguments are "
            f"{', '.join(by_name) or 'none'}{_near(unknown[0], by_name)}"
        )
    missing = [
        parameter.name
        for parameter in parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.name not in offered
    ]
    if missing:
        raise UsageError(
            f"TARGET {request.target} {_AS_FACTORY}. The params lack {', '.join(missing)}: add "
            "them to the params file (or --set), or name a function that builds the model_fn from "
            "the params"
        )
    return factory(**offered)


def _offered(
    names: Collection[str], request: TraceRequest, make_config: Callable[[], Any], params: Any
) -> Dict[str, Any]:
    """Returns the arguments that a factory may take: params, and the usual ones of Estimator."""
    offered = dict(request.params)
    wanted = [name for name in names if name not in offered]
    for name in wanted:
        if name in ("model_dir", "output_dir"):
            scratch.note_asked(request.scratch_dir)
            offered[name] = request.scratch_dir
        if name in ("config", "run_config"):
            offered[name] = make_config()
    whole = next((name for name in ("params", "hparams", "hps") if name in wanted), None)
    if whole is None:
        return offered
    return {**{name: offered[name] for name in offered if name in names}, whole: params}


def factory_took(found: Any) -> bool:
    """Whether the params of a target go to a factory rather than to the model_fn."""
    return callable(found) and not _is_estimator(found) and not _takes_features(found)
