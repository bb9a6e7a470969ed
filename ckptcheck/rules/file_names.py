"""Turns names of a checkpoint's files into a form that is the same for each save."""

import re

_STEP = re.compile(r"-\d+(?=_temp|\.(index|meta|data-))")
_RANDOM = re.compile(
    r"(?<=_temp_)[0-9a-f]{32}|(?<=\.tmp)[0-9a-f]{32}|(?<=\.tempstate)\d+"
    r"|(?<=\.)([0-9A-Za-z]{6}|[0-9A-Fa-f]{8})\Z"
)


def stable_name(name: str) -> str:
    """Returns a file's name without the step and without the random part of a temporary name.

    For example ``model.ckpt-*.data-00000-of-00001`` for ``model.ckpt-10.data-00000-of-00001``.
    """
    return _RANDOM.sub("*", _STEP.sub("-*", name))
