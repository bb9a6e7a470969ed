"""Short ways to write an entry."""

from typing import Any, Mapping, Sequence, Tuple, Union, cast

from .entries import Edit, Told

Change = Tuple[str, str]
Changes = Union[Change, Sequence[Change]]


def _pairs(changes: Changes) -> Tuple[Change, ...]:
    """One pair of texts, or several."""
    if isinstance(changes[0], str):
        return (cast(Change, changes),)
    return tuple(cast(Sequence[Change], changes))


def silent(
    id: str,
    kind: str,
    modes: Sequence[str],
    changes: Changes,
    *told: Tuple[str, str],
    comparable: bool = True,
    unsure: Sequence[str] = (),
) -> Edit:
    """An edit of the source after which the model computes something else."""
    told_of = tuple(Told(then, now) for then, now in told)
    return Edit(id, kind, _pairs(changes), {}, tuple(modes), told_of, comparable, tuple(unsure))


def param(
    id: str,
    kind: str,
    modes: Sequence[str],
    params: Mapping[str, Any],
    *told: Tuple[str, str],
) -> Edit:
    """Params after which the model computes something else."""
    return Edit(id, kind, (), params, tuple(modes), tuple(Told(*words) for words in told))


def innocent(id: str, kind: str, changes: Changes, random: bool = False) -> Edit:
    """An edit of the source after which the model computes the same."""
    return Edit(id, kind, _pairs(changes), random=random)
