"""Tests of graphs: summaries of saved graphs, and all nodes, of valid and hostile files."""

import struct
import time
from pathlib import Path
from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptcheck.checkpoint.graph_file import read_graph_summary
from ckptcheck.client.launch import launch_context
from ckptcheck.content_digest import content_digest
from ckptcheck.encoding.errors import DamagedError
from ckptcheck.graph.graph import Graph
from ckptcheck.graph.reader import parse_graph, traced_graph
from ckptcheck.graph.summary import summary_of
from ckptcheck.graph.values import parse_constant
from ckptcheck.protocol import Environment
from ckptcheck.results import GraphSummary, InputSpec

from .. import graphs
from ..checkpoints import writer
from ..graphs import read_all
from ..support import FIXTURES


def summary(folder: Path, data: bytes) -> GraphSummary:
    (folder / "c.meta").write_bytes(data)
    found = read_graph_summary(str(folder / "c"))
    assert found is not None
    return found


def node(name: bytes, op: bytes) -> bytes:
    return writer.field(1, writer.field(1, name) + writer.field(2, op))


INFO = writer.field(1, writer.field(5, b"1.15.0"))
GRAPH = writer.field(2, node(b"x", b"Const") + node(b"global_step", b"VarHandleOp"))


def test_a_graph(tmp_path: Path) -> None:
    found = summary(tmp_path, INFO + GRAPH)
    assert (found.tensorflow, found.behavior) == ("1.15.0", "v2")


@pytest.mark.parametrize(
    "data",
    [
        bytes(40 << 20),
        INFO + b"\x18\0" * (20 << 20),
        INFO + writer.field(2, writer.field(1, b"\x18\0" * (20 << 20))),
        INFO + writer.field(2, writer.field(1, b"\x18\0" * 1000) * (20 << 10)),
    ],
    ids=["zeros", "fields", "a-node", "nodes"],
)
def test_hostile_graphs_end_soon(tmp_path: Path, data: bytes) -> None:
    start = time.process_time()
    try:
        found = summary(tmp_path, data)
    except DamagedError:
        found = GraphSummary("", "1.15.0", "")
    assert time.process_time() - start < 8
    assert (found.tensorflow, found.behavior) == ("1.15.0", "")


def attribute(key: bytes, value: bytes) -> bytes:
    return writer.field(5, writer.field(1, key) + writer.field(2, value))


def with_inputs(*attributes: bytes, name: bytes = b"in", op: bytes = b"IteratorGetNext") -> bytes:
    return writer.field(1, writer.field(1, name) + writer.field(2, op) + b"".join(attributes))


FLOAT_AND_TEXT = attribute(b"output_types", writer.field(1, writer.field(6, b"\x01\x07")))
STEP = node(b"global_step", b"VariableV2")
KERNEL = node(b"dense/kernel", b"VariableV2")


def test_a_strategy_makes_its_iterator_before_the_step(tmp_path: Path) -> None:
    """The GetNext op of each replica comes after the step."""
    iterator, batch = node(b"multi", b"MultiDeviceIterator"), with_inputs(FLOAT_AND_TEXT)
    for graph, strategy in ((iterator + STEP + batch + batch, True), (STEP + batch, False)):
        found = summary(tmp_path, INFO + writer.field(2, graph + KERNEL))
        assert (found.behavior, found.strategy) == ("v1", strategy)
        assert [item.dtype for item in found.inputs] == ["float32", "string"]
        assert [item.shape for item in found.inputs] == [None, None]


@pytest.mark.parametrize(
    "graph",
    [
        node(b"it", b"IteratorV2") + with_inputs(FLOAT_AND_TEXT) + STEP + KERNEL,
        with_inputs(FLOAT_AND_TEXT) + KERNEL,
        with_inputs(FLOAT_AND_TEXT),
        STEP + with_inputs(attribute(b"dtype", writer.field(6, 3)), op=b"Placeholder") + KERNEL,
        STEP + KERNEL + with_inputs(FLOAT_AND_TEXT),
    ],
    ids=["before-the-step", "no-step", "no-variable", "placeholder", "after-a-variable"],
)
def test_what_no_estimator_with_a_dataset_made_has_no_inputs(tmp_path: Path, graph: bytes) -> None:
    found = summary(tmp_path, INFO + writer.field(2, graph))
    assert (found.strategy, found.inputs) == (False, ())


def test_shapes(tmp_path: Path) -> None:
    size = writer.field(2, writer.field(1, 3))
    unknown = writer.field(2, writer.field(1, (1 << 64) - 1))
    shapes = [writer.field(7, size + writer.field(2, b"") + unknown), writer.field(7, b"")]
    iterator = with_inputs(
        FLOAT_AND_TEXT, attribute(b"output_shapes", writer.field(1, b"".join(shapes)))
    )
    found = summary(tmp_path, INFO + writer.field(2, STEP + iterator + KERNEL))
    assert found.inputs == (
        InputSpec("in:0", (3, 0, None), "float32"),
        InputSpec("in:1", (), "string"),
    )


@pytest.mark.parametrize(
    "attributes",
    [
        attribute(b"output_types", writer.field(1, writer.field(6, b"\x80"))),
        attribute(b"output_types", writer.field(1, 7)),
        attribute(b"output_shapes", writer.field(1, writer.field(7, writer.field(2, 1)))),
        writer.field(5, 7),
    ],
    ids=["a-number-that-does-not-end", "no-list", "no-dimension", "no-attribute"],
)
def test_attributes_that_are_none(tmp_path: Path, attributes: bytes) -> None:
    with pytest.raises(DamagedError):
        summary(tmp_path, INFO + writer.field(2, STEP + with_inputs(attributes)))


@pytest.mark.parametrize("made_by", ["tf115", "tf215"])
def test_sparse_features(made_by: str) -> None:
    """The iterator yields variants, and another op turns them into sparse tensors."""
    found = read_graph_summary(str(FIXTURES / "sparse_input" / made_by / "model.ckpt-10"))
    assert found is not None
    assert found.inputs == (
        InputSpec("IteratorGetNext:0", None, "int64", sparse=True),
        InputSpec("IteratorGetNext:1", None, "string", sparse=True),
        InputSpec("IteratorGetNext:2", (None,), "float32"),
    )


def test_a_sparse_tensor_of_nothing(tmp_path: Path) -> None:
    lost = with_inputs(attribute(b"dtype", writer.field(6, 3)), op=b"DeserializeSparse")
    graph = STEP + with_inputs(FLOAT_AND_TEXT) + lost + KERNEL
    found = summary(tmp_path, INFO + writer.field(2, graph))
    assert [item.dtype for item in found.inputs] == ["float32", "string"]


def test_the_number_of_the_row_is_no_feature() -> None:
    found = read_graph_summary(str(FIXTURES / "flags" / "tf115" / "model.ckpt-10"))
    assert found is not None  # of a queue
    assert found.inputs == (
        InputSpec("fifo_queue_DequeueMany:1", (8, 1), "float32"),
        InputSpec("fifo_queue_DequeueMany:2", (8, 1), "float32"),
        InputSpec("fifo_queue_DequeueMany:3", (8,), "int32"),
    )


def test_a_copy_that_lacks_its_end(tmp_path: Path) -> None:
    whole = (FIXTURES / "linear" / "tf215" / "model.ckpt-10.meta").read_bytes()
    assert summary(tmp_path, whole).inputs
    for size in (len(whole) - 1, len(whole) // 2, 100, 1):
        with pytest.raises(DamagedError):
            summary(tmp_path, whole[:size])
    for other in (b"", bytes(1000), b"hello", INFO):
        with pytest.raises(DamagedError):
            summary(tmp_path, other)


def test_no_graph(tmp_path: Path) -> None:
    assert read_graph_summary(str(tmp_path / "c")) is None


# --- the whole graph -------------------------------------------------------------------------

METAS = sorted(FIXTURES.glob("*/tf*/*.meta"))
TEXTS = sorted(FIXTURES.glob("*/tf*/graph.pbtxt"))


def graph_of(path: Path) -> Graph:
    return parse_graph(path.read_bytes(), str(path))


def name_of(path: Path) -> str:
    return "-".join(path.parts[-3:-1])


@pytest.mark.parametrize("path", METAS, ids=name_of)
def test_all_of_a_graph_can_be_read(path: Path) -> None:
    graph = graph_of(path)
    read_all(graph)
    (version, producer) = {"tf115": ("1.15.5", 134), "tf215": ("2.15.1", 1645)}[path.parts[-2]]
    assert (graph.tensorflow, graph.producer) == (version, producer)
    assert graph.restore_op == "save/restore_all"
    assert all(graph.outputs(node) for node in graph.nodes if node.op == "MatMul")


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_a_text_is_the_same_graph(path: Path) -> None:
    """Only the first part is the same: Estimator writes it before the saver is complete."""
    text, (meta,) = graph_of(path), map(graph_of, path.parent.glob("*.meta"))
    known = {node.name: node for node in meta.nodes}
    assert len(text.nodes) > 200
    for node in text.nodes:
        assert node[:4] == known[node.name][:4]
        for key in node.keys:
            assert repr(node.values(key)) == repr(known[node.name].values(key)), (node.name, key)
    assert [function.name for function in text.functions] == [f.name for f in meta.functions]


@pytest.mark.parametrize("path", [*METAS, *TEXTS], ids=name_of)
def test_an_inspection_and_a_check_agree_on_the_kind_of_variables(path: Path) -> None:
    graph = graph_of(path)
    environment = Environment(graph.tensorflow or "2.15.1", "3.11.7")
    context = launch_context("auto", environment, graph)
    summary = summary_of(graph)
    assert summary.behavior == {"tf115": "v1", "tf215": "v2"}[path.parts[-2]]
    assert summary.strategy == context.strategy
    if graph.tensorflow:
        assert summary.behavior == context.launch.behavior
        assert "saved by TensorFlow" in context.launch.reason


def test_the_step_does_not_decide_the_kind_of_variables() -> None:
    """The global step of TPUEstimator is always a resource variable."""
    step, kernel = node(b"global_step", b"VarHandleOp"), node(b"dense/kernel", b"VariableV2")
    graph = parse_graph(INFO + writer.field(2, step + kernel), "c.meta")
    launch = launch_context("auto", Environment("1.15.5", "3.7.16"), graph).launch
    assert summary_of(graph).behavior == launch.behavior == "v1"


def test_functions_and_their_nodes() -> None:
    graph = graph_of(FIXTURES / "raw_tensors" / "tf215" / "model.ckpt-10.meta")
    dataset = next(f for f in graph.functions if f.name.startswith("_make_dataset_"))
    assert {node.op for node in dataset.nodes} >= {"TensorSliceDataset", "BatchDatasetV2"}
    assert len(graph.functions) == 3


def test_control_inputs_are_apart() -> None:
    graph = Graph(graphs.node("a", "NoOp", ["x", "y:2", "^z", "^b"]))
    assert graph.nodes[0][2:4] == (("x", "y:2"), ("b", "z"))
    assert graph.consumers == {("x", 0): [(0, 0)], ("y", 2): [(0, 1)]}


def tensor(dtype: str, sizes: Tuple[int, ...], *values: bytes) -> bytes:
    head = writer.field(1, graphs.number(dtype)) + writer.field(2, graphs.shape(sizes))
    return head + b"".join(values)


ONE = struct.pack("<f", 1.0)


@pytest.mark.parametrize(
    ("dtype", "same"),
    [
        ("float32", [writer.field(4, ONE * 3), writer.field(5, ONE * 3), writer.field(5, ONE)]),
        ("float32", [writer.varint(5 << 3 | 5) + ONE, writer.field(4, ONE)]),
        ("int32", [writer.field(4, b"\xff" * 8), writer.field(7, -1)]),
        ("int64", [writer.field(4, b"\2" + bytes(7)), writer.field(10, b"\2\2")]),
        ("bool", [writer.field(4, b"\1\1"), writer.field(11, 1)]),
        ("string", [writer.field(8, b"a") * 2, writer.field(8, b"a")]),
    ],
)
def test_a_constant_is_the_same_however_it_is_written(dtype: str, same: List[bytes]) -> None:
    found = {parse_constant(tensor(dtype, (2, 3), values)) for values in same}
    assert len(found) == 1
    (constant,) = found
    assert (constant.dtype, constant.shape) == (dtype, (2, 3))
    other = tensor(dtype, (2, 3), writer.field(4, b"\7" * 8), writer.field(8, b"b"))
    assert parse_constant(other).digest != constant.digest


def test_a_large_constant_is_the_digest_that_the_tracer_leaves_of_it() -> None:
    content = b"".join(struct.pack("<f", number) for number in range(1000)) + ONE * 2000
    whole = parse_constant(tensor("float32", (3000,), writer.field(4, content)))
    digest, kept = content_digest(content, 4)
    left = parse_constant(tensor("float32", (3000,), writer.field(8, bytes.fromhex(digest))))
    assert whole == left
    assert (kept, whole.content) == (4004, b"")


def test_repetitions_are_left_out_quickly() -> None:
    start = time.process_time()
    assert content_digest(bytes(1 << 26), 1) == content_digest(bytes(1), 1)
    assert time.process_time() - start < 2


def test_a_traced_graph() -> None:
    data = graphs.node("a", "Add", ["b", "c"])
    assert traced_graph(graphs.text_of(data)) == Graph(data)
    for text in ("", "x", "é", graphs.text_of(data)[:-8], "eJw="):
        with pytest.raises(DamagedError):
            traced_graph(text)


def test_a_count_of_outputs_that_no_op_has() -> None:
    output = writer.field(3, writer.field(1, b"o") + writer.field(3, 1) + writer.field(5, b"N"))
    ops = writer.field(1, writer.field(1, b"Split") + output)
    many = graphs.attribute("N", writer.field(3, 1 << 40))
    graph = Graph(graphs.node("split", "Split", (), many), ops)
    with pytest.raises(DamagedError):
        graph.outputs(graph.nodes[0])
    assert Graph(graphs.node("a", "Split", (), many)).outputs(graph.nodes[0]) == ()


@pytest.mark.parametrize("value", [writer.field(5, 1), writer.field(8, b""), writer.field(2, b"")])
def test_shapes_that_are_none(value: bytes) -> None:
    types = graphs.attribute("output_types", graphs.types(["float32"]))
    wrong = graphs.attribute("_output_shapes", value)
    graph = Graph(graphs.node("in", "IteratorGetNext", (), types, wrong))
    with pytest.raises(DamagedError):
        graph.outputs(graph.nodes[0])


SEEDS = [path.read_bytes() for path in METAS[:4]]


@given(st.sampled_from(SEEDS), st.data())
def test_changed_bytes_are_a_graph_or_damaged(seed: bytes, data: st.DataObject) -> None:
    content = bytearray(seed[:20000])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    graph = bytes(content)
    for other in (graph, writer.field(2, graph)):
        reads_or_is_damaged(other, "c.meta")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_graph_or_damaged(data: bytes) -> None:
    reads_or_is_damaged(data, "c.meta")
    reads_or_is_damaged(data, "graph.pbtxt")
    reads_or_is_damaged(writer.field(2, writer.field(1, data)), "c.meta")


def reads_or_is_damaged(data: bytes, file: str) -> None:
    try:
        read_all(parse_graph(data, file))
    except DamagedError:
        return
