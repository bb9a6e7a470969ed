"""Describes the change of a region in words."""

import dataclasses
import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..graph.constants import constant_of, plain_value, shortest
from ..graph.digests import OF_OUTPUTS, Step
from ..graph.launch import VARIABLE_OPS
from ..graph.linked import Place
from ..graph.values import Constant
from .matching import INPUT, VARIABLE, Half
from .names import (
    attribute_words,
    is_activation,
    optimizer_of,
    said_of,
    scope_word,
    setting_of,
)
from .regions import Region
from .sides import WRITES

_MOST_STEPS = 60
_MOST_VALUES = 8
_MOST_NUMBERS = 3
_KEY = (VARIABLE,)
_DROPOUT = "dropout"
_STEP = "global_step"
_UNNAMED = re.compile(r"(x|y|Const( \d+)?)$")
"""The names that TensorFlow gives constants without a name."""
COMPUTATION = "computation{}"
"""The role of ops that have no other role."""
LOSS, PREDICTIONS = "loss", "predictions"
"""The role of ops after the last variable. PREDICT computes those of the predictions, too."""
OP, CONSTANT, ORDER = "op-changed", "constant-changed", "layers-changed"
"""The rules that report changes."""
RESHAPE, SMOOTHING = "shape of reshape{}", "label smoothing"
"""Roles of changes that :mod:`.simplified` or the catalogue of causes look for."""
_CROSS_ENTROPY = re.compile(r"(softmax|sigmoid)_cross_entropy_loss(_\d+)?/")
_SMOOTHED = re.compile(_CROSS_ENTROPY.pattern + r"(mul/y|truediv/x|add/y)$")
"""The constants that ``tf.losses`` makes of ``label_smoothing``: 1 minus it in ``mul``, itself in
``truediv`` (softmax), and half of it in ``add`` (sigmoid)."""
_CLOSE = 1e-6


@dataclasses.dataclass(frozen=True)
class Said:
    """A change in words, without the modes that it reaches.

    Attributes:
        kind: the id of the rule that reports it.
        role: what changed, with ``{}`` for the place: ``activation{}``.
        then: what was saved.
        now: what the code computes.
        layer: the layer before it; "" if it is not known or does not matter.
        training: whether it belongs to TRAIN alone.
        moved: a layer, the layers before it then, and those before it now; () for other changes.
    """

    kind: str
    role: str
    then: Mapping[str, Any]
    now: Mapping[str, Any]
    layer: str = ""
    training: bool = False
    moved: Tuple[str, ...] = ()


class Words:
    """Puts regions into words.

    Args:
        old: the saved side.
        new: the traced side.
        losses: the places that the loss depends on, on each side.
    """

    def __init__(self, old: Half, new: Half, losses: Tuple[Any, Any]) -> None:
        self.old, self.new = old, new
        self.losses = losses

    def say(self, region: Region) -> List[Said]:
        """Returns what a region changes."""
        found = [said for pair in region.pairs or region.alike for said in self._pair(*pair)]
        if (region.old or region.new) and not region.alike:
            found[:0] = [self._replaced(region)]
        return found

    def _pair(self, old: Step, new: Step) -> Iterator[Said]:
        """Yields how two counterparts differ."""
        mine, theirs = constant_of(old.node), constant_of(new.node)
        if mine is not None and theirs is not None:
            yield self._constants(old, mine, new, theirs)
            return
        attributes = list(_differences(old, new))
        for name, then, now in attributes:
            role = attribute_words(name, new.node.op) + "{}"
            layer = self._layer(self.new, new)
            yield Said(CONSTANT, role, {"value": then}, {"value": now}, layer)
        if not attributes:
            yield self._moved(old, new)

    def _moved(self, old: Step, new: Step) -> Said:
        """Describes a node whose inputs differ from those of its counterpart."""
        own = [layer_name(key) for key in self.new.variables(new)]
        then, now = self._before(self.old, old), self._before(self.new, new)
        moved = (own[0], then, now) if own else ()
        training = then == now or scope_word(new) == _DROPOUT
        if training:  # the layers are the same; only a dropout differs, which belongs to TRAIN
            then, now = self._dropped(self.old, old, then), self._dropped(self.new, new, now)
            training = _DROPOUT in then + now
        if not own:
            place = self._layer(self.new, new)
            if then == now:
                then, now = self._ops_taken(old, new)
            was, is_now = ({"text": text or "nothing"} for text in (then, now))
            return Said(ORDER, "connections{}", was, is_now, place, training=training)
        first, second = (f"{own[0]} after {layers or 'nothing'}" for layers in (then, now))
        return Said(
            ORDER, "order of layers", {"text": first}, {"text": second}, "", training, moved
        )

    def _ops_taken(self, old: Step, new: Step) -> Tuple[str, str]:
        """Returns the ops that compute the inputs in which two counterparts differ."""
        pairs = zip(old.sources, old.inputs, new.sources, new.inputs)
        unlike = [(one[0], other[0]) for one, mine, other, theirs in pairs if mine != theirs]
        then = (said_of([self.old.steps[place]]) for place, _ in unlike)
        now = (said_of([self.new.steps[place]]) for _, place in unlike)
        return ", ".join(then), ", ".join(now)

    def _dropped(self, half: Half, step: Step, before: str) -> str:
        """Adds "dropout of" to the layers before a node, if a dropout is between them."""
        around = (step, *(half.steps[place] for place, _ in step.sources))
        return f"dropout of {before}" if _DROPOUT in map(scope_word, around) else before

    def _constants(self, old: Step, mine: Constant, new: Step, theirs: Constant) -> Said:
        then, now = shown(mine), shown(theirs)
        role, layer = self._role(new, mine, theirs)
        if role == "moving average momentum{}" and isinstance(then, float):
            then, now = shortest(1 - then), shortest(1 - now)
        if role == SMOOTHING and isinstance(then, float):
            then, now = (_smoothing_of(value, new.place[1]) for value in (then, now))
        training = "dropout" in role or self._user(self.new, new)[1] == "RandomUniform"
        return Said(CONSTANT, role, {"value": then}, {"value": now}, layer, training)

    def _role(self, new: Step, mine: Constant, theirs: Constant) -> Tuple[str, str]:
        """Says what a constant is for, and the layer that it belongs to."""
        user, op, slot = self._user(self.new, new)
        name = new.place[1]
        if optimizer_of(op):
            setting = setting_of(op, slot) or name.rpartition("/")[2].replace("_", " ")
            rate = setting == "learning rate"
            return ("learning rate" if rate else f"{optimizer_of(op)} {setting}"), ""
        if _SMOOTHED.search(name):
            return SMOOTHING, ""
        if user is not None and op in VARIABLE_OPS:
            return f"initial value of {user.node.name}", ""
        layer = self._layer(self.new, user or new)
        word = scope_word(new)
        tail = name.rpartition("/")[2].replace("_", " ")
        if _UNNAMED.match(tail) and user is not None:
            tail = f"constant of {scope_word(user) or said_of([user])}"
        if "AssignMovingAvg" in name:
            return "moving average momentum{}", layer
        if word == _DROPOUT:
            return f"dropout {'shape' if isinstance(shown(mine), list) else 'rate'}{{}}", layer
        if op in ("Add", "AddV2") and self._feeds(user, ("Rsqrt", "Sqrt")):
            return "epsilon{}", layer
        if "Table" in op:
            return "lookup table", ""
        if op in ("Reshape", "Pack"):
            return RESHAPE, layer
        if word:
            return f"{word} {tail}".strip(), "" if "decay" in word else layer
        if not self._in_loss(self.new, new):
            return f"{tail} in the update of variables", ""
        return f"{tail}{{}}", layer

    def _user(self, half: Half, step: Step) -> Tuple[Optional[Step], str, int]:
        """Returns a node that takes a value, its op, and the input. An optimizer is preferred."""
        users = sorted(half.readers[step.place], key=lambda use: not optimizer_of(use[0].node.op))
        for user, slot in users:
            return user, user.node.op, slot
        return None, "", 0

    def _feeds(self, step: Optional[Step], ops: Sequence[str]) -> bool:
        users = self.new.readers[step.place] if step is not None else ()
        return any(user.node.op in ops for user, _ in users)

    def _in_loss(self, half: Half, step: Step) -> bool:
        return step.place in self.losses[half is self.new]

    def _before(self, half: Half, step: Step) -> str:
        """Returns the layers that a node takes values of; without layers, the inputs."""
        places = [place for place, _ in step.sources if half.steps[place].anchor[:1] != _KEY]
        layers = dict.fromkeys(self._layer_of(half, place) for place in places)
        return ", ".join(filter(None, layers))

    def _replaced(self, region: Region) -> Said:
        """Says what a region computes instead of what was saved."""
        old, new = region.old, region.new
        rates = [s for s in (*old, *new) if optimizer_of(s.node.op)]
        if rates:
            then, now = self._optimizers(self.old, old), self._optimizers(self.new, new)
            return Said(OP, "optimizer", {"op": then or "none"}, {"op": now or "none"}, "", True)
        smoothing = self._smoothing(self.old, old), self._smoothing(self.new, new)
        if (old == ()) != (new == ()) and smoothing != (None, None):
            first, second = ({"op": "none"} if v is None else {"value": v} for v in smoothing)
            return Said(OP, SMOOTHING, first, second, "")
        then, now = self._computed(self.old, old), self._computed(self.new, new)
        layer, own = self._region_layer(region)
        training = self._is_of_training(old, new)
        role = self._region_role(region)
        if role == LOSS and own:
            then, now = (f"{op} of {own}" if op != "none" else op for op in (then, now))
        elif then == now:
            then, now = _of_layers(self.old, old, then), _of_layers(self.new, new, now)
        if then == now:
            then, now = _with_ops(then, old, new), _with_ops(now, new, old)
        values = self._constants_of(region)
        if None in values:  # a removed op has an input such as the axes of a sum
            values = [None if isinstance(value, list) else value for value in values]
        first, second = (
            {"op": said} if value is None else {"value": value}
            for said, value in zip((then, now), values)
        )
        return Said(OP, role, first, second, layer if "{}" in role else "", training)

    def _is_of_training(self, old: Sequence[Step], new: Sequence[Step]) -> bool:
        """Whether a region is usual in TRAIN alone.

        Such a region draws random numbers, or only stops gradients. Or one side normalizes with
        the moments of a batch (which stop gradients) and updates averages, and the other side
        normalizes with these averages.
        """
        ops = [{step.node.op for step in side} - {"Const", "Identity"} for side in (old, new)]
        if ops[0] | ops[1] == {"StopGradient"} or any("Random" in op for op in ops[0] | ops[1]):
            return True
        sides = ((self.old, old), (self.new, new))
        if "StopGradient" not in ops[0] ^ ops[1]:
            return False
        batch, other = sides if "StopGradient" in ops[0] else sides[::-1]
        updates = (step for step in batch[1] if WRITES.match(step.node.op))
        averages = {key for step in updates for key in batch[0].variables(step)[:1]}
        return any(averages.intersection(other[0].variables(step)) for step in other[1])

    def _computed(self, half: Half, steps: Sequence[Step]) -> str:
        """Says what some nodes compute, with the numbers that they take."""
        said = said_of(steps) if any(s.node.op != "Const" for s in steps) else "none"
        if is_activation(steps):
            return said
        sources = [half.steps[place].node for step in steps for place, _ in step.sources]
        constants = filter(None, map(constant_of, sources))
        values = dict.fromkeys(
            v for v in map(plain_value, constants) if type(v) is float and v not in (0.0, 1.0)
        )
        numbers = [_number(v) for v in values if not any(is_scale(rate, v) for rate in values)]
        fresh = list(dict.fromkeys(name for step in steps for name in half.fresh_variables(step)))
        if fresh:
            return f"{said} (not restored: {some_names(fresh)})"
        return f"{said} ({', '.join(numbers[:_MOST_NUMBERS])})" if numbers else said

    def _smoothing(self, half: Half, steps: Sequence[Step]) -> Optional[float]:
        """Returns the label smoothing that some nodes compute; None if they compute none."""
        if not all(_CROSS_ENTROPY.search(step.place[1]) for step in steps):
            return None
        sources = [half.steps[place].node for step in steps for place, _ in step.sources]
        values = [plain_value(found) for found in map(constant_of, sources) if found is not None]
        numbers = [value for value in values if type(value) is float]
        rest = min((1 - v for v in numbers if 0.5 <= v < 1), default=None)
        if rest is None or not any(
            abs(v - rest) < _CLOSE or abs(2 * v - rest) < _CLOSE for v in numbers
        ):
            return None
        return shortest(rest)

    def _constants_of(self, region: Region) -> List[Any]:
        """Returns the constants of both sides, if the region is a constant or replaces one."""
        values = [_only_constant(region.old), _only_constant(region.new)]
        inside = [{s.place for s in region.old}, {s.place for s in region.new}]
        for pair in region.borders:
            for sources in zip(pair[0].sources, pair[1].sources):
                for side in (0, 1):
                    place, other = sources[side][0], sources[1 - side][0]
                    if not inside[side] and other in inside[1 - side]:
                        half = (self.old, self.new)[side]
                        found = constant_of(half.steps[place].node)
                        if found is not None and not found.shape:
                            values[side] = shown(found)
        return values

    def _optimizers(self, half: Half, steps: Sequence[Step]) -> str:
        """Names the optimizers among some nodes, and their variables if others exist."""
        mine = [step for step in steps if optimizer_of(step.node.op)]
        said = ", ".join(dict.fromkeys(optimizer_of(step.node.op) for step in mine))
        others = len([s for s in half.steps.values() if optimizer_of(s.node.op)]) - len(mine)
        names = list(dict.fromkeys(name for s in mine for name in half.variables(s)[:1]))
        return f"{said} of {some_names(names)}" if others and names else said

    def _region_role(self, region: Region) -> str:
        old, new = region.old, region.new
        if all(is_activation(steps) or not steps for steps in (old, new)):
            return "activation{}"
        for _, border in region.borders:
            for slot, (source, _) in enumerate(border.sources):
                inside = source in {step.place for step in new}
                if inside and setting_of(border.node.op, slot) == "learning rate":
                    return "learning rate"
        half, steps = (self.new, new) if new else (self.old, old)
        if any(self._takes_gradient(half, step) for step in steps):
            return "gradients"
        if not any(self._in_loss(half, step) for step in steps):
            writes = [step for step in steps if WRITES.match(step.node.op)]
            keys = {key for step in writes for key in half.variables(step)[:1]}
            return f"update of {_STEP if keys == {_STEP} else 'variables'}"
        if self._is_layer(half, steps):
            return COMPUTATION
        if not any(self._below_variable(border) for _, border in region.borders):
            return LOSS
        return COMPUTATION

    def _is_layer(self, half: Half, steps: Sequence[Step]) -> bool:
        """Whether a node combines a variable with a value that another node computes."""
        return any(
            (half.variables(step) or half.fresh_variables(step))
            and any(half.steps[place].sources for place, _ in step.sources)
            for step in steps
        )

    def _takes_gradient(self, half: Half, step: Step) -> bool:
        anchors = (half.steps[p].anchor for p, _ in step.sources if p in half.steps)
        return any(anchor[:1] == ("gradient",) for anchor in anchors)

    def _below_variable(self, step: Step) -> bool:
        """Whether a later node takes a variable. If not, this node belongs to the loss."""
        seen = {step.place}
        stack = [step]
        for _ in range(_MOST_STEPS):
            if not stack:
                break
            here = stack.pop()
            if self.new.variables(here):
                return True
            for user, _ in self.new.readers[here.place]:
                if user.place not in seen and self._in_loss(self.new, user):
                    seen.add(user.place)
                    stack.append(user)
        return False

    def _region_layer(self, region: Region) -> Tuple[str, str]:
        """Returns where a region is, and the variables that it takes."""
        half, steps = (self.new, region.new) if region.new else (self.old, region.old)
        inside = {step.place for step in steps}
        own: Dict[str, None] = {}
        before: Dict[str, None] = {}
        for step in steps:
            own.update(dict.fromkeys(half.variables(step)))
            for source, _ in step.sources:
                if source not in inside:
                    before[self._layer_of(half, source)] = None
        if own:
            layers = dict.fromkeys(map(layer_name, own))
            return " of " + some_names(list(layers)), some_names(list(own))
        named = [layer for layer in before if layer]
        return (f" after {named[0]}" if named else ""), ""

    def _layer(self, half: Half, step: Step) -> str:
        own = half.variables(step)
        if own:
            return " of " + layer_name(own[0])
        found = self._layer_of(half, step.place)
        return f" after {found}" if found else ""

    def _layer_of(self, half: Half, place: Place) -> str:
        """The layer of the nearest variable that a node depends on."""
        seen = {place}
        queue = [place]
        given = ""
        for here in queue:
            step = half.steps[here]
            if step.anchor[:1] == _KEY:
                return layer_name(step.anchor[1])
            if step.anchor[:1] in ((INPUT,), OF_OUTPUTS):
                given = given or str(step.anchor[-1])
            sources = [source for source, _ in step.sources if source not in seen]
            seen.update(sources)
            if len(queue) < _MOST_STEPS:
                queue.extend(dict.fromkeys(sources))
        return given


def _of_layers(half: Half, steps: Sequence[Step], said: str) -> str:
    """Names the layers that some nodes belong to."""
    names = dict.fromkeys(layer_name(key) for step in steps for key in half.variables(step))
    return f"{said} of {some_names(list(names))}" if names else said


def _with_ops(said: str, steps: Sequence[Step], others: Sequence[Step]) -> str:
    """Adds the ops that ``others`` do not have. Two formulas of one function have different ops."""
    known = {step.node.op for step in others}
    ops = dict.fromkeys(step.node.op for step in steps if step.node.op not in known)
    return f"{said} ({some_names(list(ops))})" if ops else said


_MOST_NAMES = 3


def some_names(names: Sequence[str]) -> str:
    """Returns the first names in one line, and how many more there are."""
    rest = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def layer_name(key: str) -> str:
    """The layer of a variable: its scope."""
    name = key.partition(" ")[0]
    return name.rpartition("/")[0] or name


def shown(constant: Constant) -> Any:
    """The value of a constant, as JSON has it."""
    value = plain_value(constant)
    if value is None:
        count = 1
        for size in constant.shape or ():
            count *= size or 0
        return f"{count} values of {constant.dtype} ({constant.digest[:8]})"
    return value


def is_scale(rate: Any, scale: Any) -> bool:
    """Whether a number is 1 / (1 - rate), by which a dropout multiplies."""
    numbers = isinstance(rate, float) and isinstance(scale, float)
    return numbers and 0 < rate < 1 and rate != scale and abs(scale * (1 - rate) - 1) < 1e-4


def _smoothing_of(value: float, name: str) -> float:
    """Returns the label smoothing that a constant of :data:`_SMOOTHED` shows."""
    if name.endswith("mul/y"):
        return shortest(1 - value)
    return shortest(2 * value) if name.endswith("add/y") else value


def _only_constant(steps: Sequence[Step]) -> Any:
    """The value of a region that is one constant; None for any other region."""
    found = constant_of(steps[0].node) if len(steps) == 1 else None
    return None if found is None else shown(found)


def _differences(old: Step, new: Step) -> Iterator[Tuple[str, Any, Any]]:
    """Yields the attributes that differ, with their values."""
    before = dict(old.attributes)
    for key, values in new.attributes:
        then, now = (list(map(_plain, some)) for some in (before.get(key, ()), values))
        if then != now and key != "T":
            single = len(then) == 1 and len(now) == 1
            yield key, (then[0] if single else then), (now[0] if single else now)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").lower()
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, Constant):
        return shown(value)
    return list(value) if isinstance(value, tuple) else value


def value_text(said: Mapping[str, Any]) -> str:
    """One side of a change as text."""
    value = next(iter(said.values()))
    if isinstance(value, list):
        texts = [_number(item) for item in value[:_MOST_VALUES]]
        more = ["..."] if len(value) > _MOST_VALUES else []
        return "[{}]".format(", ".join(texts + more))
    return _number(value)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
