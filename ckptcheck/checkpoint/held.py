"""Keeps the data files of a checkpoint open, so that they can be read even after their removal."""

import contextlib
import os
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

from ..model_dir import CheckpointFiles
from .bundle import Bundle
from .names import shard_name

_MOST_HELD = 64
"""A checkpoint can have more data files than a process may open."""


class Held(NamedTuple):
    """The data files of a checkpoint that are open.

    Attributes:
        descriptors: by the number of the data file; none where there are too many to be held.
        states: each one's size and time of change when it was opened.
    """

    descriptors: Dict[int, int]
    states: Dict[int, Tuple[int, int]]

    def changed(self) -> bool:
        """Whether a file was written to since."""
        return any(_state(self.descriptors[n]) != state for n, state in self.states.items())


NOTHING_HELD = Held({}, {})


@contextlib.contextmanager
def data_held(bundle: Optional[Bundle]) -> Iterator[Held]:
    """Opens the data files of a checkpoint for as long as the context lasts.

    Files that cannot be opened are left out. Reading them reports why.
    """
    shards = {item.shard for item in bundle.stored()} if bundle is not None else set()
    held = Held({}, {})
    try:
        if bundle is not None and len(shards) <= _MOST_HELD:
            for shard in sorted(shards):
                with contextlib.suppress(OSError):
                    path = shard_name(bundle.prefix, shard, bundle.num_shards)
                    held.descriptors[shard] = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                    held.states[shard] = _state(held.descriptors[shard])
        yield held
    finally:
        for descriptor in held.descriptors.values():
            os.close(descriptor)


def lacks(held: Held, bundle: Optional[Bundle], files: Optional[CheckpointFiles]) -> bool:
    """Whether a data file was removed after its directory was listed and before it was opened."""
    if bundle is None or files is None or len(files.files) > _MOST_HELD:
        return False
    there = {file.name for file in files.files if file.size is not None}
    base = os.path.basename(bundle.prefix)
    opened = {shard_name(base, shard, bundle.num_shards) for shard in held.descriptors}
    return not there <= opened


def _state(descriptor: int) -> Tuple[int, int]:
    info = os.fstat(descriptor)
    return info.st_size, info.st_mtime_ns
