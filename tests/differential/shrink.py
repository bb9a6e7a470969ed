"""Makes a case with a disagreement smaller: fewer edits, fewer parts, simpler inputs."""

import dataclasses
from typing import Callable, Iterator, Tuple

from .edits import Edit
from .inputs import Inputs
from .model import COMPAT, Block, Model, Scaffolding
from .source import LITERAL
from .trial import Composed

Case = Tuple[Composed, Tuple[Edit, ...]]


def shrink(case: Case, still: Callable[[Case], bool], attempts: int) -> Case:
    """Returns the smallest case found that still has the disagreement.

    Args:
        case: a model and its edits.
        still: whether a smaller case shows the same disagreement.
        attempts: how many cases to try at most.
    """
    left = attempts
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in smaller_cases(case):
            if left <= 0:
                return case
            left -= 1
            if still(smaller):
                case, shrunk = smaller, True
                break
    return case


def smaller_cases(case: Case) -> Iterator[Case]:
    """Yields cases that are one step smaller. The smallest ones come first."""
    return (smaller for smaller in _changed_cases(case) if smaller != case)


def _changed_cases(case: Case) -> Iterator[Case]:
    composed, edits = case
    for place in range(len(edits)):
        yield composed, edits[:place] + edits[place + 1 :]
    for model in _smaller_models(composed.model):
        yield dataclasses.replace(composed, model=model), edits
    if composed.behavior:
        yield dataclasses.replace(composed, behavior=""), edits


def _smaller_models(model: Model) -> Iterator[Model]:
    for place in range(len(model.blocks)):
        yield dataclasses.replace(model, blocks=model.blocks[:place] + model.blocks[place + 1 :])
    plain = Model(header=COMPAT, style=LITERAL, inputs=Inputs())
    for name in (
        "hook",
        "average",
        "scaffolding",
        "clip",
        "optimizer",
        "optimizer_in_eval",
        "metrics",
        "wrapped",
        "inputs",
        "style",
        "signature",
        "header",
        "output",
    ):
        yield _with(model, name, getattr(plain, name))
    yield _with(model, "inputs", dataclasses.replace(model.inputs, columns=()))
    for name in ("weight", "labels", "source", "full_batch", "structure"):
        value = getattr(Inputs(), name)
        yield _with(model, "inputs", dataclasses.replace(model.inputs, **{name: value}))
    if not model.scaffolding.plain:
        yield _with(model, "scaffolding", dataclasses.replace(model.scaffolding, train=True))
        yield _with(model, "scaffolding", Scaffolding(model.scaffolding.saver))
    for place, block in enumerate(model.blocks):
        for other in _smaller_blocks(block):
            blocks = model.blocks[:place] + (other,) + model.blocks[place + 1 :]
            yield dataclasses.replace(model, blocks=blocks)


def _with(model: Model, name: str, value: object) -> Model:
    changes = {name: value}
    return dataclasses.replace(model, **changes)  # type: ignore[arg-type]


def _smaller_blocks(block: Block) -> Iterator[Block]:
    for place in range(len(block.parts)):
        yield dataclasses.replace(block, parts=block.parts[:place] + block.parts[place + 1 :])
    if block.scope:
        yield dataclasses.replace(block, scope="", shards=None, arguments="")
    for place, part in enumerate(block.parts):
        for field in dataclasses.fields(part):
            default = field.default
            if default is dataclasses.MISSING or getattr(part, field.name) == default:
                continue
            plainer = dataclasses.replace(part, **{field.name: default})
            parts = block.parts[:place] + (plainer,) + block.parts[place + 1 :]
            yield dataclasses.replace(block, parts=parts)
