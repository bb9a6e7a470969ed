"""The model computes something with other ops than when the checkpoint was saved.

The restore works, because names and shapes of the variables are the same. But the code applies
another activation, loss, pooling or optimizer to them, or an op was added or removed. The graph
that Estimator saved with the checkpoint shows what was trained. If the change reaches PREDICT or
EVAL, their results differ from those of the trained model. A change that reaches TRAIN alone, such
as a new optimizer, is a note.

What to do: if you did not intend the change, undo it. If you did, train the model further before
you use it.
"""

from typing import Iterator

from ..changes import Change, Drift
from ..results import Finding
from .base import DRIFT, Facts, Rule, changes_of, what_changed
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds ops that were replaced, added or removed."""
    return changes_of(facts, "op-changed")


_CHANGE = Change(
    "op-changed",
    "activation after dense: relu -> tanh",
    {"op": "relu"},
    {"op": "tanh"},
    ("predict", "eval", "train"),
    ("dense/Relu",),
    ("dense/Tanh",),
)

RULE = Rule(
    severity="warning",
    category=DRIFT,
    find=find,
    title=what_changed,
    bad=lambda: facts(drift=Drift((_CHANGE,))),
)
