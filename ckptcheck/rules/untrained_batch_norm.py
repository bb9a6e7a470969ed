"""The statistics of a batch normalization were never updated (ckptcheck verify).

In TRAIN, the ops in the collection ``UPDATE_OPS`` update ``moving_mean`` and ``moving_variance``,
but ``tf.layers`` does not run these ops by itself. Without them, TRAIN works, because it uses the
statistics of each batch. EVAL and PREDICT use a mean of 0 and a variance of 1: the restore
succeeds, and the results are wrong. This rule needs all data of the checkpoint, which
``ckptcheck verify`` and ``ckptcheck check --deep`` read.

What to do: let the ``train_op`` depend on the update ops (``with
tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):``), and train again.
"""

from typing import Iterator

from ..model_dir import CheckpointFiles, TensorScan
from ..protocol import VariableSpec
from ..results import Finding
from .base import Facts, Rule, finding
from .examples import facts

_OBJECT = "/.ATTRIBUTES/VARIABLE_VALUE"
"""The suffix of a variable's name in an object-based checkpoint."""
_MEAN, _VARIANCE = "moving_mean", "moving_variance"


def find(facts: Facts) -> Iterator[Finding]:
    """Finds statistics that no step has changed."""
    if facts.files is not None and facts.files.global_step == 0:
        return  # nothing was trained yet
    constants = {scan.variable.name: scan.least for scan in facts.scans or () if scan.constant}
    for mean, value in constants.items():
        scope, found, end = mean.rpartition(_MEAN)
        variance = scope + _VARIANCE + end
        if value == 0 and found and end in ("", _OBJECT) and constants.get(variance) == 1:
            yield finding(
                f"every value of {mean} is 0, and every value of {variance} is 1",
                variable=mean,
                hint="run the update ops with the train_op, and train again",
                data={"mean": mean, "variance": variance},
            )


def _untouched(name: str, value: float) -> TensorScan:
    return TensorScan(VariableSpec(name, (8,), "float32"), "", 0, 0, value, value)


RULE = Rule(
    severity="warning",
    category="code",
    find=find,
    title="the statistics of 1 batch normalization were never updated",
    titles="the statistics of {} batch normalizations were never updated",
    bad=lambda: facts(
        files=CheckpointFiles(global_step=10),
        scans=(_untouched("bn/moving_mean", 0.0), _untouched("bn/moving_variance", 1.0)),
    ),
)
