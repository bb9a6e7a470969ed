"""What traced code was not shown of its model_dir, and whether it touched that."""

import dataclasses
import json
import tempfile
from typing import List, Sequence, Tuple

from .failures import UsageError
from .open_watch import UNWATCHED, OpenWatch

_MOST_NAMES = 3


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """What traced code is not shown.

    Attributes:
        name: its path below the model_dir; "" where whole entries are missing.
        reason: why no copy can be made, in words that follow the name; "" where one can.
        watch: its number in the :class:`OpenWatch`.
    """

    name: str
    reason: str
    watch: int


class Ledger:
    """What one trace was not shown, and what of that was opened.

    The tracer keeps it. The fork fills it and closes it before any code of the user's runs, so
    that the code cannot take it away: it has no name, and no descriptor there.

    Attributes:
        watch: which files were opened.
    """

    def __init__(self, folder: str) -> None:
        """Makes an empty one.

        Args:
            folder: where its file without a name takes room.

        Raises:
            OSError: there is no room for it.
        """
        self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
        self.watch = OpenWatch()

    def write(self, items: Sequence[LeftOut]) -> None:
        """Writes down what is left out.

        Raises:
            OSError: there is no room for it.
        """
        rows = [dataclasses.astuple(item) for item in items]
        data = memoryview(json.dumps(rows).encode("ascii") if rows else b"")
        while data:
            data = data[self._file.write(data) :]

    def touched(self, asked: bool) -> Tuple[LeftOut, ...]:
        """What was left out and the code touched, or may have touched.

        Args:
            asked: whether the code asked for the path of what it was shown.
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
        """Ends this process's part in it; what others have of it stays."""
        self._file.close()
        self.watch.close()


def incomplete(items: Sequence[LeftOut]) -> UsageError:
    """What to say of a trace that missed something which no copy can be made of."""
    told = [item for item in items if item.reason] or list(items)
    shown = "; ".join(map(_described, told[:_MOST_NAMES]))
    rest = len(told) - _MOST_NAMES
    return UsageError(
        f"the code uses its model_dir, and ckptcheck cannot show it all that is there: {shown}"
        + (f"; and {rest} more" if rest > 0 else "")
        + ". Without that there is no verdict. If the code does not need it, move it out of "
        "MODEL_DIR, or check a snapshot (ckptcheck snapshot MODEL_DIR OUT)"
    )


def _described(item: LeftOut) -> str:
    if not item.name:
        return f"MODEL_DIR holds {item.reason}"
    return f"{_shown(item.name)} {item.reason or 'is read only in part'}"


def _shown(name: str) -> str:
    """A name of a file in one line, whatever characters it has."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)
