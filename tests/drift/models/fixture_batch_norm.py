"""The fixture with batch normalization."""

from ..entries import MODES, SCORED, TRAINED
from ..fixture_models import fixture_model
from ..writing import innocent, param, silent

MODEL = fixture_model(
    "batch_norm",
    [
        silent(
            "fbn-momentum",
            "batch norm momentum",
            TRAINED,
            ("momentum=0.9", "momentum=0.99"),
            ("0.9|0.1", "0.99|0.01"),
        ),
        param("fbn-optimizer-momentum", "momentum", TRAINED, {"momentum": 0.5}, ("0.9", "0.5")),
        silent(
            "fbn-epsilon",
            "epsilon",
            MODES,
            ("momentum=0.9", "momentum=0.9, epsilon=0.1"),
            ("0.001", "0.1"),
        ),
        silent(
            "fbn-loss",
            "loss kind",
            SCORED,
            ("tf.losses.mean_squared_error", "tf.losses.huber_loss"),
            ("square", "abs|minimum|huber"),
        ),
        innocent(
            "fbn-metric-gone",
            "metrics",
            (", loss=loss, eval_metric_ops=metrics)", ", loss=loss)"),
        ),
        innocent(
            "fbn-no-initializer",
            "initializer",
            ("use_bias=False", "use_bias=False, kernel_initializer=tf.ones_initializer()"),
        ),
    ],
)
