"""A graph from a ``.meta`` file, a ``graph.pbtxt`` file or a trace."""

import dataclasses
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ..encoding.dtypes import dtype_name
from ..encoding.errors import DamagedError
from ..encoding.wire import all_bytes, bytes_in, numbers_in
from ..protocol import Shape
from .lazy import Lazy
from .nodes import Node, read_nodes, split_input


class Output(NamedTuple):
    """The dtype and the shape of a node's output, as far as they are known."""

    dtype: str
    shape: Shape


class Use(NamedTuple):
    """A data input that consumes an output: the node's index, and the input's index in it."""

    node: int
    slot: int


class Function(NamedTuple):
    """A function of the graph's library.

    Attributes:
        name: its name.
        nodes: its nodes. Their inputs are arguments, or ``node:output:number``.
        arguments: the names of its arguments, in order.
        results: the inputs that its results take, in order.
    """

    name: str
    nodes: Tuple[Node, ...]
    arguments: Tuple[str, ...] = ()
    results: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Graph:
    """A graph, which is decoded lazily.

    Each property and each method decodes the part that it needs. It raises DamagedError if this
    part is damaged.

    Attributes:
        definition: the GraphDef.
        op_list: the definitions of the ops as an OpList. The outputs of other ops are not known.
        file: the file that holds the graph; "" for the graph of a trace.
        tensorflow: the version of TensorFlow that made the graph; "" if it is not recorded.
        restore_op: the name of the saver's restore op; "" if it is not recorded.
        collections: the encoded collections, if the file has any.
        serving: whether it is the graph of a SavedModel that serves predictions. It has no labels.
        keys: the keys of the inputs that a SavedModel's signatures name, by their tensors' names.
    """

    definition: bytes
    op_list: bytes = b""
    file: str = ""
    tensorflow: str = ""
    restore_op: str = ""
    collections: Tuple[bytes, ...] = ()
    serving: bool = False
    keys: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)

    def walk(self) -> Iterator[Node]:
        """Yields the nodes in the order of their creation, and decodes them lazily."""
        known: Optional[Tuple[Node, ...]] = self.__dict__.get("nodes")
        return read_nodes(self.definition) if known is None else iter(known)

    @Lazy
    def nodes(self) -> Tuple[Node, ...]:
        """All nodes, in the order of their creation."""
        return tuple(read_nodes(self.definition))

    @Lazy
    def consumers(self) -> Mapping[Tuple[str, int], List[Use]]:
        """The inputs that consume each output, by the output's node name and number."""
        found: Dict[Tuple[str, int], List[Use]] = {}
        for place, node in enumerate(self.nodes):
            for slot, text in enumerate(node.inputs):
                found.setdefault(split_input(text), []).append(Use(place, slot))
        return found

    @Lazy
    def functions(self) -> Tuple[Function, ...]:
        """The functions of the graph's library."""
        found = []
        for library in all_bytes(self.definition, 2):
            for function in all_bytes(library, 1):
                found.append(_function(function))
        return tuple(found)

    def collection(self, key: str) -> Tuple[str, ...]:
        """The names in a collection; () if the graph has no such collection."""
        for item in self.collections:
            found, values = bytes_in(item, 1, 2)
            if found == key.encode("utf-8"):
                (names,) = bytes_in(values, 1)
                return tuple(name.decode("utf-8", "replace") for name in all_bytes(names, 1))
        return ()

    @Lazy
    def producer(self) -> int:
        """The producer version of the GraphDef; 0 if it is not recorded."""
        (versions,) = bytes_in(self.definition, 4)
        (producer,) = numbers_in(versions, {1: 0})
        return producer

    def has(self, *ops: str) -> bool:
        """Whether a node has one of these op types."""
        # Searching for the encoded field is much faster than decoding all nodes.
        texts = [op.encode("ascii") for op in ops]
        if not any(b"\x12%c%s" % (len(text), text) in self.definition for text in texts):
            return False
        return any(node.op in ops for node in self.walk())

    def may_use(self, node: str, output: int) -> bool:
        """Whether a node may consume an output; False only if it certainly does not."""
        name = (f"{node}:{output}" if output else node).encode("utf-8")
        return len(name) > 127 or b"\x1a%c%s" % (len(name), name) in self.definition

    def outputs(self, node: Node) -> Tuple[Output, ...]:
        """Returns the outputs of a node; () if the definition of its op is not known."""
        arguments = _known_arguments(node.op) or self._ops.get(node.op, ())
        dtypes = [dtype for argument in arguments for dtype in argument.of(node)]
        shapes: Tuple[Any, ...] = node.values("_output_shapes")
        declared = node.values("output_shapes") or node.values("shape")
        if not shapes and len(declared) == len(dtypes):
            shapes = declared
        if not all(shape is None or type(shape) is tuple for shape in shapes):
            raise DamagedError(f"the output shapes of the node {node.name} are invalid")
        shapes += (None,) * (len(dtypes) - len(shapes))
        return tuple(map(Output, dtypes, shapes))

    @Lazy
    def _ops(self) -> Mapping[str, Tuple["_Argument", ...]]:
        """The output arguments of each op with a known definition."""
        return {
            _name(definition): tuple(map(_argument, all_bytes(definition, 3)))
            for definition in all_bytes(self.op_list, 1)
        }


_MOST_OUTPUTS = 1 << 16


class _Argument(NamedTuple):
    """An output argument of an op: its dtype, or the names of the attributes that hold it."""

    dtype: int
    type_attr: str
    number_attr: str
    type_list_attr: str

    def of(self, node: Node) -> Tuple[str, ...]:
        """Returns the dtypes of a node's outputs for this argument."""
        if self.type_list_attr:
            return tuple(map(_dtype, node.values(self.type_list_attr)))
        dtype = dtype_name(self.dtype) if self.dtype else "float32"
        if self.type_attr:
            dtype = next(map(_dtype, node.values(self.type_attr)), "float32")
        count = next(iter(node.values(self.number_attr)), 0) if self.number_attr else 1
        if not isinstance(count, int) or count > _MOST_OUTPUTS:
            raise DamagedError(f"the node {node.name} has too many outputs")
        return (dtype,) * count


_TYPE_LISTS = {"IteratorGetNext": "output_types", "QueueDequeue": "component_types"}


def _known_arguments(op: str) -> Tuple[_Argument, ...]:
    """Returns the output arguments of an op that yields features; these need no definition."""
    lists = (name for start, name in _TYPE_LISTS.items() if op.startswith(start))
    return tuple(_Argument(0, "", "", name) for name in lists)


def _dtype(value: Any) -> str:
    """Returns the dtype in an attribute; float32 if the attribute does not hold a dtype."""
    return value if isinstance(value, str) else "float32"


def _argument(data: bytes) -> _Argument:
    (dtype,) = numbers_in(data, {3: 0})
    attributes = (name.decode("utf-8", "replace") for name in bytes_in(data, 4, 5, 6))
    return _Argument(dtype, *attributes)


def _function(data: bytes) -> Function:
    """Reads a FunctionDef."""
    (signature,) = bytes_in(data, 1)
    results: Dict[bytes, bytes] = {}
    for entry in all_bytes(data, 4):
        name, taken = bytes_in(entry, 1, 2)
        results[name] = taken
    names = tuple(map(_name, all_bytes(signature, 2)))
    outputs = (bytes_in(output, 1)[0] for output in all_bytes(signature, 3))
    returned = tuple(results.get(name, b"").decode("utf-8", "replace") for name in outputs)
    return Function(_name(signature), tuple(read_nodes(data, 3)), names, returned)


def _name(definition: bytes) -> str:
    """Returns the name in an OpDef."""
    (name,) = bytes_in(definition, 1)
    return name.decode("utf-8", "replace")
