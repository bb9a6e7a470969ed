"""Runs one check from start to end."""

import contextlib
import dataclasses
import os
import time
from typing import (
    TYPE_CHECKING,
    Callable,
    List,
    NamedTuple,
    Optional,
    Tuple,
    Union,
)

from .cache.kept import Cache, Kept, NotKeptError
from .cache.key import Asked, key_of
from .checkpoint.remote import local_view
from .conclusion import Checked, concluded, report_of
from .errors import UsageError, being_written
from .file_facts import Progress, data_read
from .looking import Checkpoints, LookedAt, disagreement
from .model_dir import TensorScan
from .options import AgainstSpec, CheckSpec
from .recorded import verify_reads, with_params_of
from .results import Report
from .rules import Facts
from .settled import doubt_of, settled
from .traced import Wanted
from .traces import Followed, KeptTraces, LiveTraces

if TYPE_CHECKING:
    from .client.memo import TraceMemo
    from .client.process import Tracer

_MOST_TRIES = 5
"""How many times the check reads data if the data changes while it is read."""


def run_check(
    spec: CheckSpec,
    tracer: "Union[Tracer, Callable[[], Tracer], None]" = None,
    progress: Optional[Progress] = None,
    say: Callable[[str], object] = lambda text: None,
    cache: Optional[Cache] = None,
) -> Report:
    """Runs one check; see :func:`checked`.

    Returns:
        The report, without the traced graphs: a report takes little memory.
    """
    report = checked(spec, tracer, progress, say, cache=cache).report
    if report.trace is None:
        return report
    modes = tuple(
        dataclasses.replace(mode, seen=dataclasses.replace(mode.seen, graph=""))
        for mode in report.trace.modes
    )
    return dataclasses.replace(report, trace=dataclasses.replace(report.trace, modes=modes))


def checked(
    spec: CheckSpec,
    tracer: "Union[Tracer, Callable[[], Tracer], None]" = None,
    progress: Optional[Progress] = None,
    say: Callable[[str], object] = lambda text: None,
    looks: bool = False,
    cache: Optional[Cache] = None,
) -> Checked:
    """Runs one check.

    Args:
        spec: what to check.
        tracer: a running tracer, which many checks can share one after another, or a function that
            returns it. It replaces ``spec.python`` and ``spec.quiet``. By default, this check
            starts its own.
        progress: is called while data is read; see :data:`.file_facts.Progress`.
        say: is told what the check does, before it does it.
        looks: whether to look up sources, files that the code reads and versions, even without a
            record.
        cache: where traces are kept and found again; None for nowhere.

    Raises:
        UsageError: something that the check needs is missing or invalid.
    """
    with contextlib.ExitStack() as stack:

        def start() -> "Tracer":
            running = tracer
            if running is None:
                running = stack.enter_context(_started(spec))
            elif callable(running):
                running = running()
            running.say = say
            return running

        if isinstance(spec, AgainstSpec) and spec.against:
            from .against import compared  # most checks do not need it

            return compared(spec, start(), stack)
        place = stack.enter_context(local_view(spec.model_dir))
        checkpoints = Checkpoints(spec, place, stack)
        return _checked(_Work(spec, checkpoints, progress, looks, cache), start)


def find_kept(spec: AgainstSpec, cache: Optional[Cache]) -> Optional[Kept]:
    """Returns the traces of a check if nothing that they depend on has changed since it ran.

    Returns:
        The traces; None if the cache does not have them.

    Raises:
        UsageError: something that the check needs is missing or invalid.
    """
    if cache is None or spec.against:
        return None
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(local_view(spec.model_dir))
        work = _Work(spec, Checkpoints(spec, place, stack), None, False, cache)
        found = _look(work)
        in_cache = _find_kept(work, found) if found.located.prefix else None
        return in_cache[1] if in_cache is not None else None


def _look(work: "_Work") -> LookedAt:
    place, look = work.checkpoints.place, work.checkpoints.look
    return settled(place, look, lambda seen: doubt_of(seen.located, seen.examined))


def _checked(work: "_Work", start: "Callable[[], Tracer]") -> Checked:
    """Runs a check of a checkpoint."""
    spec, place = work.given, work.checkpoints.place
    found = _look(work)
    if not found.located.prefix and not found.located.candidates:
        not_judged = ("whether the code fits a checkpoint: there is no checkpoint to restore",)
        report = report_of(spec, Facts(found.located, spec.modes), not_judged)
        return Checked(place.shown(report), spec)
    if found.examined.first_version and place.stands_for(found.located.prefix):
        raise UsageError(
            f"{found.examined.problem}. TensorFlow reads this format only from local files: "
            "copy the checkpoint to this machine to check it"
        )
    found.verify_readable(spec)
    found.completed(spec)
    ended = _run_kept(work, found) or _run(work, start())
    return ended._replace(report=place.shown(ended.report))


def _started(spec: CheckSpec) -> "Tracer":
    from .client.process import Tracer

    return Tracer(spec.python, spec.timeout, spec.quiet, spec.env)


class _Work(NamedTuple):
    """What one run of a check works with.

    Attributes:
        given: what the user gave.
        checkpoints: looks at the checkpoint.
        progress: see :func:`checked`.
        looks: the same.
        cache: where traces are kept; None for nowhere.
    """

    given: CheckSpec
    checkpoints: Checkpoints
    progress: Optional[Progress]
    looks: bool
    cache: Optional[Cache]


def _run_kept(work: _Work, found: LookedAt) -> Optional[Checked]:
    """Runs a check with the traces in the cache; returns None if it does not have them."""
    in_cache = _find_kept(work, found)
    if in_cache is None or work.cache is None:
        return None
    name, kept = in_cache
    now, scans = _read(work, work.checkpoints.look)
    if key_of(_asked(work, now)) != name:
        work.cache.say("not in the cache: the checkpoint has changed meanwhile")
        return None
    try:
        return _judge(work, now, scans, KeptTraces(kept))
    except NotKeptError as error:
        work.cache.say(f"not in the cache: {error}")
        return None


def _find_kept(work: _Work, found: LookedAt) -> Optional[Tuple[str, Kept]]:
    """Returns the traces of a check in the cache, with their name; None if it has none."""
    if work.cache is None:
        return None
    if work.checkpoints.place.local:
        work.cache.say("not in the cache: MODEL_DIR is remote")
        return None
    asked = _asked(work, found)
    name = key_of(asked)
    kept = work.cache.find(asked, name)
    return None if kept is None else (name, kept)


def _run(work: _Work, tracer: "Tracer") -> Checked:
    tracer.hello()  # imports TensorFlow, which takes seconds, before looking at files
    began = time.time()
    tracer.begin(work.given.timeout)
    cache = None if work.checkpoints.place.local else work.cache
    tracer.watch(cache is not None)
    known: List[TraceMemo] = []

    def look() -> LookedAt:
        found, memo = work.checkpoints.asked(tracer)
        known[:] = [memo]
        return found

    found, scans = _read(work, look, tracer.extend)
    asked = _asked(work, found)
    start = time.monotonic()
    name = key_of(asked) if cache else ""
    tracer.extend(time.monotonic() - start)
    traces = LiveTraces(tracer, known[0], began)
    ended = _judge(work, found, scans, traces)
    if cache and traces.why_unstable:
        cache.say(f"not kept in the cache: {traces.why_unstable}")
    elif cache:
        looked = _looked(found, known[0])
        cache.keep(asked, name, traces.told(asked.spec, found.to_trace(), looked))
    return ended


def _read(
    work: _Work,
    look: Callable[[], LookedAt],
    extend: Callable[[float], object] = lambda seconds: None,
) -> Tuple[LookedAt, Optional[Tuple[TensorScan, ...]]]:
    """Looks at the checkpoint, and reads its data if that is asked for.

    Args:
        work: the check.
        look: looks at the checkpoint.
        extend: is told how many seconds reading the data took.

    Raises:
        UsageError: the data changes during every try.
    """
    for _ in range(_MOST_TRIES):
        found = look()
        start = time.monotonic()
        scans = found.scans(work.given, work.progress)
        extend(time.monotonic() - start)
        fine = scans is None or not any(scan.problem for scan in scans)
        if fine or (found.at_rest and not found.held.changed()):
            return found, scans
    raise being_written(work.given.model_dir)


def _asked(work: _Work, found: LookedAt) -> Asked:
    spec, use, _ = found.completed(work.given)
    wanted = Wanted(
        origins=work.looks or found.recorded.record is not None,
        recorded_params=use is not None and "params" in use.used,
    )
    return Asked(spec, found.located, wanted)


def _judge(
    work: _Work,
    found: LookedAt,
    scans: Optional[Tuple[TensorScan, ...]],
    traces: Union[KeptTraces, LiveTraces],
) -> Checked:
    """Judges a check by its traces."""
    asked = _asked(work, found)
    spec, use, unused = found.completed(work.given)
    doubts = (*work.checkpoints.place.unread, *unused)
    if found.without_data:
        recorded = found.examined.files.left_out if found.examined.files else ()
        doubts += ("the data: a snapshot has no data files", *recorded)

    def facts_of(spec: CheckSpec, followed: Followed) -> Facts:
        facts = _facts(spec, found, followed, scans, traces.tensorflow)
        if asked.wanted.recorded_params:
            uses = [trace.params for trace in facts.traces]
            verify_reads(found.recorded.record, spec.params, uses)
        return facts

    ended = concluded(spec, found.to_trace(), traces, asked.wanted, facts_of, doubts)
    data = None if scans is None else data_read(found.examined.bundle, scans)
    return ended._replace(report=dataclasses.replace(ended.report, data=data, record=use))


def _looked(found: LookedAt, known: "TraceMemo") -> List[str]:
    """Returns the files that were read because the checkpoint has no graph with inputs."""
    from .client.input_pools import has_inputs

    graph, located = known.graph, found.located
    if graph is not None and graph.file in located.graphs and has_inputs(graph):
        return []
    others = [prefix + ending for prefix in located.candidates for ending in (".meta", ".meta.gz")]
    folder = os.path.dirname(os.path.dirname(os.path.abspath(located.prefix)))
    return [*others, os.path.join(folder, "saved_model.pb")]


def _facts(
    spec: CheckSpec,
    found: LookedAt,
    followed: Followed,
    scans: Optional[Tuple[TensorScan, ...]],
    tensorflow: str,
) -> Facts:
    """Returns what the rules read."""
    traced, record = followed.traced, found.recorded.record
    return Facts(
        located=found.located,
        modes=spec.modes,
        tensorflow=tensorflow,
        index=traced.index,
        unreadable=traced.unreadable,
        trace=traced.trace,
        params=spec.params or {},
        params_known=spec.params is not None,
        changes=followed.changed,
        files=found.examined.files,
        scans=scans,
        disagreement=disagreement(found.examined, traced.listed),
        record=with_params_of(record, spec.target or "") if record is not None else None,
        origins=traced.origins,
        drift=traced.drift,
    )
