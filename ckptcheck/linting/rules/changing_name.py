"""The name of a variable, a layer or a scope changes from process to process.

The name contains the time, a UUID, a random number, a process id, or a result of ``hash`` or
``id``. Variables are restored by name, so no other process can restore the checkpoint.

What to do: build the name from constants and params.
"""

import ast
from typing import Iterator

from ...results import Finding
from ..base import LintRule, finding
from ..layers import LAYERS, SCOPES
from ..names import Project, argument
from ..syntax import Module, below

_CHANGING = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "hash",
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
_RANDOM = ("random.", "numpy.random.", "secrets.")
_NAMED = {
    **{name: (word, 99) for name, (_, word) in LAYERS.items()},
    **dict.fromkeys(SCOPES, ("name_or_scope", 0)),
    "tensorflow.name_scope": ("name", 0),
    "tensorflow.get_variable": ("name", 0),
    "tensorflow.make_template": ("name_", 0),
}
"""The argument that names what a call creates: its name and its position."""
_DEEPEST = 5


def find(project: Project) -> Iterator[Finding]:
    """Finds names that change."""
    for module in project.modules:
        for call in module.calls:
            made = project.qualified(module, call.func)
            if made not in _NAMED:
                continue
            name = argument(call, *_NAMED[made])
            source = _changing(project, module, name, 0) if name is not None else ""
            if source:
                yield finding(
                    module,
                    call,
                    f"the name changes from process to process, because it contains {source}()",
                    made.rpartition(".")[2],
                    hint="build the name from constants and params",
                    source=source,
                )


def _changing(project: Project, module: Module, node: ast.AST, depth: int) -> str:
    """Returns the function that makes an expression change, "" for none."""
    if depth > _DEEPEST:
        return ""
    for item in below(node):
        if isinstance(item, ast.Call):
            found = _called(project, module, item, depth)
        elif isinstance(item, ast.Name) and isinstance(item.ctx, ast.Load):
            place = project.value(module, item)
            known = place is not None and isinstance(place.node, ast.expr)
            found = _changing(project, *place, depth + 1) if known and place is not None else ""
        else:
            continue
        if found:
            return found
    return ""


def _called(project: Project, module: Module, call: ast.Call, depth: int) -> str:
    name = project.qualified(module, call.func)
    if name in _CHANGING:
        return "" if name == "time.strftime" and len(call.args) > 1 else name
    if name.startswith(_RANDOM):
        return "" if _is_seeded(project, module) else name
    function = project.function(module, call.func)
    if function is None or function.node is module.function_of(call):
        return ""
    for node in below(function.node):
        if isinstance(node, ast.Return) and node.value is not None:
            found = _changing(project, function.module, node.value, depth + 1)
            if found:
                return found
    return ""


def _is_seeded(project: Project, module: Module) -> bool:
    names = (project.qualified(module, call.func) for call in module.calls)
    return any(name in ("random.seed", "numpy.random.seed") for name in names)


_CODE = """
import time

import tensorflow as tf


def model_fn(features, labels, mode, params):
    name = {}
    return tf.layers.dense(features["x"], 1, name=name)
"""

RULE = LintRule(
    severity="error",
    find=find,
    title="name that changes from process to process",
    bad={"model.py": _CODE.format('"output_%d" % time.time()')},
    good={"model.py": _CODE.format('"output_%d" % params["version"]')},
)
