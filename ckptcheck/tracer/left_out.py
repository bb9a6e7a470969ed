"""Records the files of the model_dir that traced code cannot see, and whether it used them."""

import dataclasses
import json
import tempfile
from typing import List, Sequence, Tuple

from .failures import UsageError
from .open_watch import UNWATCHED, OpenWatch

_MOST_NAMES = 3


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A file that traced code cannot see.

    Attributes:
        name: its path below the model_dir; "" if the names of missing entries are not known.
        reason: why the file cannot be copied, as the end of a sentence; "" if it can be copied.
        watch: its number in the :class:`OpenWatch`.
    """

    name: str
    reason: str
    watch: int


class Ledger:
    """Records the files that one trace cannot see, and those that the code opened anyway.

    The tracer keeps the ledger. The fork fills and closes it before any of the user's code runs.
    The code cannot remove it, because its file has no name and the fork has closed the descriptor.

    Attributes:
        watch: which files were opened.
    """

    def __init__(self, folder: str) -> None:
        """Makes an empty one.

        Args:
            folder: where its file is made, which has no name.

        Raises:
            OSError: the file cannot be made.
        """
        self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
        self.watch = OpenWatch()

    def write(self, items: Sequence[LeftOut]) -> None:
        """Records what is left out.

        Raises:
            OSError: there is no room for it.
        """
        rows = [dataclasses.astuple(item) for item in items]
        data = memoryview(json.dumps(rows).encode("ascii") if rows else b"")
        while data:
            data = data[self._file.write(data) :]

    def touched(self, asked: bool) -> Tuple[LeftOut, ...]:
        """Returns the left-out files that the code used or may have used.

        Args:
            asked: whether the code asked for the path of its model_dir.
        """
        items = self.items()
        opened = self.watch.opened() if items else set()
        return tuple(
            item
            for item in items
            if (asked if item.watch == UNWATCHED else self.watch.lost or item.watch in opened)
        )

    def items(self) -> List[LeftOut]:
        """All that was left out."""
        self._file.seek(0)
        data = self._file.read()
        return [LeftOut(*row) for row in json.loads(data.decode("ascii"))] if data else []

    def close(self) -> None:
        """Closes it in this process; in others it stays open."""
        self._file.close()
        self.watch.close()


def incomplete(items: Sequence[LeftOut]) -> UsageError:
    """Returns the error for a trace that used a file that cannot be copied."""
    told = [item for item in items if item.reason] or list(items)
    shown = "; ".join(map(_described, told[:_MOST_NAMES]))
    rest = len(told) - _MOST_NAMES
    more = f"; and {rest} more" if rest > 0 else ""
    return UsageError(
        "the code may use files of its model_dir that ckptcheck cannot copy, so there is no "
        f"verdict: {shown}{more}. If the code does not need them, move them out of MODEL_DIR, or "
        "check a snapshot (ckptcheck snapshot MODEL_DIR OUT)"
    )


def _described(item: LeftOut) -> str:
    if not item.name:
        return f"MODEL_DIR holds {item.reason}"
    name = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in item.name)
    return f"{name} {item.reason or 'can be copied only in part'}"
