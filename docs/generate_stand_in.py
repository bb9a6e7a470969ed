"""Writes docs/stand-in.md from the tables of the stand-in: python docs/generate_stand_in.py."""

from pathlib import Path
from typing import Sequence

from ckptcheck.tracer.estimator_stand_in import FROM_TRAIN, MISSING, STOOD_IN

TARGET = Path(__file__).with_name("stand-in.md")

_HEAD = """# The stand-in for tf.estimator

Made by `python docs/generate_stand_in.py` from `ckptcheck/tracer/estimator_stand_in.py`.

TensorFlow has no `tf.estimator` from 2.16 on. There ckptcheck supplies what model_fns touch, so
that code for an Estimator can be traced without an edit; the report says so (`compat-shim`). On
TensorFlow 1.15 to 2.15 the real one is used, and nothing below matters.

`tf.estimator`, `tf.compat.v1.estimator` and `tf.compat.v2.estimator` are then the same, and
`tensorflow.estimator` and its submodules can be imported. Keras is the package `tf_keras`, which
must be installed.
"""

_MISSING = """## What is not there

Each is an error that names it, in the finding `model-fn-raised`: trace with a TensorFlow up to 2.15
(`--python`). The canned estimators bring a model_fn of their own, so a restore into them can
be judged there only. `tf.contrib` exists in TensorFlow 1 only.
"""


def render() -> str:
    """The text of docs/stand-in.md."""
    rows = [f"| `tf.estimator.{name}` | {how} |" for name, how in STOOD_IN.items()]
    parts = [
        _HEAD,
        "## What is stood in for\n",
        "| name | how far |\n| --- | --- |\n" + "\n".join(rows) + "\n",
        "## What is TensorFlow's own\n",
        "As `tf.compat.v1.train` has it:\n",
        _listed(FROM_TRAIN),
        _MISSING,
        _listed(MISSING),
    ]
    return "\n".join(parts)


def _listed(names: Sequence[str]) -> str:
    return "\n".join(f"* `tf.estimator.{name}`" for name in names) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), "utf-8")
