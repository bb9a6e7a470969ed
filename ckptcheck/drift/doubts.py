"""Decides which differences come from the code, and not from another version of TensorFlow.

Versions of TensorFlow build some calls in different ways that :mod:`..graph.version_rules` does
not know. A difference is certain only if it consists of ops that all versions make alike. If some
difference is not certain, only settings such as a rate or a padding are certain.
"""

from typing import AbstractSet, Any, Iterable, List, Sequence, Tuple

from ..graph.constants import constant_of, plain_value
from ..graph.digests import Interner, Step
from ..graph.linked import Place
from ..graph.version_rules import RULES_WITHOUT_DROPOUT
from .matching import Half
from .names import optimizer_of
from .regions import Region
from .sides import WRITES, Side, forward

_ALIKE = frozenset(
    (
        *("Const", "Cast", "Dropout", "Identity", "Placeholder", "StopGradient"),
        *("Abs", "AddN", "AddV2", "Exp", "FloorDiv", "FloorMod", "Log", "Log1p", "Maximum"),
        *("Minimum", "Mul", "Neg", "Pow", "RealDiv", "Round", "Rsqrt", "Sign", "Sqrt", "Square"),
        *("SquaredDifference", "Sub", "Tanh", "Sigmoid", "Relu", "Relu6", "Elu", "Softplus"),
        *("Softsign", "LeakyRelu", "Softmax", "LogSoftmax", "Erf", "Sin", "Cos", "Floor", "Ceil"),
        *("Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "NotEqual", "LogicalAnd"),
        *("LogicalNot", "LogicalOr", "IsFinite", "Max", "Mean", "Min", "Prod", "Sum", "Cumsum"),
        *("ArgMax", "AvgPool", "BiasAdd", "Conv2D", "L2Loss", "LRN", "MatMul", "MaxPool"),
        *("ReverseV2", "ConcatV2", "GatherV2", "LookupTableFindV2", "OneHot", "OrNan", "Pad"),
        *("PadV2", "RandomStandardNormal", "RandomUniform", "Select", "Slice", "StridedSlice"),
        *("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits"),
        *("SparseSegmentMean", "SparseSegmentSqrtN", "SparseSegmentSum", "Pack", "ZerosLike"),
        *("SelectOrZero", "StringLower", "StringToHashBucketFast", "StringToHashBucketStrong"),
        *("UnsortedSegmentMax", "UnsortedSegmentMean", "UnsortedSegmentSum"),
    )
)
"""Ops that all versions use for the same calls."""
_MOVABLE = _ALIKE.union(("BatchMatMulV2", "FusedBatchNormV3", "GatherNd", "SelectV2", "While"))
"""Ops that take the same inputs in all versions."""
_OF_VALUES = (
    *("Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "NotEqual"),
    *("GatherV2", "LookupTableFindV2", "OneHot"),
)
"""Ops with integer inputs that do not compute shapes. Versions compute shapes in several ways."""
_SETTINGS = ("alpha", "boundaries", "dilations", "epsilon", "ksize", "padding", "strides")
"""Attributes that a person chooses."""


class WithoutDropout:
    """Both graphs of TRAIN without their dropouts, which is what PREDICT computes.

    Args:
        saved: the saved side.
        traced: the traced side.
    """

    def __init__(self, saved: Side, traced: Side) -> None:
        interner = Interner()
        self._digests = [
            {place: step.digest for place, step in computed.steps.items()}
            for computed in (
                forward(side, interner, RULES_WITHOUT_DROPOUT) for side in (saved, traced)
            )
        ]
        self._known = [set(digests.values()) for digests in self._digests]

    def is_same(self, region: Region) -> bool:
        """Whether the nodes of a region compute the same without dropouts."""
        olds = (*region.old, *(old for old, _ in region.pairs))
        sides = [[step for step in steps if step.sources] for steps in (olds, region.nodes)]
        return any(sides) and all(self._is_known(steps, side) for side, steps in enumerate(sides))

    def _is_known(self, steps: Sequence[Step], side: int) -> bool:
        """Whether the other side computes the same values. Nodes of dropouts do not count."""
        own, other = self._digests[side], self._known[1 - side]
        return all(own[step.place] in other for step in steps if step.place in own)


class Doubts:
    """Says which regions are certain.

    Args:
        old: the saved side.
        new: the traced side.
        regions: all regions.
        losses: the places that the loss depends on, on each side.
    """

    def __init__(
        self,
        old: Half,
        new: Half,
        regions: Sequence[Region],
        losses: Tuple[AbstractSet[Place], AbstractSet[Place]],
    ) -> None:
        self._shared = _optimizers(old.steps.values()) & _optimizers(new.steps.values())
        self._written = _write_ops(old.steps.values()) & _write_ops(new.steps.values())
        self._losses = losses
        doubtful = [region for region in regions if not self._is_plain(region)]
        self._doubtful = {id(region) for region in doubtful}
        self._spoilt = {self.is_update(region) for region in doubtful}

    def is_update(self, region: Region) -> bool:
        """Whether the loss does not depend on a region."""
        olds = (*region.old, *(old for old, _ in region.pairs))
        places = ({step.place for step in steps} for steps in (olds, region.nodes))
        return all(map(frozenset.isdisjoint, map(frozenset, self._losses), places))

    def is_certain(self, region: Region) -> bool:
        """Whether it is certain that the code caused a region."""
        if id(region) in self._doubtful:
            return False
        settings = all(_is_setting(*pair) for pair in region.pairs)
        alone = bool(region.pairs) and settings and not region.old and not region.new
        optimizers = _optimizers((*region.old, *region.new))
        spoilt = self._spoilt if self.is_update(region) else self._spoilt - {True}
        return alone or bool(optimizers) or not spoilt

    def _is_plain(self, region: Region) -> bool:
        olds, news = (_optimizers(steps) for steps in (region.old, region.new))
        if olds or news:
            return bool(olds and news) or (olds or news) <= self._shared
        loose = (*region.old, *region.new)
        replaced = _write_ops(region.old) and _write_ops(region.new)
        if not replaced and not _write_ops(loose) <= self._written:
            return False
        random = any("Random" in step.node.op for step in loose)
        plain = (_is_alike(step) or (random and step.node.op == "Shape") for step in loose)
        return all(plain) and all(_is_told(*pair) for pair in region.pairs)


def _optimizers(steps: Iterable[Step]) -> AbstractSet[str]:
    return {optimizer_of(step.node.op) for step in steps} - {""}


def _write_ops(steps: Iterable[Step]) -> AbstractSet[str]:
    """The ops that write variables, without optimizers."""
    ops = {step.node.op for step in steps}
    return {op for op in ops if WRITES.match(op) and not optimizer_of(op)}


def _is_alike(step: Step) -> bool:
    """Whether all versions make a node alike. Leaves are the same in all versions."""
    if step.anchor or WRITES.match(step.node.op):
        return True
    return step.node.op in _ALIKE and not _computes_shapes(step)


def _computes_shapes(step: Step) -> bool:
    types = dict(step.attributes).get("T", ())
    whole = types in (("int32",), ("int64",))
    return whole and step.node.op not in _OF_VALUES and "Random" not in step.node.op


def _is_told(old: Step, new: Step) -> bool:
    """Whether two counterparts differ in something that is the same in all versions."""
    mine, theirs = constant_of(old.node), constant_of(new.node)
    if mine is None or theirs is None:
        before, after = dict(old.attributes), dict(new.attributes)
        return set(before) == set(after) and (before != after or _is_movable(old, new))
    if (mine.dtype, mine.shape, mine.digest != theirs.digest) != (theirs.dtype, theirs.shape, True):
        return mine.dtype == theirs.dtype == "string" and mine.digest != theirs.digest
    return not any(map(_means_another, _listed(plain_value(mine)), _listed(plain_value(theirs))))


def _is_movable(old: Step, new: Step) -> bool:
    alike = len(old.sources) == len(new.sources) and not _computes_shapes(new)
    return alike and new.node.op in _MOVABLE


def _listed(value: Any) -> List[Any]:
    return value if isinstance(value, list) else [value]


def _means_another(old: Any, new: Any) -> bool:
    """Whether only one of two integers is negative: it counts from the end, or means all."""
    return isinstance(old, int) and isinstance(new, int) and (old < 0) != (new < 0)


def _is_setting(old: Step, new: Step) -> bool:
    """Whether two counterparts differ in a setting that a person chooses."""
    mine, theirs = constant_of(old.node), constant_of(new.node)
    if mine is None or theirs is None:
        before = dict(old.attributes)
        unlike = [name for name, values in new.attributes if before.get(name) != values]
        return bool(unlike) and all(name in _SETTINGS for name in unlike)
    return mine.dtype.startswith(("float", "string")) and not (old.folded or new.folded)
