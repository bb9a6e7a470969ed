"""Describes the data with which a run raises an error."""

from typing import Sequence

from .protocol import DataKind, DataLimit

_MOST_NAMES = 3


def limit_text(limit: DataLimit) -> str:
    """Describes the data with which a run raises an error.

    Returns:
        The condition, such as ``an id of 10 or more is looked up in emb``.
    """
    keys = _names_text(limit.keys)
    inputs = f" (from {_names_text(limit.inputs)})" if limit.inputs else ""
    if limit.kind == DataKind.ID:
        return f"an id of {limit.least} or more is looked up in {keys}{inputs}"
    if limit.kind == DataKind.LABEL:
        inputs = inputs if limit.inputs != ("labels",) else ""
        return f"a label of {limit.least} or more occurs{inputs}"
    if limit.kind == DataKind.LENGTH and limit.least is not None:
        return f"an input has a length of {limit.least} or more"
    which = "lengths" if limit.kind == DataKind.LENGTH else "values"
    return f"an op does not accept the {which} of the inputs: {limit.message}"


def _names_text(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
