"""Checks ops that TensorFlow's graph optimizer fuses with the op before, such as ``BiasAdd``.

A fused kernel does not verify the same shapes as its separate ops. 1.15.5 silently adds a bias of
another length. On a processor with AVX-512, 2.15.1 and 2.21.0 refuse it, but accept a bias with
more axes of size 1, and verify nothing in a normalisation after a convolution. On a processor
without AVX-512, 2.15.1 silently adds a bias of another length, too. All this depends on the version
and the processor, so this module runs the two ops alone, on tensors as small as possible: some
kernels read past the end of a short bias.
"""

import functools
from typing import Any, Iterator, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .affected_ops import restore_shapes
from .imports import ImportedError, imported, part_of
from .restore_plan import ancestors
from .static_shapes import full_shape, static_shape

_REMAPPING_OFF = 2
"""``RewriterConfig.OFF``: the optimizer fuses nothing."""
_BATCH = 2
_AXES_OF_SPACE = {"MatMul": 0, "Conv2D": 2, "DepthwiseConv2dNative": 2, "Conv3D": 3}
"""The ops that TensorFlow fuses with the next one, and how many axes of space they have."""
_ADDITIONS = ("Add", "AddV2")
_NORMALIZATIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")

_Sizes = Tuple[int, ...]


class _Fusion(NamedTuple):
    """Two ops that TensorFlow may fuse, and their inputs.

    Attributes:
        first: the type of the first op; "" if TensorFlow does not fuse other ops with it.
        second: the type of the one after it.
        squeezed: whether there is a Squeeze between them, as after a convolution of one axis.
        dtype: of all values.
        depths: how many values the first op makes for each position, as declared and as restored.
        shapes: the shapes of the second op's other inputs, each as declared and as restored.
    """

    first: str
    second: str
    squeezed: bool
    dtype: str
    depths: _Sizes
    shapes: Tuple[Tuple[_Sizes, _Sizes], ...]


def fuse(
    tensorflow: Any,
    definition: Any,
    reached: Set[Any],
    changed: Mapping[str, Sequence[int]],
    fetched: Set[str],
) -> Optional[Tuple[str, str]]:
    """Replaces ops by Identity if the fused kernel accepts shapes that the op itself refuses.

    Args:
        tensorflow: the module.
        definition: the GraphDef that is changed.
        reached: the ops of its graph that restored shapes flow into.
        changed: the restored shapes, by the names of the variables' handles.
        fetched: the names of ops that are fetched, which the optimizer leaves alone.

    Returns:
        An op whose fused kernel refuses shapes that the op itself accepts, and the error.
    """
    nodes = {node.name: node for node in definition.node}
    restored = _Restored(tensorflow, reached, changed)
    for op in sorted(reached, key=lambda op: str(op.name)):
        for place in _places(op):
            fusion = _fusion(op, place, restored, fetched)
            says = _says(tensorflow, fusion) if fusion else None
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

    def shapes(self, tensor: Any) -> Optional[Tuple[_Sizes, _Sizes]]:
        """The shape of a tensor as declared and as restored; None if it is not known."""
        declared = full_shape(tensor)
        restored = self._restored(tensor) if tensor.op in self.reached else declared
        return None if declared is None or restored is None else (declared, restored)

    def _restored(self, tensor: Any) -> Optional[_Sizes]:
        """Returns the shape that TensorFlow infers for a tensor from the restored shapes."""
        definition = part_of(tensor.graph, ancestors([tensor.op]))
        restore_shapes(self._tensorflow, definition, self._changed)
        try:
            with imported(self._tensorflow, definition, {}, {}) as graph:
                return full_shape(graph.get_tensor_by_name(tensor.name))
        except ImportedError:  # an earlier op refuses the shapes; another check finds this
            return None


def _places(op: Any) -> _Sizes:
    """Returns the inputs of an op that may be the output of the op that it is fused with."""
    if op.type in _NORMALIZATIONS:
        alone = all(not output.consumers() for output in op.outputs[1:])
        return (0,) if alone and not op.get_attr("is_training") else ()
    if op.type in _ADDITIONS:
        return (0, 1)
    return (0,) if op.type == "BiasAdd" else ()


def _fusion(op: Any, place: int, restored: _Restored, fetched: Set[str]) -> Optional[_Fusion]:
    """Returns the fusion of an op with the op before it; None if no shape in it has changed."""
    others = [tensor for index, tensor in enumerate(op.inputs) if index != place]
    shapes = [pair for pair in map(restored.shapes, others) if pair is not None]
    dtypes = {tensor.dtype.base_dtype.name for tensor in op.inputs}
    if len(shapes) < len(others) or len(dtypes) > 1:
        return None
    path = list(_before(op.inputs[place], fetched))
    first = path[-1] if path and path[-1].type in _AXES_OF_SPACE else None
    depths = _depths(first, op, restored)
    if depths is None or all(one == two for one, two in (depths, *shapes)):
        return None
    kind, squeezed = (first.type, len(path) > 1) if first else ("", False)
    return _Fusion(kind, op.type, squeezed, dtypes.pop(), depths, tuple(shapes))


def _before(tensor: Any, fetched: Set[str]) -> Iterator[Any]:
    """Yields a tensor's op, and the op before a Squeeze. Stops at an op with several consumers."""
    for _ in range(2):
        if len(tensor.consumers()) != 1 or tensor.op.name in fetched:
            return
        yield tensor.op
        if tensor.op.type != "Squeeze":
            return
        tensor = tensor.op.inputs[0]


def _depths(first: Optional[Any], op: Any, restored: _Restored) -> Optional[_Sizes]:
    """How many values an op gets for each position, as declared and as restored.

    Without a first op, this is known for a normalisation whose input does not change. In this case,
    too, the kernel of 1.15.5 verifies less than the shape function.
    """
    if first is not None:
        weights = restored.shapes(first.inputs[1])
        return None if weights is None else (_depth(first, weights[0]), _depth(first, weights[1]))
    shape = static_shape(op.inputs[0])
    if op.type not in _NORMALIZATIONS or shape is None or op.inputs[0].op in restored.reached:
        return None
    size = shape[1 if op.get_attr("data_format").startswith(b"NC") else -1]
    return None if size is None else (size, size)


def _depth(first: Any, weights: _Sizes) -> int:
    *_, rows, columns = (1, 1, *weights)
    if first.type == "MatMul":
        return rows if first.get_attr("transpose_b") else columns
    return rows * columns if first.type == "DepthwiseConv2dNative" else columns


def _make_identity(node: Any, place: int) -> None:
    """Makes an op return one of its inputs and wait for the others."""
    given = [name for name in node.input if not name.startswith("^")]
    kept = given[place]
    others = {name.lstrip("^").partition(":")[0] for name in node.input if name != kept}
    dtype = node.attr["T"].type
    node.attr.clear()
    node.attr["T"].type = dtype
    node.op = "Identity"
    del node.input[:]
    node.input.extend([kept, *sorted(f"^{name}" for name in others)])


def _says(tensorflow: Any, fusion: _Fusion) -> Optional[str]:
    """Returns what a fused kernel raises; "" if it runs; None if that is not known."""
    if any(not restored or set(restored[:-1]) - {1} for _, restored in fusion.shapes):
        return None  # with a scalar or with several rows, some kernels abort the process
    small = _small(fusion)
    if not fusion.first:
        return _raised(tensorflow, small._replace(first="Conv2D"), False)
    fused = _raised(tensorflow, small, True)
    if fusion.second in _ADDITIONS and bool(fused) == bool(_raised(tensorflow, small, False)):
        return None  # a sum broadcasts, so the accepted shapes depend on the batch
    return fused


def _small(fusion: _Fusion) -> _Fusion:
    """Returns the fusion with small sizes that keep the order and equality of the real ones."""
    shapes = [fusion.depths, *(shape for pair in fusion.shapes for shape in pair)]
    sizes = {size for shape in shapes for size in shape} - {1}
    names = {1: 1, **{size: place for place, size in enumerate(sorted(sizes), 2)}}
    depths, *others = (tuple(names[size] for size in shape) for shape in shapes)
    return fusion._replace(depths=depths, shapes=tuple(zip(others[::2], others[1::2])))


@functools.lru_cache(maxsize=None)
def _raised(tensorflow: Any, fusion: _Fusion, remapped: bool) -> str:
    """Runs the two ops with the restored shapes, and returns what they raise."""
    v1 = tensorflow.compat.v1
    config = v1.ConfigProto(device_count={"GPU": 0})
    if not remapped:
        config.graph_options.rewrite_options.remapping = _REMAPPING_OFF
    with v1.Graph().as_default():
        ones = [1] * (_AXES_OF_SPACE[fusion.first] + 1)
        zeros = tensorflow.zeros([_BATCH, *ones], fusion.dtype)
        given = v1.placeholder_with_default(zeros, [None, *ones])
        weights = tuple((*ones, depth) for depth in fusion.depths)
        pairs = [_variable(tensorflow, fusion.dtype, *pair) for pair in (weights, *fusion.shapes)]
        output = tensorflow.identity(_ops(tensorflow, fusion, given, [value for value, _ in pairs]))
        with v1.Session(config=config) as session:
            session.run([assign for _, assign in pairs])
            try:
                session.run(output)
            except tensorflow.errors.OpError as error:  # without the place in the graph
                return str(error.message).partition("\n\t [[")[0].splitlines()[-1]
    return ""


def _variable(tensorflow: Any, dtype: str, declared: _Sizes, restored: _Sizes) -> Tuple[Any, Any]:
    """The value of a variable, and the op that gives it another shape than it declares."""
    v1, raw = tensorflow.compat.v1, tensorflow.raw_ops
    name = v1.get_default_graph().unique_name("restored", mark_as_used=False)
    handle = raw.VarHandleOp(dtype=dtype, shape=declared, shared_name=name, name=name)
    value = v1.placeholder_with_default(tensorflow.zeros(restored, dtype), None)
    assign = raw.AssignVariableOp(resource=handle, value=value)
    return raw.ReadVariableOp(resource=handle, dtype=dtype), assign


def _ops(tensorflow: Any, fusion: _Fusion, given: Any, values: Sequence[Any]) -> Any:
    raw = tensorflow.raw_ops
    weights, *others = values
    if fusion.first == "MatMul":
        made = raw.MatMul(a=given, b=weights)
    else:
        strides = [1] * (_AXES_OF_SPACE[fusion.first] + 2)
        convolution = getattr(raw, fusion.first)
        made = convolution(input=given, filter=weights, strides=strides, padding="VALID")
    if fusion.squeezed:
        made = tensorflow.squeeze(made, [1])
    if fusion.second == "BiasAdd":
        return raw.BiasAdd(value=made, bias=others[0])
    if fusion.second in _ADDITIONS:
        return getattr(raw, fusion.second)(x=made, y=others[0])
    given = dict(zip(("scale", "offset", "mean", "variance"), others))
    return getattr(raw, fusion.second)(x=made, is_training=False, **given)[0]
