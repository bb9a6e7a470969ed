"""Finds the Estimators that code makes, and what it does with them."""

import ast
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from .names import HOMES, Place, Project, argument, has_unknown_arguments, keyword
from .syntax import DEFINITIONS, Module, arguments_of, below, constant

_OWN = ("model_fn", "model_dir", "config", "params", "warm_start_from")
_CANNED = {
    "BaselineClassifier": 0,
    "BaselineEstimator": 1,
    "BaselineRegressor": 0,
    "BoostedTreesClassifier": 2,
    "BoostedTreesRegressor": 2,
    "DNNClassifier": 2,
    "DNNEstimator": 3,
    "DNNLinearCombinedClassifier": 0,
    "DNNLinearCombinedEstimator": 1,
    "DNNLinearCombinedRegressor": 0,
    "DNNRegressor": 2,
    "LinearClassifier": 1,
    "LinearEstimator": 2,
    "LinearRegressor": 1,
    "model_to_estimator": 3,
}
"""By the name of the class or function: the position of the argument ``model_dir``."""
_SIZES = ("hidden_units", "dnn_hidden_units", "n_classes", "label_dimension")
"""Arguments of canned Estimators that decide which variables they have."""
_TAKING = {"train_and_evaluate": "train_and_evaluate", "from_estimator": "predict"}
"""Functions of TensorFlow that take an Estimator, and what they do with it."""
_RUN_CONFIG = "tensorflow.estimator.RunConfig"
"""Other classes of this name have other positional arguments."""
_FITS = ("train", "fit", "partial_fit", "train_and_evaluate")


class Estimator(NamedTuple):
    """A call that makes an Estimator.

    Attributes:
        module: its file.
        call: the call.
        model_fn, model_dir, config, params, warm_start_from: the arguments; None if not given.
        complete: whether all arguments are known.
    """

    module: Module
    call: ast.Call
    model_fn: Optional[ast.expr]
    model_dir: Optional[ast.expr]
    config: Optional[ast.expr]
    params: Optional[ast.expr]
    warm_start_from: Optional[ast.expr]
    complete: bool


def estimators(project: Project) -> List[Estimator]:
    """Returns all Estimators that the code makes outside of tests."""
    return project.once(_estimators)


def _estimators(project: Project) -> List[Estimator]:
    found = []
    for module in project.modules:
        for call in module.calls:
            made = _estimator(project, module, call)
            if made is not None and not module.is_test(call):
                found.append(made)
    return found


def _estimator(project: Project, module: Module, call: ast.Call) -> Optional[Estimator]:
    name = project.qualified(module, call.func)
    last = name.rpartition(".")[2]
    if not name.startswith(HOMES):
        return None
    if last in ("Estimator", "TPUEstimator"):
        given = {word: argument(call, word, at) for at, word in enumerate(_OWN)}
        if last == "TPUEstimator":
            given["warm_start_from"] = keyword(call, "warm_start_from")
    elif last in _CANNED:
        given = {word: keyword(call, word) for word in _OWN}
        given["model_dir"] = argument(call, "model_dir", _CANNED[last])
    else:
        return None
    made = {word: None if constant(value) is None else value for word, value in given.items()}
    return Estimator(module, call, **made, complete=not has_unknown_arguments(call))


def has_model_dir(project: Project, made: Estimator) -> Optional[bool]:
    """Whether an Estimator or its config has a model_dir; None if it is not known."""
    if made.model_dir is not None or not made.complete:
        given = project.literal(made.module, made.model_dir) is not None
        return True if given and made.model_dir is not None else None
    if made.config is None:
        return False
    return _config_has(project, made.module, made.config, 0)


def _config_has(
    project: Project, module: Module, node: Optional[ast.AST], depth: int
) -> Optional[bool]:
    if node is None or depth > 6:
        return None
    if constant(node) is None:
        return False
    if isinstance(node, ast.Name):
        values = [v for v in module.expressions(node) if not _only_replaces(v, node.id)]
        found = {_config_has(project, module, value, depth + 1) for value in values}
        return found.pop() if len(found) == 1 else None
    if not isinstance(node, ast.Call) or has_unknown_arguments(node):
        return None
    given = _config_dir(project, module, node)
    if isinstance(node.func, ast.Attribute) and node.func.attr == "replace":
        return given is not None or _config_has(project, module, node.func.value, depth + 1)
    name = project.qualified(module, node.func)
    if not name.startswith(HOMES) or not name.endswith(".RunConfig"):
        return None
    if node.args and name != _RUN_CONFIG:
        return None
    return given is not None and constant(given) is not None


def _only_replaces(node: ast.AST, name: str) -> bool:
    """Whether a config is ``name.replace(...)``, with the model_dir that ``name`` has."""
    if not isinstance(node, ast.Call) or has_unknown_arguments(node):
        return False
    function = node.func
    replaces = isinstance(function, ast.Attribute) and function.attr == "replace"
    same = getattr(getattr(function, "value", None), "id", "") == name
    return replaces and same and keyword(node, "model_dir") is None


def _config_dir(project: Project, module: Module, call: ast.Call) -> Optional[ast.expr]:
    """Returns the argument ``model_dir`` of a RunConfig."""
    if project.qualified(module, call.func) == _RUN_CONFIG:
        return argument(call, "model_dir", 0)
    return keyword(call, "model_dir")


class Uses(NamedTuple):
    """What code does with an Estimator.

    Attributes:
        methods: what it calls, and the attributes that it reads.
        calls: the calls.
        known: whether these are all uses.
        returned: whether a function returns it that other files may call.
    """

    methods: FrozenSet[str]
    calls: Tuple[Place, ...]
    known: bool
    returned: bool

    @property
    def trains(self) -> bool:
        """Whether the code trains it."""
        return not self.methods.isdisjoint(_FITS)

    @property
    def keeps(self) -> bool:
        """Whether the code exports it, or asks where its weights are."""
        return bool(self.methods - {*_FITS, "evaluate", "predict", "config", "params"})


def uses_of(project: Project, made: Estimator) -> Uses:
    """Returns what the code does with an Estimator."""
    search = _Search(project)
    search.follow(made.module, made.call, 0)
    known = search.known and not search.returned
    return Uses(frozenset(search.methods), tuple(search.calls), known, search.returned)


class _Search:
    """Follows a value through assignments and returns."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.methods: Set[str] = set()
        self.calls: List[Place] = []
        self.known = True
        self.returned = False

    def follow(self, module: Module, node: ast.AST, depth: int) -> None:
        """Notes what happens to the value of an expression."""
        parent = module.parents[node]
        if depth > 4:
            self.known = False
        elif isinstance(parent, ast.Attribute):
            self._attribute(module, parent)
        elif isinstance(parent, (ast.Call, ast.keyword)):
            self._argument(module, parent, node, depth)
        elif isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            self._assigned(module, parent.targets[0], depth)
        elif isinstance(parent, ast.Return):
            self._returned(module, parent, depth)
        elif not isinstance(parent, ast.Expr):
            self.known = False

    def _attribute(self, module: Module, node: ast.Attribute) -> None:
        self.methods.add(node.attr)
        call = module.parents[node]
        if isinstance(call, ast.Call) and call.func is node:
            self.calls.append(Place(module, call))

    def _argument(self, module: Module, parent: ast.AST, node: ast.AST, depth: int) -> None:
        call: Any = module.parents[parent] if isinstance(parent, ast.keyword) else parent
        name = self.project.qualified(module, call.func)
        last = name.rpartition(".")[2]
        if name.startswith(HOMES) and last in _TAKING:
            self.methods.add(_TAKING[last])
        elif name != "print":
            self._passed(module, call, parent, node, depth)

    def _passed(
        self, module: Module, call: ast.Call, parent: ast.AST, node: ast.AST, depth: int
    ) -> None:
        """Follows a value into a function of the project."""
        function = self.project.function(module, call.func)
        names = arguments_of(function.node) if function is not None else []
        if isinstance(parent, ast.keyword):
            name = parent.arg or ""
        else:
            at = next((n for n, item in enumerate(call.args) if item is node), len(names))
            name = names[at] if at < len(names) else ""
        if function is None or name not in names or names[0] == "self":
            self.known = False
            return
        self._loads(function.module, function.node, name, depth)

    def _loads(self, module: Module, node: ast.AST, name: str, depth: int) -> None:
        for item in below(node):
            if isinstance(item, ast.Name) and item.id == name and isinstance(item.ctx, ast.Load):
                self.follow(module, item, depth + 1)

    def _assigned(self, module: Module, target: ast.AST, depth: int) -> None:
        if isinstance(target, ast.Name):
            scope = module.scope_of(target)
            if target.id in scope.foreign:
                self.known = False
                return
            self._loads(module, scope.node, target.id, depth)
        elif isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == "self":
            self._in_class(module, target, depth)
        else:
            self.known = False

    def _in_class(self, module: Module, target: ast.Attribute, depth: int) -> None:
        cls = module.class_of(target)
        for node in below(cls) if cls is not None else ():
            same = isinstance(node, ast.Attribute) and node.attr == target.attr
            if same and isinstance(getattr(node, "ctx", None), ast.Load):
                self.follow(module, node, depth + 1)
        if not self.methods:
            self.known = False  # another class may use it

    def _returned(self, module: Module, node: ast.AST, depth: int) -> None:
        function = module.function_of(node)
        callers = callers_of(self.project, module, function) if function is not None else []
        for place in callers:
            self.follow(place.module, place.node, depth + 1)
        if not callers or not self.project.whole:
            self.returned = True


def callers_of(project: Project, module: Module, function: ast.AST) -> List[Place]:
    """Returns the calls of a function in the linted files."""
    if not isinstance(function, DEFINITIONS):
        return []
    return [
        Place(other, call)
        for other in project.modules
        for call in other.calls
        if function.name in (getattr(call.func, "id", ""), getattr(call.func, "attr", ""))
        and project.function(other, call.func) == (module, function)
    ]


def model_fn_of(project: Project, made: Estimator) -> Optional[Place]:
    """Returns the definition of an Estimator's model_fn; None if it is not known."""
    return project.function(made.module, made.model_fn) if made.model_fn is not None else None


def model_of(project: Project, made: Estimator) -> str:
    """Returns a text that identifies the code of an Estimator's model; "" if it is not known.

    Two definitions of a model_fn with the same code are the same model.
    """
    kind = project.qualified(made.module, made.call.func).rpartition(".")[2]
    if kind in _CANNED:
        return "" if kind == "model_to_estimator" else kind
    function = model_fn_of(project, made)
    if function is not None:
        return _code_of(function.node)
    name = project.qualified(made.module, made.model_fn)
    return name if "." in name else ""


def _code_of(node: ast.AST) -> str:
    """Returns the code of a function as a text without lines; ast.dump may recurse too deeply."""
    fields = ("id", "attr", "arg", "name", "module", "names", "level")
    parts = []
    for item in below(node):
        own = [getattr(item, name, "") for name in fields]
        parts.append((type(item).__name__, constant(item), *(n for n in own if isinstance(n, str))))
    return repr(parts)


def literal_model_dir(project: Project, made: Estimator) -> str:
    """Returns the model_dir of an Estimator, or of its RunConfig; "" if it is not a literal."""
    value = project.literal(made.module, made.model_dir)
    if made.model_dir is None and made.config is not None:
        config = made.config
        place = project.value(made.module, config)
        module, call = place if place is not None else (made.module, config)
        if isinstance(call, ast.Call) and has_model_dir(project, made):
            value = project.literal(module, _config_dir(project, module, call))
    return value.rstrip("/") or "/" if isinstance(value, str) and value else ""


def literal_params(project: Project, made: Estimator) -> Dict[Any, Any]:
    """Returns the literal params of an Estimator; for a canned one, the arguments that set sizes.

    Returns:
        The values by key; a value may be UNKNOWN. Empty if the params are not a literal.
    """
    if made.params is None:
        given = ((word, keyword(made.call, word)) for word in _SIZES)
        return {w: project.literal(made.module, value) for w, value in given if value is not None}
    value = project.literal(made.module, made.params)
    return value if isinstance(value, dict) else {}
