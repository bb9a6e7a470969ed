"""The names of a checkpoint's files."""

import re

_ENDING = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})\Z")
SHARD = re.compile(r"\.data-(?P<number>\d{5})-of-(?P<count>\d{5})\Z")
"""The ending of a data file."""

SHADOW = "._"
"""The prefix of macOS's metadata files: ``._model.ckpt-10.index`` does not belong to a
checkpoint."""


def without_ending(path: str) -> str:
    """Returns the prefix of a path to a checkpoint's file. Other paths stay as they are."""
    return _ENDING.sub("", path)


def shard_name(base: str, number: int, count: int) -> str:
    """Returns the name of a data file."""
    return f"{base}.data-{number:05d}-of-{count:05d}"
