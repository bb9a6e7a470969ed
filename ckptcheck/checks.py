"""Runs one check from start to end."""

import contextlib
import dataclasses
import json
import os
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, TypeVar, Union

from .advice import with_advice
from .checkpoint.bundle import differences
from .checkpoint.examine import Examined
from .checkpoint.folder_changes import FolderState, attributed, folder_state, state_after
from .checkpoint.gzip_file import unpacked_name
from .checkpoint.held import NOTHING_HELD, Held, data_held, lacks
from .checkpoint.marks import Marks, marks_of
from .checkpoint.remote import LocalView, local_view
from .client.memo import TraceMemo, memo_of
from .client.process import Tracer
from .client.tracing import Traced, trace_check
from .errors import UsageError, being_written
from .file_facts import Count, Progress, data_read, data_size, failing
from .groups import group
from .model_dir import Located, TensorScan
from .options import CheckSpec
from .protocol import CheckpointIndex, Failure
from .results import CHECK, RESTORES, Report
from .rules import Facts, run_rules
from .rules.base import some_names
from .sanitize import printable
from .settled import (
    Doubt,
    Look,
    doubt_of,
    folder_of,
    look_at,
    settled,
)
from .verdicts import verdicts

T = TypeVar("T")


def run_check(
    spec: CheckSpec, tracer: Optional[Tracer] = None, progress: Optional[Progress] = None
) -> Report:
    """Runs one check.

    Args:
        spec: what to check.
        tracer: a running tracer, which many checks can share one after another. It replaces
            ``spec.python`` and ``spec.quiet``. By default, this check starts its own.
        progress: is called while data is read; see :data:`.file_facts.Progress`.

    Raises:
        UsageError: something that the check needs is missing or invalid.
    """
    with local_view(spec.model_dir) as place:
        return place.shown(_run(spec, place, tracer, progress))


def _run(
    spec: CheckSpec, place: LocalView, tracer: Optional[Tracer], progress: Optional[Progress]
) -> Report:
    with contextlib.ExitStack() as stack:
        looking = _Looking(spec, place, stack)
        found = looking.until_settled(looking.look, lambda seen: doubt_of(seen.as_looked))
        located, examined = found.as_looked
        if not located.prefix and not located.candidates:
            facts = Facts(located, spec.modes)
            return _report(spec, facts, ("the model: there is no checkpoint to restore",))
        if examined.first_version and place.stands_for(located.prefix):
            raise UsageError(
                f"{examined.problem}, which TensorFlow reads from a file: copy it here to check it"
            )
        found.verify_readable(spec)
        if tracer is not None:
            return _run_traced(spec, looking, tracer, progress)
        with Tracer(spec.python, spec.timeout, spec.quiet) as started:
            return _run_traced(spec, looking, started, progress)


@dataclasses.dataclass(frozen=True)
class _Checkpoint:
    """The checkpoint of a check.

    Attributes:
        located: the place of the checkpoint.
        examined: the state of its files, read without TensorFlow.
        read: the function that reads remote data; None if the data is local.
        unread: what could not be read, and is not needed for the rest.
        held: the open data files; empty unless the check reads local data.
        at_rest: whether no file changed while ckptcheck looked at them.
    """

    located: Located
    examined: Examined
    read: Any
    unread: Tuple[str, ...]
    held: Held
    at_rest: bool

    @property
    def without_data(self) -> bool:
        """Whether this is a snapshot, which has no data."""
        files = self.examined.files
        return files is not None and files.snapshot and self.read is None

    @property
    def of_the_snapshot(self) -> Tuple[str, ...]:
        """What cannot be judged of a snapshot."""
        said = self.examined.files.left_out if self.examined.files else ()
        return ("the data files: this is a snapshot, which has none", *said)

    @property
    def as_looked(self) -> Look:
        """The same as a :class:`.settled.Look`."""
        return Look(self.located, self.examined)

    def verify_readable(self, spec: CheckSpec) -> None:
        """Verifies that --deep, if given, has data to read.

        Raises:
            UsageError: there is no data that ckptcheck can read.
        """
        if spec.deep and self.examined.first_version:
            raise UsageError(f"{self.examined.problem}: its data cannot be read, leave --deep out")
        if spec.deep and self.without_data:
            raise UsageError(
                f"{self.located.model_dir} is a snapshot, which has no data to read: leave --deep "
                "out, or give the model_dir itself"
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

    def are_of_it(self, scans: Optional[Tuple[TensorScan, ...]]) -> bool:
        """Whether all that was read comes from one save, even if it has problems."""
        fine = scans is None or not any(scan.problem for scan in scans)
        return fine or (self.at_rest and not self.held.changed())


class _Looking:
    """Looks at the checkpoint of a check, and looks again if its files have changed."""

    def __init__(self, spec: CheckSpec, place: LocalView, stack: contextlib.ExitStack) -> None:
        self._spec = spec
        self._place = place
        self._stack = stack
        self._seen: Optional[_Checkpoint] = None
        self._marks: Optional[Marks] = None

    def until_settled(self, look: Callable[[], T], doubt: Callable[[T], Doubt]) -> T:
        """Looks until the files are settled: see :func:`.settled.settled`.

        It looks only once at a local copy of a remote directory, which does not change.
        """
        return look() if self._place.local else settled(self._place.path, look, doubt)

    def look(self) -> _Checkpoint:
        """Returns the current state of the checkpoint. Its files stay open until the next look."""
        folders = [folder_of(self._place.path)]
        marks = marks_of(folders)
        if self._seen is not None and marks == self._marks:
            return self._seen
        self._stack.close()
        located, examined = look_at(self._place.path)
        read = self._place.reader_of(located.prefix)
        held = NOTHING_HELD
        if self._spec.deep and read is None:
            held = self._stack.enter_context(data_held(examined.bundle))
        at_rest = not located.elsewhere and marks_of(folders) == marks
        self._marks = None if located.elsewhere else marks
        self._seen = _Checkpoint(located, examined, read, self._place.unread, held, at_rest)
        return self._seen

    def asked(self, tracer: Tracer) -> Tuple[_Checkpoint, TraceMemo]:
        """Returns the checkpoint, and what TensorFlow reads from its files."""

        def ask() -> Tuple[_Checkpoint, TraceMemo]:
            found = self.look()
            return found, memo_of(found.located, tracer, self._spec.timeout)

        return self.until_settled(ask, lambda seen: self._doubt(*seen))

    def _doubt(self, found: _Checkpoint, known: TraceMemo) -> Doubt:
        examined = found.examined
        graph_file = os.path.basename(examined.graph.file) if examined.graph else ""
        lost = (
            isinstance(known.index, Failure)
            or known.graph_problem != ""
            or _disagreement(examined, known.index) != ""
            or unpacked_name(graph_file) not in ("", known.graph_name)
            or (self._spec.deep and lacks(found.held, examined.bundle, examined.files))
        )
        return doubt_of(found.as_looked, also=lost)


_MOST_TRIES = 5
"""How often the check reads data that changes while it is read."""


def _run_traced(
    spec: CheckSpec, looking: _Looking, tracer: Tracer, progress: Optional[Progress]
) -> Report:
    tracer.hello()  # imports TensorFlow, which takes seconds, before looking at files
    for _ in range(_MOST_TRIES):
        found, known = looking.asked(tracer)
        scans = found.scans(spec, progress)
        if found.are_of_it(scans):
            return _traced(spec, found, known, scans, tracer)
    raise being_written(spec.model_dir)


def _traced(
    spec: CheckSpec,
    found: _Checkpoint,
    asked: TraceMemo,
    scans: Optional[Tuple[TensorScan, ...]],
    tracer: Tracer,
) -> Report:
    facts, doubts, traced = _facts(spec, found, tracer, True, asked)
    facts = dataclasses.replace(facts, scans=scans)
    doubts = (*doubts, *found.unread, *(found.of_the_snapshot if found.without_data else ()))
    trials: Dict[str, Optional[Report]] = {}

    def try_params(params: Mapping[str, Any]) -> Optional[Report]:
        key = json.dumps(params)
        if key not in trials:
            other, known = dataclasses.replace(spec, params=params), traced.known or asked
            try:
                tried, _, _ = _facts(other, found, tracer, False, known)
                trials[key] = _report(other, dataclasses.replace(tried, scans=scans), ())
            except UsageError:  # the code rejects these params, so they are no advice
                trials[key] = None
        return trials[key]

    report = _report(spec, facts, (*traced.not_judged, *doubts))
    report = with_advice(spec.params, facts, report, try_params)
    if traced.judge and traced.trace:  # the tracer judged the runs while it traced the trials
        traced = dataclasses.replace(
            traced, trace=dataclasses.replace(traced.trace, modes=traced.judge())
        )
        facts = dataclasses.replace(facts, trace=traced.trace)
        report = _report(spec, facts, (*traced.not_judged, *doubts))
        report = with_advice(spec.params, facts, report, try_params)
    if scans is None:
        return report
    return dataclasses.replace(report, data=data_read(found.examined.bundle, scans))


def _report(spec: CheckSpec, facts: Facts, not_judged: Tuple[str, ...]) -> Report:
    findings = run_rules(facts)
    restored = facts.trace if facts.index else None
    checked = bool(facts.located.prefix or facts.located.candidates)
    said = verdicts(spec.modes, findings, restored) if checked else ()
    restores = all(verdict.verdict == RESTORES for verdict in said)
    return Report(
        CHECK,
        ok=checked and restores and not failing(findings, spec.fail_on),
        checked=checked,
        target=spec.target,
        model_dir=spec.model_dir,
        checkpoint=facts.index,
        trace=facts.trace,
        verdicts=said,
        groups=group(findings),
        not_judged=not_judged,
    )


def _facts(
    spec: CheckSpec, found: _Checkpoint, tracer: Tracer, judges_run: bool, known: TraceMemo
) -> Tuple[Facts, Tuple[str, ...], Traced]:
    located, examined = found.located, found.examined
    bundle = examined.bundle
    index = bundle.checkpoint_index() if bundle else None
    for _ in range(_MOST_TRACES):
        before = folder_state(located.model_dir)
        try:
            traced = trace_check(spec, located, tracer, known, index, judges_run)
        except UsageError as error:
            error.args = (f"{error}{_said_of(before, located)}",)
            raise
        after = state_after(located.model_dir, before)
        changed = attributed(before, after)
        if not (changed.of_a_training and traced.raised):
            break
    doubts = () if before.complete and after.complete else (_NOT_ALL_FILES,)
    if changed.of_a_training:
        names = some_names([printable(change.name) for change in changed.of_a_training])
        doubts = (*doubts, _BESIDE_A_TRAINING.format(names))
    facts = Facts(
        located=located,
        modes=spec.modes,
        tensorflow=tracer.hello().tensorflow,
        index=traced.index,
        unreadable=traced.unreadable,
        trace=traced.trace,
        params=spec.params,
        changes=changed.others,
        files=examined.files,
        disagreement=_disagreement(examined, traced.listed),
    )
    return facts, doubts, traced


_MOST_TRACES = 3
"""How often code is traced if it raises an exception while a training run saves. It may have tried
to read a file that the training run just removed."""
_BESIDE_A_TRAINING = (
    "whether the code writes into the model_dir: {} changed while the code was traced. A training "
    "run there may have changed them, or the code itself"
)
_NOT_ALL_FILES = "whether the code writes into the model_dir: it holds too many files to look at"


def _said_of(before: FolderState, located: Located) -> str:
    """Describes changed files in one line, for a check that ends without a report."""
    after = state_after(located.model_dir, before)
    names = [printable(change.name) for change in attributed(before, after).others]
    if not names:
        return ""
    return "\nAttention: while the code was traced, files of {} changed: {}".format(
        located.model_dir, ", ".join(names[:_MOST_NAMES]) + (", …" if names[_MOST_NAMES:] else "")
    )


_MOST_NAMES = 10


def _disagreement(examined: Examined, listed: Union[CheckpointIndex, Failure, None]) -> str:
    """Describes how ckptcheck and TensorFlow read the index differently; "" if they agree."""
    if listed is None or isinstance(listed, Failure) or examined.first_version:
        return ""
    if examined.bundle is None:
        return f"TensorFlow lists the checkpoint, and ckptcheck does not: {examined.problem}"
    return differences(examined.bundle.checkpoint_index(), listed)
