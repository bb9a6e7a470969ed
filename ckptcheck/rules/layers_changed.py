"""The layers of the model are connected differently than in the saved model.

The restore works, because each variable keeps its name and its shape. But the layers take other
inputs: two layers of the same shape changed places, or a connection was added or removed. The graph
that Estimator saved with the checkpoint shows how they were connected.

What to do: if you did not intend the change, connect the layers as before. If you intended it,
train the model further before you use it.
"""

from ..changes import Change
from .drift_changes import drift_rule

RULE = drift_rule(
    Change(
        "layers-changed",
        "dense_1 and dense_2 changed places",
        {"text": "dense_1, dense_2"},
        {"text": "dense_2, dense_1"},
        ("predict", "eval", "train"),
        ("dense_1/MatMul",),
        ("dense_2/MatMul",),
    )
)
