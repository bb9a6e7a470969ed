"""What the start of a saved graph tells, of whole files and of hostile ones."""

import time
from pathlib import Path

import pytest

from ckptcheck.checkpoint.errors import DamagedError
from ckptcheck.checkpoint.graph import read_graph_summary
from ckptcheck.results import GraphSummary, InputSpec

from ..checkpoints import writer
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
    """And what each replica takes of it after the step."""
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
    """They are variants between the iterator and the op that makes sparse tensors of them."""
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
    assert found is not None  # of a queue, whose shapes no graph says
    names = [f"fifo_queue_DequeueMany:{place}" for place in (1, 2, 3)]
    assert [item.name for item in found.inputs] == names
    assert {item.shape for item in found.inputs} == {None}


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
