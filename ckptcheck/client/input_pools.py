"""Which tensors of the saved graph can be the features and labels.

In the saved graph, the input_fn's ops come before the model_fn's. The tensors that cross this
border are the flattened features and labels. The graph does not record where the border is. The
outputs of an iterator or a queue are the first candidate. Each border that other tensors cross is
another candidate.
"""

import dataclasses
import re
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

from ..encoding.errors import DamagedError
from ..graph.graph import Graph, Use
from ..graph.launch import head_range
from ..graph.nodes import Node
from ..graph.parsing import parsed_keys, parsed_outputs
from .answers import consumer_text

_ITERATORS = ("IteratorGetNext", "IteratorGetNextSync")
_DIRECT_SOURCES = (
    *_ITERATORS,
    "Placeholder",
    "PlaceholderWithDefault",
    "QueueDequeueV2",
    "QueueDequeueManyV2",
    "QueueDequeueUpToV2",
)
_SOURCES = (*_DIRECT_SOURCES, "DeserializeSparse")
_MOST_BORDERS = 8
_ALIGNED_OPS = 60
_OPS_BEHIND = 400
_MOST_LEAVES = 1 << 18
_HIGHEST_RANK = 254
"""What TensorFlow allows."""
_ENOUGH_ALIGNED = 0.8


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One tensor that can be a feature or a label.

    Attributes:
        name: its name in the saved graph.
        spec: its dtype and shape, as docs/features.md writes a leaf.
        consumers: each op that consumes it, as :func:`.answers.consumer_text` writes it, sorted.
        users: the place of each of these ops, counted from the beginning of the head (the
            part of the graph that the input_fn may have made).
        key: the key of this tensor in a signature or a parsing spec; "" if there is none.
        others: the places of the ops that consume the indices or the shape of a SparseTensor.
    """

    name: str
    spec: Dict[str, Any]
    consumers: Tuple[str, ...]
    users: Tuple[int, ...] = ()
    key: str = ""
    others: Tuple[int, ...] = ()

    @property
    def used(self) -> bool:
        """Whether the model_fn that was saved consumed it."""
        return bool(self.consumers)

    def is_named(self, key: str) -> bool:
        """Whether a name in the saved graph shows that this tensor is the feature ``key``.

        A placeholder has the name itself. A feature column works in a scope named after it, such
        as ``input_layer/age_embedding``.
        """
        if key == self.key:
            return True
        places = [self.name.rpartition(":")[0], *(text.split(" ")[0] for text in self.consumers)]
        return any(_is_name_of(part, key) for place in places for part in place.split("/"))


def _is_name_of(part: str, key: str) -> bool:
    """Whether a scope is named after a feature, by itself or through its feature column."""
    if part.endswith(_SHARED):
        return f"_{key}_" in f"_{part}"
    names = _TOGETHER.split(_COLUMN.sub("", part))
    return part == key or key in (_COLUMN.sub("", name) for name in names)


_COLUMN = re.compile(r"(_embedding|_indicator|_bucketized)+$")
_TOGETHER = re.compile("_weighted_by_|_X_")
_SHARED = "_shared_embedding"
"""The endings of the scopes of feature columns. Other scopes whose names start with the name of a
feature (``input_layer``, ``dense_1``) say nothing about the feature."""


@dataclasses.dataclass(frozen=True)
class Pool:
    """The leaves of one border.

    Attributes:
        leaves: the tensors.
        sorted_keys: whether they stand in the order of ``nest.flatten``.
        names: the nodes before the border, whose names the model_fn's ops cannot have.
        parsed: the keys that the input pipeline parses.
        labeled: whether the leaves may include labels.
    """

    leaves: Tuple[Leaf, ...]
    sorted_keys: bool
    names: Tuple[str, ...] = ()
    parsed: FrozenSet[str] = frozenset()
    labeled: bool = True

    @property
    def batch(self) -> Optional[int]:
        """The static batch size of all leaves; None if they have none or differ."""
        shapes = [leaf.spec["shape"] for leaf in self.leaves]
        sizes = {shape[0] if shape else None for shape in shapes}
        return sizes.pop() if len(sizes) == 1 else None

    def names_key(self, key: str) -> bool:
        """Whether a name in the saved graph shows that a feature has this key."""
        return key in self.parsed or any(leaf.is_named(key) for leaf in self.leaves)


@dataclasses.dataclass(frozen=True)
class Head:
    """The part of a saved graph that the input_fn may have made.

    Attributes:
        nodes: its nodes.
        leaves: the outputs of each node.
        ops: the types of its nodes and of the nodes after it. The ops of a trace are looked for
            here.
        parsed: the keys that the input pipeline parses.
        labeled: whether the input_fn may have made labels.
        has_own_iterator: whether the input_fn made an iterator. It may then compute features from
            the iterator's outputs. If it returns a Dataset, Estimator makes the iterator.
        of_dataset: whether the input_fn returned a Dataset, so that the outputs of Estimator's
            iterator are the features and labels.
    """

    nodes: Tuple[Node, ...]
    leaves: Tuple[Tuple[Leaf, ...], ...]
    ops: Tuple[str, ...]
    parsed: FrozenSet[str] = frozenset()
    labeled: bool = True
    has_own_iterator: bool = False
    of_dataset: bool = False


def head_of(graph: Graph) -> Head:
    """The head of a saved graph.

    Raises:
        DamagedError: the graph is damaged there.
    """
    first, last = head_range(graph)
    nodes = graph.nodes[first:last]
    if graph.serving:
        keys = {**dict(parsed_outputs(nodes)), **graph.keys}
        graph = dataclasses.replace(graph, keys=keys)
    leaves: List[Tuple[Leaf, ...]] = []
    left = _MOST_LEAVES
    for node in nodes:
        leaves.append(tuple(_leaves_of(graph, first, node)))
        left -= len(leaves[-1])
        if left < 0:
            raise DamagedError("its first nodes have more outputs than any input_fn's")
    ops = tuple(node.op for node in graph.nodes[first : last + _OPS_BEHIND])
    parsed = frozenset(parsed_keys(graph))
    own = _has_own_iterator(graph)
    of_dataset = not own and any(node.op in _ITERATORS for node in nodes)
    return Head(nodes, tuple(leaves), ops, parsed, not graph.serving, own, of_dataset)


def _has_own_iterator(graph: Graph) -> bool:
    """Whether the input_fn made an iterator, and not Estimator from the Dataset that it returned.

    Estimator initializes its own iterator in a hook, and not with the tables.
    """
    initialized = set(graph.collection("table_initializer"))
    return any(
        node.op == "OneShotIterator" or (node.op == "MakeIterator" and node.name in initialized)
        for node in graph.nodes
    )


def _leaves_of(graph: Graph, first: int, node: Node) -> Iterator[Leaf]:
    outputs = graph.outputs(node)
    uses = [graph.consumers.get((node.name, place), ()) for place in range(len(outputs))]
    if node.op == "Const" and uses and _is_argument(graph, node, uses[0]):
        return
    if node.op == "DeserializeSparse" and len(outputs) == 3:
        # Indices, values and dense_shape are one SparseTensor.
        rank = (outputs[2].shape or (None,))[0]
        if not rank or rank > _HIGHEST_RANK:
            rank = 2
        sparse = {"dtype": outputs[1].dtype, "shape": [None] * rank, "sparse": True}
        others = tuple(use.node - first for use in (*uses[0], *uses[2]))
        leaf = _leaf(graph, first, f"{node.name}:0", sparse, uses[1])
        yield dataclasses.replace(leaf, others=others)
        return
    for place, (dtype, shape) in enumerate(outputs):
        spec = {"dtype": dtype, "shape": None if shape is None else list(shape)}
        yield _leaf(graph, first, f"{node.name}:{place}", spec, uses[place])


def _is_argument(graph: Graph, constant: Node, uses: Sequence[Use]) -> bool:
    """Whether a constant is an argument of an op: ``concat`` uses ``concat/axis``."""
    scope, _, _ = constant.name.rpartition("/")
    users = (graph.nodes[use.node].name for use in uses)
    return bool(scope) and all(f"{user}/".startswith(f"{scope}/") for user in users)


def _leaf(
    graph: Graph, first: int, name: str, spec: Dict[str, Any], consumers: Sequence[Use]
) -> Leaf:
    users = sorted(
        (consumer_text(graph.nodes[use.node], use.slot), use.node - first) for use in consumers
    )
    texts, places = zip(*users) if users else ((), ())
    return Leaf(name, spec, texts, places, graph.keys.get(name, ""))


def pools(head: Head) -> Tuple[Pool, ...]:
    """All candidates, the likeliest first, each set of leaves once."""
    found: List[Pool] = []
    direct = _direct_pool(head)
    if direct is not None:
        found.append(direct)
    sources = [place for place, node in enumerate(head.nodes) if node.op in _SOURCES]
    first = max(sources) + 1 if sources else 0
    borders = list(reversed(range(first, len(head.nodes) + 1)))
    if not sources:
        borders.insert(0, _end_of_constants(head))
    for border in borders:
        pool = pool_at(head, border)
        if pool.leaves and _names(pool) not in [_names(other) for other in found]:
            found.append(pool)
        if len(found) > _MOST_BORDERS:
            break
    return tuple(found)


def has_inputs(graph: Graph) -> bool:
    """Whether a graph has tensors that an input_fn can have made.

    Raises:
        DamagedError: the graph is damaged.
    """
    return bool(pools(head_of(graph)))


def _end_of_constants(head: Head) -> int:
    """Returns the index after the constants with which an input_fn without a pipeline begins.

    Scalars do not count, because a scalar cannot be a batch.
    """
    for place, node in enumerate(head.nodes):
        shape = head.leaves[place][0].spec["shape"] if head.leaves[place] else None
        if node.op != "Const" or not shape:
            return place
    return len(head.nodes)


def _names(pool: Pool) -> Tuple[str, ...]:
    return tuple(sorted(leaf.name for leaf in pool.leaves))


def _direct_pool(head: Head) -> Optional[Pool]:
    """The outputs of the input pipeline's last ops; None if there are none."""
    nodes = enumerate(head.nodes)
    sources = [(node.op, place) for place, node in nodes if node.op in _DIRECT_SOURCES]
    iterators = [place for op, place in sources if op in _ITERATORS]
    queues = [place for op, place in sources if op.startswith("QueueDequeue")]
    chosen = iterators or queues[-1:] or [place for _, place in sources]
    leaves = tuple(leaf for place in chosen for leaf in _followed(head, place))
    if not leaves:
        return None
    if not iterators:  # a queue's first output is the row number, which nothing uses
        leaves = tuple(leaf for leaf in leaves if leaf.used)
    border = sources[-1][1] + 1
    names = _node_names(head, border)
    return Pool(leaves, bool(iterators or queues), names, head.parsed, head.labeled)


def _followed(head: Head, place: int) -> Iterator[Leaf]:
    """The outputs of a source. For a variant, yields the SparseTensor that is made from it."""
    for leaf in head.leaves[place]:
        if leaf.spec["dtype"] != "variant":
            yield leaf
            continue
        for user in leaf.users:
            if user < len(head.nodes) and head.nodes[user].op == "DeserializeSparse":
                yield from head.leaves[user]


def pool_at(head: Head, border: int) -> Pool:
    """The tensors that cross a border between two nodes of the head.

    Only the ops behind the border consume them: the input_fn makes the ops before it.
    """
    leaves = tuple(
        _behind(leaf, border)
        for some in head.leaves[:border]
        for leaf in some
        if leaf.spec["dtype"] not in ("resource", "variant")
        and any(user >= border for user in (*leaf.users, *leaf.others))
    )
    return Pool(leaves, False, _node_names(head, border), head.parsed, head.labeled)


def _behind(leaf: Leaf, border: int) -> Leaf:
    """Returns a leaf without the consumers before a border."""
    pairs = [pair for pair in zip(leaf.consumers, leaf.users) if pair[1] >= border]
    texts, users = zip(*pairs) if pairs else ((), ())
    return dataclasses.replace(leaf, consumers=texts, users=users)


def _node_names(head: Head, border: int) -> Tuple[str, ...]:
    return tuple(node.name for node in head.nodes[:border])


def aligned_border(head: Head, made: Sequence[str]) -> Optional[int]:
    """Returns where the first ops of a traced model_fn are in the saved graph; None if nowhere."""
    if len(made) < 3:
        return None
    wanted = made[:_ALIGNED_OPS]
    best, border = 0, 0
    for start in range(len(head.nodes) + 1):
        there = head.ops[start : start + len(wanted)]
        same = sum(mine == theirs for mine, theirs in zip(wanted, there))
        if same > best:
            best, border = same, start
    return border if best >= _ENOUGH_ALIGNED * len(wanted) else None
