"""Gradients that the code defines, in graphs that TensorFlow builds here."""

from typing import Any, Callable, Iterator

import pytest

from ckptcheck.changes import CHANGED, NONE, UNKNOWN
from ckptcheck.drift.compare import compare
from ckptcheck.drift.sides import Side
from ckptcheck.graph.reader import traced_graph
from ckptcheck.protocol import TRAIN
from ckptcheck.tracer import compat, graph_text

from ..support import needs_tensorflow

pytestmark = needs_tensorflow

Layer = Callable[[Any, Any], Any]
FACTOR = [1.0]
"""The factor of the registered gradient. It can change; a gradient is registered only once."""


@pytest.fixture(scope="module")
def tensorflow() -> Iterator[Any]:
    found = compat.import_tensorflow()
    register = compat.v1(found).RegisterGradient("TestScaled")
    register(lambda op, gradient: gradient * FACTOR[0])
    yield found


def overridden(factor: float) -> Layer:
    """Passes a value on, with a gradient that is registered under a name."""

    def layer(tf: Any, value: Any) -> Any:
        FACTOR[0] = factor
        with tf.get_default_graph().gradient_override_map({"Identity": "TestScaled"}):
            return tf.identity(value)

    return layer


def custom(factor: float) -> Layer:
    """Passes a value on, with a custom gradient."""

    def layer(tf: Any, value: Any) -> Any:
        def passed(given: Any) -> Any:
            return tf.identity(given), lambda gradient: gradient * factor

        return tf.custom_gradient(passed)(value)

    return layer


def plain(tf: Any, value: Any) -> Any:
    return tf.identity(value)


def side(tensorflow: Any, layer: Layer) -> Side:
    """The graph of a small model with a layer before its loss."""
    tf = compat.v1(tensorflow)
    graph = tf.Graph()
    with graph.as_default():
        step = tf.train.get_or_create_global_step()
        x = tf.placeholder("float32", [4, 2], name="x")
        net = layer(tf, tf.matmul(x, tf.get_variable("kernel", [2, 1])))
        loss = tf.reduce_mean(tf.square(net))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
        saver = tf.train.Saver()
        text = graph_text.graph_text(tensorflow, graph)
    restore_op = saver.saver_def.restore_op_name
    return Side(
        traced_graph(text), restore_op, (loss.name,), {("x", 0): ("input", "x")}, train.name
    )


@pytest.mark.parametrize("layer", [overridden, custom])
def test_the_same_gradient_is_no_change(tensorflow: Any, layer: Callable[[float], Layer]) -> None:
    drift = compare(side(tensorflow, layer(2.0)), {TRAIN: side(tensorflow, layer(2.0))})
    assert (drift.changes, drift.states) == ((), {TRAIN: NONE})


@pytest.mark.parametrize("layer", [overridden, custom])
def test_another_gradient_is_told(tensorflow: Any, layer: Callable[[float], Layer]) -> None:
    drift = compare(side(tensorflow, layer(2.0)), {TRAIN: side(tensorflow, layer(3.0))})
    (change,) = drift.changes
    assert change.text.startswith("gradient of ")
    assert ("2" in str(change.then), "3" in str(change.now)) == (True, True), change
    assert drift.states == {TRAIN: CHANGED}


def test_a_registered_gradient_that_is_gone_is_told(tensorflow: Any) -> None:
    drift = compare(side(tensorflow, overridden(2.0)), {TRAIN: side(tensorflow, plain)})
    (change,) = drift.changes
    assert change.now == {"op": "TensorFlow's own"}


def test_a_custom_gradient_on_one_side_may_compute_the_same(tensorflow: Any) -> None:
    drift = compare(side(tensorflow, custom(1.0)), {TRAIN: side(tensorflow, plain)})
    assert (drift.changes, drift.states) == ((), {TRAIN: UNKNOWN})
    assert "a gradient that the code defines for" in drift.doubts[TRAIN]


def test_gradients_of_two_versions_are_not_compared(tensorflow: Any) -> None:
    sides = side(tensorflow, custom(2.0)), side(tensorflow, custom(3.0))
    drift = compare(sides[0], {TRAIN: sides[1]}, across=True)
    assert (drift.changes, drift.states) == ((), {TRAIN: UNKNOWN})
    assert "only if one version of TensorFlow made both graphs" in drift.doubts[TRAIN]
