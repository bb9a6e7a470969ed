"""The fixture with a partitioned embedding table."""

from ..entries import MODES, TRAINED
from ..fixture_models import fixture_model
from ..writing import innocent, param, silent

MODEL = fixture_model(
    "partitioned",
    [
        silent(
            "par-strategy",
            "partition strategy",
            MODES,
            ('partition_strategy="div"', 'partition_strategy="mod"'),
            ("div", "mod"),
        ),
        silent(
            "par-combiner",
            "reduction",
            MODES,
            ("tf.reduce_mean(words, axis=1)", "tf.reduce_sum(words, axis=1)"),
            ("mean", "sum"),
        ),
        param("par-rate", "learning rate", TRAINED, {"learning_rate": 0.05}, ("0.1", "0.05")),
        innocent(
            "par-op-name",
            "op name",
            ('partition_strategy="div"', 'partition_strategy="div", name="lookup"'),
        ),
    ],
)
