"""Which tensors of the saved graph can be the features and labels.

The input_fn's ops stand before the model_fn's in the saved graph. The tensors that cross from the
first part to the second are the features and labels, flat. Where that border lies is not written
down: the outputs of an iterator or a queue are the first candidate, and each other border that
lets other tensors cross is one more.
"""

import dataclasses
import re
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from ..protocol import HeadNode, SavedGraph, SavedTensor

_ITERATORS = ("IteratorGetNext", "IteratorGetNextSync")
_DIRECT_SOURCES = (
    "IteratorGetNext",
    "IteratorGetNextSync",
    "Placeholder",
    "PlaceholderWithDefault",
    "QueueDequeueV2",
    "QueueDequeueManyV2",
    "QueueDequeueUpToV2",
)
_SOURCES = (*_DIRECT_SOURCES, "DeserializeSparse")
_MOST_BORDERS = 8
_ALIGNED_OPS = 60
_ENOUGH_ALIGNED = 0.8


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One tensor that can be a feature or a label.

    Attributes:
        name: of its node in the saved graph.
        spec: its dtype and shape, as docs/features.md writes a leaf.
        consumers: each op that consumes it, as :class:`..protocol.TensorUse` writes them.
    """

    name: str
    spec: Dict[str, Any]
    consumers: Tuple[str, ...]

    @property
    def used(self) -> bool:
        """Whether the model_fn that was saved consumed it."""
        return bool(self.consumers)

    def is_named(self, key: str) -> bool:
        """Whether the saved graph has a name that says that this tensor is the feature ``key``.

        A placeholder has the name itself. A feature column works in a scope named after it, such
        as ``input_layer/age_embedding``.
        """
        places = [self.name.rpartition(":")[0], *(text.split(" ")[0] for text in self.consumers)]
        return any(_is_name_of(part, key) for place in places for part in place.split("/"))


def _is_name_of(part: str, key: str) -> bool:
    """Whether a scope is named after a feature, by itself or through its feature column."""
    return part == key or (part.startswith(key + "_") and _COLUMN.search(part) is not None)


_COLUMN = re.compile(r"_(embedding|indicator|bucketized|weighted_by_.*|X_.*)$")
"""What feature columns add to the names of their features. Any other scope that starts like a
feature (``input_layer``, ``dense_1``) says nothing of it."""


@dataclasses.dataclass(frozen=True)
class Pool:
    """The leaves of one border.

    Attributes:
        leaves: the tensors.
        sorted_keys: whether they stand in the order of ``nest.flatten``.
        names: the nodes before the border, whose names the model_fn's ops cannot have.
        unused_labels: whether the last leaf counts as used though the saved model, which is
            TRAIN's, did not consume it: EVAL may.
    """

    leaves: Tuple[Leaf, ...]
    sorted_keys: bool
    names: Tuple[str, ...] = ()
    unused_labels: bool = False

    @property
    def used(self) -> Tuple[int, ...]:
        """The places of the leaves that the saved model consumed."""
        places = [place for place, leaf in enumerate(self.leaves) if leaf.used]
        last = len(self.leaves) - 1
        return (*places, last) if self.unused_labels and last not in places else tuple(places)


def _leaf(name: str, tensor: SavedTensor) -> Leaf:
    shape = None if tensor.shape is None else list(tensor.shape)
    spec: Dict[str, Any] = {"dtype": tensor.dtype, "shape": shape}
    if tensor.sparse:
        spec["sparse"] = True
    return Leaf(name, spec, tensor.consumers)


def pools(graph: SavedGraph) -> Tuple[Pool, ...]:
    """All candidates, the likeliest first, each set of leaves once."""
    found: List[Pool] = []
    direct = _direct_pool(graph)
    if direct is not None:
        found.append(direct)
    sources = [node.index for node in graph.head if node.op in _SOURCES]
    first = max(sources) + 1 if sources else 0
    borders = list(reversed(range(first, len(graph.head) + 1)))
    if not sources:
        borders.insert(0, _end_of_constants(graph))
    for border in borders:
        pool = pool_at(graph, border)
        if pool.leaves and _names(pool) not in [_names(other) for other in found]:
            found.append(pool)
        if len(found) > _MOST_BORDERS:
            break
    return tuple(found)


def _end_of_constants(graph: SavedGraph) -> int:
    """Where the constants end that an input_fn without a pipeline begins with.

    Those of an op's own making, such as ``concat/axis``, are in its scope, and scalars are no
    batches.
    """
    for node in graph.head:
        shape = node.outputs[0].shape if node.outputs else None
        if node.op != "Const" or "/" in node.name or not shape:
            return node.index
    return len(graph.head)


def _names(pool: Pool) -> Tuple[str, ...]:
    return tuple(sorted(leaf.name for leaf in pool.leaves if leaf.used))


def _direct_pool(graph: SavedGraph) -> Optional[Pool]:
    """The outputs of the input pipeline's last ops, None where there are none."""
    sources = [node for node in graph.head if node.op in _DIRECT_SOURCES]
    iterators = [node for node in sources if node.op in _ITERATORS]
    queues = [node for node in sources if node.op.startswith("QueueDequeue")]
    chosen = iterators or queues[-1:] or sources
    leaves = tuple(leaf for node in chosen for leaf in _leaves_of(graph, node))
    if not leaves:
        return None
    if queues and not iterators:  # the row number comes first, and nothing uses it
        leaves = tuple(leaf for leaf in leaves if leaf.used)
    border = max(node.index for node in sources) + 1
    return Pool(leaves, bool(iterators or queues), _node_names(graph, border))


def _leaves_of(graph: SavedGraph, node: HeadNode) -> Iterator[Leaf]:
    """A source's outputs; a variant is followed to the SparseTensor that it is turned into."""
    for place, output in enumerate(node.outputs):
        name = f"{node.name}:{place}"
        if output.dtype != "variant":
            yield _leaf(name, output)
            continue
        for user in output.consumer_nodes:
            if user < len(graph.head) and graph.head[user].op == "DeserializeSparse":
                sparse = graph.head[user]
                yield _leaf(sparse.name + ":0", sparse.outputs[0])


def pool_at(graph: SavedGraph, border: int) -> Pool:
    """The tensors that cross a border between two nodes of the head."""
    leaves = []
    for node in graph.head[:border]:
        for place, output in enumerate(node.outputs):
            if output.dtype in ("resource", "variant") or _is_part_of_sparse(node, place):
                continue
            if any(user >= border for user in output.consumer_nodes):
                leaves.append(_leaf(f"{node.name}:{place}", output))
    return Pool(tuple(leaves), False, _node_names(graph, border))


def _node_names(graph: SavedGraph, border: int) -> Tuple[str, ...]:
    return tuple(node.name for node in graph.head[:border])


def _is_part_of_sparse(node: HeadNode, place: int) -> bool:
    return node.op == "DeserializeSparse" and place > 0


def aligned_border(graph: SavedGraph, head: Sequence[str]) -> Optional[int]:
    """Where a traced model_fn's first ops stand in the saved graph, None where they do not."""
    if len(head) < 3:
        return None
    wanted = head[:_ALIGNED_OPS]
    best, border = 0, 0
    for start in range(len(graph.head) + 1):
        there = graph.ops[start : start + len(wanted)]
        same = sum(mine == theirs for mine, theirs in zip(wanted, there))
        if same > best:
            best, border = same, start
    return border if best >= _ENOUGH_ALIGNED * len(wanted) else None
