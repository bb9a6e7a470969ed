"""Where the traces of a check come from: a running tracer, or the cache."""

import dataclasses
from typing import (
    TYPE_CHECKING,
    Any,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
)

from .checkpoint.folder_changes import FolderState, attributed, folder_state, state_after
from .errors import TracerLostError, UsageError
from .model_dir import FileChange, Located
from .options import CheckSpec
from .origins import texts_in
from .protocol import CheckpointIndex, Failure, FailureKind
from .records.value import Record
from .rules.base import some_names
from .sanitize import printable
from .traced import Traced, Wanted

if TYPE_CHECKING:
    from .cache.dependencies import Told
    from .cache.kept import Kept
    from .client.memo import TraceMemo
    from .client.process import Tracer

_MOST_TRACES = 3
"""How many times to trace code that raises while a training run saves. It may have tried
to read a file that the training run just removed."""
_MOST_NAMES = 10
_UNHURRIED = 0.25
"""The part of the time (--timeout) that a check may take if its traces are kept. In this time, no
timeout can have stopped a mode."""
_BY_TIME = ("(--timeout", "takes too long", "takes too much memory")
_ENDED = (
    FailureKind.TIMED_OUT,
    FailureKind.CRASHED,
    FailureKind.EXITED,
    FailureKind.NO_RESULT,
    FailureKind.OUT_OF_MEMORY,
)


class Followed(NamedTuple):
    """The traces of a check, and what happened to files meanwhile.

    Attributes:
        traced: the traces.
        changed: the changes of files in the model_dir that the code may have made.
        unknown: what could not be found out about such changes.
    """

    traced: Traced
    changed: Tuple[FileChange, ...] = ()
    unknown: Tuple[str, ...] = ()


class Tried(NamedTuple):
    """The traces with other params.

    Attributes:
        followed: the traces; None if the code rejects the params, or there was no time.
        late: whether the time was over.
    """

    followed: Optional[Followed]
    late: bool = False


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """The checkpoint whose restore is traced.

    Attributes:
        located: its place.
        index: what it holds; None if it cannot be read.
        record: its record; None if there is none.
    """

    located: Located
    index: Optional[CheckpointIndex]
    record: Optional[Record]


class KeptTraces:
    """Traces from the cache. Nothing is run.

    Attributes:
        tensorflow: the version of TensorFlow.
    """

    def __init__(self, kept: "Kept") -> None:
        self._kept = kept
        self.tensorflow = kept.tensorflow

    def main(self, spec: CheckSpec, checkpoint: Checkpoint, wanted: Wanted) -> Followed:
        """Returns the traces with the params of the check."""
        return self._followed(self._kept.main, checkpoint)

    def tried(self, spec: CheckSpec, checkpoint: Checkpoint, wanted: Wanted) -> Tried:
        """Returns the traces with other params.

        Raises:
            NotKeptError: the cache does not have them.
        """
        traced = self._kept.trial(spec.params or {})
        return Tried(None if traced is None else self._followed(traced, checkpoint))

    def judged(self) -> Optional[Traced]:
        """Returns None: the traces are judged already."""
        return None

    @staticmethod
    def _followed(traced: Traced, checkpoint: Checkpoint) -> Followed:
        before = folder_state(checkpoint.located.model_dir)
        return Followed(traced, (), _unknown(before, before, ()))


class LiveTraces:
    """Traces by a running tracer.

    Attributes:
        tensorflow: the version of TensorFlow.
        why_unstable: why the traces may differ the next time; "" if no reason is known.
    """

    def __init__(self, tracer: "Tracer", known: "TraceMemo", began: float) -> None:
        self.tensorflow = tracer.hello().tensorflow
        self.why_unstable = ""
        self._tracer = tracer
        self._known = known
        self._began = began
        self._main: Any = None
        self._trials: List[Tuple[Mapping[str, Any], Optional[Traced]]] = []

    def main(self, spec: CheckSpec, checkpoint: Checkpoint, wanted: Wanted) -> Followed:
        """Traces the modes with the params of the check.

        Raises:
            UsageError: the Python, the target or the features cannot be found.
        """
        found = self._follow(spec, checkpoint, wanted)
        self._main = found.traced
        self._known = self._main.known or self._known
        return found

    def tried(self, spec: CheckSpec, checkpoint: Checkpoint, wanted: Wanted) -> Tried:
        """Traces the modes with other params."""
        if not self._tracer.left:
            self.why_unstable = _NO_TIME
            return Tried(None, True)
        params = spec.params or {}
        try:
            found = self._follow(spec, checkpoint, wanted)
        except TracerLostError:
            self.why_unstable = _LOST
            return Tried(None, not self._tracer.left)
        except UsageError:  # the code rejects these params, so they are no advice
            late = not self._tracer.left
            self.why_unstable = _NO_TIME if late else self.why_unstable
            self._trials.append((params, None))
            return Tried(None, late)
        self._trials.append((params, _stored(found.traced)))
        return Tried(found, any(_is_late(trace.failure) for trace in _modes(found.traced)))

    def judged(self) -> Optional[Traced]:
        """Returns the traces with the judgement of their runs; None if nothing is left to judge."""
        if not (self._main.judge and self._main.trace):
            return None
        trace = dataclasses.replace(self._main.trace, modes=self._main.judge())
        self._main = dataclasses.replace(self._main, trace=trace, judge=None)
        self.why_unstable = self.why_unstable or self._hurried(self._main)
        return _stored(self._main)

    def told(self, spec: CheckSpec, checkpoint: Checkpoint, looked: List[str]) -> "Told":
        """Returns what was found out, for the cache.

        Args:
            spec: the check.
            checkpoint: its checkpoint.
            looked: files of other checkpoints that were read.
        """
        from .cache.dependencies import Told

        started = self._tracer.started
        return Told(
            tensorflow=self.tensorflow,
            main=_stored(self._main),
            trials=self._trials,
            texts=[*looked, *_texts(spec, checkpoint, self._main)],
            others=list(checkpoint.located.candidates) if looked else None,
            seen=self._tracer.seen(),
            began=self._began,
            started=started.time,
            variables=started.variables,
            folder=started.folder,
        )

    def _follow(self, spec: CheckSpec, checkpoint: Checkpoint, wanted: Wanted) -> Followed:
        from .client.tracing import trace_check

        located = checkpoint.located
        for _ in range(_MOST_TRACES):
            before = folder_state(located.model_dir)
            try:
                traced = trace_check(
                    spec,
                    located,
                    self._tracer,
                    self._known,
                    checkpoint.index,
                    checkpoint.record,
                    wanted,
                )
            except UsageError as error:
                error.args = (f"{error}{_changed_files(before, located)}",)
                raise
            after = state_after(located.model_dir, before)
            changed = attributed(before, after)
            if not (changed.of_a_training and traced.raised and self._tracer.left):
                break
        if changed.of_a_training or changed.others:
            self.why_unstable = f"files in {located.model_dir} changed during the check"
        self.why_unstable = self.why_unstable or self._hurried(traced)
        return Followed(traced, changed.others, _unknown(before, after, changed.of_a_training))

    def _hurried(self, traced: Traced) -> str:
        """Says why the traces may differ with more time, or the next time; "" if they will not."""
        for trace in _modes(traced):
            if trace.failure is not None and trace.failure.kind in _ENDED:
                return f"{trace.mode.upper()}: {trace.failure.message}"
        if any(part in text for text in traced.not_judged for part in _BY_TIME):
            return _NO_TIME
        if self._tracer.time - self._tracer.left > _UNHURRIED * self._tracer.time:
            return _SLOW
        return ""


_NO_TIME = "the check left something out, because it takes too long or too much memory"
_LOST = "the process that runs the code ended while ckptcheck tried other params"
_SLOW = "the check took a large part of the time that it may take (--timeout)"


def _stored(traced: Traced) -> Traced:
    """Returns traces without what only a running tracer needs."""
    values = {field.name: getattr(traced, field.name) for field in dataclasses.fields(Traced)}
    return Traced(**values)


def _modes(traced: Traced) -> Tuple[Any, ...]:
    return traced.trace.modes if traced.trace else ()


def _is_late(failure: Optional[Failure]) -> bool:
    return failure is not None and failure.kind is FailureKind.TIMED_OUT


def _texts(spec: CheckSpec, checkpoint: Checkpoint, traced: Traced) -> Iterator[str]:
    """Yields files that a check reads, and texts that may name files."""
    yield from texts_in(spec.params)
    for flag in spec.flags:
        yield from (flag, flag.partition("=")[2])
    for origins in (traced.origins, checkpoint.record and checkpoint.record.origins):
        if origins:
            yield from (source.path for source in origins.sources)
            yield from (content.path for content in origins.data_files)


def _unknown(
    before: FolderState, after: FolderState, of_a_training: Tuple[FileChange, ...]
) -> Tuple[str, ...]:
    """Returns what could not be found out about changes of files."""
    unknown = []
    writes = "whether the code writes into the model_dir: "
    if not (before.complete and after.complete):
        unknown.append(writes + "the model_dir has too many files for ckptcheck to list them all")
    if of_a_training:
        names = some_names([printable(change.name) for change in of_a_training])
        unknown.append(
            f"{writes}{names} changed while ckptcheck traced the code. The code or a training run "
            "may have changed them"
        )
    return tuple(unknown)


def _changed_files(before: FolderState, located: Located) -> str:
    """Describes changed files in one line, for a check that ends without a report."""
    after = state_after(located.model_dir, before)
    names = [printable(change.name) for change in attributed(before, after).others]
    if not names:
        return ""
    shown = some_names(names, _MOST_NAMES)
    return (
        f"\nwarning: files in {located.model_dir} changed while ckptcheck traced the code: {shown}"
    )
