"""The fixture with a tf.keras.Sequential inside model_fn."""

from ..entries import MODES, TRAINED
from ..fixture_models import fixture_model
from ..writing import innocent, param, silent

MODEL = fixture_model(
    "keras_model",
    [
        silent(
            "seq-activation",
            "activation",
            MODES,
            ('activation="relu"', 'activation="sigmoid"'),
            ("relu", "sigmoid"),
        ),
        silent(
            "seq-layer-inserted",
            "layer inserted",
            MODES,
            (
                "            tf.keras.layers.Flatten(),\n",
                "            tf.keras.layers.LeakyReLU(0.2),\n"
                "            tf.keras.layers.Lambda(lambda x: x * 0.5),\n"
                "            tf.keras.layers.Flatten(),\n",
            ),
            ("", "0.5"),
        ),
        param("seq-dropout", "dropout rate", TRAINED, {"dropout_rate": 0.7}, ("0.4", "0.7")),
        innocent(
            "seq-reshaped-twice",
            "unused code",
            (
                "    logits = build(params)(",
                "    tf.reduce_sum(features)\n    logits = build(params)(",
            ),
        ),
        innocent(
            "seq-metric-name",
            "metrics",
            ('eval_metric_ops={"accuracy": accuracy}', 'eval_metric_ops={"right": accuracy}'),
        ),
    ],
    before=[('Dropout(params["dropout_rate"])', 'Dropout(params["dropout_rate"], seed=5)')],
)
