"""Notes the files that a graph names, which TensorFlow opens in C++.

A run opens them, for example for a lookup table. Some are opened even before a run: if the shape of
a new op depends on a value, TensorFlow computes the value at once.
"""

import os
import re
from typing import Any, Iterator

from ..seen import Look
from .watch import WATCH, Watch
from .watch_files import argument, wrapped

_STRING = 7
"""The number of the dtype in TensorFlow's protocol."""
_READERS = ("ReadFile", "MatchingFiles", "GenerateVocabRemapping")
"""Ops that read files that their inputs name, and that TensorFlow may run for a shape."""
_ATTRIBUTES = {
    "ImmutableConst": "memory_region_name",
    "FixedUnigramCandidateSampler": "vocab_file",
}
"""Ops that read a file that an attribute names."""
_FED = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault", "_Arg", "Arg")
_MOST_INPUTS = 1000
_PATTERN = re.compile(r"[*?\[\\]")


def note_texts(graph: Any) -> None:
    """Notes the strings among the constants of a graph, before a part of it runs."""
    if not WATCH.active:
        return
    definition = graph.as_graph_def()
    for nodes in [definition.node, *(f.node_def for f in definition.library.function)]:
        for node in nodes:
            if node.op == "Const" and node.attr["dtype"].type == _STRING:
                for value in node.attr["value"].tensor.string_val:
                    WATCH.note_text(value.decode("utf-8", "surrogateescape"))


def watch_new_ops(watch: Watch) -> None:
    """Watches from now on for new ops that read files, in this process."""
    from tensorflow.python.framework import ops

    module: Any = ops
    create = module._create_c_op

    def create_c_op(*args: Any, **named: Any) -> Any:
        node = argument(args, named, 1, "node_def")
        inputs = argument(args, named, 2, "inputs")
        _note_op(watch, node.op, inputs, lambda name: node.attr[name].s)
        return create(*args, **named)

    module._create_c_op = wrapped(create, create_c_op)
    kind: Any = ops.Graph
    take = kind._create_op_from_tf_operation

    def _create_op_from_tf_operation(*args: Any, **named: Any) -> Any:
        """Makes an op of an imported graph."""
        op = take(*args, **named)
        _note_op(watch, op.type, op.inputs, op.get_attr)
        return op

    kind._create_op_from_tf_operation = wrapped(take, _create_op_from_tf_operation)


def _note_op(watch: Watch, kind: str, inputs: Any, attribute: Any) -> None:
    if kind in _ATTRIBUTES:
        watch.note_text(attribute(_ATTRIBUTES[kind]).decode("utf-8", "surrogateescape"))
    elif kind in _READERS:
        _note_inputs(watch, kind, inputs)


def _note_inputs(watch: Watch, kind: str, inputs: Any) -> None:
    """Notes the files that the inputs of an op name."""
    from tensorflow.python.framework import tensor_util

    for tensor in inputs:
        if tensor.dtype.base_dtype != "string":
            continue
        value = tensor_util.constant_value(tensor)
        if value is not None:
            for text in value.ravel().tolist() if hasattr(value, "ravel") else [value]:
                _note_name(watch, kind, text)
        elif not any(_is_known_in_a_run(op) for op in _sources_of(tensor)):
            watch.give_up(f"computes the name of the file that {kind} reads", watch.user_line())


def _note_name(watch: Watch, kind: str, name: Any) -> None:
    if name and kind == "MatchingFiles":
        note_pattern(watch, name)
    elif name:
        watch.note(name, Look.CONTENT)


def note_pattern(watch: Watch, pattern: Any) -> None:
    """Notes that code looks for files whose names match a pattern."""
    text = os.fsdecode(pattern)
    folder, name = os.path.split(text)
    if _PATTERN.search(folder):
        watch.give_up(f"looks for files in several directories ({text})", watch.user_line())
    elif _PATTERN.search(name):
        watch.note(folder or ".", Look.NAMES)
    else:
        watch.note(text, Look.KIND)


def _is_known_in_a_run(op: Any) -> bool:
    """Whether the value of an op is known only in a run, so that no shape can depend on it."""
    return op.type in _FED or bool(op.op_def is not None and op.op_def.is_stateful)


def _sources_of(tensor: Any) -> Iterator[Any]:
    """Yields the ops that a tensor is computed from."""
    waiting, known = [tensor.op], {tensor.op}
    while waiting and len(known) < _MOST_INPUTS:
        op = waiting.pop()
        yield op
        new = [item.op for item in op.inputs if item.op not in known]
        known.update(new)
        waiting.extend(new)
