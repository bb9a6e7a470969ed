"""The fixture with feature columns that come from params."""

from ..entries import MODES, TRAINED
from ..fixture_models import fixture_model
from ..writing import innocent, param, silent

MODEL = fixture_model(
    "feature_columns",
    [
        silent(
            "fc-price-scaled",
            "preprocessing",
            MODES,
            (
                'numeric_column("price")',
                'numeric_column("price", normalizer_fn=lambda price: price * 0.1)',
            ),
            ("", "0.1"),
        ),
        param(
            "fc-boundaries",
            "bucket boundaries",
            MODES,
            {"age_boundaries": [18, 35, 50, 65]},
            ("30", "35"),
        ),
        param(
            "fc-colors",
            "vocabulary",
            MODES,
            {"colors": ["red", "blue", "green", "black"]},
            ("green", "blue"),
        ),
        param("fc-rate", "learning rate", TRAINED, {"learning_rate": 0.01}, ("0.05", "0.01")),
        innocent(
            "fc-positional",
            "equal rewrite",
            ("tf.reshape(labels, [-1, 1])", "tf.reshape(labels, (-1, 1))"),
        ),
        innocent(
            "fc-initializer",
            "initializer",
            (
                'params["embedding_dim"])',
                'params["embedding_dim"], initializer=tf.zeros_initializer())',
            ),
        ),
    ],
)
