"""Checks code against a checkpoint that the code at a git revision would save."""

import contextlib
import dataclasses
import os
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .checkpoint.own_folder import full_disk_message, own_folder
from .checkpoint.remote import LocalView, local_view
from .client.memo import TraceMemo, memo_of
from .client.process import Tracer
from .client.tracing import trace_check
from .conclusion import Checked, concluded
from .errors import MissingThenError, NoSuchCodeError, UsageError
from .json_files import with_overrides
from .model_dir import Against, Located, Named
from .options import AgainstSpec, CheckSpec, given_as, options_of
from .origins import Origins
from .protocol import (
    TRAIN,
    CheckpointIndex,
    Failure,
    FinishedTrace,
    ProjectCopy,
    ReadSink,
    VariableSpec,
)
from .recorded import completed, verify_reads, with_params_of
from .records.files import recorded_origins
from .records.modes import recorded_mode
from .records.params import recorded_params
from .records.reader import Recorded, read_record
from .records.value import TRACED, Record
from .results import Trace
from .revisions import copy_revision, find_revision
from .rules import Facts
from .rules.base import some_names
from .seen import Look, Seen
from .settled import doubt_of, look_at, settled
from .traced import Traced, Wanted
from .traces import Checkpoint, Followed, LiveTraces


def compared(spec: AgainstSpec, tracer: Tracer, stack: contextlib.ExitStack) -> Checked:
    """Checks the code against a checkpoint that the code at a revision would save.

    Args:
        spec: what to check.
        tracer: a running tracer.
        stack: removes the temporary files when it ends.

    Raises:
        UsageError: something that the check needs is missing or invalid.
    """
    then = _Then.copied(spec, stack)
    tracer.hello()
    began = time.time()
    asked: CheckSpec = spec
    tracer.begin(asked.timeout)
    return _compared(spec, then, _looked_at(spec, tracer, stack), tracer, began)


# --- The code at the revision ----------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Then:
    """The code at a revision.

    Attributes:
        against: the revision.
        copy: the copy of its files.
        notes: what could not be found out about it.
    """

    against: Against
    copy: ProjectCopy
    notes: Tuple[str, ...]

    @classmethod
    def copied(cls, spec: AgainstSpec, stack: contextlib.ExitStack) -> "_Then":
        """Copies the files of the revision to a temporary directory, which the stack removes."""
        here = os.getcwd()
        revision = find_revision(spec.against, here)
        path = os.path.join(os.path.realpath(stack.enter_context(own_folder())), "code")
        below = os.path.relpath(os.path.realpath(here), revision.root)
        copy = ProjectCopy(revision.root, path, below)
        against = Against(spec.against, revision.commit)
        try:
            os.mkdir(path)
            notes = copy_revision(revision, path)
            os.makedirs(os.path.join(path, copy.folder), exist_ok=True)
        except OSError as error:
            full = full_disk_message(error)
            raise UsageError(full or f"cannot copy the code at {against}: {error}") from None
        return cls(against, copy, tuple(notes))

    def moved(self, path: str) -> str:
        """Returns the path in the copy for a path in the repository. Other paths stay."""
        full = os.path.realpath(path)
        if not _is_in(full, self.copy.original):
            return path
        below = os.path.relpath(full, self.copy.original)
        return os.path.normpath(os.path.join(self.copy.path, below))

    def holds(self, path: str) -> bool:
        """Whether the revision has a file."""
        real = os.path.realpath(self.moved(path))
        return _is_in(real, self.copy.path) and os.path.isfile(real)

    def shares(self, path: str) -> bool:
        """Whether the code at the revision and the working tree use the same file."""
        real = self.real(path)
        is_shared = _is_in(real, self.copy.original) and not _is_in(real, self.copy.path)
        return is_shared and os.path.isfile(real)

    def real(self, path: str) -> str:
        """Returns the file that the code at the revision names, through symbolic links."""
        return os.path.realpath(os.path.join(self.copy.path, self.copy.folder, path))

    def name(self, name: str) -> str:
        """Returns TARGET or another name of code, with the path in the copy."""
        place, colon, attribute = name.rpartition(":")
        return f"{self.moved(place)}:{attribute}" if place.endswith(".py") and colon else name

    def in_project(self, path: str) -> str:
        """Returns the project's path for an absolute path in the copy. Other paths stay."""
        if not _is_in(path, self.copy.path):
            return path
        return self.copy.original + path[len(self.copy.path) :]

    def shortened(self, message: str) -> str:
        """Returns a message about the copy, with paths of the repository."""
        return message.replace(os.path.join(self.copy.path, ""), "").replace(self.copy.path, ".")

    def said(self, message: str) -> str:
        """Returns a message about the copy, with paths of the repository, and the revision."""
        return f"the code at {self.against}: {self.shortened(message)}"


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))


def _spec_then(spec: AgainstSpec, now: CheckSpec, then: _Then) -> Tuple[CheckSpec, List[str]]:
    """Returns what to trace at the revision, and what may have been different then.

    Args:
        spec: what the user gave.
        now: the same, completed from a record.
        then: the revision.
    """
    notes: List[str] = []
    changes: Dict[str, Any] = {}
    for name, shown in (("params", "PARAMS"), ("features", "--features")):
        given = given_as(spec, name)
        path = os.fspath(given) if isinstance(given, (str, os.PathLike)) else ""
        if path and then.holds(path):
            changes[name] = _read_then(name, then, path)
        elif given:
            where = f"git does not have {path} there" if path else "they are not in a file"
            notes.append(f"whether {shown} were the same at {then.against}: {where}")
    if "params" in changes:
        changes["params"] = with_overrides(changes["params"], spec.set)
    app_dir = then.moved(now.app_dir)
    os.makedirs(app_dir, exist_ok=True)
    changes.update(
        app_dir=app_dir,
        target=then.name(now.target or ""),
        input_fn=then.name(now.input_fn),
        params_type=then.name(now.params_type),
        modes=(*now.modes, TRAIN),
    )
    return dataclasses.replace(now, **changes), notes


def _read_then(name: str, then: _Then, path: str) -> Any:
    try:
        return options_of(AgainstSpec)[name].read(then.moved(path))
    except UsageError as error:
        raise UsageError(then.said(str(error))) from None


def _trace_then(
    spec: CheckSpec, now: CheckSpec, then: _Then, seen: "_Seen", tracer: Tracer
) -> Traced:
    """Traces the code at the revision.

    Args:
        spec: what to trace there.
        now: what to trace in the working tree.
        then: the revision.
        seen: facts from MODEL_DIR.
        tracer: a running tracer.

    Raises:
        MissingThenError: only the working tree has TARGET, the input_fn or the params type.
        UsageError: it cannot be traced in TRAIN, which would save the checkpoint.
    """
    tracer.say(f"tracing the code at {then.against}")
    wanted = Wanted(judgement=False, origins=True, drift=False, places=False)
    nothing = CheckpointIndex("", None, ())
    given = (seen.located, tracer, seen.known, nothing, seen.recorded.record, wanted)
    try:
        traced = trace_check(spec, *given, then.copy)
    except NoSuchCodeError as error:
        trace_check(now, *given)  # raises if the working tree does not have the code, either
        said = then.said(str(error))
        stop = "" if said.endswith("?") else "."
        raise MissingThenError(
            f"{said}{stop} If this commit adds or renames it, check again after the commit"
        ) from None
    except UsageError as error:
        error.args = (then.said(str(error)),)
        raise
    failure = next((m.failure for m in _modes(traced) if m.mode == TRAIN), None)
    if failure is not None:
        raise UsageError(
            then.said(
                f"TRAIN cannot be traced, so it is unknown which checkpoint it would save: "
                f"{_failure_text(failure)}. Give --against a revision whose code works in TRAIN"
            )
        )
    return traced


def _modes(traced: Traced) -> Sequence[Any]:
    return traced.trace.modes if traced.trace is not None else ()


def _failure_text(failure: Failure) -> str:
    place = failure.frames[-1] if failure.frames else None
    where = f" ({place.file}:{place.line})" if place else ""
    return f"{failure.type}: {failure.message}{where}" if failure.type else failure.message + where


# --- What MODEL_DIR tells --------------------------------------------------------------------


class _Seen(NamedTuple):
    """Facts from MODEL_DIR about the features and the launch; none if it is not given.

    Attributes:
        place: MODEL_DIR; None if it is not given.
        located: its checkpoint.
        recorded: the record of the checkpoint.
        known: its saved graph.
    """

    place: Optional[LocalView]
    located: Located
    recorded: Recorded
    known: TraceMemo


def _looked_at(spec: AgainstSpec, tracer: Tracer, stack: contextlib.ExitStack) -> _Seen:
    if not spec.model_dir:
        return _Seen(None, Named("", "", ()), Recorded(), TraceMemo(None, None))
    place = stack.enter_context(local_view(spec.model_dir))

    def look() -> Tuple[Any, TraceMemo, Recorded]:
        looked = look_at(place.path)
        return looked, memo_of(looked[0], tracer), read_record(looked[0].prefix)

    (located, _), known, recorded = settled(place, look, lambda seen: doubt_of(*seen[0]))
    located = dataclasses.replace(located, model_dir=os.path.abspath(located.model_dir))
    return _Seen(place, located, recorded, dataclasses.replace(known, index=None))


# --- The comparison --------------------------------------------------------------------------


def _compared(spec: AgainstSpec, then: _Then, seen: _Seen, tracer: Tracer, began: float) -> Checked:
    now, use, unused = completed(spec, seen.recorded, seen.located.prefix)
    old, notes = _spec_then(spec, now, then)
    tracer.watch(True)
    traced = _trace_then(old, now, then, seen, tracer)
    looks = tracer.seen()
    tracer.watch(False)
    index, unsure = _index_of(traced)
    record = _record_of(old, then, traced)
    located = Named(spec.model_dir, seen.located.model_dir, ())
    traces = LiveTraces(tracer, seen.known, began)

    def facts_of(spec: CheckSpec, followed: Followed) -> Facts:
        found = followed.traced
        if use is not None and "params" in use.used and found.trace is not None:
            uses = [trace.params for trace in found.trace.modes]
            verify_reads(seen.recorded.record, spec.params, uses)
        return Facts(
            located=located,
            modes=spec.modes,
            tensorflow=traces.tensorflow,
            index=found.index,
            trace=found.trace,
            params=spec.params or {},
            params_known=spec.params is not None,
            changes=followed.changed,
            record=with_params_of(record, spec.target or ""),
            origins=found.origins,
            drift=found.drift,
        )

    doubts = (
        *then.notes,
        *notes,
        *unsure,
        *_shared_files(then, traced, looks[1] if looks is not None else Seen()),
        *traced.not_judged,
        *unused,
    )
    wanted = Wanted(origins=traced.origins is not None, same_inputs=True)
    checkpoint = Checkpoint(located, index, record)
    ended = concluded(now, checkpoint, traces, wanted, facts_of, doubts)
    report = dataclasses.replace(
        ended.report,
        model_dir=spec.model_dir,
        trace=_with_source(ended.report.trace, traced),
        not_judged=tuple(dict.fromkeys(ended.report.not_judged)),
        record=use,
        against=then.against,
    )
    return ended._replace(report=report if seen.place is None else seen.place.shown(report))


def _index_of(traced: Traced) -> Tuple[CheckpointIndex, List[str]]:
    """Returns what a checkpoint would hold, and which parts of that are not known.

    A saver saves what it restores.
    """
    plan = next(mode.plan for mode in _modes(traced) if mode.mode == TRAIN)
    specs = {read.key: VariableSpec(read.key, read.shape, read.dtype) for read in plan.reads}
    unknown = [
        read.key
        for read in plan.reads
        if read.sink is ReadSink.ASSIGN and (read.shape is None or None in read.shape)
    ]
    note = f"the shape of {some_names(unknown)}: the code does not determine it"
    index = CheckpointIndex("", None, tuple(specs[key] for key in sorted(specs)))
    return index, [note] if unknown else []


def _record_of(spec: CheckSpec, then: _Then, traced: Traced) -> Record:
    """Returns the record that the checkpoint would have."""
    assert traced.trace is not None
    environment = traced.trace.environment
    origins = traced.origins or Origins(environment.python, environment.tensorflow)
    params = recorded_params(spec.params) if spec.params is not None else None
    files = (dataclasses.replace(f, path=then.in_project(f.path)) for f in origins.data_files)
    origins = dataclasses.replace(origins, data_files=tuple(files))
    return Record(
        checkpoint="",
        step=None,
        index_digest="",
        writer=TRACED,
        ckptcheck="",
        origins=recorded_origins(origins, spec.params, params) if params else origins,
        target=spec.target or "",
        params_type=spec.params_type,
        params=params,
        flags=spec.flags,
        modes={
            mode.mode: recorded_mode(mode, traced.trace)
            for mode in traced.trace.modes
            if isinstance(mode, FinishedTrace)
        },
    )


def _shared_files(then: _Then, traced: Traced, seen: Seen) -> Iterator[str]:
    """Yields a note about files that the code reads or names and that the revision lacks."""
    named = traced.origins.data_files if traced.origins is not None else ()
    read = [sight.path for sight in seen.sights if sight.look is Look.CONTENT]
    files = {then.real(path) for path in (*read, *(file.path for file in named))}
    shared = sorted(os.path.relpath(path) for path in files if then.shares(path))
    if shared:
        yield (
            f"whether these files were the same at the revision: {some_names(shared)}. git does "
            "not have them there"
        )


def _with_source(trace: Optional[Trace], then: Traced) -> Optional[Trace]:
    """Returns the traces, with the same source of features as the traces at the revision."""
    if trace is None or then.trace is None or trace.features.source != "record":
        return trace
    features = dataclasses.replace(trace.features, source=then.trace.features.source)
    return dataclasses.replace(trace, features=features)
