"""The keys of parsing specs in graphs."""

from typing import Sequence

from ckptcheck.graph.graph import Graph
from ckptcheck.graph.parsing import parsed_keys

from ..checkpoints.writer import field
from ..graphs import attribute, node


def strings(keys: Sequence[str]) -> bytes:
    return field(1, b"".join(field(2, key.encode()) for key in keys))


def constant(name: str, *keys: str) -> bytes:
    tensor = field(1, 7) + b"".join(field(8, key.encode()) for key in keys)
    return node(name, "Const", (), attribute("value", field(8, tensor)))


def test_keys_that_are_attributes() -> None:
    parser = node(
        "parse",
        "ParseExampleDataset",
        (),
        attribute("dense_keys", strings(["age", "y"])),
        attribute("sparse_keys", strings(["tags"])),
    )
    assert set(parsed_keys(Graph(parser))) == {"age", "y", "tags"}


def test_keys_that_are_constants_of_a_function() -> None:
    inner = [
        constant("p/dense_keys", "age", "a-long-key" * 20),
        constant("p/other", "no-key"),
        node("p", "ParseExampleV2", ("args", "p/dense_keys:output:0", "p/other:output:0")),
    ]
    nodes = b"".join(field(3, part[2:] if part[1] < 128 else part[3:]) for part in inner)
    function = field(1, field(1, field(1, b"map")) + nodes)
    assert set(parsed_keys(Graph(field(2, function)))) == {"age", "a-long-key" * 20}


def test_a_graph_that_parses_nothing() -> None:
    assert list(parsed_keys(Graph(constant("dense_keys", "age")))) == []
