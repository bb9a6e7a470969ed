"""Rules that give graphs of different versions of TensorFlow one common form.

Each rule is mathematically exact: both forms compute the same values. The rules were found with the
calls of ``tests/drift/library.py`` in TensorFlow 1.15, 2.15 and the newest version. A test builds
these calls again. The rules are for graphs of different versions only.
"""

import re
from typing import Any, Dict, Optional, Tuple

from .canonical import ARRAY, Canonical, Form, Rules
from .constants import constant_of
from .linked import Source, is_gradient

_SAME = {
    "Add": "AddV2",
    "AccumulateNV2": "AddN",
    "AssignVariableOp": "Assign",
    "AssignAddVariableOp": "AssignAdd",
    "AssignSubVariableOp": "AssignSub",
    "BatchMatMul": "BatchMatMulV2",
    "FusedBatchNorm": "FusedBatchNormV3",
    "FusedBatchNormV2": "FusedBatchNormV3",
    "Gather": "GatherV2",
    "RefMerge": "Merge",
    "RefSwitch": "Switch",
    "ResourceGather": "GatherV2",
    "ResourceGatherNd": "GatherNd",
    "VarHandleOp": "VariableV2",
    "Variable": "VariableV2",
}
"""Ops of one version or one kind of variable, with the op that computes the same in the others."""
_RESOURCE = re.compile("^Resource(?=Apply|CountUpTo|Scatter|SparseApply|StridedSliceAssign)")
_DEFAULTS: Dict[str, Tuple[Any, ...]] = {
    "Tcomplex": ("complex64",),
    "Tk": ("int32",),
    "Treal": ("float32",),
    "Tshape": ("int32",),
    "bad_indices_policy": (b"",),
    "blank_index": (-1,),
    "explicit_paddings": (),
    "exponential_avg_factor": (1.0,),
    "grad_a": (False,),
    "grad_b": (False,),
    "grad_x": (False,),
    "grad_y": (False,),
    "index_type": ("int32",),
    "multiply_linear_by_lr": (False,),
    "offset": (0,),
    "resize_if_index_out_of_bounds": (False,),
}
"""Attributes that a version added, with the values for the behavior before."""
_UNLIKE = (
    *("Tindices", "Tparams", "Tidx", "Tperm", "Tdim", "Tmultiples", "Tsegmentids", "Tindex"),
    "sparse_gradient",
)
"""Attributes for the dtype of indices, or for the kind of gradient. They do not change values."""

_OF_OP = {"AddN": ("shape",), "L2Loss": ("T",), "SelectV2": ("T",)}
_OF_SCATTER = ("T", "dtype")
"""Attributes that follow from the inputs of an op."""


def same_op(graph: Canonical, form: Form) -> Optional[Form]:
    """Ops got new names, and variables got new ops that read and write them."""
    op = common_op(form.op)
    return None if op == form.op else form.changed(op)


def common_op(op: str) -> str:
    """Returns the name that an op has in all versions."""
    return _SAME.get(op) or _RESOURCE.sub("", op)


def default_attributes(graph: Canonical, form: Form) -> Optional[Form]:
    """New attributes of ops have defaults that keep the old behavior. Removes such attributes."""
    unlike = _OF_OP.get(form.op, ()) or (_OF_SCATTER if form.op.startswith("Scatter") else ())
    kept = {
        name: values
        for name, values in form.attributes
        if name not in (*_UNLIKE, *unlike) and _DEFAULTS.get(name, "") != values
    }
    return None if len(kept) == len(form.attributes) else form.changed(attributes=kept)


def gather(graph: Canonical, form: Form) -> Optional[Form]:
    """A lookup is ``GatherV2`` with axis 0 for reference variables, else ``ResourceGather``."""
    if len(form.sources) == 3 and graph.scalar(form.sources[2]) == 0:
        form = form.changed(sources=form.sources[:2])
    kept = {name: form.values(name) for name in ("batch_dims",) if form.values(name)}
    return form.changed(attributes=kept) if len(form.sources) == 2 else None


def identity(graph: Canonical, form: Form) -> Optional[Form]:
    """``random_uniform`` and others multiply by 1, divide by 1 or add 0 in some versions.

    User code may do the same with a param that has this value. Such ops stay as they are.
    """
    neutral = 0.0 if form.op in ("AddV2", "Sub") else 1.0
    swaps = form.op in ("AddV2", "Mul")
    for kept, other in ((0, 1), (1, 0)) if swaps else ((0, 1),):
        source = form.sources[other]
        value = graph.scalar(source)
        library = (
            graph.is_folded(source[0])
            or _REGULARIZER in source[0][1]
            or "Random" in graph.peek(form.sources[kept]).op
        )
        if library and value == neutral and isinstance(value, float):
            return form.passing(form.sources[kept])
    return None


_REGULARIZER = "/Regularizer/"


def sigmoid(graph: Canonical, form: Form) -> Optional[Form]:
    """``swish`` has a factor in some versions."""
    scaled = graph.peek(form.sources[0])
    if scaled.op == "Mul" and graph.scalar(scaled.sources[0]) == 1.0:
        return form.changed(sources=(scaled.sources[1],))
    return None


def transpose(graph: Canonical, form: Form) -> Optional[Form]:
    """In some versions, ``tensordot`` transposes without changing the order of the axes."""
    order = graph.known(form.sources[1])
    if order is not None and order.values == tuple(range(len(order.values))):
        return form.passing(form.sources[0])
    return None


def reshape(graph: Canonical, form: Form) -> Optional[Form]:
    """Versions give the shape of a ``Reshape`` in several ways. One size may be unknown."""
    shapes = form.node.values("_output_shapes")
    shape = shapes[0] if shapes else None
    if not isinstance(shape, tuple) or shape.count(None) > 1:
        return None
    source = graph.peek(form.sources[0])
    if None not in shape and source.node.values("shape") == (shape,) and _is_variable(source):
        return form.passing(form.sources[0])
    sizes = tuple(-1 if size is None else size for size in shape)
    return form.changed(sources=form.sources[:1], attributes={"shape": sizes})


def transposed_convolution(graph: Canonical, form: Form) -> Optional[Form]:
    """The output's sizes are computed or constant. The batch size is the input's."""
    shapes = form.node.values("_output_shapes")
    shape = shapes[0] if shapes else None
    if len(form.sources) != 3 or not isinstance(shape, tuple) or None in shape[1:]:
        return None
    attributes = {**dict(form.attributes), "shape": shape[1:]}
    return form.changed(sources=form.sources[1:], attributes=attributes)


def _is_variable(form: Form) -> bool:
    return common_op(form.op) == "VariableV2"


def expand_dims(graph: Canonical, form: Form) -> Optional[Form]:
    """The axis of ``conv1d`` counts from the end in some versions."""
    rank = _rank(form)
    axis = graph.scalar(form.sources[-1]) if len(form.sources) == 2 else None
    if axis is None or rank is None:
        return None
    axis += rank if axis < 0 else 0
    return form.changed(sources=form.sources[:1], attributes={"axis": (axis,)})


def squeeze(graph: Canonical, form: Form) -> Optional[Form]:
    """The axes of ``conv1d`` count from the end in some versions."""
    axes, rank = form.values("squeeze_dims"), _rank(form)
    if not axes or rank is None:
        return None
    whole = rank + len(axes)
    return form.changed(attributes={"squeeze_dims": tuple(sorted(axis % whole for axis in axes))})


def _rank(form: Form) -> Optional[int]:
    shapes = form.node.values("_output_shapes")
    return len(shapes[0]) if shapes and isinstance(shapes[0], tuple) else None


def dropout(graph: Canonical, form: Form) -> Optional[Form]:
    """A dropout multiplies by a mask in some versions, and selects zeros in others."""
    found = _masked(graph, form)
    if found is None:
        return None
    mask, scaled = graph.peek(found[0]), graph.peek(found[1])
    if mask.op != "GreaterEqual" or "Random" not in graph.peek(mask.sources[0]).op:
        return None
    rate = mask.sources[1]
    kept = _unscaled(graph, scaled, rate)
    if kept is None:
        return None
    random = graph.peek(mask.sources[0])
    shape = graph.peek(random.sources[0]) if random.sources else random
    own = shape.op == "Shape" and shape.sources == (kept,)
    return form.changed("Dropout", (kept, rate) if own else (kept, rate, mask.sources[0]), {})


def _masked(graph: Canonical, form: Form) -> Optional[Tuple[Source, Source]]:
    """Returns the mask and the values that are kept."""
    if form.op == "SelectV2":
        return form.sources[:2] if graph.scalar(form.sources[2]) == 0.0 else None  # type: ignore
    for mask, values in (form.sources, form.sources[::-1]):
        cast = graph.peek(mask)
        if cast.op == "Cast" and cast.values("SrcT") == ("bool",):
            return cast.sources[0], values
    return None


def _unscaled(graph: Canonical, scaled: Form, rate: Source) -> Optional[Source]:
    """Returns what was divided by 1 - rate."""
    if scaled.op == "RealDiv" and _is_rest(graph, scaled.sources[1], rate):
        return scaled.sources[0]
    for values, scale in (scaled.sources, scaled.sources[::-1]) if scaled.op == "Mul" else ():
        factor, number = graph.scalar(scale), graph.scalar(rate)
        if factor is not None and number is not None and abs(factor * (1 - number) - 1) < 1e-5:
            return values
        inverse = graph.peek(scale)
        if inverse.op != "RealDiv" or graph.scalar(inverse.sources[0]) != 1.0:
            continue
        if _is_rest(graph, inverse.sources[1], rate):
            return values
    return None


def _is_rest(graph: Canonical, source: Source, rate: Source) -> bool:
    """Whether a source is 1 - rate, or the rate is 1 - source."""
    for one, other in ((source, rate), (rate, source)):
        form = graph.peek(one)
        if form.op == "Sub" and graph.scalar(form.sources[0]) == 1.0 and form.sources[1] == other:
            return True
    return False


def batch_norm(graph: Canonical, form: Form) -> Optional[Form]:
    """In training, the moving averages that a fused batch normalization gets are not used."""
    attributes = dict(form.attributes)
    attributes.pop("U", None)
    if attributes.get("is_training") == (True,) and "exponential_avg_factor" not in attributes:
        return form.changed(sources=form.sources[:3], attributes=attributes)
    return form.changed(attributes=attributes)


def finite(graph: Canonical, form: Form) -> Optional[Form]:
    """``clip_by_global_norm`` gives NaN where the norm is not finite, in two ways."""
    if form.op == "AddV2":
        for value, other in (form.sources, form.sources[::-1]):
            zero = graph.peek(other)
            if zero.op == "Sub" and zero.sources[0] == zero.sources[1]:
                return form.changed("OrNan", (value, zero.sources[0]), {})
        return None
    condition, otherwise = graph.peek(form.sources[0]), graph.scalar(form.sources[2])
    if condition.op == "IsFinite" and otherwise != otherwise:
        return form.changed("OrNan", (form.sources[1], condition.sources[0]), {})
    return None


def segment_mean(graph: Canonical, form: Form) -> Optional[Form]:
    """Versions compute the shape of the counts of ``unsorted_segment_mean`` in two ways."""
    total, largest = map(graph.peek, form.sources)
    sizes = graph.peek(largest.sources[0]) if largest.op == "Maximum" else largest
    ones = graph.peek(sizes.sources[0]) if sizes.op == "Reshape" else sizes
    if (total.op, ones.op) != ("UnsortedSegmentSum", "UnsortedSegmentSum"):
        return None
    if graph.scalar(largest.sources[1]) != 1.0 or total.sources[1:] != ones.sources[1:]:
        return None
    return form.changed("UnsortedSegmentMean", (*total.sources, ones.sources[0]), {})


def or_zero(graph: Canonical, form: Form) -> Optional[Form]:
    """``reduce_logsumexp`` selects zeros: a constant, or ``ZerosLike`` if the shape is unknown."""
    if len(form.sources) != 3:
        return None
    zeros = graph.peek(form.sources[2])
    constant = constant_of(zeros.node)
    empty = constant is not None and constant.content and not any(constant.content)
    if zeros.op != "ZerosLike" and not empty:
        return None
    return form.changed("SelectOrZero", form.sources[:2], {})


def segments(graph: Canonical, form: Form) -> Optional[Form]:
    """Old versions cast the number of segments to int32 and look up each row only once."""
    rows, ids, numbers = form.sources[:3]
    cast, lookup = graph.peek(numbers), graph.peek(rows)
    if (cast.op, cast.values("SrcT"), cast.values("DstT")) == ("Cast", ("int64",), ("int32",)):
        numbers = cast.sources[0]
    unique = lookup.sources[1] if lookup.op == "GatherV2" and len(lookup.sources) == 2 else rows
    if graph.peek(unique).op == "Unique" and (unique[0], 1) == ids:
        rows, ids = lookup.sources[0], graph.peek(unique).sources[0]
    return form.changed(sources=(rows, ids, numbers, *form.sources[3:]))


def diagonal(graph: Canonical, form: Form) -> Optional[Form]:
    """New versions of diagonal ops also take a diagonal's number, sizes, padding and alignment."""
    if form.op[-2:] not in ("V2", "V3"):
        return None
    kept = 2 if form.op.startswith("MatrixSet") else 1
    values = [graph.scalar(source) for source in form.sources[kept:]]
    if values[:1] != [0] or any(value not in (-1, 0) for value in values[1:]):
        return None
    attributes = {name: value for name, value in form.attributes if name != "align"}
    return form.changed(form.op[:-2], form.sources[:kept], attributes)


def written(graph: Canonical, form: Form) -> Optional[Form]:
    """A write of a reference variable returns its value; a resource variable is read again."""
    sources = tuple(_variable_written(graph, source) for source in form.sources)
    return None if sources == form.sources else form.changed(sources=sources)


def _variable_written(graph: Canonical, source: Source) -> Source:
    form = graph.peek(source)
    while form.op.startswith(("Assign", "Scatter")) and form.sources:
        if not _is_variable(graph.peek(form.sources[0])):
            break
        source = form.sources[0]
        form = graph.peek(source)
    return source


def descent(graph: Canonical, form: Form) -> Optional[Form]:
    """Gradient descent of rows subtracts rate times gradient, or adds rate times -gradient."""
    product = graph.peek(form.sources[2])
    if product.op != "Mul" or len(form.sources) != 3:
        return None
    gradient, rate = product.sources
    if form.op == "ScatterAdd":
        negative = graph.peek(gradient)
        if negative.op != "Neg":
            return None
        gradient = negative.sources[0]
    return form.changed("ScatterSub", (*form.sources[:2], gradient, rate))


def dense_rows(graph: Canonical, form: Form) -> Optional[Form]:
    """To make a gradient of rows dense, a version uses a constant number of rows or reads it."""
    if len(form.sources) == 3 and is_gradient(form.sources[1][0][1]):
        return form.changed(sources=form.sources[:2], attributes={})
    return None


def tensor_array(graph: Canonical, form: Form) -> Optional[Form]:
    """A ``TensorArray`` has its own ops and a flow, or the ops of tensor lists."""
    op, kept = _ARRAYS[form.op]
    if len(form.sources) <= max(kept):
        return None
    partly = form.op in ("TensorArrayScatterV3", "TensorArrayGatherV3")
    if partly and not _is_whole(graph, form.sources[1]):
        return None
    sources = [form.sources[number] for number in kept]
    return form.changed(op, sources, {})


def _is_whole(graph: Canonical, source: Source) -> bool:
    """Whether a source holds the indices of all elements in order."""
    form, known = graph.peek(source), graph.known(source)
    if known is not None:
        return known.values == tuple(range(len(known.values)))
    ends = [graph.scalar(taken) for taken in form.sources[::2]] if form.op == "Range" else []
    return ends == [0, 1]


_ARRAYS = {
    "TensorArrayV3": (ARRAY, (0,)),
    "TensorListReserve": (ARRAY, (1,)),
    "TensorArrayScatterV3": ("ArrayOfTensor", (2,)),
    "TensorListFromTensor": ("ArrayOfTensor", (0,)),
    "TensorArrayReadV3": ("ArrayItem", (2, 1)),
    "TensorListGetItem": ("ArrayItem", (0, 1)),
    "TensorArrayWriteV3": ("ArrayWithItem", (3, 1, 2)),
    "TensorListSetItem": ("ArrayWithItem", (0, 1, 2)),
    "TensorArrayGatherV3": ("TensorOfArray", (2,)),
    "TensorListStack": ("TensorOfArray", (0,)),
}
"""The ops of arrays: the common op, and the inputs that it takes."""


def branches(graph: Canonical, form: Form) -> Optional[Form]:
    """A ``cond`` is an ``If``, or a ``Switch`` of each value and a ``Merge`` of the results."""
    if form.op == "Switch":
        return (
            None if graph.peek(form.sources[1]).op == "LoopCond" else form.passing(form.sources[0])
        )
    condition = graph.condition(form.node)
    if condition is None or len(form.sources) != 2:
        return None
    return form.changed("If", (condition, *form.sources), {})


def choice(graph: Canonical, form: Form) -> Optional[Form]:
    """A choice between two values is an ``If`` in some versions, and a ``Select`` in others."""
    if len(form.sources) != 3:
        return None
    condition, otherwise, value = form.sources
    return form.changed("SelectV2", (condition, value, otherwise), {})


def sum_of_squares(graph: Canonical, form: Form) -> Optional[Form]:
    """Replaces a factor times the sum of squares by twice the factor times ``L2Loss``.

    Versions of Keras build either form for its L2. ``L2Loss`` is half the sum of squares.
    """
    for factor, total in (form.sources, form.sources[::-1]):
        scale, summed = graph.known(factor), graph.peek(total)
        if scale is None or scale.shape or summed.op != "Sum":
            continue
        square, axes = graph.peek(summed.sources[0]), graph.known(summed.sources[1])
        variable = graph.peek(square.sources[0]) if square.op == "Square" else None
        if axes is None or variable is None or not _is_variable(variable):
            continue
        (shape,) = variable.node.values("shape") or (None,)
        if isinstance(shape, tuple) and axes.values == tuple(range(len(shape))):
            double = scale._replace(values=(2 * scale.values[0],))
            half = Form(form.node._replace(op="L2Loss"), (), square.sources)
            sources = graph.constant(factor, double), graph.added(total, half)
            return form.changed(sources=sources)
    return None


_ARITHMETIC = dict.fromkeys(("AddV2", "Mul", "RealDiv", "Sub"), (identity,))
_DIAGONALS = {
    op + version: (diagonal,)
    for op in ("MatrixDiag", "MatrixDiagPart", "MatrixSetDiag")
    for version in ("V2", "V3")
}
_SEGMENTS = {f"SparseSegment{kind}": (segments,) for kind in ("Mean", "SqrtN", "Sum")}
RULES: Rules = {
    **_ARITHMETIC,
    **_DIAGONALS,
    **_SEGMENTS,
    **dict.fromkeys(_ARRAYS, (tensor_array,)),
    "": (same_op, default_attributes, written),
    "AddV2": (identity, finite),
    "Conv2DBackpropInput": (transposed_convolution,),
    "ExpandDims": (expand_dims,),
    "FusedBatchNormV3": (batch_norm,),
    "If": (choice,),
    "GatherNd": (gather,),
    "GatherV2": (gather,),
    "Merge": (branches,),
    "Mul": (identity, dropout, sum_of_squares),
    "RealDiv": (identity, segment_mean),
    "Reshape": (reshape,),
    "ScatterAdd": (descent,),
    "ScatterSub": (descent,),
    "Select": (finite, or_zero),
    "SelectV2": (dropout,),
    "Sigmoid": (sigmoid,),
    "Squeeze": (squeeze,),
    "Switch": (branches,),
    "Transpose": (transpose,),
    "UnsortedSegmentSum": (dense_rows,),
}
"""The rules for each op; those of "" are for all ops."""


def without_dropout(graph: Canonical, form: Form) -> Optional[Form]:
    """Makes a dropout pass its input on, as in PREDICT."""
    return form.passing(form.sources[0])


RULES_WITHOUT_DROPOUT: Rules = {**RULES, "Dropout": (without_dropout,)}
"""The same rules for a graph of TRAIN without its dropouts."""
