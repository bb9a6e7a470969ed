"""What the start of a saved graph tells, of whole files and of hostile ones."""

import time
from pathlib import Path
from typing import Optional

import pytest

from ckptcheck.checkpoint.graph import read_graph_summary
from ckptcheck.spec import GraphSummary

from ..checkpoints import writer


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
