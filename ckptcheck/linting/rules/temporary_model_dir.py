"""An Estimator trains without a model_dir: later processes do not find its weights.

Neither the Estimator nor its RunConfig has a ``model_dir``. Estimator then makes a temporary
directory for each process. The next process starts with random weights. Nothing deletes the old
directory. Only a warning in TensorFlow's log tells its path. This rule finds nothing in tests, in
code that only calls ``evaluate`` or ``predict`` of the Estimator, in code that exports it or reads
its ``model_dir``, and in files that mention ``TF_CONFIG``, which can set a model_dir. If single
files are linted instead of a directory, it leaves out Estimators that a function returns: another
file may call the function.

What to do: pass ``model_dir`` to the Estimator or to its RunConfig.
"""

from typing import Iterator

from ...results import Finding
from ..base import LintRule, finding
from ..estimators import estimators, has_model_dir, uses_of
from ..names import Project
from ..syntax import Module


def find(project: Project) -> Iterator[Finding]:
    """Finds Estimators whose weights go to a temporary directory."""
    for made in estimators(project):
        if has_model_dir(project, made) is not False or _reads_tf_config(made.module):
            continue
        uses = uses_of(project, made)
        unseen = project.whole and uses.returned and not uses.methods
        if not (uses.known or unseen) or uses.keeps or (uses.methods and not uses.trains):
            continue
        kind = project.qualified(made.module, made.call.func).rpartition(".")[2]
        yield finding(
            made.module,
            made.call,
            "the weights go to a temporary directory: neither the Estimator nor its RunConfig has "
            "a model_dir",
            kind,
            hint="pass model_dir to the Estimator or to its RunConfig",
            estimator=kind,
        )


def _reads_tf_config(module: Module) -> bool:
    return "TF_CONFIG" in module.texts


_CODE = """
import tensorflow as tf

estimator = tf.estimator.Estimator(model_fn{})
estimator.train(input_fn, steps=1000)
"""

RULE = LintRule(
    severity="warning",
    find=find,
    title="Estimator without a model_dir",
    bad={"train.py": _CODE.format(', params={"units": 8}')},
    good={"train.py": _CODE.format(', "runs/base", params={"units": 8}')},
    across=True,
)
