"""Runs a fused kernel alone, to see whether TensorFlow accepts the restored shapes.

The tensors are as small as possible, because some kernels read past the end of a short bias.
"""

import dataclasses
import functools
from typing import Any, Optional, Sequence, Tuple

_REMAPPING_OFF = 2
"""``RewriterConfig.OFF``: the optimizer fuses nothing."""
_BATCH = 2
_AXES_OF_SPACE = {"MatMul": 0, "Conv2D": 2, "DepthwiseConv2dNative": 2, "Conv3D": 3}

ADDITIONS = ("Add", "AddV2")
NORMALIZATIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")

Sizes = Tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Fusion:
    """Two ops that TensorFlow may fuse, and what they are given.

    Attributes:
        first: the type of the first op; "" if TensorFlow does not fuse other ops with it.
        second: the type of the one after it.
        squeezed: whether there is a Squeeze between them, as after a convolution of one axis.
        dtype: of all values.
        depths: how many values the first op makes for each position, as declared and as restored.
        shapes: of the second op's other inputs, each as declared and as restored.
    """

    first: str
    second: str
    squeezed: bool
    dtype: str
    depths: Tuple[int, int]
    shapes: Tuple[Tuple[Sizes, Sizes], ...]


def can_be_first(kind: str) -> bool:
    """Whether TensorFlow fuses other ops with those of a type."""
    return kind in _AXES_OF_SPACE


def says(tensorflow: Any, fusion: Fusion) -> Optional[str]:
    """Returns what a fused kernel raises; "" if it runs; None if that is not known."""
    if any(_may_abort(restored) for _, restored in fusion.shapes):
        return None
    small = _small(fusion)
    if not fusion.first:
        return _raised(tensorflow, dataclasses.replace(small, first="Conv2D"), False)
    fused = _raised(tensorflow, small, True)
    if fusion.second in ADDITIONS:  # a sum broadcasts, and what it takes depends on the batch
        alone = _raised(tensorflow, small, False)
        return fused if bool(fused) != bool(alone) else None
    return fused


def _may_abort(restored: Sizes) -> bool:
    """Whether some kernels abort the process: a scalar, or several rows."""
    return not restored or any(size != 1 for size in restored[:-1])


def _small(fusion: Fusion) -> Fusion:
    """Returns the fusion with small sizes that keep the order and equality of the real ones."""
    shapes = [shape for pair in fusion.shapes for shape in pair]
    sizes = sorted({*fusion.depths, *(size for shape in shapes for size in shape)} - {1})
    names = {1: 1, **{size: place for place, size in enumerate(sizes, 2)}}
    first, second = (names[depth] for depth in fusion.depths)
    return dataclasses.replace(
        fusion,
        depths=(first, second),
        shapes=tuple(
            (tuple(names[size] for size in declared), tuple(names[size] for size in restored))
            for declared, restored in fusion.shapes
        ),
    )


@functools.lru_cache(maxsize=None)
def _raised(tensorflow: Any, fusion: Fusion, remapped: bool) -> str:
    """Runs the two ops with the restored shapes."""
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
            except tensorflow.errors.OpError as error:
                return _shown(str(error.message))
    return ""


def _shown(message: str) -> str:
    """What the kernel says, without where in which graph."""
    return message.partition("\n\t [[")[0].splitlines()[-1]


def _variable(tensorflow: Any, dtype: str, declared: Sizes, restored: Sizes) -> Tuple[Any, Any]:
    """The value of a variable, and the op that gives it another shape than it declares."""
    v1, raw = tensorflow.compat.v1, tensorflow.raw_ops
    name = v1.get_default_graph().unique_name("restored", mark_as_used=False)
    handle = raw.VarHandleOp(dtype=dtype, shape=declared, shared_name=name, name=name)
    value = v1.placeholder_with_default(tensorflow.zeros(restored, dtype), None)
    assign = raw.AssignVariableOp(resource=handle, value=value)
    return raw.ReadVariableOp(resource=handle, dtype=dtype), assign


def _ops(tensorflow: Any, fusion: Fusion, given: Any, values: Sequence[Any]) -> Any:
    raw = tensorflow.raw_ops
    weights, *others = values
    if fusion.first == "MatMul":
        made = raw.MatMul(a=given, b=weights)
    else:
        strides = [1] * (_AXES_OF_SPACE[fusion.first] + 2)
        made = getattr(raw, fusion.first)(
            input=given, filter=weights, strides=strides, padding="VALID"
        )
    if fusion.squeezed:
        made = tensorflow.squeeze(made, [1])
    if fusion.second == "BiasAdd":
        return raw.BiasAdd(value=made, bias=others[0])
    if fusion.second in ADDITIONS:
        return getattr(raw, fusion.second)(x=made, y=others[0])
    names = ("scale", "offset", "mean", "variance")
    normalized = getattr(raw, fusion.second)(x=made, is_training=False, **dict(zip(names, others)))
    return normalized[0]
