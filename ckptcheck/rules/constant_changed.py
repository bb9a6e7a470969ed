"""A number in the model differs from the one that the checkpoint was trained with.

The restore works, because the names and shapes of variables do not depend on the number: a dropout
rate, an epsilon, the number of attention heads, the boundaries of buckets, a learning rate. The
graph that Estimator saved with the checkpoint holds the old value. If the change reaches PREDICT or
EVAL, their results differ from those of the trained model. A change that reaches TRAIN alone, such
as a learning rate, is a note.

What to do: if you did not intend the change, set the old value again (it is often a param). If you
intended it, train the model further before you use it.
"""

from ..changes import Change
from .drift_changes import drift_rule

RULE = drift_rule(
    Change(
        "constant-changed",
        "epsilon after dense: 0.001 -> 0.01",
        {"value": 0.001},
        {"value": 0.01},
        ("predict", "eval", "train"),
        ("batchnorm/add/y",),
        ("batchnorm/add/y",),
    )
)
