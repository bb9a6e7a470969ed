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
    """One read of a key of the params by the model_fn.

    Attributes:
        key: dotted where params are nested.
        found: whether params hold it.
        default: the default that the code used, as JSON or as its repr; None if there is none.
        raised: whether the read raised KeyError or AttributeError.
        location: the line of the user's code that reads the key.
    """

    key: str
    found: bool
    default: Any = None
    has_default: bool = False
    raised: bool = False
    location: Optional[Location] = None


@dataclasses.dataclass(frozen=True)
class ParamsUse:
    """How params were used.

    Attributes:
        reads: the reads of the model_fn, each key once.
        bulk: whether params were read as a whole.
        taken: whether the model_fn takes params.
        named: the keys that the model_fn did not read, but that a module of the user names. An
            input_fn may read them.
    """

    reads: Tuple[ParamRead, ...] = ()
    bulk: bool = False
    taken: bool = True
    named: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class InputEvent:
    """What the model_fn did with its features or labels.

    Attributes:
        path: where, from the root: ``("features", "x")``.
        event: ``key`` (the code asks for it), ``named`` (the code names the key), ``maybe-key``
            (``in``), ``name`` (the real key that may replace a made-up key), ``index``,
            ``maybe-index`` (of a tensor, or of a list), ``unpack``, ``tensor``, ``iterate``,
            ``column`` (a feature column describes the tensor), ``field`` (an attribute that tensors
            do not have was read), or ``dict``.
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
