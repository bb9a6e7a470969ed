"""Keras or tf.train.Checkpoint wrote the checkpoint; most Estimators cannot load it.

Such a checkpoint is object-based: its keys are object paths, not variable names. The Saver of
TensorFlow has a fallback for such files. But Estimator has finalized the graph by then, so the
fallback raises ``RuntimeError: Graph is finalized and cannot be modified``, even if all names
match.

Commands that do not trace the code, such as ``ckptcheck inspect``, report this as a note, because
they do not know which keys the saver asks for.

What to do: restore the checkpoint with the object that wrote it, and save it again with
``tf.compat.v1.train.Saver``. Estimators made by ``tf.keras.estimator.model_to_estimator`` can load
object-based checkpoints as they are.
"""

from typing import Iterator

from ..results import Finding, Outcome
from .base import Facts, Rule, finding, of_another_kind
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds an object-based checkpoint whose keys the saver does not ask for."""
    data = {"checkpoint": facts.located.prefix}
    if of_another_kind(facts):
        yield finding(
            "its keys are object paths, but the model's saver asks for variable names",
            outcomes=dict.fromkeys(facts.modes, Outcome.FAILS_AT_RESTORE),
            subject="keys",
            data=data,
        )
    elif not facts.modes and facts.index is not None and facts.index.object_based:
        yield finding(
            "its keys are object paths; Estimator can load it only into a model made by "
            "model_to_estimator",
            severity="note",
            subject="keys",
            hint="for any other model_fn, save it again with tf.compat.v1.train.Saver",
            data=data,
        )


RULE = Rule(
    severity="error",
    category="files",
    find=find,
    title=lambda first: (
        "Keras or tf.train.Checkpoint wrote the checkpoint"
        + ("; Estimator cannot load it" if first.severity == "error" else "")
    ),
    good=lambda: facts(object_based=True),
    bad=lambda: facts(
        object_based=True, stored={"model/kernel/.ATTRIBUTES/VARIABLE_VALUE": ((1, 64), "float32")}
    ),
)
