"""A save of Estimator with ``keep_checkpoint_max=1``, step by step, without TensorFlow.

The steps are those of ``tf.train.Saver.save``, in the same order. It writes the data and the index
to other names and renames them. It writes the state file. It removes the last checkpoint, its graph
first. Finally, it writes the saved graph. See docs/facts.md; ``test_beside_training.py`` records
the steps of a real save.
"""

import os
import struct
from pathlib import Path
from typing import Callable, List, Tuple

from ckptcheck.checkpoint.crc32c import crc32c, masked

from . import writer

Step = Callable[[], None]
GRAPH = writer.field(2, writer.field(1, writer.field(1, b"x") + writer.field(2, b"NoOp")))
"""The content of the ``.meta`` file: a graph with one node."""
_UNIQUE = "0123456789abcdef" * 2


class Saves:
    """A directory to which checkpoints are saved."""

    def __init__(self, folder: Path) -> None:
        """Makes the directory with the graph of the training and a first checkpoint."""
        self.folder = folder
        self._last = 0
        folder.mkdir()
        (folder / "graph.pbtxt").write_bytes(b"")
        self.save()

    @property
    def prefix(self) -> str:
        """The prefix of the latest checkpoint."""
        return str(self.folder / f"model.ckpt-{self._last}")

    def save(self) -> None:
        """Saves another checkpoint."""
        for step in self.steps():
            step()

    def steps(self) -> List[Step]:
        """Returns functions that together save another checkpoint."""
        before, self._last = self._last, self._last + 10
        name, old = f"model.ckpt-{self._last}", f"model.ckpt-{before}"
        temporary = self.folder / f"{name}_temp_{_UNIQUE}"
        index, data = _content(self._last)
        shard = "data-00000-of-00001"
        state = f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n'
        steps: List[Step] = [
            temporary.mkdir,
            lambda: self._write(temporary / f"part-00000-of-00001.{shard}", data),
            lambda: os.replace(
                str(temporary / f"part-00000-of-00001.{shard}"),
                str(self.folder / f"{name}.{shard}"),
            ),
            lambda: self._write(self.folder / f"{name}.index", index),
            temporary.rmdir,
            lambda: self._write(self.folder / "checkpoint", state.encode()),
        ]
        if before:
            for end in ("meta", "index", shard):
                steps.append((self.folder / f"{old}.{end}").unlink)
        steps.append(lambda: self._write(self.folder / f"{name}.meta", GRAPH))
        return steps

    def _write(self, path: Path, content: bytes) -> None:
        """Writes a file atomically."""
        new = path.with_name(f"{path.name}.tmp{_UNIQUE}")
        new.write_bytes(content)
        os.replace(str(new), str(path))


def _content(step: int) -> Tuple[bytes, bytes]:
    """The index and the data of a checkpoint of a step and a bias."""
    data = struct.pack("<q4f", step, 1, 2, 3, step)
    entries = {
        b"global_step": writer.entry(9, (), 0, 0, 8, masked(crc32c(data[:8]))),
        b"bias": writer.entry(1, (4,), 0, 8, 16, masked(crc32c(data[8:]))),
    }
    return writer.index(entries), data
