"""Compares gradients that the code defines itself. All others follow from the forward part.

``tf.custom_gradient`` and ``Graph.gradient_override_map`` mark an op. TensorFlow then puts the
nodes of its gradient into a scope that is named after the op.
"""

import re
from typing import Any, Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..changes import Change
from ..graph.constants import constant_of, plain_value
from ..graph.digests import Computation, Interner, Step
from ..graph.linked import PASSING
from ..graph.nodes import Node, split_input
from ..protocol import TRAIN
from .names import said_of
from .sides import Side, with_gradients
from .wording import OP, value_text

_MARK = "_gradient_op_type"
_MADE_UP = re.compile(r"-\d+$")
"""The end of names that TensorFlow makes up. These names differ from run to run."""
_CUSTOM = "CustomGradient"
_SCOPE = re.compile(r"(?:^|/)gradients(?:_\d+)?/(.+?)_grad(?:_\d+)?/")
_DEFAULT = "TensorFlow's own"
_MOST_NUMBERS = 4
_Key = Tuple[Any, ...]


class Gradient(NamedTuple):
    """A gradient that the code defines.

    Attributes:
        kind: the name under which the code registered it, or ``CustomGradient``.
        value: the node whose gradient it is.
        result: the digests of the nodes at its end.
        steps: its nodes.
    """

    kind: str
    value: Step
    result: FrozenSet[int]
    steps: Tuple[Step, ...]

    @property
    def text(self) -> str:
        """Returns what the gradient computes, with its constants."""
        if not self.steps:
            return "identity" if self.kind == _CUSTOM else self.kind
        constants = filter(None, (constant_of(step.node) for step in self.steps))
        values = dict.fromkeys(v for v in map(plain_value, constants) if type(v) in (int, float))
        numbers = ", ".join(value_text({"value": v}) for v in list(values)[:_MOST_NUMBERS])
        said = said_of([step for step in self.steps if step.node.op != "Const"])
        return f"{said} ({numbers})" if numbers else said


class Gradients:
    """The gradients that the code of one side defines.

    Attributes:
        found: the gradients, by the values that they belong to.
        digests: the digests of the values that the loss depends on.
    """

    def __init__(self, side: Side, interner: Interner) -> None:
        self.found: Dict[_Key, List[Gradient]] = {}
        marked = dict(_marked(side))
        inner: Dict[str, List[Node]] = {name: [] for name in marked}
        for node in side.graph.nodes if marked else ():
            scope = _SCOPE.search(node.name)
            if scope is not None and scope.group(1) in inner:
                inner[scope.group(1)].append(node)
        names = {node.name: name for name, nodes in inner.items() for node in nodes}
        ends = {name: _ends(nodes) for name, nodes in inner.items()}
        roots = [root for name in marked for root in (_value(side.nodes[name]), *ends[name])]
        computed = with_gradients(side, interner, roots, names)
        self.digests = computed.digests
        places = iter(computed.roots[len(side.outputs) :])
        for name, kind in marked.items():
            value = computed.steps[next(places)]
            last = frozenset(computed.steps[next(places)].digest for _ in ends[name])
            steps = tuple(_steps(computed, inner[name]))
            key = (value.digest, side.nodes[name].op)
            self.found.setdefault(key, []).append(Gradient(kind, value, last, steps))


def _marked(side: Side) -> Iterator[Tuple[str, str]]:
    """Yields the ops whose gradient the code defines, and the kind of the gradient."""
    if _MARK.encode("ascii") not in side.graph.definition:
        return
    for node in side.graph.nodes:
        for value in node.values(_MARK):
            kind = value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
            plain = _MADE_UP.sub("", kind)
            if plain in (kind, _CUSTOM):  # other kinds belong to functions
                yield node.name, plain


def _value(node: Node) -> str:
    """Returns the node that computes an op's value: its input, if the op only passes it on."""
    return node.inputs[0] if node.op in PASSING and node.inputs else node.name


def _ends(nodes: Sequence[Node]) -> List[str]:
    """Returns the nodes that no other node takes as an input."""
    taken = {split_input(text)[0] for node in nodes for text in node.inputs}
    return [node.name for node in nodes if node.name not in taken and node.op != "NoOp"]


def _steps(computed: Computation, nodes: Sequence[Node]) -> Iterator[Step]:
    for node in nodes:
        step = computed.steps.get(("", node.name))
        if step is not None:
            yield step


def has_gradients(*sides: Side) -> bool:
    """Whether the code of a side defines a gradient."""
    return any(next(_marked(side), None) for side in sides)


def gradient_changes(old: Gradients, new: Gradients) -> Iterator[Change]:
    """Yields the gradients that differ, although they are the gradients of the same values.

    If only one side has a custom gradient, it may compute the same as TensorFlow's own gradient, so
    it is left out; see :func:`unsure_gradients`.
    """
    for key in [*old.found, *(key for key in new.found if key not in old.found)]:
        mine, theirs = old.found.get(key, []), new.found.get(key, [])
        one, other = (found[0] if found else None for found in (mine, theirs))
        if one and other:
            differs = _results(mine) != _results(theirs)
        else:
            alone = one or other
            differs = alone is not None and alone.kind != _CUSTOM and key[0] in _common(old, new)
        if differs:
            yield _change(one, other)


def unsure_gradients(old: Gradients, new: Gradients) -> List[str]:
    """Returns the values with a custom gradient on one side and TensorFlow's own on the other."""
    common = _common(old, new)
    alone = [key for key in {**old.found, **new.found} if (key in old.found) != (key in new.found)]
    found = (old.found.get(key) or new.found[key] for key in alone if key[0] in common)
    return sorted({said_of([some[0].value]) for some in found if some[0].kind == _CUSTOM})


def _common(old: Gradients, new: Gradients) -> FrozenSet[int]:
    return old.digests & new.digests


def _results(found: Sequence[Gradient]) -> List[Tuple[Any, ...]]:
    return sorted((one.kind, sorted(one.result)) for one in found)


def _change(old: Optional[Gradient], new: Optional[Gradient]) -> Change:
    value = said_of([one.value for one in (old, new) if one][:1])
    then, now = (one.text if one else _DEFAULT for one in (old, new))
    before, after = (
        tuple(step.place[1] for step in one.steps) if one else () for one in (old, new)
    )
    text = f"gradient of {value}: {then} -> {now}"
    return Change(OP, text, {"op": then}, {"op": now}, (TRAIN,), before, after)
