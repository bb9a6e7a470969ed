"""What the names of a checkpoint's files say."""

import re

_ENDING = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})\Z")


SHADOW = "._"
"""How macOS begins the name of a file in which it keeps what it knows of another one, where the
file system cannot: ``._model.ckpt-10.index`` is none of a checkpoint's files."""


def without_ending(path: str) -> str:
    """The prefix of which a path is one of the files; other paths as they are."""
    return _ENDING.sub("", path)


def shard_name(base: str, number: int, count: int) -> str:
    """The name of a data file."""
    return f"{base}.data-{number:05d}-of-{count:05d}"
