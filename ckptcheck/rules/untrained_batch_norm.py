"""The statistics of a batch normalization are as they were before the first step.

In TRAIN, ops of the collection ``UPDATE_OPS`` update ``moving_mean`` and ``moving_variance``;
``tf.layers`` does not run them by itself. Without them TRAIN works, since it normalizes by the
batch. EVAL and PREDICT normalize by a mean of 0 and a variance of 1: they restore, and they are
silently wrong. This rule needs all data of the checkpoint, which ``ckptcheck verify`` reads.

What to do: run the train op after the update ops (``with
tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):``), and train again.
"""

from typing import Iterator

from ..model_dir import CheckpointFiles, TensorScan
from ..protocol import VariableSpec
from ..results import Finding
from .base import CODE, DATA, Facts, Rule, counted
from .examples import facts

_OBJECT = "/.ATTRIBUTES/VARIABLE_VALUE"
_MEAN, _VARIANCE = "moving_mean", "moving_variance"


def check(facts: Facts) -> Iterator[Finding]:
    """Finds statistics that no step has changed."""
    if facts.files is not None and facts.files.global_step == 0:
        return  # nothing was trained yet
    scans = {_plain(scan.variable.name): scan for scan in facts.scans or ()}
    for name, scan in scans.items():
        scope, _, last = name.rpartition(_MEAN)
        variance = scans.get(scope + _VARIANCE) if not last else None
        if variance is None or not scan.constant or not variance.constant:
            continue
        if scan.least == 0 and variance.least == 1:
            yield RULE.finding(
                facts,
                f"{scan.variable.name} is 0 and {variance.variable.name} is 1 everywhere",
                variable=scan.variable.name,
                hint="run the update ops with the train op, and train again",
                data={"mean": scan.variable.name, "variance": variance.variable.name},
            )


def _plain(name: str) -> str:
    """The name without what object-based checkpoints put behind it."""
    return name[: -len(_OBJECT)] if name.endswith(_OBJECT) else name


def _untouched(name: str, value: float) -> TensorScan:
    return TensorScan(VariableSpec(name, (8,), "float32"), "", 0, 0, value, value)


RULE = Rule(
    id="untrained-batch-norm",
    severity="warning",
    summary="The statistics of a batch normalization were never updated (ckptcheck verify).",
    check=check,
    category=CODE,
    needs=(DATA,),
    title=counted(
        "the statistics of 1 batch normalization were never updated",
        "the statistics of {} batch normalizations were never updated",
    ),
    bad=lambda: facts(
        files=CheckpointFiles(global_step=10),
        scans=(_untouched("bn/moving_mean", 0.0), _untouched("bn/moving_variance", 1.0)),
    ),
)
