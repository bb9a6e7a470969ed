"""The checkpoint is object-based: Keras or ``tf.train.Checkpoint`` wrote it.

Its keys are paths of objects, not names of variables. TensorFlow's Saver has a fallback for such
files. Inside Estimator the graph is already finalized, and the fallback raises ``RuntimeError:
Graph is finalized and cannot be modified``, even if all names are equal.

Without the code, as in ``ckptcheck inspect``, this is a note, because ckptcheck does not know which
keys the saver asks for.

What to do: restore it with the object that wrote it, and save it again with
``tf.compat.v1.train.Saver``. ``tf.keras.estimator.model_to_estimator`` reads such a file itself.
"""

from typing import Iterator, Tuple

from ..results import Finding
from .base import FAILS_AT_RESTORE, FILES, Facts, Rule, of_another_kind
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds an object-based checkpoint whose keys the saver does not ask for."""
    if of_another_kind(facts):
        yield RULE.finding(
            facts,
            "its keys are paths of objects; the model's saver asks for names of variables",
            outcomes=dict.fromkeys(facts.modes, FAILS_AT_RESTORE),
            subject="keys",
            data={"checkpoint": facts.located.prefix},
        )
    elif not facts.modes and facts.index is not None and facts.index.object_based:
        yield RULE.finding(
            facts,
            "its keys are paths of objects; only the saver of model_to_estimator asks for "
            "them: with any other saver, Estimator raises when it restores",
            severity="note",
            subject="keys",
            hint="if it is for another model_fn, save it again with tf.compat.v1.train.Saver",
            data={"checkpoint": facts.located.prefix},
        )


def title(findings: Tuple[Finding, ...]) -> str:
    """Returns the headline of a group."""
    if findings[0].severity == "note":
        return "Keras or tf.train.Checkpoint wrote the checkpoint"
    return "Keras or tf.train.Checkpoint wrote the checkpoint; Estimator cannot load it"


RULE = Rule(
    id="object-based-checkpoint",
    severity="error",
    summary="Keras or tf.train.Checkpoint wrote the checkpoint; Estimator cannot load it.",
    check=check,
    category=FILES,
    title=title,
    good=lambda: facts(object_based=True),
    bad=lambda: facts(
        object_based=True, stored={"model/kernel/.ATTRIBUTES/VARIABLE_VALUE": ((1, 64), "float32")}
    ),
)
