"""Digests of graphs: what counts as the same computation."""

from typing import Any, Dict, Sequence, Tuple

import pytest

from ckptcheck.encoding.errors import TooLargeError
from ckptcheck.graph.digests import Interner, computation
from ckptcheck.graph.graph import Graph
from tests.checkpoints.writer import field
from tests.graphs import attribute, node, number

INPUTS = {("x", 0): ("input", "features", "x"), ("w", 0): ("variable", "dense/kernel")}


def constant(name: str, value: bytes) -> bytes:
    """A scalar constant of type float32, by its bytes."""
    tensor = field(1, number("float32")) + field(2, b"") + field(4, value)
    return node(name, "Const", (), attribute("value", field(8, tensor)))


HALF, ONE = b"\x00\x00\x00?", b"\x00\x00\x80?"


def layer(scope: str, *extra: bytes) -> bytes:
    """A layer with an activation, in a scope."""
    return b"".join(
        [
            node(f"{scope}/MatMul", "MatMul", ["x", "w"]),
            *extra,
            node(f"{scope}/Relu", "Relu", [f"{scope}/MatMul"]),
        ]
    )


BASE = node("x", "Placeholder") + node("w", "VariableV2")


def digests(
    *parts: bytes, root: str, interner: Interner, anchors: Dict[Tuple[str, int], Any] = INPUTS
) -> int:
    """The digest of one node of a graph."""
    found = computation(Graph(BASE + b"".join(parts)), [root], anchors, interner)
    return found.steps[found.roots[0]].digest


def same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether the last nodes of two graphs compute the same."""
    interner = Interner()
    first, second = (digests(*parts, root=root, interner=interner) for parts, root in (one, other))
    return first == second


def test_names_do_not_count() -> None:
    assert same(([layer("dense")], "dense/Relu"), ([layer("other/dense_1")], "other/dense_1/Relu"))


def test_devices_and_private_attributes_do_not_count() -> None:
    marked = node("a", "Relu", ["x"], attribute("_class", field(2, b"loc:@w")), field(4, b"/gpu:0"))
    assert same(([marked], "a"), ([node("b", "Relu", ["x"])], "b"))


def test_seeds_do_not_count() -> None:
    seeds = (attribute("seed", field(3, value)) for value in (1, 2))
    one, other = (node("r", "RandomUniform", ["x"], seed) for seed in seeds)
    assert same(([one], "r"), ([other], "r"))


def test_nodes_that_pass_a_value_on_do_not_count() -> None:
    passing = node("i", "Identity", ["x"]) + node("c", "CheckNumerics", ["i"])
    assert same(([passing, node("a", "Relu", ["c"])], "a"), ([node("a", "Relu", ["x"])], "a"))


def test_stopped_gradients_count() -> None:
    stopped = node("s", "StopGradient", ["x"])
    assert not same(([stopped, node("a", "Relu", ["s"])], "a"), ([node("a", "Relu", ["x"])], "a"))


def test_ops_count() -> None:
    assert not same(([node("a", "Relu", ["x"])], "a"), ([node("a", "Tanh", ["x"])], "a"))


def test_attributes_count() -> None:
    one, other = (
        node("a", "MaxPool", ["x"], attribute("padding", field(2, text)))
        for text in (b"SAME", b"VALID")
    )
    assert not same(([one], "a"), ([other], "a"))


def test_constants_count_by_value() -> None:
    half, again, one = constant("a", HALF), constant("b", HALF), constant("c", ONE)
    assert same(([half], "a"), ([again], "b"))
    assert not same(([half], "a"), ([one], "c"))


@pytest.mark.parametrize("op, equal", [("AddV2", True), ("Mul", True), ("Sub", False)])
def test_the_order_of_inputs_counts_where_it_matters(op: str, equal: bool) -> None:
    one, other = (node("a", op, inputs) for inputs in (["x", "w"], ["w", "x"]))
    assert same(([one], "a"), ([other], "a")) is equal


def test_variables_count_by_key() -> None:
    interner = Interner()
    other = {**INPUTS, ("w", 0): ("variable", "dense_1/kernel")}
    found = {
        digests(layer("dense"), root="dense/Relu", interner=interner, anchors=anchors)
        for anchors in (INPUTS, other)
    }
    assert len(found) == 2


def test_gradients_are_leaves() -> None:
    one, other = (
        node("gradients/dense_grad/Mul", op, ["x"])
        + node("a", "Square", ["gradients/dense_grad/Mul"])
        for op in ("Mul", "Neg")
    )
    assert same(([one], "a"), ([other], "a"))


def loop(step: bytes) -> bytes:
    """A loop of TensorFlow 1 that adds a constant."""
    return b"".join(
        [
            step,
            node("enter", "Enter", ["x"]),
            node("merge", "Merge", ["enter", "next"]),
            node("switch", "Switch", ["merge", "x"]),
            node("add", "AddV2", ["switch:1", "step"]),
            node("next", "NextIteration", ["add"]),
            node("exit", "Exit", ["switch"]),
        ]
    )


def test_a_loop_ends_at_its_back_edge_and_its_body_counts() -> None:
    interner = Interner()
    found = []
    for value in (HALF, HALF, ONE):
        graph = Graph(BASE + loop(constant("step", value)))
        computed = computation(graph, ["exit"], INPUTS, interner)
        found.append(computed.digests)
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_a_cycle_without_a_loop_ends() -> None:
    graph = Graph(BASE + node("a", "Relu", ["b"]) + node("b", "Relu", ["a"]))
    assert len(computation(graph, ["a"], INPUTS, Interner()).steps) == 2


def function(name: str, *nodes: bytes, arguments: Sequence[str], results: Dict[str, str]) -> bytes:
    """A function of the library; its nodes have the form of nodes of a graph."""
    taken = b"".join(field(2, field(1, text.encode())) for text in arguments)
    given = b"".join(field(3, field(1, text.encode())) for text in results)
    signature = field(1, field(1, name.encode()) + taken + given)
    inside = b"".join(b"\x1a" + part[1:] for part in nodes)
    ends = b"".join(
        field(4, field(1, key.encode()) + field(2, value.encode()))
        for key, value in results.items()
    )
    return field(2, field(1, signature + inside + ends))


def calls(name: str, op: str, inputs: Sequence[str], **functions: str) -> bytes:
    """A node that calls functions."""
    named = (attribute(key, field(10, field(1, text.encode()))) for key, text in functions.items())
    return node(name, op, inputs, *named)


def test_a_call_is_what_its_function_computes() -> None:
    made = function(
        "f_12", node("r", "Relu", ["v"]), arguments=["v"], results={"o": "r:activations:0"}
    )
    called = calls("call", "PartitionedCall", ["x"], f="f_12") + node("t", "Tanh", ["call"])
    plain = node("r", "Relu", ["x"]) + node("t", "Tanh", ["r"])
    assert same(([called, made], "t"), ([plain], "t"))


def branches(*ops: str) -> bytes:
    """Returns a conditional.

    For each op after the second one, its branches have one more output.
    """
    parts = []
    for name, op in zip(("yes", "no"), ops):
        nodes = [node("r", op, ["v"]), *(node(f"m{i}", "Identity", ["v"]) for i in ops[2:])]
        results = {"o": "r:y:0", **{f"m{i}": f"m{i}:output:0" for i in ops[2:]}}
        parts.append(function(name, *nodes, arguments=["v"], results=results))
    made = calls("if", "If", ["x", "w"], then_branch="yes", else_branch="no")
    return b"".join([*parts, made, node("t", "Tanh", ["if"])])


def test_outputs_that_gradients_need_do_not_count() -> None:
    plain, more = branches("Relu", "Elu"), branches("Relu", "Elu", "1", "2")
    assert same(([plain], "t"), ([more], "t"))
    assert not same(([plain], "t"), ([branches("Relu", "Selu")], "t"))


def test_a_function_that_calls_itself_ends() -> None:
    inner = calls("again", "PartitionedCall", ["v"], f="f")
    made = function("f", inner, arguments=["v"], results={"o": "again:output:0"})
    graph = Graph(BASE + made + calls("call", "PartitionedCall", ["x"], f="f"))
    with pytest.raises(TooLargeError, match="too many functions"):
        computation(graph, ["call"], INPUTS, Interner())
