"""For every checkpoint, the reader agrees with TensorFlow."""

import os
from typing import Any, Dict, Iterator

import pytest

from ckptcheck.checkpoint.graph_file import read_graph_summary

from ..support import FIXTURES, needs_estimator, needs_tensorflow

PREFIXES = sorted(str(path)[: -len(".index")] for path in FIXTURES.glob("*/*/*.index"))


@needs_tensorflow
@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda path: os.path.relpath(path, str(FIXTURES)))
def test_fixtures(prefix: str) -> None:
    from .differential import compare

    compare(prefix)


@needs_tensorflow
def test_random_checkpoints() -> None:
    """More of them: ``python -m tests.checkpoints.differential``."""
    from .differential import run

    counts = run(trials=25, seed=7, verbose=False)
    assert counts["trials"] == 25
    assert counts["dtypes"] >= 20
    assert counts["parts"] and counts["not UTF-8"]


@needs_estimator  # the protobuf of later versions refuses more numbers
def test_random_state_files() -> None:
    """More of them: ``python -m tests.checkpoints.state_files``."""
    from .state_files import run

    counts, different = run(trials=5000, seed=7)
    assert different == []
    assert min(counts.values()) > 300


@needs_tensorflow
@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda path: os.path.relpath(path, str(FIXTURES)))
def test_the_inputs_of_saved_graphs(prefix: str) -> None:
    import tensorflow.compat.v1 as tf

    with open(prefix + ".meta", "rb") as file:
        nodes = tf.MetaGraphDef.FromString(file.read()).graph_def.node
    iterators = [node for node in nodes if node.op.startswith("IteratorGetNext")]
    queues = [node for node in nodes if node.op.startswith("QueueDequeue")]
    found = read_graph_summary(prefix)
    assert found is not None and not found.strategy
    mine = [(item.name, item.dtype, item.shape, item.sparse) for item in found.inputs]
    wanted = [
        (name, sparse_in(tf, nodes).get(name, dtype), shape, name in sparse_in(tf, nodes))
        for node in iterators or queues[-1:]
        for name, dtype, shape in outputs(tf, node)
    ]
    assert mine == (wanted if iterators else wanted[1:])  # without the number of the row
    assert mine


def sparse_in(tf: Any, nodes: Any) -> Dict[str, str]:
    """The dtypes of sparse tensors, by the variants that they are made of."""
    makers = [node for node in nodes if node.op == "DeserializeSparse"]
    return {
        node.input[0] if ":" in node.input[0] else f"{node.input[0]}:0": tf.as_dtype(
            node.attr["dtype"].type
        ).name
        for node in makers
    }


def outputs(tf: Any, node: Any) -> Iterator[Any]:
    """What an iterator or a queue gives, by TensorFlow's own reading of its attributes."""
    types = node.attr["output_types"].list.type or node.attr["component_types"].list.type
    shapes = node.attr["_output_shapes"].list.shape
    for place, number in enumerate(types):
        shape = tf.TensorShape(shapes[place])
        known = None if shape.rank is None else tuple(shape.as_list())
        yield f"{node.name}:{place}", tf.as_dtype(number).name, known
