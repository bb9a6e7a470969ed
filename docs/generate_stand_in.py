"""Writes docs/stand-in.md from the tables of the stand-in: python docs/generate_stand_in.py."""

from pathlib import Path
from typing import Sequence

from ckptcheck.tracer.estimator_stand_in import FROM_TRAIN, MISSING, STOOD_IN

TARGET = Path(__file__).with_name("stand-in.md")

_HEAD = """# The stand-in for tf.estimator

`python docs/generate_stand_in.py` writes this file from `ckptcheck/tracer/estimator_stand_in.py`.

TensorFlow 2.16 and later have no `tf.estimator`. There, ckptcheck supplies what model_fns usually
use, so that it can trace code for Estimator unmodified. The finding `compat-shim` reports it.
TensorFlow 1.15 to 2.15 have the real `tf.estimator`, and ckptcheck uses that.

`tf.estimator`, `tf.compat.v1.estimator` and `tf.compat.v2.estimator` are the same module in the
stand-in, and your code can import `tensorflow.estimator` and its submodules. Keras is the package
`tf_keras`, which must be installed.
"""

_MISSING = """## What is missing

If a model_fn uses one of these, the finding `model-fn-raised` names it. Trace the code with
TensorFlow 2.15 or earlier instead (`--python`). The canned estimators have model_fns of their own,
which only the real `tf.estimator` contains. `tf.contrib` exists only in TensorFlow 1.
"""


def render() -> str:
    """The text of docs/stand-in.md."""
    rows = [f"| `tf.estimator.{name}` | {how} |" for name, how in STOOD_IN.items()]
    parts = [
        _HEAD,
        "## What the stand-in supplies\n",
        "| name | what it does |\n| --- | --- |\n" + "\n".join(rows) + "\n",
        "## What is the same as in TensorFlow\n",
        "These are the classes of `tf.compat.v1.train`:\n",
        _listed(FROM_TRAIN),
        _MISSING,
        _listed(MISSING),
    ]
    return "\n".join(parts)


def _listed(names: Sequence[str]) -> str:
    return "\n".join(f"* `tf.estimator.{name}`" for name in names) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), "utf-8")
