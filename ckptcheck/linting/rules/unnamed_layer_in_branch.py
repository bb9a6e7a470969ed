"""A layer without a name exists only in some modes: later layers get other names.

TensorFlow numbers layers without a name: ``dense``, ``dense_1``, ``dense_2``. If a branch on
``mode`` adds a layer, each later layer of this kind has another name in this mode than in the
others. TRAIN then saves a variable under a name that PREDICT or EVAL uses for another variable. If
the shapes are equal, the wrong weights are restored without an error.

What to do: name the layer in the branch, or create the same layers in all modes.
"""

from typing import FrozenSet, Iterator, Sequence, Tuple

from ...results import Finding
from ..base import LintRule, finding, line_of
from ..layers import Layer, layers_by_function
from ..names import Project
from ..paths import MODES, modes_of, precedes
from ..syntax import Module

_Placed = Tuple[Layer, FrozenSet[str]]
"""A layer without a name, and the modes in which it exists."""


def find(project: Project) -> Iterator[Finding]:
    """Finds layers that change the names of later layers in some modes."""
    for module in project.modules:
        for layers in layers_by_function(project, module).values():
            unnamed = [layer for layer in layers if not layer.named]
            modes = [modes_of(project, module, layer.call) for layer in unnamed]
            yield from _shifts(module, list(zip(unnamed, modes)))


def _shifts(module: Module, placed: Sequence[_Placed]) -> Iterator[Finding]:
    if all(of == MODES for _, of in placed):
        return
    reported = set()
    for later, modes in placed:
        earlier = [
            (layer, of)
            for layer, of in placed
            if (layer.kind, layer.scopes) == (later.kind, later.scopes)
            and precedes(module, layer.call, later.call)
        ]
        for layer, of in _shifting(earlier, modes):
            if layer not in reported:
                reported.add(layer)
                yield _finding(module, layer, of, later)


def _shifting(earlier: Sequence[_Placed], modes: FrozenSet[str]) -> Sequence[_Placed]:
    """Returns the layers that shift a later one: it follows more layers in their modes.

    Args:
        earlier: the layers of the same kind before the later one.
        modes: the modes in which the later one exists.
    """
    counts = {mode: sum(mode in of for _, of in earlier) for mode in modes}
    if len(set(counts.values())) < 2:
        return ()
    least = {mode for mode, count in counts.items() if count == min(counts.values())}
    some = [(layer, of) for layer, of in earlier if of & modes and not modes <= of]
    return [(layer, of) for layer, of in some if not of & least] or some


def _finding(module: Module, layer: Layer, modes: FrozenSet[str], later: Layer) -> Finding:
    only = " and ".join(sorted(modes, reverse=True))
    kind = layer.kind_text
    return finding(
        module,
        layer.call,
        f"this {kind} layer without a name exists only in {only}: the {kind} layer at line "
        f"{line_of(later.call)} has another automatic name in the other modes",
        kind,
        hint="give the layer a name",
        kind=kind,
        modes=sorted(mode.lower() for mode in modes),
        shifts=line_of(later.call),
    )


_CODE = """
import tensorflow as tf


def model_fn(features, labels, mode, params):
    net = tf.layers.dense(features["x"], 8)
    if mode == tf.estimator.ModeKeys.TRAIN:
        net = tf.layers.dense(net, 8{})
    return tf.layers.dense(net, 8)
"""

RULE = LintRule(
    severity="warning",
    find=find,
    title="layer without a name in a branch on mode",
    bad={"model.py": _CODE.format("")},
    good={"model.py": _CODE.format(', name="noise"')},
)
