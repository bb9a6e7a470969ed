"""The train_op does not update the statistics of a batch normalization.

``tf.layers.batch_normalization`` puts the updates of its moving mean and variance into the
collection ``UPDATE_OPS``. Nothing runs them unless the train_op depends on them. EVAL and PREDICT
then normalize with the initial values, mean 0 and variance 1: a model that trains well predicts
nonsense. The rule finds nothing if the file, or a file that it imports, mentions ``UPDATE_OPS``. It
leaves out layers that never get ``training=True``.

What to do: run the optimizer under
``tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS))``.
"""

import ast
from typing import Iterator, List, Optional

from ...results import Finding
from ..base import LintRule, finding, line_of
from ..names import Project, argument, has_unknown_arguments
from ..syntax import Module, constant
from ..training import is_optimizer, model_functions, reached

_LAYER = "tensorflow.layers.batch_normalization"
_TRAINING = 14
"""The position of the argument ``training``."""
_RUN_UPDATES = ("create_train_op", "optimize_loss", "get_updates_for", "updates")


def find(project: Project) -> Iterator[Finding]:
    """Finds train_ops that do not update a batch normalization of the same model."""
    for module in project.modules:
        functions = model_functions(project, module)
        layers = [call for call in module.calls if _is_trained(project, module, call)]
        for call in module.calls if functions and layers else ():
            function = module.function_of(call)
            if function not in functions or not _minimizes(project, module, call):
                continue
            assert function is not None
            near = _beside(module, layers, call)
            if near is None or module.is_test(call):
                continue
            if not project.once(_may_update, module):
                yield finding(
                    module,
                    call,
                    "nothing runs UPDATE_OPS: the statistics of the batch normalization at line "
                    f"{line_of(near)} stay as they were initialized",
                    "batch_normalization",
                    hint="run the optimizer under tf.control_dependencies(tf.get_collection("
                    "tf.GraphKeys.UPDATE_OPS))",
                    layer=line_of(near),
                )


def _may_update(project: Project, module: Module) -> bool:
    """Whether a file, or a file that it imports, mentions the updates."""
    return any(map(_mentions_updates, project.with_imports(module)))


def _mentions_updates(module: Module) -> bool:
    for node in module.parents:
        for word in (getattr(node, "attr", ""), getattr(node, "id", ""), constant(node)):
            if isinstance(word, str) and ("update_ops" in word.lower() or word in _RUN_UPDATES):
                return True
    return False


def _is_trained(project: Project, module: Module, call: ast.Call) -> bool:
    if project.qualified(module, call.func) != _LAYER or has_unknown_arguments(call):
        return False
    training = argument(call, "training", _TRAINING)
    return training is not None and constant(training) is not False


def _minimizes(project: Project, module: Module, call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    method = call.func.attr in ("minimize", "apply_gradients")
    return method and is_optimizer(project, module, call.func.value)


def _beside(module: Module, layers: List[ast.Call], call: ast.Call) -> Optional[ast.Call]:
    """Returns the first batch normalization that the function of a train_op reaches."""
    function = module.function_of(call)
    around = reached(module, {function} if function is not None else set())
    return next((layer for layer in layers if module.function_of(layer) in around), None)


_CODE = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    training = mode == tf.estimator.ModeKeys.TRAIN
    net = tf.layers.batch_normalization(features["x"], training=training)
    loss = tf.losses.mean_squared_error(labels, tf.layers.dense(net, 1))
    optimizer = tf.train.AdamOptimizer(0.01)
    {}
        train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""

RULE = LintRule(
    severity="error",
    find=find,
    title="batch normalization without updates",
    bad={"model.py": _CODE.format("if training:")},
    good={
        "model.py": _CODE.format(
            "with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):"
        )
    },
)
