"""The checkpoint is object-based: Keras or ``tf.train.Checkpoint`` wrote it.

Its keys are paths of objects, not names of variables. TensorFlow's Saver has a fallback for such
files, but inside Estimator the graph is finalized by then, and the fallback raises ``RuntimeError:
Graph is finalized and cannot be modified``, even where all names are equal.

Where no code is looked at, as by ``ckptcheck inspect``, this is a note: whether a saver asks for
the keys of objects is not known then.

What to do: restore it with the object that wrote it and save it once more with
``tf.compat.v1.train.Saver``; ``tf.keras.estimator.model_to_estimator`` reads such a file itself.
"""

from typing import Iterator, Tuple

from ..results import Finding
from .base import FAILS_AT_RESTORE, FILES, Facts, Rule, all_modes, of_another_kind
from .examples import facts


def check(facts: Facts) -> Iterator[Finding]:
    """Finds an object-based checkpoint that the saver does not ask for by its keys."""
    if of_another_kind(facts):
        yield Finding(
            rule=RULE.id,
            severity=RULE.severity,
            message="its keys are paths of objects; the model's saver asks for names of variables",
            modes=facts.modes,
            outcomes=all_modes(facts, FAILS_AT_RESTORE),
            subject=facts.located.prefix,
        )
    elif not facts.modes and facts.index is not None and facts.index.object_based:
        yield Finding(
            rule=RULE.id,
            severity="note",
            message=(
                "its keys are paths of objects, which only the saver of model_to_estimator asks "
                "for: with any other, Estimator raises when it restores"
            ),
            modes=facts.modes,
            subject=facts.located.prefix,
            hint="save it once more with tf.compat.v1.train.Saver, if another model_fn is meant",
        )


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
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
