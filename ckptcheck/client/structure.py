"""The known structure of features and labels, and how the events of a trace add to it."""

import dataclasses
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from ..protocol import PROBE
from ..uses import InputEvent

Path = Tuple[Union[str, int], ...]


@dataclasses.dataclass(frozen=True)
class Node:
    """A part of a structure.

    Attributes:
        kind: ``unknown``, ``nothing``, ``tensor``, ``dict``, ``list`` or ``tuple``.
        items: the parts of a dict by key, sorted, or of a list or tuple by place.
    """

    kind: str
    items: Tuple[Tuple[Union[str, int], "Node"], ...] = ()

    @property
    def keys(self) -> Tuple[Union[str, int], ...]:
        """The keys or places of the parts."""
        return tuple(key for key, _ in self.items)

    def leaves(self, path: Path) -> Iterator[Path]:
        """The paths of the tensors, as ``nest.flatten`` orders them."""
        if self.kind == "tensor":
            yield path
        for key, item in self.items:
            yield from item.leaves(path + (key,))

    def at(self, path: Path) -> Optional["Node"]:
        """Returns the part at a path; None if there is none."""
        if not path:
            return self
        part = dict(self.items).get(path[0])
        return None if part is None else part.at(path[1:])

    def replaced(self, path: Path, part: "Node") -> "Node":
        """Returns a copy with another part at a path that exists."""
        if not path:
            return part
        return self.with_item(path[0], dict(self.items)[path[0]].replaced(path[1:], part))

    def with_item(self, key: Union[str, int], item: "Node") -> "Node":
        """A copy with one part added or replaced."""
        items = dict(self.items)
        items[key] = item
        return Node(self.kind, tuple(sorted(items.items(), key=_order)))


def _order(item: Tuple[Union[str, int], Node]) -> Tuple[int, str]:
    """Places by number, keys by name."""
    key = item[0]
    return (key, "") if isinstance(key, int) else (-1, key)


UNKNOWN, NOTHING, TENSOR = Node("unknown"), Node("nothing"), Node("tensor")


def sequence(kind: str, count: int) -> Node:
    """Returns a list or tuple of ``count`` tensors."""
    return Node(kind, tuple((place, TENSOR) for place in range(count)))


def learn(node: Node, events: Sequence[InputEvent], root: str, most: int) -> Node:
    """Adds what a trace saw of one root.

    Args:
        node: what was known.
        events: what the trace saw.
        root: ``features`` or ``labels``.
        most: how many tensors there can be, for a list of unknown length.
    """
    for event in events:
        if event.path and event.path[0] == root:
            node = _learn_at(node, event.path[1:], event, most)
    return node


def _learn_at(node: Node, path: Path, event: InputEvent, most: int) -> Node:
    if path:
        known = dict(node.items).get(path[0], TENSOR)
        return node.with_item(path[0], _learn_at(known, path[1:], event, most))
    if event.event == "key" and isinstance(event.value, str):
        if node.kind != "dict":
            node = Node("dict")
        return node if event.value in dict(node.items) else node.with_item(event.value, TENSOR)
    if event.event == "dict" and node.kind != "dict":
        return Node("dict")
    if event.event == "iterate" and event.value and node.kind not in ("dict", "unknown"):
        return Node("dict")
    if event.event == "unpack" and isinstance(event.value, int):
        return sequence("tuple", event.value)
    if event.event == "index" and isinstance(event.value, int):
        return sequence("list", max(most, event.value + 1))
    if event.event == "tensor" and node.kind == "unknown":
        return TENSOR
    return node


def wanted_keys(events: Sequence[InputEvent], event: str, root: str = "features") -> List[str]:
    """The keys of one kind of event of the features or labels, in their order."""
    return [str(item.value) for item in events if item.event == event and item.path == (root,)]


def render(node: Node, specs: Mapping[Path, Any], path: Path, pool: List[Any]) -> Any:
    """The structure as JSON, as docs/features.md writes it.

    Args:
        node: what is known.
        specs: the leaf for each path.
        path: the root's path.
        pool: the leaves that are left for keys not known yet.
    """
    if node.kind == "nothing":
        return None
    if node.kind == "tensor":
        return specs.get(path)
    if node.kind in ("list", "tuple"):
        items = [render(item, specs, path + (key,), pool) for key, item in node.items]
        return items if node.kind == "list" else {"tuple": items}
    known: Dict[str, Any] = {
        str(key): render(item, specs, path + (key,), pool) for key, item in node.items
    }
    return {PROBE: {"known": known, "pool": pool}}


def specs_of(structure: Any, path: Path) -> List[Tuple[Path, Any]]:
    """The leaves of a structure in JSON, with their paths."""
    if structure is None:
        return []
    if isinstance(structure, list):
        pairs: Any = enumerate(structure)
    elif isinstance(structure.get("dtype"), str) and "shape" in structure:
        return [(path, structure)]
    elif set(structure) == {"tuple"} and isinstance(structure["tuple"], list):
        pairs = enumerate(structure["tuple"])
    else:
        pairs = structure.items()
    return [leaf for key, item in pairs for leaf in specs_of(item, path + (key,))]


def node_of(paths: Sequence[Path]) -> Node:
    """Returns the structure that has tensors at some paths, without their root."""
    if not paths:
        return NOTHING
    if () in paths:
        return TENSOR
    parts: Dict[Union[str, int], List[Path]] = {}
    for path in paths:
        parts.setdefault(path[0], []).append(path[1:])
    node = Node("list" if all(isinstance(key, int) for key in parts) else "dict")
    for key, below in parts.items():
        node = node.with_item(key, node_of(below))
    return node
