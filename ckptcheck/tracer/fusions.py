"""Ops that TensorFlow's graph optimizer fuses with the one before them, such as a bias's addition.

A fused kernel does not verify the same shapes as its separate ops. Measured on a processor with
AVX-512: 1.15.5 silently adds a bias of another length. 2.15.1 and 2.21.0 refuse it, but accept a
bias with more axes of size 1. They verify nothing in a normalisation after a convolution. All this
depends on the version and the processor, so :mod:`.fused_kernels` asks TensorFlow.
"""

from typing import Any, Iterator, Mapping, Optional, Sequence, Set, Tuple

from . import fused_kernels
from .fused_kernels import ADDITIONS, NORMALIZATIONS, Fusion, Sizes
from .imports import ImportedError, imported, part_of
from .restore_plan import ancestors
from .static_shapes import static_shape


def fuse(
    tensorflow: Any,
    definition: Any,
    reached: Set[Any],
    changed: Mapping[str, Sequence[int]],
    fetched: Set[str],
) -> Optional[Tuple[str, str]]:
    """Makes an Identity of each op whose fused kernel takes what the op itself would refuse.

    Args:
        tensorflow: the module.
        definition: the GraphDef that is changed.
        reached: the ops of its graph that restored shapes flow into.
        changed: the restored shapes, by the names of the variables' handles.
        fetched: the names of ops that are fetched, which the optimizer leaves alone.

    Returns:
        An op whose fused kernel refuses what the op itself would take, and what it says.
    """
    nodes = {node.name: node for node in definition.node}
    restored = _Restored(tensorflow, reached, changed)
    for op in sorted(reached, key=lambda op: str(op.name)):
        for place in _places(op):
            fusion = _fusion(op, place, restored, fetched)
            says = fused_kernels.says(tensorflow, fusion) if fusion else None
            if says:
                return op.name, says
            if says is not None:
                _make_identity(nodes[op.name], place)
                break
    return None


class _Restored:
    """The shapes of tensors as declared and as restored.

    Attributes:
        reached: the ops that restored shapes flow into.
    """

    def __init__(
        self, tensorflow: Any, reached: Set[Any], changed: Mapping[str, Sequence[int]]
    ) -> None:
        self.reached = reached
        self._tensorflow = tensorflow
        self._changed = changed

    def shapes(self, tensor: Any) -> Optional[Tuple[Sizes, Sizes]]:
        """The shape of a tensor as declared and as restored; None where it is not known."""
        declared = known(static_shape(tensor))
        restored = self._restored(tensor) if tensor.op in self.reached else declared
        return None if declared is None or restored is None else (declared, restored)

    def _restored(self, tensor: Any) -> Optional[Sizes]:
        """What TensorFlow makes of the restored shapes on the way to a tensor."""
        definition = part_of(tensor.graph, ancestors([tensor.op]))
        for node in definition.node:
            if node.name in self._changed:
                shape = self._tensorflow.TensorShape(self._changed[node.name])
                node.attr["shape"].shape.CopyFrom(shape.as_proto())
        try:
            with imported(self._tensorflow, definition, {}, {}) as graph:
                return known(static_shape(graph.get_tensor_by_name(tensor.name)))
        except ImportedError:  # something before it refuses them, which is found out without this
            return None


def _places(op: Any) -> Sizes:
    """The inputs of an op that may come from the op that it is fused with."""
    if op.type in NORMALIZATIONS:
        alone = all(not output.consumers() for output in op.outputs[1:])
        return (0,) if alone and not op.get_attr("is_training") else ()
    if op.type in ADDITIONS:
        return (0, 1)
    return (0,) if op.type == "BiasAdd" else ()


def _fusion(op: Any, place: int, restored: _Restored, fetched: Set[str]) -> Optional[Fusion]:
    """Returns the fusion of an op with the op before it; None if no shape in it has changed."""
    others = [tensor for index, tensor in enumerate(op.inputs) if index != place]
    shapes = [pair for pair in map(restored.shapes, others) if pair is not None]
    dtypes = {tensor.dtype.base_dtype.name for tensor in op.inputs}
    if len(shapes) < len(others) or len(dtypes) > 1 or all(one == two for one, two in shapes):
        return None
    path = list(_before(op.inputs[place], fetched))
    first = path[-1] if path and fused_kernels.can_be_first(path[-1].type) else None
    depths = _depths(first, restored) if first else _depths_alone(op, restored)
    if depths is None:
        return None
    kind, squeezed = (first.type, len(path) > 1) if first else ("", False)
    return Fusion(kind, op.type, squeezed, dtypes.pop(), depths, tuple(shapes))


def _before(tensor: Any, fetched: Set[str]) -> Iterator[Any]:
    """The ops that a tensor comes from, a Squeeze and what is before it; none that others use."""
    for _ in range(2):
        if len(tensor.consumers()) != 1 or tensor.op.name in fetched:
            return
        yield tensor.op
        if tensor.op.type != "Squeeze":
            return
        tensor = tensor.op.inputs[0]


def known(shape: Optional[Sequence[Optional[int]]]) -> Optional[Sizes]:
    """A shape that is known as a whole, None for another."""
    sizes = tuple(size for size in shape or () if size is not None)
    return sizes if shape is not None and len(sizes) == len(shape) else None


def _depths(first: Any, restored: _Restored) -> Optional[Tuple[int, int]]:
    """How many values an op makes for each position, as declared and as restored."""
    weights = restored.shapes(first.inputs[1])
    return None if weights is None else (_depth(first, weights[0]), _depth(first, weights[1]))


def _depths_alone(op: Any, restored: _Restored) -> Optional[Tuple[int, int]]:
    """Returns the depths for a normalisation that is not fused, if its input does not change.

    The kernel of 1.15.5 verifies less than the shape function does here, too.
    """
    shape = static_shape(op.inputs[0])
    if op.type not in NORMALIZATIONS or shape is None:
        return None
    size = shape[1 if op.get_attr("data_format").startswith(b"NC") else -1]
    return None if size is None or op.inputs[0].op in restored.reached else (size, size)


def _depth(first: Any, weights: Sizes) -> int:
    *_, rows, columns = (1, 1, *weights)
    if first.type == "MatMul":
        return rows if first.get_attr("transpose_b") else columns
    return rows * columns if first.type == "DepthwiseConv2dNative" else columns


def _make_identity(node: Any, place: int) -> None:
    """Lets an op hand on one of its inputs and wait for the others."""
    given = [name for name in node.input if not name.startswith("^")]
    kept = given.pop(place)
    controls = ["^" + name.partition(":")[0] for name in given]
    controls.extend(name for name in node.input if name.startswith("^"))
    dtype = node.attr["T"].type
    node.attr.clear()
    node.attr["T"].type = dtype
    node.op = "Identity"
    del node.input[:]
    node.input.extend([kept, *sorted(set(controls))])
