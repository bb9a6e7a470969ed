"""Parts of TRAIN that PREDICT and EVAL usually do not have, such as a dropout.

The saved graph is that of TRAIN. If another mode has the same nodes as TRAIN now, it usually had
them when the checkpoint was saved, too. This does not hold for parts that only training uses:
dropouts, and raw weights and statistics of a batch instead of moving averages.
"""

from typing import AbstractSet, Any, Callable, Iterator, Sequence, Tuple

from ..graph.digests import Step
from ..graph.linked import Place
from .matching import INPUT, VARIABLE, Half
from .sides import WRITES

_PLAIN = (
    *("Add", "AddN", "AddV2", "Cast", "Div", "Enter", "ExpandDims", "Identity", "Maximum", "Merge"),
    *("Minimum", "Mul", "Neg", "Pow", "RealDiv", "Reshape", "Squeeze", "Sub", "Switch"),
)
"""The ops between a value and the moving average that it is added to."""
_UNKNOWN = "The saved graph does not show whether it did when the checkpoint was saved"
_AT_RANDOM = f"there, the code draws random numbers as in TRAIN ({{}}). {_UNKNOWN}"
_RAW = (
    "there, neither the loss nor the predictions use {} that TRAIN keeps. The saved graph does not "
    "show whether they did when the checkpoint was saved"
)

Anchor = Tuple[Any, ...]


def doubt(
    train: Half,
    writes: Sequence[Place],
    has: Callable[[Step], bool],
    leaves: AbstractSet[Anchor],
) -> str:
    """Returns why a mode may have changed, although it now computes the same as TRAIN.

    Args:
        train: what TRAIN computes, with what it writes.
        writes: the places of the ops that write variables.
        has: says whether the mode has a node of TRAIN.
        leaves: the anchors of the mode's leaves, which say what the leaves mean.

    Returns:
        The reason; "" if there is none.
    """
    for step in train.steps.values():
        random = draws(step) or step.node.op == "Dropout"  # Dropout: see version_rules
        if random and has(step):
            return _AT_RANDOM.format(step.place[1])
    keys = sorted(set(_averages(train, writes, has, leaves)))
    rest = f" and {len(keys) - 1} more moving averages" if keys[1:] else ", a moving average"
    return _RAW.format(keys[0] + rest) if keys else ""


def draws(step: Step) -> bool:
    """Whether a node draws random numbers, and does nothing else."""
    return "Random" in step.node.op or step.node.op == "Multinomial"


def _averages(
    train: Half,
    writes: Sequence[Place],
    has: Callable[[Step], bool],
    leaves: AbstractSet[Anchor],
) -> Iterator[str]:
    """Yields the keys of averages that a mode does not read, although it computes their values."""
    for place in writes:
        step = train.steps[place]
        if WRITES.match(step.node.op) and step.sources:
            variable, *written = (train.steps[source] for source, _ in step.sources)
            unread = variable.anchor[:1] == (VARIABLE,) and variable.anchor not in leaves
            if unread and _is_average(train, variable, written, has):
                yield variable.anchor[1]


def _is_average(
    train: Half, variable: Step, written: Sequence[Step], has: Callable[[Step], bool]
) -> bool:
    """Whether a write mixes the variable's own value and a value that a mode also computes.

    The loss does not count: only training uses an average of it.
    """
    mixes = shares = False
    stack = list(written)
    seen = {step.digest for step in stack}
    while stack:
        step = stack.pop()
        if step.digest == variable.digest:
            mixes = True
        elif step.node.op == "Const" or step.anchor[:1] == (INPUT,):
            pass
        elif step.place in train.roots:
            return False
        elif has(step):
            shares = True
        elif step.node.op in _PLAIN and not step.anchor:
            new = [train.steps[source] for source, _ in step.sources]
            stack.extend(step for step in new if step.digest not in seen)
            seen.update(step.digest for step in new)
        elif not step.anchor:
            return False
    return mixes and shares
