"""Lists the names, shapes and dtypes in a checkpoint with TensorFlow's own reader."""

import re
from typing import Any, Iterator

from ..protocol import CheckpointIndex, VariableSpec
from . import compat

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def read_index(tensorflow: Any, prefix: str) -> CheckpointIndex:
    """Lists the tensors of a checkpoint, V1 or V2, without reading values.

    Raises:
        tf.errors.OpError: TensorFlow cannot read it.
    """
    reader = compat.v1(tensorflow).train.NewCheckpointReader(prefix)
    try:
        found = list(_in_maps(reader))
    except UnicodeDecodeError:  # a restore reads names as bytes, so it works
        found = list(_in_text(tensorflow, reader.debug_string()))
    variables = tuple(sorted(found, key=lambda spec: spec.name))
    step = re.search(r"-(\d+)$", prefix)
    return CheckpointIndex(
        prefix,
        int(step.group(1)) if step else None,
        variables,
        any(spec.name == _OBJECT_GRAPH for spec in variables),
    )


def _in_maps(reader: Any) -> Iterator[VariableSpec]:
    shapes = reader.get_variable_to_shape_map()
    dtypes = reader.get_variable_to_dtype_map()
    for name, shape in shapes.items():
        yield VariableSpec(name, tuple(int(size) for size in shape), dtypes[name].name)


_LINE = re.compile(rb"(?P<name>.*?) \((?P<dtype>DT_\w+)\) \[(?P<shape>[\d,]*)\]\n", re.DOTALL)


def _in_text(tensorflow: Any, text: bytes) -> Iterator[VariableSpec]:
    """Parses the reader's debug text: ``dense/kernel (DT_FLOAT) [1,64]``."""
    for line in _LINE.finditer(text):
        dtype = compat.dtype_of_enum(tensorflow, line.group("dtype").decode("ascii"))
        shape = tuple(int(size) for size in line.group("shape").split(b",") if size)
        yield VariableSpec(line.group("name").decode("utf-8", "surrogateescape"), shape, dtype)
