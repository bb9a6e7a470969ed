"""A number in the model differs from the one that the checkpoint was trained with.

The restore works, because no variable depends on the number: a dropout rate, an epsilon, the number
of attention heads, the boundaries of buckets, a learning rate. The graph that Estimator saved with
the checkpoint holds the old value. If the change reaches PREDICT or EVAL, their results differ from
those of the trained model. A change that reaches TRAIN alone, such as a learning rate, is a note.

What to do: if you did not intend the change, set the old value again, often in the params. If you
did, train the model further before you use it.
"""

from typing import Iterator

from ..changes import Change, Drift
from ..results import Finding
from .base import DRIFT, Facts, Rule, changes_of, what_changed
from .examples import facts


def find(facts: Facts) -> Iterator[Finding]:
    """Finds values and attributes of ops that differ."""
    return changes_of(facts, "constant-changed")


_CHANGE = Change(
    "constant-changed",
    "epsilon after dense: 0.001 -> 0.01",
    {"value": 0.001},
    {"value": 0.01},
    ("predict", "eval", "train"),
    ("batchnorm/add/y",),
    ("batchnorm/add/y",),
)

RULE = Rule(
    severity="warning",
    category=DRIFT,
    find=find,
    title=what_changed,
    bad=lambda: facts(drift=Drift((_CHANGE,))),
)
