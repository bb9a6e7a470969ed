"""What the names of a checkpoint's files say."""

import re
from typing import Optional

from .first_version import without_pattern

_ENDING = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})\Z")


def without_ending(path: str) -> str:
    """The prefix of which a path is one of the files; other paths as they are."""
    return _ENDING.sub("", path)


def shard_name(base: str, number: int, count: int) -> str:
    """The name of a data file."""
    return f"{base}.data-{number:05d}-of-{count:05d}"


def step_of(prefix: str) -> Optional[int]:
    """The step in a checkpoint's name, None where it has none."""
    found = re.search(r"-(\d{1,19})\Z", without_pattern(prefix))
    return int(found.group(1)) if found else None
