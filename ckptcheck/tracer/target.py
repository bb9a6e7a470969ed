"""Turns ``module:attr`` into a function that can be called as Estimator calls a model_fn."""

import difflib
import functools
import importlib
import importlib.util
import inspect
import os
import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

from ..protocol import TraceRequest
from . import scratch
from .failures import UsageError
from .user_code import absolute, add_target

MODEL_FN_ARGUMENTS = ("features", "labels", "mode", "params", "config")


class Model:
    """A model_fn with the params that it gets.

    Attributes:
        function: called by keyword with what its signature names.
        arguments: the names in its signature.
        params: the params of an Estimator that was the target; None where the user's are used.
        config: the config of such an Estimator, None otherwise.
    """

    def __init__(self, function: Any, params: Any = None, config: Any = None) -> None:
        self.function = function
        self.arguments = estimator_arguments(function)
        self.params = params
        self.config = config

    @property
    def is_estimator(self) -> bool:
        """Whether the target was an Estimator, whose params are its own."""
        return self.config is not None


class ImportFailedError(Exception):
    """The user's module raised while it was imported; the cause is the exception."""


def load(name: str, app_dir: str, given_as: str = "TARGET") -> Any:
    """Imports the module of a target and gets its attribute.

    Args:
        name: ``module:attr`` or ``path.py:attr``.
        app_dir: where modules are imported from.
        given_as: the argument or option that named it.

    Raises:
        UsageError: there is no such module or attribute.
        ImportFailedError: the module raised; ``__cause__`` is what it raised.
    """
    place, _, path = name.rpartition(":")
    if app_dir not in sys.path:
        sys.path.insert(0, app_dir)
    try:
        module = _import_file(place) if place.endswith(".py") else _import_module(place, app_dir)
        return _attribute(module, path)
    except UsageError as error:
        raise UsageError(f"{given_as} {name}: {error}") from None


def _claim(name: str) -> None:
    """Marks the package of a target as the user's code, before the import."""
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError):  # the import itself will say what is wrong
        return
    if spec is None:
        return
    places = list(spec.submodule_search_locations or ()) or [spec.origin or ""]
    for place in filter(None, places):
        add_target(place)


def _import_module(name: str, app_dir: str) -> Any:
    _claim(name)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing and (name == missing or name.startswith(missing + ".")):
            raise UsageError(
                f"no module {missing!r}: looked in {app_dir} and in the packages of "
                f"{sys.executable}{_near(missing, _modules_in(app_dir))}"
            )
        raise ImportFailedError("importing " + name) from error
    except (Exception, SystemExit) as error:
        raise ImportFailedError("importing " + name) from error


def _modules_in(folder: str) -> List[str]:
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return [name[: -len(".py")] for name in names if name.endswith(".py")]


def _import_file(path: str) -> Any:
    full = absolute(path)
    if not os.path.isfile(full):
        raise UsageError(f"no file {path}")
    root, name = _package_of(full)
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin and absolute(spec.origin) == full:
        return _import_module(name, root)
    return _execute(full, name)


def _package_of(path: str) -> Tuple[str, str]:
    """The folder that must be on the path, and the dotted name of the module below it."""
    folder, file = os.path.split(path)
    parts = [file[: -len(".py")]]
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
            where = getattr(found, "__name__", type(found).__name__)
            raise UsageError(f"{where!r} has no {part!r}" + _near(part, dir(found)))
        found = getattr(found, part)
    return found


def _near(name: str, names: List[str]) -> str:
    close = difflib.get_close_matches(name, [n for n in names if not n.startswith("__")], 3, 0.5)
    return "; did you mean {}?".format(" or ".join(map(repr, close))) if close else ""


def resolve(
    found: Any, request: TraceRequest, make_config: Callable[[], Any], params: Any
) -> Model:
    """Returns the model_fn of a target: a model_fn, an Estimator, or a factory of either.

    Args:
        found: what ``module:attr`` named.
        request: whose params a factory is called with.
        make_config: makes a RunConfig for a factory that takes one.
        params: the watched params, for a factory that takes them as a whole.

    Raises:
        UsageError: it is none of these, or its signature is not one that Estimator accepts.
    """
    if _is_estimator(found):
        return _of_estimator(found, request)
    if not callable(found):
        raise UsageError(
            f"target {request.target} is {_described(found)}, which is not callable: expected a "
            "model_fn, an Estimator, or a factory of one of them"
        )
    if not _takes_features(found):
        made = _call_factory(found, request, make_config, params)
        return _of_factory(made, request)
    _check_signature(found, request.target)
    return Model(found)


def _described(value: Any) -> str:
    return f"a {type(value).__name__}" if not inspect.ismodule(value) else "a module"


def _is_estimator(value: Any) -> bool:
    if inspect.isclass(value):
        return False
    return all(hasattr(value, name) for name in ("_model_fn", "params", "config", "model_dir"))


def _of_estimator(estimator: Any, request: TraceRequest) -> Model:
    if request.params:
        raise UsageError(
            f"target {request.target} is an Estimator, which has params of its own; leave PARAMS "
            "out, or name a function that builds the Estimator from them"
        )
    return _model_of(estimator, request)


def _model_of(estimator: Any, request: TraceRequest) -> Model:
    _show_copies(estimator, request)
    if hasattr(estimator, "_is_input_fn_invoked"):  # a TPUEstimator, which takes a call for export
        estimator._is_input_fn_invoked = True
    return Model(estimator._model_fn, estimator.params, estimator.config)


def _show_copies(estimator: Any, request: TraceRequest) -> None:
    """Lets an Estimator of the model_dir under check work on the copies that code is shown.

    A TPUEstimator's own hooks write event files to its model_dir before any session is made.
    """
    named = estimator.model_dir
    if not isinstance(named, str) or not _is_same_directory(named, request.model_dir):
        return
    scratch.note_asked(request.scratch_dir)
    estimator._model_dir = request.scratch_dir
    estimator._config = estimator.config.replace(model_dir=request.scratch_dir)


def _is_same_directory(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:  # one of them is not there
        return False


def _of_factory(made: Any, request: TraceRequest) -> Model:
    if _is_estimator(made):
        return _model_of(made, request)
    if callable(made) and _takes_features(made):
        _check_signature(made, request.target)
        return Model(made)
    raise UsageError(
        f"{request.target} has no argument named features, so it was called as a factory, and it "
        f"returned {_described(made)}: expected a model_fn or an Estimator. (A model_fn must name "
        "its features argument 'features'; Estimator asks for it too.)"
    )


def estimator_arguments(function: Any) -> Tuple[str, ...]:
    """The names of a callable's positional arguments, read as Estimator reads them.

    A partial's bound arguments are left out; wrappers are not looked through.
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
            "{} has arguments that Estimator does not give to a model_fn: {}. It may name {}; bind "
            "others with functools.partial".format(
                target, ", ".join(strangers), ", ".join(MODEL_FN_ARGUMENTS)
            )
        )


def _call_factory(
    factory: Any, request: TraceRequest, make_config: Callable[[], Any], params: Any
) -> Any:
    signature = _signature(factory, request.target)
    offered = _offers(signature, request, make_config, params)
    accepted = _accepted(signature, offered, request)
    missing = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and name not in accepted
    ]
    if missing:
        raise UsageError(
            "{} has no argument named features, so it is called as a factory with the params as "
            "its arguments, and the params lack {}. Put them in the params file (or --set), or "
            "name an adapter that builds the model_fn".format(request.target, ", ".join(missing))
        )
    return factory(**accepted)


def _signature(factory: Any, target: str) -> inspect.Signature:
    try:
        return inspect.signature(factory)
    except (TypeError, ValueError):
        raise UsageError(f"{target} is a builtin, not a model_fn or a factory")


def _offers(
    signature: inspect.Signature,
    request: TraceRequest,
    make_config: Callable[[], Any],
    params: Any,
) -> Dict[str, Any]:
    """Returns the arguments that a factory may take: params, and the usual ones of Estimator."""
    offered = dict(request.params)
    names = {
        name: parameter
        for name, parameter in signature.parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD  # **params takes the params one by one
    }
    for name in ("model_dir", "output_dir"):
        if name in names and name not in offered:
            offered[name] = request.scratch_dir
            scratch.note_asked(request.scratch_dir)
    for name in ("config", "run_config"):
        if name in names and name not in offered:
            offered[name] = make_config()
    for name in ("params", "hparams", "hps"):
        if name in names and name not in offered:
            return {**_only(offered, names), name: params}
    return offered


def _only(offered: Dict[str, Any], names: Any) -> Dict[str, Any]:
    return {name: value for name, value in offered.items() if name in names}


def _accepted(
    signature: inspect.Signature, offered: Dict[str, Any], request: TraceRequest
) -> Dict[str, Any]:
    parameters = signature.parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return offered
    unknown = [name for name in offered if name not in signature.parameters]
    if unknown:
        raise UsageError(
            "{} has no argument named features, so it is called as a factory, and it takes no "
            "{}: its arguments are {}".format(
                request.target,
                ", ".join(map(repr, unknown)),
                ", ".join(signature.parameters) or "none",
            )
            + _near(unknown[0], list(signature.parameters))
        )
    return offered


def factory_took(found: Any) -> Optional[bool]:
    """Whether the params of a target go to a factory rather than to the model_fn."""
    return callable(found) and not _is_estimator(found) and not _takes_features(found)
