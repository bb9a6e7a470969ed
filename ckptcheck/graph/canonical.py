"""The nodes of a graph in the form that all versions of TensorFlow share.

Versions of TensorFlow build different graphs for the same code. The rules of
:mod:`.version_rules` replace what differs by a common form, which computes the same.
"""

from typing import (
    AbstractSet,
    Any,
    Callable,
    Dict,
    Iterator,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ..encoding.errors import DamagedError
from .folding import Known, constant_node, folded, is_folded, known_value
from .graph import Graph
from .linked import ARGUMENT, BACK_EDGES, Anchors, Linked, Place, Source, is_gradient
from .loops import COUNTER, FIRST, Loops, Variable
from .nodes import Node

PASSING = "Passing"
"""The op of a form that only passes on the value of its source."""
ARRAY = "Array"
"""The op of a form whose outputs are all the same value."""
_MOST_RULES = 8


class Form(NamedTuple):
    """A node in a form that all versions share.

    Attributes:
        node: the node, with the op that all versions share.
        attributes: the names and values of the attributes that matter.
        sources: what it takes.
    """

    node: Node
    attributes: Tuple[Tuple[str, Tuple[Any, ...]], ...]
    sources: Tuple[Source, ...]

    @property
    def op(self) -> str:
        """The op."""
        return self.node.op

    def values(self, key: str) -> Tuple[Any, ...]:
        """The values of an attribute; () if it has no such attribute."""
        return dict(self.attributes).get(key, ())

    def changed(
        self,
        op: Optional[str] = None,
        sources: Optional[Sequence[Source]] = None,
        attributes: Optional[Mapping[str, Tuple[Any, ...]]] = None,
    ) -> "Form":
        """Returns this form with another op, other sources or other attributes."""
        return Form(
            self.node if op is None else self.node._replace(op=op),
            self.attributes if attributes is None else tuple(attributes.items()),
            self.sources if sources is None else tuple(sources),
        )

    def passing(self, source: Source) -> "Form":
        """Returns a form that has the value of a source."""
        return self.changed(PASSING, (source,), {})


Rule = Callable[["Canonical", Form], Optional[Form]]
"""Returns the common form of a node, or None if the node already has it."""
Rules = Mapping[str, Sequence[Rule]]
"""The rules for each op; those of "" are for all ops."""


class Canonical(Linked):
    """The nodes of a graph in their common forms.

    Args:
        graph: the graph.
        anchors: what the leaves mean.
        extra: more inputs of nodes, by the name of the node.
        rules: the rules for each op; those of "" are for all ops.
    """

    def __init__(
        self,
        graph: Graph,
        anchors: Anchors,
        extra: Mapping[str, Any],
        rules: Rules,
    ) -> None:
        super().__init__(graph, anchors, extra)
        self._rules = rules
        self._forms: Dict[Place, Form] = {}
        self._loops = Loops(self._frames[""].nodes)

    def anchor(self, place: Place) -> Tuple[Any, ...]:
        """Returns what a leaf means, and () for any other node, such as a variable of a loop."""
        found = super().anchor(place)
        return () if found[:1] == (ARGUMENT,) and place[0] in self._starts else found

    def node(self, place: Place) -> Node:
        """The node at a place, with its common op."""
        form = self._forms.get(place)
        return super().node(place) if form is None else form.node

    def sources(self, place: Place) -> Tuple[Source, ...]:
        """Returns what a node takes in its common form; () for a leaf."""
        return self.form(place).sources

    def attributes(self, place: Place) -> Tuple[Any, ...]:
        """The names and values of the attributes that matter in the common form."""
        return self.form(place).attributes

    def is_folded(self, place: Place) -> bool:
        """Whether a node is a constant that the graph computes from others."""
        return self.form(place).op == "Const" != super().node(place).op

    def settled(self, source: Source) -> Source:
        """Returns the output from which an output takes its value."""
        inside = self._inside(source)
        self.form(inside[0])
        return self._passed(inside)

    def _passed(self, source: Source) -> Source:
        while True:
            if is_gradient(source[0][1]):
                return source[0], 0  # all outputs of gradients count as one leaf
            form = self._forms.get(source[0])
            if form is None or form.op not in (PASSING, ARRAY):
                return source
            if form.op == ARRAY:
                return source[0], 0
            source = form.sources[0]

    def form(self, place: Place) -> Form:
        """Returns the common form of a node.

        It finds the forms of the sources first, without recursion, because graphs are deep.
        """
        stack = [] if place in self._forms else [place]
        opened: Set[Place] = set()
        while stack:
            here = stack[-1]
            if here not in self._forms and here not in opened:
                opened.add(here)
                stack.extend(self._unknown_sources(here, opened))
                continue
            stack.pop()
            if here not in self._forms:
                self._forms[here] = self._common(here)
        return self._forms[place]

    def _unknown_sources(self, place: Place, opened: AbstractSet[Place]) -> Iterator[Place]:
        for source, _ in self._read(place).sources:
            known = source in self._forms or source in opened
            if not known and super().node(source).op not in BACK_EDGES:
                yield source

    def peek(self, source: Source) -> Form:
        """Returns the form of a source: an empty one if it comes later in a loop, and has none."""
        return self._forms.get(source[0], _NOTHING)

    def known(self, source: Source) -> Optional[Known]:
        """Returns the value of a source that is a small constant; None for any other one."""
        return known_value(self.peek(source).node) if source[1] == 0 else None

    def scalar(self, source: Source) -> Any:
        """Returns the value of a source that is a constant without dimensions; else None."""
        known = self.known(source)
        return None if known is None else known.scalar

    def added(self, source: Source, form: Form) -> Source:
        """Adds a form, and returns its source. ``source`` is the source that it replaces."""
        place = source[0][0], source[0][1] + "/common"
        self._forms[place] = form
        return place, 0

    def constant(self, source: Source, value: Known) -> Source:
        """Adds a constant, and returns its source. ``source`` is the source that it replaces."""
        return self.added(source, _constant(source[0][1], value))

    def condition(self, merge: Node) -> Optional[Source]:
        """Returns the condition of a cond that ends in a ``Merge``; None for other merges.

        TensorFlow makes the condition and the merges of a cond in one scope.
        """
        scope = merge.name.rpartition("/")[0]
        place = ("", f"{scope}/pred_id")
        if not scope or super().node(place).op != "Identity":
            return None
        return self.settled(self.resolved(*place))

    def _read(self, place: Place) -> Form:
        """Returns the form of a node. A TensorFlow 1 loop gets the form of a TensorFlow 2 loop."""
        node = super().node(place)
        variable = self._loops.variables.get(node.name) if not place[0] else None
        if self.anchor(place):
            return Form(node, (), ())
        if variable is not None:
            return self._variable(variable.number, variable.merge, self._within("", variable.start))
        if not place[0] and node.name in self._loops.merges:
            return self._while(node, self._loops.variables.get(self._loops.merges[node.name]))
        if node.op == ARGUMENT:
            scope, inputs = self._starts[place[0]]
            number = int(node.inputs[0])
            start = self._within(scope, inputs[number])
            return self._variable(max(number - FIRST, COUNTER), node.name, start, node.inputs)
        sources = tuple(map(self._inside, super().sources(place)))
        return Form(node, super().attributes(place), sources)

    def _variable(
        self, number: int, name: str, start: Source, inputs: Tuple[str, ...] = ()
    ) -> Form:
        """Returns the form of a loop's variable at the beginning of an iteration."""
        return Form(Node(name, ARGUMENT, inputs), (("number", (number,)),), (start,))

    def _within(self, scope: str, text: str) -> Source:
        return self._inside(self.resolved(scope, text))

    def _inside(self, source: Source) -> Source:
        """For a ``Switch`` output in a loop, returns the loop's variable; other sources stay."""
        (scope, name), output = source
        merge = self._loops.merges.get(name) if not scope and output == 1 else None
        if merge is None:
            return source
        variable = self._loops.variables.get(merge)
        if variable is not None and self.resolved("", variable.following) == source:
            return self._within("", variable.start)  # the loop does not change it
        return (scope, merge), 0

    def _while(self, switch: Node, own: Optional[Variable]) -> Form:
        """Returns the form of a variable after its loop, with the variables that it depends on."""
        node = Node(switch.name, "While")
        if own is None:
            return Form(node, (), ())
        variables = self._loops.of(own)
        condition = self._within("", own.condition)
        needed = {own.merge}
        waiting = [condition, self._within("", own.following)]
        seen: Set[Place] = set()
        while waiting:
            place, _ = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            if not place[0] and place[1] in variables:
                if place[1] not in needed:
                    needed.add(place[1])
                    waiting.append(self._within("", variables[place[1]].following))
                continue
            waiting.extend(self._read(place).sources)
        others = sorted(needed - {own.merge}, key=lambda merge: variables[merge].number)
        pairs = (variables[merge] for merge in (own.merge, *others))
        ends = (self._within("", text) for pair in pairs for text in (pair.start, pair.following))
        return Form(node, (), (condition, *ends))

    def _common(self, place: Place) -> Form:
        form = self._read(place)
        form = form.changed(sources=tuple(map(self._passed, form.sources)))
        anchor = self.anchor(place)
        for _ in range(0 if anchor else _MOST_RULES):
            changed = self._applied(form)
            if changed is None:
                break
            form = changed
        return form

    def _applied(self, form: Form) -> Optional[Form]:
        """Returns the form after the first rule that changes it; None if none does."""
        for rule in (*self._rules.get("", ()), *self._rules.get(form.op, ())):
            try:
                changed = rule(self, form)
            except (IndexError, TypeError, ValueError):  # too few inputs, or other attributes
                raise DamagedError(f"the node {form.node.name} is invalid") from None
            if changed is not None and changed != form:
                return changed
        return self._folded(form)

    def _folded(self, form: Form) -> Optional[Form]:
        if not form.sources or not is_folded(form.op):
            return None
        inputs = [known for known in map(self.known, form.sources) if known is not None]
        if len(inputs) < len(form.sources):
            return None
        value = folded(form.op, dict(form.attributes), inputs)
        if value is None:
            return None
        return _constant(form.node.name, value)


def _constant(name: str, value: Known) -> Form:
    node = constant_node(name, value)
    names = ("dtype", "value")
    return Form(node, tuple((name, node.values(name)) for name in names), ())


_NOTHING = Form(Node("", ""), (), ())
