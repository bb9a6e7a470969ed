"""Looks at the checkpoint of a check, and looks again while its files change."""

import contextlib
import dataclasses
import os
from typing import TYPE_CHECKING, Any, Optional, Tuple, Union

from .checkpoint.examine import Examined
from .checkpoint.gzip_file import unpacked_name
from .checkpoint.held import NOTHING_HELD, Held, data_held, lacks
from .checkpoint.marks import Marks, marks_of
from .checkpoint.remote import LocalView
from .errors import UsageError
from .file_facts import Count, Progress, data_size
from .model_dir import Located, TensorScan
from .options import CheckSpec
from .protocol import CheckpointIndex, Failure, VariableSpec
from .recorded import Completed, completed
from .records.reader import Recorded, read_record
from .results import shape_text
from .settled import Doubt, doubt_of, folder_of, look_at, settled
from .traces import Checkpoint

if TYPE_CHECKING:
    from .client.memo import TraceMemo
    from .client.process import Tracer


@dataclasses.dataclass(frozen=True)
class LookedAt:
    """The checkpoint of a check.

    Attributes:
        located: the place of the checkpoint.
        examined: the state of its files, read without TensorFlow.
        read: the function that reads remote data; None if the data is local.
        held: the open data files; empty unless the check reads local data.
        at_rest: whether no file changed while ckptcheck looked at them.
        recorded: its record.
    """

    located: Located
    examined: Examined
    read: Any
    held: Held
    at_rest: bool
    recorded: Recorded

    def to_trace(self) -> Checkpoint:
        """Returns what a trace needs to know of it."""
        bundle = self.examined.bundle
        index = bundle.checkpoint_index() if bundle else None
        return Checkpoint(self.located, index, self.recorded.record)

    def completed(self, spec: CheckSpec) -> Completed:
        """Takes from the record what the user left out; see :func:`.recorded.completed`."""
        return completed(spec, self.recorded, self.located.prefix)

    @property
    def without_data(self) -> bool:
        """Whether this is a snapshot, which has no data."""
        files = self.examined.files
        return files is not None and files.snapshot and self.read is None

    def verify_readable(self, spec: CheckSpec) -> None:
        """If ``--deep`` is given, verifies that there is data to read.

        Raises:
            UsageError: there is no data that ckptcheck can read.
        """
        if spec.deep and self.examined.first_version:
            raise UsageError(f"{self.examined.problem}: its data cannot be read. Remove --deep")
        if spec.deep and self.without_data:
            raise UsageError(
                f"{self.located.model_dir} is a snapshot, which has no data to read. Remove "
                "--deep, or give the original model_dir"
            )

    def scans(
        self, spec: CheckSpec, progress: Optional[Progress]
    ) -> Optional[Tuple[TensorScan, ...]]:
        """Reads the data; returns None without --deep, or if the index cannot be read."""
        self.verify_readable(spec)
        if not spec.deep or self.examined.bundle is None:
            return None
        from .checkpoint.data_scan import scan  # only this needs numpy

        count = Count(progress, data_size(self.examined.bundle))
        return scan(self.examined.bundle, count, self.read, self.held.descriptors)


class Checkpoints:
    """Looks at the checkpoint of a check, and looks again if its files have changed."""

    def __init__(self, spec: CheckSpec, place: LocalView, held: contextlib.ExitStack) -> None:
        self._spec = spec
        self.place = place
        self._held = held.enter_context(contextlib.ExitStack())
        self._seen: Optional[LookedAt] = None
        self._marks: Optional[Marks] = None

    def look(self) -> LookedAt:
        """Returns the current state of the checkpoint. Its files stay open until the next look."""
        folders = [folder_of(self.place.path)]
        marks = marks_of(folders)
        if self._seen is not None and marks == self._marks:
            return self._seen
        self._held.close()
        located, examined = look_at(self.place.path)
        read = self.place.reader_of(located.prefix)
        held = NOTHING_HELD
        if self._spec.deep and read is None:
            held = self._held.enter_context(data_held(examined.bundle))
        at_rest = not located.elsewhere and marks_of(folders) == marks
        self._marks = None if located.elsewhere else marks
        recorded = read_record(located.prefix)
        self._seen = LookedAt(located, examined, read, held, at_rest, recorded)
        return self._seen

    def asked(self, tracer: "Tracer") -> "Tuple[LookedAt, TraceMemo]":
        """Returns the checkpoint, and what TensorFlow reads from its files."""
        from .client.memo import memo_of

        def ask() -> "Tuple[LookedAt, TraceMemo]":
            found = self.look()
            return found, memo_of(found.located, tracer)

        return settled(self.place, ask, lambda seen: self._doubt(*seen))

    def _doubt(self, found: LookedAt, known: "TraceMemo") -> Doubt:
        examined = found.examined
        graph_file = os.path.basename(examined.graph.file) if examined.graph else ""
        lost = (
            isinstance(known.index, Failure)
            or known.graph_problem != ""
            or disagreement(examined, known.index) != ""
            or unpacked_name(graph_file) not in ("", known.graph_name)
            or (self._spec.deep and lacks(found.held, examined.bundle, examined.files))
        )
        return doubt_of(found.located, examined, lost)


def disagreement(examined: Examined, listed: Union[CheckpointIndex, Failure, None]) -> str:
    """Describes how ckptcheck and TensorFlow read the index differently; "" if they agree."""
    if listed is None or isinstance(listed, Failure) or examined.first_version:
        return ""
    if examined.bundle is None:
        return f"TensorFlow can read the index, but ckptcheck cannot: {examined.problem}"
    return _first_difference(examined.bundle.checkpoint_index(), listed)


def _first_difference(mine: CheckpointIndex, theirs: CheckpointIndex) -> str:
    ours = {spec.name: spec for spec in mine.variables}
    others = {spec.name: spec for spec in theirs.variables}
    for name in sorted(set(ours) | set(others)):
        if ours.get(name) != others.get(name):
            said = _listed(ours.get(name)), _listed(others.get(name))
            return f"{name}: ckptcheck {said[0]}, TensorFlow {said[1]}"
    if len(mine.variables) == len(theirs.variables):
        return ""
    return f"ckptcheck lists {len(mine.variables)} tensors, TensorFlow {len(theirs.variables)}"


def _listed(spec: Optional[VariableSpec]) -> str:
    return "does not list it" if spec is None else f"lists {spec.dtype} {shape_text(spec.shape)}"
