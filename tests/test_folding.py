"""Constants that ckptcheck computes are those that TensorFlow computes."""

from typing import Any, Tuple

import pytest

from ckptcheck.graph.canonical import Canonical
from ckptcheck.graph.reader import traced_graph
from ckptcheck.graph.version_rules import RULES
from tests.support import needs_tensorflow

pytestmark = needs_tensorflow

CALLS = (
    "tf.subtract(1.0, 0.3)",
    "tf.add(0.1, 0.2)",
    "tf.multiply(0.1, [1.0, 3.0])",
    "tf.divide(1.0, tf.subtract(1.0, 0.3))",
    "tf.divide(tf.constant(1.0, tf.float64), 3.0)",
    "tf.multiply(tf.constant(0.1, tf.float16), 3.0)",
    "tf.maximum(3, [1, 5])",
    "tf.minimum(3.5, 2.5)",
    "tf.negative([1, -2])",
    "tf.square(1.1)",
    "tf.cast(7, tf.float32)",
    "tf.cast(-2.7, tf.int32)",
    "tf.cast(0.1, tf.float64)",
    "tf.range(2, 9, 3)",
    "tf.range(5, 0, -2)",
    "tf.range(0)",
    "tf.stack([tf.constant(2), 3])",
    "tf.concat([[1, 2], [3]], 0)",
    "tf.constant([4, 5, 6, 7])[1]",
    "tf.constant([4, 5, 6, 7])[-1]",
    "tf.constant([4, 5, 6, 7])[1:3]",
    "tf.constant([4, 5, 6, 7])[::2]",
    "tf.constant([4, 5, 6, 7])[:-1]",
    "tf.reduce_prod([2, 3, 4], 0)",
)


def computed(call: str) -> Tuple[Any, Any]:
    """Returns the values of a call that ckptcheck and TensorFlow compute."""
    import tensorflow

    from ckptcheck.tracer.graph_text import graph_text

    tf = tensorflow.compat.v1
    graph = tf.Graph()
    with graph.as_default():
        output = eval(call, {"tf": tf})
        with tf.Session() as session:
            value = session.run(output)
    common = Canonical(traced_graph(graph_text(tensorflow, graph)), {}, {}, RULES)
    source = common.settled(common.resolved("", output.op.name))
    assert output.op.type != "Const"
    return common.known(source), value


@pytest.mark.parametrize("call", CALLS)
def test_tensorflow_computes_the_same(call: str) -> None:
    known, value = computed(call)
    assert known is not None
    assert known.dtype == value.dtype.name
    assert known.shape == value.shape
    assert list(known.values) == value.ravel().tolist()


@pytest.mark.parametrize(
    "call", ["tf.divide(tf.constant(1.0), 0.0)", "tf.range(100)", "tf.add([1], [[2], [3]])"]
)
def test_what_is_not_computed(call: str) -> None:
    """For example, a value that Python does not have, a large value, and a shape of no input."""
    known, _ = computed(call)
    assert known is None
