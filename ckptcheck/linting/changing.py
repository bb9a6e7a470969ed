"""Finds values that differ from process to process: the time, random numbers, ids."""

import ast
from typing import Any, Iterator, Optional

from .names import Project
from .syntax import Module, below, constant

_CHANGING = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "id",
    "os.getpid",
    "os.urandom",
    "tempfile.mkdtemp",
    "tempfile.mktemp",
    "time.monotonic",
    "time.perf_counter",
    "time.strftime",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
}
_SYSTEM = ("secrets.", "random.SystemRandom")
"""Random numbers that no seed decides."""
_RANDOM = ("random.", "numpy.random.")
_SEEDS = ("setstate", "set_state")
_NOT_SEEDS = (
    "tensorflow.set_random_seed",
    "tensorflow.random.set_seed",
    "tensorflow.random.set_random_seed",
)
"""Functions that seed the operations of TensorFlow only."""
_KEEPING = {
    *("abs", "ascii", "bin", "bytes", "float", "format", "hex", "int", "oct", "repr", "round"),
    *("str", "list", "tuple", "sorted", "sum"),
    *("os.path.basename", "os.path.join", "os.path.normpath"),
}
"""Functions whose result differs if their arguments differ."""
_METHODS = ("format", "join", "replace", "encode", "decode")
"""Methods of texts whose result differs if their arguments differ."""
_DEEPEST = 5


def changing(project: Project, module: Module, node: ast.AST, depth: int = 0) -> str:
    """Returns the function that makes a value differ in each process; "" if none certainly does."""
    if depth > _DEEPEST:
        return ""
    for item in _kept(project, module, node):
        if isinstance(item, ast.Call):
            found = _called(project, module, item, depth)
        elif isinstance(item, ast.Name):
            place = project.value(module, item)
            known = place is not None and isinstance(place.node, ast.expr)
            found = changing(project, *place, depth + 1) if known and place is not None else ""
        else:
            continue
        if found:
            return found
    return ""


def _kept(project: Project, module: Module, node: ast.AST) -> Iterator[ast.AST]:
    """Yields the names and calls in an expression that its value certainly depends on."""
    waiting = [node]
    while waiting:
        item: Any = waiting.pop()
        if isinstance(item, ast.Call):
            yield item
            waiting += _kept_of_call(project, module, item)
        elif isinstance(item, ast.Name):
            yield item
        elif isinstance(item, (ast.Attribute, ast.FormattedValue, ast.Starred)):
            waiting.append(item.value)
        elif isinstance(item, ast.Subscript) and isinstance(item.slice, ast.Slice):
            waiting.append(item.value)  # a part of a text; one item of a list may be constant
        elif isinstance(item, ast.JoinedStr):
            waiting += item.values
        elif isinstance(item, ast.BinOp):
            waiting += [item.left, item.right]
        elif isinstance(item, (ast.List, ast.Tuple)):
            waiting += item.elts
        elif isinstance(item, (ast.ListComp, ast.GeneratorExp)):
            waiting.append(item.elt)


def _kept_of_call(project: Project, module: Module, call: ast.Call) -> Iterator[ast.AST]:
    name = project.qualified(module, call.func)
    if isinstance(call.func, ast.Attribute) and not name:
        yield call.func.value
    is_text = isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS
    is_seeded = _makes_generator(name) or name == "hash"
    if name in _KEEPING or name.startswith("hashlib.") or (is_text and not name) or is_seeded:
        yield from call.args
        yield from (item.value for item in call.keywords)


def _called(project: Project, module: Module, call: ast.Call, depth: int) -> str:
    name = project.qualified(module, call.func)
    if name in _CHANGING:
        return "" if name == "time.strftime" and len(call.args) > 1 else name
    if name == "hash":
        is_fixed = not project.whole or project.once(_fixes_hashes)
        return name if call.args and _is_text(module, call.args[0], 0) and not is_fixed else ""
    if name.startswith(_SYSTEM):
        return name
    if name.startswith(_RANDOM):
        return name if _is_random(project, module, call, name) else ""
    function = project.function(module, call.func)
    if function is None or function.node is module.function_of(call):
        return ""
    returns = [node for node in below(function.node) if isinstance(node, ast.Return)]
    values = [node.value for node in returns if node.value is not None]
    found = [changing(project, function.module, value, depth + 1) for value in values]
    return found[0] if found and all(found) else ""


def _is_random(project: Project, module: Module, call: ast.Call, name: str) -> bool:
    """Whether a function of ``random`` returns other values in each process."""
    if _makes_generator(name):
        given = [*call.args, *(item.value for item in call.keywords)]
        if any(constant(item) is not None for item in given):
            return False  # a seed
    return project.whole and not project.once(_sets_seed, module)


def _makes_generator(name: str) -> bool:
    last = name.rpartition(".")[2]
    return name.startswith(_RANDOM) and (last == "default_rng" or last[:1].isupper())


def _sets_seed(project: Project, module: Module) -> bool:
    """Whether a linted file, or a file that the module imports, may set a seed."""
    modules = {*project.all_modules, *project.with_imports(module)}
    return any(
        each is None or any(_is_seed(project, each, call) for call in each.calls)
        for each in modules
    )


def _is_seed(project: Project, module: Module, call: ast.Call) -> bool:
    name = str(getattr(call.func, "attr", getattr(call.func, "id", "")))
    is_named = "seed" in name.lower() or name in _SEEDS
    return is_named and project.qualified(module, call.func) not in _NOT_SEEDS


def _fixes_hashes(project: Project) -> bool:
    """Whether a file may start Python with fixed hashes of texts."""
    return any(
        module is None or any("PYTHONHASHSEED" in text for text in module.texts)
        for module in project.all_modules
    )


def _is_text(module: Module, node: Optional[ast.AST], depth: int) -> bool:
    """Whether an expression is certainly a text, or a tuple with one."""
    if isinstance(constant(node), (str, bytes)) or isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.Tuple):
        return any(_is_text(module, item, depth) for item in node.elts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        return _is_text(module, node.left, depth)
    if isinstance(node, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        is_str = isinstance(node.func, ast.Name) and node.func.id in ("str", "repr")
        is_method = owner is not None and isinstance(constant(owner), str)
        return is_str or (is_method and getattr(node.func, "attr", "") in _METHODS)
    if isinstance(node, ast.Name) and depth < _DEEPEST:
        return _is_text(module, module.binding(node), depth + 1)  # type: ignore[arg-type]
    return False
