"""The loops of TensorFlow 1: ``Enter``, ``Merge``, ``Switch``, ``NextIteration`` and ``Exit``.

In TensorFlow 2, a loop is a ``While`` with functions. Its first two variables count iterations.
"""

from typing import Dict, List, Mapping, NamedTuple, Sequence

from .linked import BACK_EDGES, is_gradient
from .nodes import Node, split_input

COUNTER = -1
"""The number of the variable that counts iterations."""
FIRST = 2
"""The number of a ``While``'s first own variable."""
_COUNTER_NAME = "iteration_counter"


class Variable(NamedTuple):
    """A variable of a loop.

    Attributes:
        merge: the name of its ``Merge``, which has the value at the beginning of an iteration.
        number: its number in the loop.
        start: its value before the loop.
        following: its value after an iteration.
        condition: the condition of the loop.
    """

    merge: str
    number: int
    start: str
    following: str
    condition: str


class Loops:
    """The loops in a graph.

    Attributes:
        variables: the variables by the names of their merges.
        merges: the names of the merges by those of the switches that end an iteration.

    Args:
        nodes: the nodes by name, in the order of their creation.
    """

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.variables: Dict[str, Variable] = {}
        self.merges: Dict[str, str] = {}
        self._frames: Dict[str, List[str]] = {}
        conditions = {}
        for node in nodes.values() if any(n.op in BACK_EDGES for n in nodes.values()) else ():
            if len(node.inputs) < 2:
                continue
            frame = self._frame(node, nodes)
            if frame:
                self._frames.setdefault(frame, []).append(node.name)
            elif node.op in ("Switch", "RefSwitch"):
                condition = nodes.get(split_input(node.inputs[1])[0])
                if condition is not None and condition.op == "LoopCond" and condition.inputs:
                    merge = split_input(node.inputs[0])[0]
                    self.merges[node.name] = merge
                    conditions[merge] = condition.inputs[0]
        for merges in self._frames.values():
            self._number([nodes[name] for name in merges if name in conditions], nodes, conditions)

    def _frame(self, node: Node, nodes: Mapping[str, Node]) -> str:
        """Returns the name of the loop that a merge belongs to; "" for any other node."""
        if node.op not in ("Merge", "RefMerge") or is_gradient(node.name):
            return ""
        ends = [nodes.get(split_input(text)[0], Node("", "")) for text in node.inputs]
        if len(ends) != 2 or ends[1].op not in BACK_EDGES or not all(end.inputs for end in ends):
            return ""
        names = ends[0].values("frame_name")
        return names[0].decode("utf-8", "replace") if names and isinstance(names[0], bytes) else ""

    def _number(
        self, merges: Sequence[Node], nodes: Mapping[str, Node], conditions: Mapping[str, str]
    ) -> None:
        number = 0
        for merge in merges:
            start, back = (nodes[split_input(text)[0]] for text in merge.inputs)
            counts = not number and _COUNTER_NAME in split_input(start.inputs[0])[0]
            condition = conditions[merge.name]
            known = Variable(
                merge.name,
                COUNTER if counts else number,
                start.inputs[0],
                back.inputs[0],
                condition,
            )
            self.variables[merge.name] = known
            number += not counts

    def of(self, variable: Variable) -> Dict[str, Variable]:
        """Returns the variables of a variable's loop."""
        frame = next(names for names in self._frames.values() if variable.merge in names)
        return {name: self.variables[name] for name in frame if name in self.variables}
