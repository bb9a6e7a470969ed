"""Tests the reader of graphs with graphs that TensorFlow builds."""

import base64
import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ckptcheck.checkpoint.graphs import read_graph
from ckptcheck.checkpoint.locate import locate
from ckptcheck.client.input_pools import head_of
from ckptcheck.client.launch import launch_context
from ckptcheck.client.memo import memo_of
from ckptcheck.client.process import Tracer
from ckptcheck.graph.graph import Graph
from ckptcheck.graph.reader import traced_graph
from ckptcheck.inspection import inspect
from ckptcheck.tracer import graph_text

from .support import (
    FIXTURES,
    MAJOR,
    SAVED_BY,
    copy_fixture,
    environment,
    needs_estimator,
    needs_tensorflow,
)

pytestmark = needs_tensorflow


@pytest.fixture
def built() -> Any:
    """TensorFlow, and a graph with constants of all sizes."""
    import tensorflow

    with tensorflow.Graph().as_default() as graph:
        small = tensorflow.constant([1.0, 2.0], name="small")
        large = tensorflow.constant([float(n) for n in range(1000)] + [7.0] * 24, name="large")
        text = tensorflow.constant(["a", "b"], name="text")
        tensorflow.reduce_sum(large, name="sum") + tensorflow.reduce_sum(small, name="other")
        tensorflow.identity(text, name="same")
    return tensorflow, graph


def constants(graph: Graph) -> Any:
    return {node.name: node.values("value") for node in graph.nodes if node.op == "Const"}


def test_the_tracer_sends_the_graph_with_digests_of_large_constants(built: Any) -> None:
    tensorflow, graph = built
    plain = Graph(graph.as_graph_def().SerializeToString())
    sent = traced_graph(graph_text.graph_text(tensorflow, graph))
    assert constants(sent) == constants(plain)
    assert sent.consumers == plain.consumers and sent.consumers["large", 0]
    assert len(sent.definition) < len(plain.definition) - 3900


def test_the_tracer_copies_no_constants_that_take_much_memory(
    built: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensorflow, graph = built
    plain = Graph(graph.as_graph_def().SerializeToString())
    monkeypatch.setattr(graph_text, "_LARGEST_CONSTANTS", 1000)
    sent = traced_graph(graph_text.graph_text(tensorflow, graph))
    assert [node[:4] for node in sent.nodes] == [node[:4] for node in plain.nodes]
    assert constants(sent)["large"] == ()


def test_a_graph_that_cannot_be_sent_is_none(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tensorflow, graph = built
    monkeypatch.setattr(graph_text, "_LARGEST_TEXT", 10)
    assert graph_text.graph_text(tensorflow, graph) == ""
    monkeypatch.setattr(graph_text, "_LARGEST_TEXT", 1 << 20)
    monkeypatch.setattr(graph, "as_graph_def", None)
    assert graph_text.graph_text(tensorflow, graph) == ""


def test_tensorflow_says_the_outputs_of_ops_where_the_graph_does_not(tmp_path: Path) -> None:
    """A ``graph.pbtxt`` has no definitions of ops."""
    meta = read_graph(locate(str(FIXTURES / "raw_tensors" / SAVED_BY)).graphs)
    assert meta is not None and meta.op_list
    with Tracer(None, 120, quiet=True) as tracer:
        tracer.hello()
        ops = [*{node.op for node in meta.nodes}, "NoSuchOp"]
        reply: Any = tracer.ask("op-list", ops=ops)
        asked = dataclasses.replace(meta, op_list=base64.b64decode(reply))
        assert [asked.outputs(n) for n in meta.nodes] == [meta.outputs(n) for n in meta.nodes]
        project = copy_fixture("linear", tmp_path)
        for path in project.model_dir.glob("*.meta"):
            before = memo_of(locate(str(project.model_dir)), tracer)
            path.unlink()
        after = memo_of(locate(str(project.model_dir)), tracer)
    assert before.graph is not None and after.graph is not None
    assert (before.graph_name, after.graph_name) == (path.name, "graph.pbtxt")
    assert head_of(after.graph).leaves == head_of(before.graph).leaves


TRAIN = """
import sys
import tensorflow as tf

v1 = tf.compat.v1


def input_fn(params):
    batch = {"x": tf.ones([4, 2])}, tf.ones([4, 1])
    return v1.data.Dataset.from_tensors(batch).repeat()


def model_fn(features, labels, mode, params):
    weights = v1.get_variable("weights", [2, 1])
    loss = v1.losses.mean_squared_error(labels, tf.matmul(features["x"], weights))
    train_op = v1.train.GradientDescentOptimizer(0.1).minimize(loss, v1.train.get_global_step())
    return v1.estimator.tpu.TPUEstimatorSpec(mode, loss=loss, train_op=train_op)


if sys.argv[1] == "v1":
    v1.disable_v2_behavior()
config = v1.estimator.tpu.RunConfig(model_dir="base")
estimator = v1.estimator.tpu.TPUEstimator(
    model_fn, config=config, use_tpu=False, train_batch_size=4
)
estimator.train(input_fn, steps=1)
"""


@needs_estimator
@pytest.mark.parametrize("behavior", ["v1", "v2"] if MAJOR == 2 else ["v1"])
def test_the_kind_of_variables_that_a_tpu_estimator_saved(behavior: str, tmp_path: Path) -> None:
    """Its global step is a resource variable even under TensorFlow 1."""
    subprocess.run(
        [sys.executable, "-c", TRAIN, behavior],
        cwd=str(tmp_path),
        env=environment(),
        check=True,
        capture_output=True,
    )
    graph = read_graph(locate(str(tmp_path / "base")).graphs)
    seen = inspect(str(tmp_path / "base")).contents.graph
    assert graph is not None and seen is not None
    assert {node.op for node in graph.nodes if node.name == "global_step"} == {"VarHandleOp"}
    with Tracer(None, 120, quiet=True) as tracer:
        launch = launch_context("auto", tracer.hello(), graph).launch
    assert seen.behavior == launch.behavior == behavior
