"""What a model_fn did with its params, its features and its labels, as a trace saw it.

ckptcheck sends this file to the user's interpreter, like :mod:`.protocol`.
"""

import dataclasses
from typing import Any, Optional, Tuple, Union


@dataclasses.dataclass(frozen=True)
class Location:
    """A line of the user's code."""

    file: str
    line: int


@dataclasses.dataclass(frozen=True)
class ParamRead:
    """One look of the model_fn at a key of its params.

    Attributes:
        key: dotted where params are nested.
        found: whether params hold it.
        default: the default that the code used, as JSON or as its repr; None without a default.
        raised: whether the look raised KeyError or AttributeError.
        location: the line of the user's code that looked.
    """

    key: str
    found: bool
    default: Any = None
    has_default: bool = False
    raised: bool = False
    location: Optional[Location] = None


@dataclasses.dataclass(frozen=True)
class ParamsUse:
    """How params were used: each key once, and whether they were read as a whole."""

    reads: Tuple[ParamRead, ...] = ()
    bulk: bool = False
    taken: bool = True


@dataclasses.dataclass(frozen=True)
class InputEvent:
    """What the model_fn did with its features or labels.

    Attributes:
        path: where, from the root: ``("features", "x")``.
        event: ``key`` (it was asked for), ``named`` (the code names the key), ``maybe-key``
            (``in``), ``name`` (a key that a made-up key may stand for), ``index``, ``maybe-index``
            (of a tensor, or of a list), ``unpack``, ``tensor``, ``iterate``, ``column`` (a feature
            column describes the tensor), ``field`` (an attribute that tensors do not have was
            read), or ``dict``.
        value: the key, the index, the number of values that were unpacked, the leaf that a
            feature column describes as JSON, the name of the attribute, or the method of a dict
            that was called.
    """

    path: Tuple[Union[str, int], ...]
    event: str
    value: Union[str, int, None] = None


@dataclasses.dataclass(frozen=True)
class InputTensor:
    """One leaf of the features or labels in the traced graph.

    Attributes:
        path: where the leaf is, from the root.
        name: the name of the tensor, or of the values of a sparse one.
        parts: the names of the indices, the values and the shape of a sparse one.
    """

    path: Tuple[Union[str, int], ...]
    name: str
    parts: Tuple[str, ...] = ()
