"""Runs one check from start to end."""

import contextlib
import dataclasses
import json
import os
import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

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
from .client.tracing import Traced, Wanted, trace_check
from .errors import UsageError, being_written
from .file_facts import Count, Progress, data_read, data_size, failing
from .groups import group
from .model_dir import Located, TensorScan
from .options import CheckSpec
from .protocol import CheckpointIndex, Failure, FailureKind
from .recorded import Completed, completed, with_params_of
from .records.reader import Recorded, read_record
from .results import CHECK, RESTORES, Report
from .rules import Facts, run_rules
from .rules.base import some_names
from .sanitize import printable
from .settled import Doubt, doubt_of, folder_of, look_at, settled
from .verdicts import verdicts

_MOST_TRIES = 5
"""How often the check reads data that changes while it is read."""
_MOST_TRACES = 3
"""How often code is traced if it raises an exception while a training run saves. It may have tried
to read a file that the training run just removed."""
_MOST_NAMES = 10
_UNTRIED = "whether other params are a fix: the time (--timeout) was over"


class Checked(NamedTuple):
    """A check that was run.

    Attributes:
        report: the report.
        spec: what was checked: TARGET and params may come from the record.
        facts: what the rules read; None if there is no checkpoint to restore.
    """

    report: Report
    spec: CheckSpec
    facts: Optional[Facts] = None


def run_check(
    spec: CheckSpec,
    tracer: Optional[Tracer] = None,
    progress: Optional[Progress] = None,
    say: Callable[[str], object] = lambda text: None,
    overrides: Sequence[str] = (),
) -> Report:
    """Runs one check; see :func:`checked`."""
    return checked(spec, tracer, progress, say, overrides).report


def checked(
    spec: CheckSpec,
    tracer: Optional[Tracer] = None,
    progress: Optional[Progress] = None,
    say: Callable[[str], object] = lambda text: None,
    overrides: Sequence[str] = (),
    looks: bool = False,
) -> Checked:
    """Runs one check.

    Args:
        spec: what to check.
        tracer: a running tracer, which many checks can share one after another. It replaces
            ``spec.python`` and ``spec.quiet``. By default, this check starts its own.
        progress: is called while data is read; see :data:`.file_facts.Progress`.
        say: is told what the check does, before it does it.
        overrides: params that replace others, such as ``key=value``.
        looks: whether to look up sources, data files and versions, even without a record.

    Raises:
        UsageError: something that the check needs is missing or invalid.
    """
    with local_view(spec.model_dir) as place, contextlib.ExitStack() as stack:
        checkpoints = _Checkpoints(spec, place, stack)
        found = settled(place, checkpoints.look, lambda seen: doubt_of(seen.located, seen.examined))
        if not found.located.prefix and not found.located.candidates:
            not_judged = ("the model: there is no checkpoint to restore",)
            report = _report(spec, Facts(found.located, spec.modes), not_judged)
            return Checked(place.shown(report), spec)
        if found.examined.first_version and place.stands_for(found.located.prefix):
            raise UsageError(
                f"{found.examined.problem}. TensorFlow reads this format only from local files: "
                "copy the checkpoint to this machine to check it"
            )
        found.verify_readable(spec)
        found.completed(spec, overrides)
        if tracer is None:
            tracer = stack.enter_context(Tracer(spec.python, spec.timeout, spec.quiet))
        tracer.say = say
        ended = _run(spec, checkpoints, tracer, progress, overrides, looks)
        return ended._replace(report=place.shown(ended.report))


@dataclasses.dataclass(frozen=True)
class _Checkpoint:
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

    def completed(self, spec: CheckSpec, overrides: Sequence[str]) -> Completed:
        """Takes from the record what the user left out; see :func:`.recorded.completed`."""
        return completed(spec, self.recorded, self.located.prefix, overrides)

    @property
    def without_data(self) -> bool:
        """Whether this is a snapshot, which has no data."""
        files = self.examined.files
        return files is not None and files.snapshot and self.read is None

    def verify_readable(self, spec: CheckSpec) -> None:
        """Verifies that --deep, if given, has data to read.

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


class _Checkpoints:
    """Looks at the checkpoint of a check, and looks again if its files have changed."""

    def __init__(self, spec: CheckSpec, place: LocalView, held: contextlib.ExitStack) -> None:
        self._spec = spec
        self.place = place
        self._held = held.enter_context(contextlib.ExitStack())
        self._seen: Optional[_Checkpoint] = None
        self._marks: Optional[Marks] = None

    def look(self) -> _Checkpoint:
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
        self._seen = _Checkpoint(located, examined, read, held, at_rest, recorded)
        return self._seen

    def asked(self, tracer: Tracer) -> Tuple[_Checkpoint, TraceMemo]:
        """Returns the checkpoint, and what TensorFlow reads from its files."""

        def ask() -> Tuple[_Checkpoint, TraceMemo]:
            found = self.look()
            return found, memo_of(found.located, tracer)

        return settled(self.place, ask, lambda seen: self._doubt(*seen))

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
        return doubt_of(found.located, examined, lost)


def _run(
    given: CheckSpec,
    checkpoints: _Checkpoints,
    tracer: Tracer,
    progress: Optional[Progress],
    overrides: Sequence[str],
    looks: bool,
) -> Checked:
    tracer.hello()  # imports TensorFlow, which takes seconds, before looking at files
    tracer.begin(given.timeout)
    for _ in range(_MOST_TRIES):
        found, known = checkpoints.asked(tracer)
        spec, use, unused = found.completed(given, overrides)
        start = time.monotonic()
        scans = found.scans(spec, progress)
        tracer.extend(time.monotonic() - start)
        fine = scans is None or not any(scan.problem for scan in scans)
        if fine or (found.at_rest and not found.held.changed()):
            break
    else:
        raise being_written(given.model_dir)
    wanted = Wanted(
        origins=looks or found.recorded.record is not None,
        recorded_params=use is not None and "params" in use.used,
    )
    facts, doubts, traced = _facts(spec, found, tracer, known, scans, wanted)
    doubts += (*checkpoints.place.unread, *unused)
    if found.without_data:
        recorded = found.examined.files.left_out if found.examined.files else ()
        doubts += ("the data files: a snapshot has none", *recorded)
    trials: Dict[str, Optional[Report]] = {}
    untried: List[Mapping[str, Any]] = []
    on_trial = Wanted(judgement=False, drift=bool(traced.drift.changes), places=False)

    def try_params(params: Mapping[str, Any]) -> Optional[Report]:
        key = json.dumps(params)
        if key not in trials and not tracer.left:
            untried.append(params)
            return None
        if key not in trials:
            other, learned = dataclasses.replace(spec, params=params), traced.known or known
            try:
                tried, _, _ = _facts(other, found, tracer, learned, scans, on_trial)
                trials[key] = _report(other, tried, ())
                late = any(_is_late(trace.failure) for trace in tried.traces)
            except UsageError:  # the code rejects these params, so they are no advice
                trials[key], late = None, not tracer.left
            if late:
                untried.append(params)
        return trials[key]

    report = _report(spec, facts, (*traced.not_judged, *doubts))
    params = spec.params or {}
    report = with_advice(params, facts, report, try_params)
    if traced.judge and traced.trace:  # the tracer judged the runs while it traced the trials
        modes = traced.judge()
        traced = dataclasses.replace(traced, trace=dataclasses.replace(traced.trace, modes=modes))
        facts = dataclasses.replace(facts, trace=traced.trace)
        report = _report(spec, facts, (*traced.not_judged, *doubts))
        report = with_advice(params, facts, report, try_params)
    if untried and not any(item.advice for item in report.groups):
        report = dataclasses.replace(report, not_judged=(*report.not_judged, _UNTRIED))
    data = None if scans is None else data_read(found.examined.bundle, scans)
    return Checked(dataclasses.replace(report, data=data, record=use), spec, facts)


def _is_late(failure: Optional[Failure]) -> bool:
    return failure is not None and failure.kind is FailureKind.TIMED_OUT


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
        target=spec.target or "",
        model_dir=spec.model_dir,
        checkpoint=facts.index,
        trace=facts.trace,
        verdicts=said,
        groups=group(findings),
        not_judged=not_judged,
        drift=facts.drift,
    )


def _facts(
    spec: CheckSpec,
    found: _Checkpoint,
    tracer: Tracer,
    known: TraceMemo,
    scans: Optional[Tuple[TensorScan, ...]],
    wanted: Wanted,
) -> Tuple[Facts, Tuple[str, ...], Traced]:
    located, examined = found.located, found.examined
    index = examined.bundle.checkpoint_index() if examined.bundle else None
    for _ in range(_MOST_TRACES):
        before = folder_state(located.model_dir)
        try:
            record = found.recorded.record
            traced = trace_check(spec, located, tracer, known, index, record, wanted)
        except UsageError as error:
            error.args = (f"{error}{_changed_files(before, located)}",)
            raise
        after = state_after(located.model_dir, before)
        changed = attributed(before, after)
        if not (changed.of_a_training and traced.raised and tracer.left):
            break
    unknown = []
    writes = "whether the code writes into the model_dir: "
    if not (before.complete and after.complete):
        unknown.append(writes + "the model_dir has too many files for ckptcheck to list them all")
    if changed.of_a_training:
        names = some_names([printable(change.name) for change in changed.of_a_training])
        unknown.append(
            f"{writes}{names} changed while the code was traced. The code or a training run may "
            "have changed them"
        )
    facts = Facts(
        located=located,
        modes=spec.modes,
        tensorflow=tracer.hello().tensorflow,
        index=traced.index,
        unreadable=traced.unreadable,
        trace=traced.trace,
        params=spec.params or {},
        params_known=spec.params is not None,
        changes=changed.others,
        files=examined.files,
        scans=scans,
        disagreement=_disagreement(examined, traced.listed),
        record=with_params_of(record, spec.target or "") if record is not None else None,
        origins=traced.origins,
        drift=traced.drift,
    )
    return facts, tuple(unknown), traced


def _changed_files(before: FolderState, located: Located) -> str:
    """Describes changed files in one line, for a check that ends without a report."""
    after = state_after(located.model_dir, before)
    names = [printable(change.name) for change in attributed(before, after).others]
    if not names:
        return ""
    shown = some_names(names, _MOST_NAMES)
    return f"\nWarning: files in {located.model_dir} changed while the code was traced: {shown}"


def _disagreement(examined: Examined, listed: Union[CheckpointIndex, Failure, None]) -> str:
    """Describes how ckptcheck and TensorFlow read the index differently; "" if they agree."""
    if listed is None or isinstance(listed, Failure) or examined.first_version:
        return ""
    if examined.bundle is None:
        return f"TensorFlow can read the index, but ckptcheck cannot: {examined.problem}"
    return differences(examined.bundle.checkpoint_index(), listed)
