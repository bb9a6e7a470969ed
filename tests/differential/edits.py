"""Edits between the training run and the restore: of code, params, checkpoint and launch.

An edit that finds nothing to change raises :class:`NothingToEditError`. So trials do not count
empty edits, and the shrinker notices that an edit does not apply any more.
"""

import dataclasses
import os
import random
import shutil
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..acceptance import edits as acceptance
from ..acceptance.workspace import Workspace
from . import parts
from .compose import parts_to_add
from .inputs import OTHER_STRUCTURES
from .model import HEADERS, OPTIMIZERS, Block, Hook, Model, Scaffolding
from .source import LITERAL, Number, numbers_in, with_number

Params = Dict[str, Any]
Variables = Mapping[str, Tuple[str, Tuple[int, ...]]]
"""The variables of a checkpoint: dtype and shape, by name."""


class NothingToEditError(Exception):
    """The edit finds nothing to change in this model, these params, or this checkpoint."""


@dataclasses.dataclass(frozen=True)
class Edit:
    """The base class of edits. Each kind of edit overrides the methods that it needs."""

    def code(self, model: Model) -> Model:
        """Returns the model after the edit."""
        return model

    def params(self, params: Params) -> Params:
        """Returns the params after the edit."""
        return params

    def checkpoint(self, workspace: Workspace, variables: Variables) -> None:
        """Changes the model_dir, or asks for a change in ``workspace.changes``."""

    def behavior(self, behavior: str) -> str:
        """The behavior, ``v1`` or "", of the launch that restores."""
        return behavior


# --- Code ------------------------------------------------------------------------------------


def _found(model: Model, label: str) -> parts.Part:
    for part in model.parts:
        if part.label == label:
            return part
    raise NothingToEditError(f"no part {label}")


def _with_block(model: Model, label: str, change: Callable[[Block], Block]) -> Model:
    if label not in [block.label for block in model.blocks]:
        raise NothingToEditError(f"no block {label}")
    blocks = tuple(change(block) if block.label == label else block for block in model.blocks)
    return dataclasses.replace(model, blocks=blocks)


def _changed(before: Model, after: Model) -> Model:
    if before == after:
        raise NothingToEditError("the code is so already")
    return after


def with_parts(model: Model, label: str, new: Sequence[parts.Part]) -> Model:
    """Returns the model with one part replaced by other parts."""
    _found(model, label)
    blocks = tuple(
        dataclasses.replace(
            block,
            parts=tuple(
                item for part in block.parts for item in (new if part.label == label else (part,))
            ),
        )
        for block in model.blocks
    )
    return dataclasses.replace(model, blocks=blocks)


@dataclasses.dataclass(frozen=True)
class RemovePart(Edit):
    """A layer is gone."""

    label: str

    def code(self, model: Model) -> Model:
        return with_parts(model, self.label, ())


@dataclasses.dataclass(frozen=True)
class AddPart(Edit):
    """A new layer at the end of a block, or at its beginning."""

    block: str
    part: parts.Part
    first: bool = False

    def code(self, model: Model) -> Model:
        def change(block: Block) -> Block:
            both = (self.part, *block.parts) if self.first else (*block.parts, self.part)
            return dataclasses.replace(block, parts=both)

        return _with_block(model, self.block, change)


@dataclasses.dataclass(frozen=True)
class SwapParts(Edit):
    """The first two layers of a block change places."""

    block: str

    def code(self, model: Model) -> Model:
        def change(block: Block) -> Block:
            if len(block.parts) < 2:
                raise NothingToEditError("fewer than two parts")
            first, second, *rest = block.parts
            return dataclasses.replace(block, parts=(second, first, *rest))

        return _with_block(model, self.block, change)


@dataclasses.dataclass(frozen=True)
class ChangePart(Edit):
    """A layer gets other arguments."""

    label: str
    field: str
    value: Any

    def code(self, model: Model) -> Model:
        part = _found(model, self.label)
        changes: Dict[str, Any] = {self.field: self.value}
        return _changed(
            model, with_parts(model, self.label, [dataclasses.replace(part, **changes)])
        )


@dataclasses.dataclass(frozen=True)
class ChangeSize(Edit):
    """Another value for a size in the code."""

    index: int
    value: int

    def code(self, model: Model) -> Model:
        literal = [n for n in numbers_in(model) if not n.param or model.style == LITERAL]
        if self.index >= len(literal) or literal[self.index].value == self.value:
            raise NothingToEditError("no such size")
        old = literal[self.index]
        changed: Model = with_number(model, old, dataclasses.replace(old, value=self.value))
        return changed


@dataclasses.dataclass(frozen=True)
class ChangeBlock(Edit):
    """Another scope, other partitions, or other arguments of a block."""

    label: str
    field: str
    value: Any

    def code(self, model: Model) -> Model:
        changes: Dict[str, Any] = {self.field: self.value}
        return _changed(
            model, _with_block(model, self.label, lambda b: dataclasses.replace(b, **changes))
        )


@dataclasses.dataclass(frozen=True)
class ChangeModel(Edit):
    """Another optimizer, saver or hook, or another scope around all layers."""

    field: str
    value: Any

    def code(self, model: Model) -> Model:
        changes: Dict[str, Any] = {self.field: self.value}
        return _changed(model, dataclasses.replace(model, **changes))


# --- Params ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SetParam(Edit):
    """A param has another value."""

    key: str
    value: int

    def params(self, params: Params) -> Params:
        if params.get(self.key, self.value) == self.value:
            raise NothingToEditError(f"no {self.key} to change")
        return {**params, self.key: self.value}


@dataclasses.dataclass(frozen=True)
class DropParam(Edit):
    """A param is gone, or has another name."""

    key: str
    misspelt: str = ""

    def params(self, params: Params) -> Params:
        if self.key not in params:
            raise NothingToEditError(f"no {self.key}")
        left = {key: value for key, value in params.items() if key != self.key}
        return {**left, self.misspelt: params[self.key]} if self.misspelt else left


# --- Checkpoint ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class ChangeTensor(Edit):
    """A tensor in the checkpoint is gone, renamed, cast, filled or of another shape."""

    change: str
    key: str
    value: Any = None

    def checkpoint(self, workspace: Workspace, variables: Variables) -> None:
        if self.key not in variables:
            raise NothingToEditError(f"no tensor {self.key}")
        make: Dict[str, Callable[[], acceptance.Edit]] = {
            "drop": lambda: acceptance.drop_variable(self.key),
            "rename": lambda: acceptance.rename_variable(self.key, self.value),
            "resize": lambda: acceptance.resize_variable(self.key, *self.value),
            "cast": lambda: acceptance.cast_variable(self.key, self.value),
            "fill": lambda: acceptance.fill_variable(self.key, self.value),
        }
        make[self.change]()(workspace)


_FILES: Dict[str, acceptance.Edit] = {
    "state-moved": acceptance.state_moved,
    "state-other": acceptance.state_other,
    "state-absolute": acceptance.state_absolute,
    "state-missing-step": acceptance.state_missing_step,
    "state-garbage": acceptance.state_garbage,
    "state-empty": acceptance.state_empty,
    "state-removed": acceptance.remove_files("checkpoint"),
    "meta-removed": acceptance.remove_files("*.meta"),
    "data-removed": acceptance.remove_files("*.data-*"),
    "index-removed": acceptance.remove_files("*.index"),
    "index-truncated": acceptance.truncate("model.ckpt-1.index", 30),
    "object-based": acceptance.object_based,
}


@dataclasses.dataclass(frozen=True)
class ChangeFiles(Edit):
    """The state file or another file of the model_dir is changed or gone."""

    name: str

    def checkpoint(self, workspace: Workspace, variables: Variables) -> None:
        _FILES[self.name](workspace)


@dataclasses.dataclass(frozen=True)
class MoveModelDir(Edit):
    """The model_dir has another name. The paths in its state file are relative."""

    name: str = "moved_model_dir"

    def checkpoint(self, workspace: Workspace, variables: Variables) -> None:
        moved = os.path.join(workspace.root, self.name)
        shutil.move(workspace.model_dir, moved)
        workspace.model_dir = moved


@dataclasses.dataclass(frozen=True)
class GiveInputFn(Edit):
    """No change. ckptcheck gets the input_fn, and does not have to find the features."""


@dataclasses.dataclass(frozen=True)
class GiveOtherStructure(GiveInputFn):
    """ckptcheck gets an input_fn that returns another structure than the model uses."""

    other: str

    def code(self, model: Model) -> Model:
        labels_only = not self.other.startswith("f")
        if labels_only and model.inputs.labels == "inside":
            raise NothingToEditError("no labels besides the features")
        return dataclasses.replace(
            model, inputs=dataclasses.replace(model.inputs, other=self.other)
        )


# --- Launch ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class ChangeBehavior(Edit):
    """The script that restores calls disable_v2_behavior(), or no longer does."""

    def behavior(self, behavior: str) -> str:
        return "" if behavior == "v1" else "v1"


# --- Drawing ---------------------------------------------------------------------------------

Draw = Callable[["Drawer"], Optional[Edit]]
GIVEN = 0.45
"""The probability that ckptcheck gets an input_fn, the right one or a wrong one."""


SELDOM = 0.05


class Drawer:
    """Draws the edits of one trial."""

    def __init__(
        self,
        rng: random.Random,
        model: Model,
        params: Params,
        variables: Variables,
        major: int,
        otherwise: float = SELDOM,
        given: float = GIVEN,
    ) -> None:
        """Sets it up.

        Args:
            rng: makes the choices.
            model: the model as it was trained.
            params: its params.
            variables: what its checkpoint holds.
            major: TensorFlow's major version.
            otherwise: the probability of an input_fn that returns another structure.
            given: the probability of any input_fn.
        """
        self.rng = rng
        self.model = model
        self.params = params
        self.variables = variables
        self.major = major
        self.otherwise = otherwise
        self.given = given

    def edits(self) -> Tuple[Edit, ...]:
        """Returns no, one or a few edits, and maybe an input_fn for ckptcheck."""
        edits, told = self._real_edits(), self.rng.random()
        if told < self.otherwise:
            other = GiveOtherStructure(self.rng.choice(sorted(OTHER_STRUCTURES)))
            return (*edits, other) if self._fits(other, edits) else edits
        return (*edits, GiveInputFn()) if told < self.given else edits

    def _real_edits(self) -> Tuple[Edit, ...]:
        many = self.rng.choice((0, 1, 1, 1, 1, 1, 2, 2, 3))
        found: List[Edit] = []
        for _ in range(20 * many):
            edit = _DRAWS[self.rng.choice(_WEIGHTED)](self)
            if edit is not None and self._fits(edit, found):
                found.append(edit)
            if len(found) == many:
                break
        return tuple(found)

    def _fits(self, edit: Edit, others: Sequence[Edit]) -> bool:
        """Whether an edit fits after the others. Only one of them may change the model_dir."""
        if isinstance(edit, (ChangeFiles, ChangeTensor, MoveModelDir)) and any(
            isinstance(other, (ChangeFiles, ChangeTensor, MoveModelDir)) for other in others
        ):
            return False
        try:
            after = apply_code(self.model, (*others, edit))
            apply_params(self.params, (*others, edit))
        except NothingToEditError:
            return False
        return is_fair(after)


def is_fair(model: Model) -> bool:
    """Whether a model has only one right verdict.

    An average is initialized from its variable. If one op initializes both after a restore, the
    order is random, and the average may get the old or the new value of the variable.
    """
    return not (model.average and model.scaffolding.completion == "again")


def apply_code(model: Model, edits: Sequence[Edit]) -> Model:
    """The model after all edits."""
    for edit in edits:
        model = edit.code(model)
    return model


def apply_params(params: Params, edits: Sequence[Edit]) -> Params:
    """The params after all edits."""
    for edit in edits:
        params = edit.params(params)
    return params


def _remove_part(draw: Drawer) -> Optional[Edit]:
    labels = [part.label for part in draw.model.parts]
    return RemovePart(draw.rng.choice(labels)) if labels else None


def _add_part(draw: Drawer) -> Optional[Edit]:
    plain = [block.label for block in draw.model.blocks if block.shards is None]
    if not plain:
        return None
    (part,) = parts_to_add(draw.rng, 50)
    return AddPart(draw.rng.choice(plain), part, draw.rng.random() < 0.5)


def _swap_parts(draw: Drawer) -> Optional[Edit]:
    return SwapParts(draw.rng.choice(draw.model.blocks).label)


_FLAGS: Dict[type, Tuple[str, ...]] = {
    parts.Dense: ("named", "keras", "use_bias", "double"),
    parts.MatMul: ("bias", "resource", "validate"),
    parts.Convolution: ("keras", "flatten", "norm"),
    parts.Normalization: ("named",),
    parts.Embedding: ("keras",),
    parts.Twin: ("auto_reuse",),
    parts.Counter: ("local",),
    parts.Table: ("saved",),
    parts.Scale: ("whole",),
}


def _change_part(draw: Drawer) -> Optional[Edit]:
    found = [part for part in draw.model.parts if type(part) in _FLAGS]
    if not found:
        return None
    part = draw.rng.choice(found)
    field = draw.rng.choice(_FLAGS[type(part)])
    return ChangePart(part.label, field, not getattr(part, field))


def _rename_part(draw: Drawer) -> Optional[Edit]:
    labels = [part.label for part in draw.model.parts]
    if not labels:
        return None
    label = draw.rng.choice(labels)
    return ChangePart(label, "label", label + "_new")


def _change_cell(draw: Drawer) -> Optional[Edit]:
    found = [part for part in draw.model.parts if isinstance(part, parts.Recurrent)]
    if not found:
        return None
    part = draw.rng.choice(found)
    if draw.rng.random() < 0.5:
        cells = ("LSTMCell", "GRUCell", "BasicLSTMCell", "BasicRNNCell")
        return ChangePart(part.label, "cell", draw.rng.choice(cells))
    kinds = ("dynamic_rnn", "static_rnn", "keras")
    return ChangePart(part.label, "unroll", draw.rng.choice(kinds))


@dataclasses.dataclass(frozen=True)
class AddFeature(Edit):
    """A feature that the checkpoint's model did not have, with a feature column or without."""

    key: str
    column: bool

    def code(self, model: Model) -> Model:
        inputs = model.inputs
        if inputs.structure != "dict" or inputs.access != "key" or inputs.own_batch:
            raise NothingToEditError("no plain dict of features")
        if inputs.other or (self.column and not inputs.columns):
            raise NothingToEditError("no feature columns")
        new = dataclasses.replace(inputs, new=self.key, new_column=self.column)
        return dataclasses.replace(model, inputs=new)


@dataclasses.dataclass(frozen=True)
class DropFeature(Edit):
    """A feature that the model does not use any more, and that the input_fn does not make.

    The code of a model that takes all items of its features stays the same. Only the new input_fn
    shows the edit.
    """

    def code(self, model: Model) -> Model:
        inputs = model.inputs
        if inputs.access == "items":
            raise NothingToEditError("the model takes all features")
        if inputs.structure != "dict" or len(inputs.widths) < 2 or inputs.own_batch:
            raise NothingToEditError("no feature to drop")
        new = dataclasses.replace(inputs, widths=inputs.widths[:-1])
        return dataclasses.replace(model, inputs=new)


def _add_feature(draw: Drawer) -> Optional[Edit]:
    key = draw.rng.choice(("aaa", "ground", "zone"))
    return AddFeature(key, bool(draw.model.inputs.columns))


def _drop_feature(draw: Drawer) -> Optional[Edit]:
    return DropFeature()


def _rows(model: Model) -> List[Number]:
    """Returns the sizes of tables that the data indexes.

    More rows in the code would make the verdict depend on the data.
    """
    return [column.size for column in model.inputs.columns]


def _another(draw: Drawer, number: Number) -> int:
    """Returns another value for a size, so that no id is beyond the end of a table."""
    if any(number is rows for rows in _rows(draw.model)):
        return draw.rng.randint(parts.FEWEST_ROWS, number.value)
    if number.value > 5:
        return number.value + draw.rng.choice((-1, 1, 2))
    return max(1, number.value + draw.rng.choice((-1, 1, 2, 3)))


def _change_size(draw: Drawer) -> Optional[Edit]:
    model = draw.model
    literal = [n for n in numbers_in(model) if not n.param or model.style == LITERAL]
    if not literal:
        return None
    index = draw.rng.randrange(len(literal))
    return ChangeSize(index, _another(draw, literal[index]))


def _set_param(draw: Drawer) -> Optional[Edit]:
    found = [n for n in numbers_in(draw.model) if n.param]
    if draw.model.style == LITERAL or not found:
        return None
    number = draw.rng.choice(found)
    return SetParam(number.param, _another(draw, number))


def _drop_param(draw: Drawer) -> Optional[Edit]:
    found = [n for n in numbers_in(draw.model) if n.param]
    if draw.model.style == LITERAL or not found:
        return None
    number = draw.rng.choice(found)
    if any(number is rows for rows in _rows(draw.model)) and (number.default or 0) > number.value:
        return None
    return DropParam(number.param, draw.rng.choice(("", number.param + "s")))


def _change_scope(draw: Drawer) -> Optional[Edit]:
    scoped = [block for block in draw.model.blocks if block.scope]
    if not scoped:
        return None
    block = draw.rng.choice(scoped)
    chosen = draw.rng.randrange(3)
    if chosen == 0:
        return ChangeBlock(block.label, "scope", draw.rng.choice(("", "renamed")))
    if chosen == 1 and block.shards is not None:
        return ChangeBlock(block.label, "shards", draw.rng.choice((None, Number(2), Number(4))))
    if block.shards is not None:
        return None
    arguments = ("", ", use_resource=True", ", use_resource=False", ", reuse=tf.AUTO_REUSE")
    return ChangeBlock(block.label, "arguments", draw.rng.choice(arguments))


def _wrap(draw: Drawer) -> Optional[Edit]:
    return ChangeModel("wrapped", draw.rng.choice(("", "around")))


def _change_optimizer(draw: Drawer) -> Optional[Edit]:
    if draw.rng.random() < 0.3:
        return ChangeModel("optimizer_in_eval", not draw.model.optimizer_in_eval)
    return ChangeModel("optimizer", draw.rng.choice(sorted(OPTIMIZERS)))


def _change_average(draw: Drawer) -> Optional[Edit]:
    return ChangeModel("average", draw.rng.choice(("", "kept", "restored")))


def _change_hook(draw: Drawer) -> Optional[Edit]:
    if draw.model.hook is not None:
        return ChangeModel("hook", None)
    modes = draw.rng.choice((("train",), ("eval",), ("predict", "eval", "train")))
    return ChangeModel("hook", Hook(modes, "seen", draw.rng.random() < 0.5))


_SCAFFOLDINGS = (
    Scaffolding(),
    Scaffolding("list"),
    Scaffolding("dict"),
    Scaffolding("renaming"),
    Scaffolding("reshape"),
    Scaffolding("partial", "bias", "nothing"),
    Scaffolding("partial", "bias", "init-fn"),
    Scaffolding("partial", "kernel", "local-init"),
    Scaffolding("partial", "output", "empty-ready-ops"),
    Scaffolding("", "", "again"),
    Scaffolding("", "", "again", False),
    Scaffolding("", "", "empty-ready-ops"),
)


def _change_scaffolding(draw: Drawer) -> Optional[Edit]:
    return ChangeModel("scaffolding", draw.rng.choice(_SCAFFOLDINGS))


def _change_header(draw: Drawer) -> Optional[Edit]:
    return ChangeModel("header", draw.rng.choice(sorted(HEADERS)))


def _change_metrics(draw: Drawer) -> Optional[Edit]:
    return ChangeModel("metrics", not draw.model.metrics)


_DTYPES = ("float64", "float16", "int32", "int64")


def _change_tensor(draw: Drawer) -> Optional[Edit]:
    names = sorted(name for name, (dtype, _) in draw.variables.items() if _is_number(dtype))
    if not names or draw.model.scaffolding.saver == "v1-format":
        return None
    key = draw.rng.choice(names)
    dtype, shape = draw.variables[key]
    change = draw.rng.choice(("drop", "rename", "cast", "fill", "resize", "resize", "resize"))
    if change == "rename":
        return ChangeTensor(change, key, draw.rng.choice((key + "_old", "was/" + key)))
    if change == "cast":
        return ChangeTensor(change, key, draw.rng.choice([d for d in _DTYPES if d != dtype]))
    if change == "fill":
        return ChangeTensor(change, key, draw.rng.choice((0.0, 1.0)))
    if change == "resize":
        if _is_of_table(key):
            return None
        return ChangeTensor(change, key, _resized(draw, shape))
    return ChangeTensor(change, key)


def _is_of_table(key: str) -> bool:
    """Whether a key is that of a saved table. A table with another number of keys cannot exist."""
    return key.endswith(("-keys", "-values"))


def _is_number(dtype: str) -> bool:
    return dtype.startswith(("float", "int"))


def _resized(draw: Drawer, shape: Tuple[int, ...]) -> Tuple[int, ...]:
    """Returns another shape. It never has fewer rows, because ids in the data may need them."""
    if not shape:
        return draw.rng.choice(((1,), (2,)))
    chosen = draw.rng.randrange(4)
    if chosen == 0 and len(shape) == 2:
        return (shape[0] * shape[1],)
    if chosen == 1:
        return (*shape, 1)
    axis = draw.rng.randrange(len(shape))
    grown = draw.rng.choice((1, 2))
    if axis == len(shape) - 1 and shape[axis] > 2 and len(shape) > 1:
        grown = draw.rng.choice((-1, 1))
    return (*shape[:axis], shape[axis] + grown, *shape[axis + 1 :])


def _change_files(draw: Drawer) -> Optional[Edit]:
    if draw.rng.random() < 0.2:
        return MoveModelDir()
    name = draw.rng.choice(sorted(_FILES))
    if draw.model.scaffolding.saver == "v1-format" and not name.startswith(("state", "meta")):
        return None
    return ChangeFiles(name)


def _change_behavior(draw: Drawer) -> Optional[Edit]:
    return ChangeBehavior() if draw.major > 1 else None


_DRAWS: Dict[str, Draw] = {
    "remove-part": _remove_part,
    "add-part": _add_part,
    "swap-parts": _swap_parts,
    "change-part": _change_part,
    "rename-part": _rename_part,
    "change-cell": _change_cell,
    "change-size": _change_size,
    "set-param": _set_param,
    "drop-param": _drop_param,
    "change-scope": _change_scope,
    "add-feature": _add_feature,
    "drop-feature": _drop_feature,
    "wrap": _wrap,
    "optimizer": _change_optimizer,
    "average": _change_average,
    "hook": _change_hook,
    "scaffolding": _change_scaffolding,
    "header": _change_header,
    "metrics": _change_metrics,
    "tensor": _change_tensor,
    "files": _change_files,
    "behavior": _change_behavior,
}
_TWICE = ("change-part", "change-size", "change-size", "set-param", "set-param", "tensor", "tensor")
_WEIGHTED = (*sorted(_DRAWS), *_TWICE)
