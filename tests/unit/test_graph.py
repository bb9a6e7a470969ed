"""What the start of a saved graph tells, of whole files and of hostile ones."""

import time
from pathlib import Path
from typing import Optional

import pytest

from ckptcheck.checkpoint.graph import read_graph_summary
from ckptcheck.spec import GraphSummary, VariableSpec

from ..checkpoints import writer
from ..support import FIXTURES


def summary(folder: Path, data: bytes) -> Optional[GraphSummary]:
    (folder / "c.meta").write_bytes(data)
    return read_graph_summary(str(folder / "c"))


def node(name: bytes, op: bytes) -> bytes:
    return writer.field(1, writer.field(1, name) + writer.field(2, op))


INFO = writer.field(1, writer.field(5, b"1.15.0"))
GRAPH = writer.field(2, node(b"x", b"Const") + node(b"global_step", b"VarHandleOp"))


def test_a_graph(tmp_path: Path) -> None:
    found = summary(tmp_path, INFO + GRAPH)
    assert found is not None
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
    found = summary(tmp_path, data)
    assert time.process_time() - start < 8
    assert found is None or (found.tensorflow, found.behavior) == ("1.15.0", "")


def attribute(key: bytes, value: bytes) -> bytes:
    return writer.field(5, writer.field(1, key) + writer.field(2, value))


def with_inputs(*attributes: bytes, name: bytes = b"in", op: bytes = b"IteratorGetNext") -> bytes:
    return writer.field(1, writer.field(1, name) + writer.field(2, op) + b"".join(attributes))


FLOAT_AND_TEXT = attribute(b"output_types", writer.field(1, writer.field(6, b"\x01\x07")))
STEP = node(b"global_step", b"VariableV2")
KERNEL = node(b"dense/kernel", b"VariableV2")


def test_a_strategy_makes_its_iterator_before_the_step(tmp_path: Path) -> None:
    iterator = with_inputs(FLOAT_AND_TEXT)
    for graph, strategy in ((iterator + STEP, True), (STEP + iterator, False)):
        found = summary(tmp_path, INFO + writer.field(2, graph + KERNEL))
        assert found is not None
        assert (found.behavior, found.strategy) == ("v1", strategy)
        assert [item.dtype for item in found.inputs] == ["float32", "string"]
        assert [item.shape for item in found.inputs] == [None, None]


def test_placeholders_after_the_first_variable_are_no_inputs(tmp_path: Path) -> None:
    shape = writer.field(7, writer.field(2, writer.field(1, 3)) + writer.field(2, b""))
    placeholder = with_inputs(
        attribute(b"dtype", writer.field(6, 3)),
        attribute(b"shape", shape),
        name=b"x",
        op=b"Placeholder",
    )
    saver = with_inputs(attribute(b"dtype", writer.field(6, 7)), name=b"save/f", op=b"Placeholder")
    found = summary(tmp_path, INFO + writer.field(2, STEP + placeholder + KERNEL + saver))
    assert found is not None
    assert found.inputs == (VariableSpec("x:0", (3, 0), "int32"),)


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
    assert summary(tmp_path, INFO + writer.field(2, STEP + with_inputs(attributes))) is None


def test_the_inputs_of_fixtures() -> None:
    found = read_graph_summary(str(FIXTURES / "factory" / "tf215" / "model.ckpt-10"))
    assert found is not None
    expected = [((8, 7), "int32"), ((8, 7), "int32"), ((8,), "int32"), ((8, 7), "int32")]
    assert [(item.shape, item.dtype) for item in found.inputs] == expected
    found = read_graph_summary(str(FIXTURES / "flags" / "tf115" / "model.ckpt-10"))
    assert found is not None  # of a queue, whose shapes no graph says
    names = [f"fifo_queue_DequeueMany:{place}" for place in range(4)]
    assert [item.name for item in found.inputs] == names
    assert {item.shape for item in found.inputs} == {None}
