"""The two sides of a comparison: graphs, the anchors of their leaves, and their outputs."""

import dataclasses
import posixpath
import re
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Set, Tuple

from ..graph.canonical import Rules
from ..graph.digests import Computation, Interner, computation
from ..graph.graph import Graph
from ..graph.lazy import Lazy
from ..graph.nodes import Node, split_input
from ..graph.restored import READ_OPS, ancestors, restored_keys, strings
from .names import APPLY

WRITES = re.compile(
    r"^(Assign(Add|Sub)?(VariableOp)?|(Assign(Add|Sub)VariableOp)|(Resource)?CountUpTo"
    r"|(Resource)?(Sparse)?Apply[A-Z]\w*|(Resource)?Scatter(Nd)?(Add|Sub|Mul|Div|Min|Max|Update)"
    r"|(Resource)?StridedSliceAssign)$"
)
"""The ops that write a variable, which is their first input."""
_RANDOM = re.compile("Random|TruncatedNormal")
_ASSIGNS = ("Assign", "AssignVariableOp")
_TABLE_FROM_FILE = ("InitializeTableFromTextFile", "InitializeTableFromTextFileV2")
_TABLE_FILLERS = (
    *_TABLE_FROM_FILE,
    "InitializeTable",
    "InitializeTableV2",
    "LookupTableInsert",
    "LookupTableInsertV2",
    "LookupTableImport",
    "LookupTableImportV2",
)
SHAPE = "shape"
"""The last part of the anchor of a sparse input's shape."""
_REFS = ("Identity", "Enter", "RefEnter", "Switch", "RefSwitch")


@dataclasses.dataclass(frozen=True)
class Side:
    """A graph to compare.

    Attributes:
        graph: the graph.
        restore_op: the name of the saver's restore op.
        outputs: the tensors that the mode computes: the loss, or the predictions.
        inputs: the anchors of the tensors of features and labels, by node and output.
        train_op: the name of the op that runs a step of training; "" if it is not known.
        output_keys: the key of each output; () if it is not certain which output is which.
    """

    graph: Graph
    restore_op: str
    outputs: Tuple[str, ...]
    inputs: Mapping[Tuple[str, int], Tuple[Any, ...]]
    train_op: str = ""
    output_keys: Tuple[str, ...] = ()

    @Lazy
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by name."""
        return {node.name: node for node in self.graph.nodes}

    def with_outputs(self, keys: Sequence[str]) -> "Side":
        """Returns the side with only the outputs of some keys."""
        names = dict(zip(self.output_keys, self.outputs))
        outputs = tuple(names[key] for key in keys)
        return dataclasses.replace(self, outputs=outputs, output_keys=tuple(keys))

    @Lazy
    def restoring(self) -> Set[str]:
        """The nodes that a restore runs."""
        return ancestors(self.nodes, [self.restore_op])

    @Lazy
    def keys(self) -> Mapping[str, str]:
        """The key that a restore reads into each variable."""
        return restored_keys(self.graph, self.restore_op)

    @Lazy
    def writes(self) -> Tuple[str, ...]:
        """The ops that write a restored variable and are neither initializers nor restores."""
        return tuple(_writes(self))

    def key_written(self, name: str) -> str:
        """Returns the key of the variable that an op writes."""
        return self.keys[_variable(self.nodes, self.nodes[name].inputs[0])]


def with_common_outputs(one: Side, other: Side) -> Tuple[Side, Side]:
    """Returns two sides with the outputs that both have, if their keys show these."""
    keys = [key for key in one.output_keys if key in other.output_keys]
    return (one.with_outputs(keys), other.with_outputs(keys)) if keys else (one, other)


def forward(side: Side, interner: Interner, rules: Optional[Rules] = None) -> Computation:
    """Returns what the outputs of a side depend on.

    Args:
        side: the side.
        interner: gives the digests.
        rules: give nodes the forms that all versions of TensorFlow share; None if one version made
            both sides.
    """
    return _computation(side, interner, (), rules)


def training(
    side: Side, interner: Interner, other: Side, rules: Optional[Rules] = None
) -> Computation:
    """Returns what the losses and the writes of variables depend on; see :func:`forward`.

    An optimizer does not count if the other side does not restore its variable. The nodes that take
    the variable show this change.
    """
    known = set(other.keys.values())
    writes = (
        name
        for name in side.writes
        if side.key_written(name) in known or not APPLY.match(side.nodes[name].op)
    )
    return _computation(side, interner, (*writes, *_minimized(side)), rules)


_SEED = re.compile(r"(^|/)gradients(_\d+)?/(Fill|grad_ys_\d+)$")
"""The names of the values from which ``tf.gradients`` starts."""
_OF_GRADIENT = re.compile(r"(?:^|/)(?:gradients(?:_\d+)?/)+(.+?)_grad(?:_\d+)?/")
"""The scope in which ``tf.gradients`` puts the gradient of an op."""


def _minimized(side: Side) -> Iterator[str]:
    """Yields the ops whose gradients the optimizer takes, if the EstimatorSpec has another loss.

    An example is a loss with a regularization that the EstimatorSpec leaves out.
    """
    seeds = {name for name in side.nodes if _SEED.search(name)}
    shown: Optional[Set[str]] = None
    for node in side.graph.nodes if seeds else ():
        scope = _OF_GRADIENT.search(node.name)
        name = scope.group(1) if scope is not None else ""
        if name in side.nodes and any(split_input(text)[0] in seeds for text in node.inputs):
            shown = shown or ancestors(side.nodes, [split_input(o)[0] for o in side.outputs])
            if name not in shown:
                yield name


def with_gradients(
    side: Side, interner: Interner, roots: Sequence[str], own: Mapping[str, str]
) -> Computation:
    """Returns what the outputs and some other roots depend on.

    Args:
        side: the side.
        interner: gives the digests.
        roots: names of nodes or of their outputs.
        own: the nodes of gradients that are not leaves, each with the gradient that it belongs to.
    """
    return _computation(side, interner, tuple(roots), own=own)


def _computation(
    side: Side,
    interner: Interner,
    writes: Tuple[str, ...],
    rules: Optional[Rules] = None,
    own: Optional[Mapping[str, str]] = None,
) -> Computation:
    fillers: Dict[str, Tuple[str, ...]] = {}
    anchors: Dict[Tuple[str, int], Tuple[Any, ...]] = {**side.inputs, **_static_shapes(side)}
    for name, key in side.keys.items():
        anchors[name, 0] = ("variable", key)
    for node in side.graph.nodes:
        if node.op in _TABLE_FILLERS and node.inputs and node.name not in side.restoring:
            fillers[split_input(node.inputs[0])[0]] = node.inputs[1:]
            if node.op in _TABLE_FROM_FILE:
                anchors.update(_file_names(side.nodes, node))
    if rules is None:  # versions of TensorFlow initialize variables with other ops
        fillers.update(_initial_values(side))
    roots = [*side.outputs, *writes]
    return computation(side.graph, roots, anchors, interner, fillers, rules, own)


def _initial_values(side: Side) -> Iterator[Tuple[str, Tuple[str, ...]]]:
    """Yields the variables that are not restored, with what they are initialized from.

    Random numbers do not count: only their seed, which is no part of the comparison, decides.
    """
    seen: Set[str] = set()
    for node in side.graph.nodes:
        if node.op in _ASSIGNS and len(node.inputs) > 1:
            name = _variable(side.nodes, node.inputs[0])
            if name not in side.keys and name not in seen:
                seen.add(name)
                its = ancestors(side.nodes, [split_input(node.inputs[1])[0]])
                if not any(_RANDOM.search(side.nodes[one].op) for one in its):
                    yield name, (node.inputs[1],)


def _static_shapes(side: Side) -> Dict[Tuple[str, int], Tuple[Any, ...]]:
    """Returns the anchors of shapes of sparse inputs that ops unpack and pack again."""
    shapes = {at: anchor for at, anchor in side.inputs.items() if anchor[-1] == SHAPE}
    found = {}
    for node in side.graph.nodes if shapes else ():
        if node.op == "Pack":
            sources = [side.nodes.get(split_input(text)[0]) for text in node.inputs]
            unpacked = [s for s in sources if s is not None and s.op == "Unpack"]
            anchors = {shapes.get(split_input(source.inputs[0])) for source in unpacked} - {None}
            plain = all(s is not None and s.op in ("Unpack", "Const") for s in sources)
            if len(anchors) == 1 and plain:
                found[node.name, 0] = anchors.pop() or ()
    return found


def _file_names(
    nodes: Mapping[str, Node], node: Node
) -> Iterator[Tuple[Tuple[str, int], Tuple[Any, ...]]]:
    """Yields the anchors of the names of files. Their directories may differ."""
    for text in node.inputs[1:]:
        source = nodes.get(split_input(text)[0])
        while source is not None and source.op == "Identity":
            source = nodes.get(split_input(source.inputs[0])[0])
        if source is not None:
            for path in strings(source):
                yield (source.name, 0), ("file", posixpath.basename(path))


def _writes(side: Side) -> Iterator[str]:
    nodes = side.nodes
    initialized: Set[str] = set()
    for node in side.graph.nodes:
        if not node.inputs or not WRITES.match(node.op) or node.name in side.restoring:
            continue
        variable = _variable(nodes, node.inputs[0])
        if variable not in side.keys:
            continue
        if node.op in _ASSIGNS and variable not in initialized:
            initialized.add(variable)  # the first write is the variable's initializer
        elif not _is_restored(nodes, node):
            yield node.name


def _variable(nodes: Mapping[str, Node], text: str) -> str:
    name = split_input(text)[0]
    while name in nodes and nodes[name].op in _REFS and nodes[name].inputs:
        name = split_input(nodes[name].inputs[0])[0]
    return name


def _is_restored(nodes: Mapping[str, Node], assign: Node) -> bool:
    """Whether the value that is written comes straight from a checkpoint."""
    name = split_input(assign.inputs[-1])[0]
    while name in nodes and nodes[name].op in ("Identity", "Reshape", "Cast"):
        name = split_input(nodes[name].inputs[0])[0]
    return name in nodes and nodes[name].op in READ_OPS
