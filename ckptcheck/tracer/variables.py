"""What a checkpoint holds, read with TensorFlow's own reader: names, shapes and dtypes."""

import re
from typing import Any

from ..spec import CheckpointIndex, VariableSpec
from . import compat

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def read_index(tensorflow: Any, prefix: str) -> CheckpointIndex:
    """Lists the tensors of a checkpoint, V1 or V2; no value is read.

    Raises:
        tf.errors.OpError: TensorFlow cannot read it.
    """
    reader = compat.checkpoint_reader(tensorflow, prefix)
    shapes = reader.get_variable_to_shape_map()
    dtypes = reader.get_variable_to_dtype_map()
    variables = tuple(
        VariableSpec(name, tuple(int(size) for size in shapes[name]), dtypes[name].name)
        for name in sorted(shapes)
    )
    step = re.search(r"-(\d+)$", prefix)
    return CheckpointIndex(
        prefix, int(step.group(1)) if step else None, variables, _OBJECT_GRAPH in shapes
    )
