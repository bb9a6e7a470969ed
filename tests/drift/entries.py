"""The types of the catalogue: a model, and an edit with the words that its findings must have."""

import dataclasses
from typing import Any, Dict, Mapping, Optional, Tuple

MODES = ("predict", "eval", "train")
"""The modes that an edit of the forward computation reaches."""

SCORED = ("eval", "train")
"""The modes that an edit of the loss reaches."""

TRAINED = ("train",)
"""The modes that an edit of a dropout, an optimizer or a moving average reaches."""


@dataclasses.dataclass(frozen=True)
class Told:
    """Words that one finding must have in its fields ``then`` and ``now``.

    A word is a value, or the name of an op. Alternatives have ``|`` between them. An empty word
    matches everything: a new op has no ``then``, and a removed op has no ``now``.
    """

    then: str
    now: str


@dataclasses.dataclass(frozen=True)
class Edit:
    """An edit between training and restoring.

    Attributes:
        id: its name, in all of the catalogue.
        kind: what sort of edit it is; several entries share it.
        changes: pairs of texts. The first stands once in the model's source, and the second takes
            its place.
        params: params that get other values.
        modes: what the edit changes: the predictions, the loss in EVAL, the variables after one
            more step of training. An innocent edit has none.
        told: the words that the findings must have.
        comparable: whether the graph of TRAIN shows the edit. A checkpoint has only this graph.
        unsure: the modes among ``modes`` whose change this graph does not show.
        random: whether one step of training draws other random numbers than the unedited code, so
            that only the mean over many runs can be compared.
    """

    id: str
    kind: str
    changes: Tuple[Tuple[str, str], ...] = ()
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    modes: Tuple[str, ...] = ()
    told: Tuple[Told, ...] = ()
    comparable: bool = True
    unsure: Tuple[str, ...] = ()
    random: bool = False

    @property
    def silent(self) -> bool:
        """Whether the model computes something else."""
        return bool(self.modes)


@dataclasses.dataclass(frozen=True)
class Model:
    """A model_fn and its edits.

    Attributes:
        id: its name.
        source: the module, with ``model_fn``, and ``input_fn`` unless the model is a fixture.
        params: the params of the training.
        edits: all edits of this model.
        fixture: the folder of fixtures/ that has the input_fn; such code uses TensorFlow 1's names.
        tpu: whether a TPUEstimator runs it, on the CPU.
        portable: whether all versions of TensorFlow give its variables the same names.
    """

    id: str
    source: str
    params: Mapping[str, Any]
    edits: Tuple[Edit, ...]
    fixture: str = ""
    tpu: bool = False
    portable: bool = True


class EditError(Exception):
    """An edit does not fit its model."""


def edited(model: Model, edit: Optional[Edit]) -> Tuple[str, Dict[str, Any]]:
    """Applies an edit.

    Args:
        model: the model.
        edit: one of its edits, or None for the code as it was trained.

    Returns:
        The source and the params.

    Raises:
        EditError: a text does not stand exactly once in the source, or the edit changes nothing.
    """
    source, params = model.source, dict(model.params)
    if edit is None:
        return source, params
    for old, new in edit.changes:
        if source.count(old) != 1:
            raise EditError(f"{edit.id}: {source.count(old)} times in the source: {old!r}")
        source = source.replace(old, new)
    params.update(edit.params)
    if source == model.source and params == dict(model.params):
        raise EditError(f"{edit.id} changes nothing")
    return source, params
