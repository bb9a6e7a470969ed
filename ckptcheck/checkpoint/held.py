"""Keeps the data files of a checkpoint open, so that they stay readable after their removal."""

import contextlib
import os
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

from ..model_dir import CheckpointFiles
from .bundle import Bundle
from .names import shard_name

_MOST_HELD = 64
"""The most data files to keep open. A checkpoint may have more files than a process may open."""


class Held(NamedTuple):
    """The open data files of a checkpoint.

    Attributes:
        descriptors: the open files, by the number of the data file; empty if there are too many.
        states: the size and modification time of each file when it was opened.
    """

    descriptors: Dict[int, int]
    states: Dict[int, Tuple[int, int]]

    def changed(self) -> bool:
        """Whether a file has changed since it was opened."""
        return any(_state(self.descriptors[n]) != state for n, state in self.states.items())


NOTHING_HELD = Held({}, {})


@contextlib.contextmanager
def data_held(bundle: Optional[Bundle]) -> Iterator[Held]:
    """Opens the data files of a checkpoint while the context lasts.

    It skips files that cannot be opened; reading them reports why.
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
