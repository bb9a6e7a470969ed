"""The name of a variable, a layer or a scope changes from process to process.

The name contains the time, a UUID, a random number, a process id, the result of ``id``, or the
``hash`` of a string. Variables are restored by name, so no other process can restore the
checkpoint. The rule ignores tests, random numbers from a generator with a seed, and all random
numbers if a file sets a seed. The rule looks at a variable with the argument ``collections`` only
if that list contains ``GLOBAL_VARIABLES``. It looks at a scope only if a
call in its block certainly creates a variable with the name of the scope: ``tf.name_scope`` does
not name variables of ``tf.get_variable`` and ``tf.layers``. It looks at ``tf.Variable`` and Keras
layers only in functions that return an EstimatorSpec, and in functions in the same file that they
call. If you lint single files instead of a directory, it ignores random numbers and hashes: another
file may set the seed.

What to do: build the name from constants and params.
"""

import ast
from typing import Iterator, Optional

from ...results import Finding
from ..base import LintRule, finding
from ..changing import changing
from ..layers import KERAS, LAYERS, SCOPES, layer_of
from ..names import HOMES, Project, argument, has_unknown_arguments, keyword
from ..syntax import Module, below, constant
from ..training import model_functions

_NAMED = {
    **{name: (word, 99) for name, (_, word) in LAYERS.items()},
    **dict.fromkeys(SCOPES, ("name_or_scope", 0)),
    "tensorflow.name_scope": ("name", 0),
    "tensorflow.get_variable": ("name", 0),
    "tensorflow.make_template": ("name_", 0),
}
"""The argument that names what a call creates: its name and its position."""
_SAVED = ("global_variables", "variables")
"""The values of ``tf.GraphKeys.GLOBAL_VARIABLES`` and of its old name."""
_BEFORE_COLLECTIONS = {"Variable": 2, "get_variable": 6}
"""How many positional arguments stand before ``collections``."""
_DEEPEST = 4


def find(project: Project) -> Iterator[Finding]:
    """Finds names that change."""
    for module in project.modules:
        for call in module.calls:
            made = project.qualified(module, call.func)
            if made not in _NAMED or module.is_test(call):
                continue
            name = argument(call, *_NAMED[made])
            source = changing(project, module, name) if name is not None else ""
            if source and _names_variables(project, module, call):
                yield finding(
                    module,
                    call,
                    f"the name changes from process to process, because it contains {source}()",
                    made.rpartition(".")[2],
                    hint="build the name from constants and params",
                    source=source,
                )


def _names_variables(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether a call certainly names variables that are saved."""
    made = project.qualified(module, call.func)
    if made not in SCOPES:
        return made == "tensorflow.make_template" or bool(_created(project, module, call))
    item = module.parents[call]
    block = module.parents[item] if isinstance(item, ast.withitem) else None
    if not isinstance(block, (ast.With, ast.AsyncWith)):
        return False
    objects = made == "tensorflow.name_scope"
    return any(_creates(project, module, node, objects, 0) for node in block.body)


def _creates(project: Project, module: Module, node: ast.AST, objects: bool, depth: int) -> bool:
    """Whether code creates variables that are saved, itself or in functions that it calls.

    Args:
        project: all files.
        module: the file of the code.
        node: the code.
        objects: whether only ``tf.Variable`` and Keras layers count.
        depth: how many calls led to the code.
    """
    for call in below(node):
        if not isinstance(call, ast.Call):
            continue
        kind = _created(project, module, call)
        kind = kind if _is_in_scope(project, module, call, node) else ""
        if kind and (not objects or kind == "Variable" or kind.startswith(KERAS)):
            return True
        function = project.function(module, call.func) if depth < _DEEPEST else None
        if function is not None and _creates(project, *function, objects, depth + 1):
            return True
    return False


def _is_in_scope(project: Project, module: Module, call: ast.Call, root: ast.AST) -> bool:
    """Whether no block between a call and the code around it begins another scope.

    A scope that is not a text may be an outer one. A text that ends with a slash replaces all.
    """
    for item in module.above(call):
        for each in item.items if isinstance(item, (ast.With, ast.AsyncWith)) else ():
            context = each.context_expr
            name = project.qualified(module, getattr(context, "func", None))
            if not isinstance(context, ast.Call) or not name.startswith(HOMES):
                return False
            word = constant(argument(context, *_NAMED.get(name, ("", 0))))
            if name in SCOPES and (not isinstance(word, str) or word.endswith("/")):
                return False
        if item is root:
            break
    return True


def _created(project: Project, module: Module, call: ast.Call) -> str:
    """Returns the kind of the saved variables that a call creates; "" if it may create none."""
    layer = layer_of(project, module, call)
    is_get = project.qualified(module, call.func) == "tensorflow.get_variable"
    kind = layer.kind if layer is not None else "get_variable" * is_get
    by_object = kind == "Variable" or kind.startswith(KERAS)
    if by_object and module.function_of(call) not in model_functions(project, module):
        return ""
    return kind if _is_saved(project, module, call, kind) else ""


def _is_saved(project: Project, module: Module, call: ast.Call, kind: str) -> bool:
    if kind not in _BEFORE_COLLECTIONS:
        return True
    given: Optional[ast.expr] = keyword(call, "collections")
    if given is None or constant(given) is None:
        return not has_unknown_arguments(call) and len(call.args) <= _BEFORE_COLLECTIONS[kind]
    items = given.elts if isinstance(given, (ast.List, ast.Tuple)) else []
    keys = [project.qualified(module, item) for item in items]
    values = [constant(item) for item in items]
    return "tensorflow.GraphKeys.GLOBAL_VARIABLES" in keys or any(v in _SAVED for v in values)


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
    across=True,
)
