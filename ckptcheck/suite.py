"""Runs the checks of a configuration, and applies the policy of the project to them."""

import concurrent.futures
import contextlib
import dataclasses
import os
import threading
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Container,
    Dict,
    FrozenSet,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from .baseline import DEFAULT_FILE, Baseline, read_baseline, write_baseline
from .cache.kept import cache_of
from .checkpoint.addresses import is_remote, without_secrets
from .checkpoint.existing import is_there
from .checks import find_kept, run_check
from .config.value import SKIP, Configuration, ConfiguredCheck, layered
from .errors import (
    MissingTargetError,
    MissingThenError,
    PythonError,
    TracerLostError,
    UsageError,
)
from .groups import group
from .ignores import OFF, Ignore, Unused, names_of
from .model_dir import Unnamed
from .options import AgainstSpec, CheckSpec, SuiteSpec, from_command_line, options_of
from .policy import judged, policy_of
from .results import SEVERITIES, UNTRACEABLE, Finding, Report, failing
from .rules import Facts, run_rules
from .rules.base import CONFIGURATION
from .runs import Run, Runs

if TYPE_CHECKING:
    from .client.process import Tracer

Say = Callable[[str], object]


def chosen(configuration: Configuration, names: Sequence[str]) -> Tuple[ConfiguredCheck, ...]:
    """Returns the checks of these names, or all checks.

    Raises:
        UsageError: there is no check of a name.
    """
    known = {name for check in configuration.checks for name in (check.name, check.table)}
    for name in names:
        if name not in known:
            expected = ", ".join(configuration.tables)
            file = os.path.relpath(configuration.file)
            raise UsageError(f"no check {name} in {file}: expected one of {expected}")
    wanted = set(names) or known
    return tuple(c for c in configuration.checks if not wanted.isdisjoint((c.name, c.table)))


def run_suite(
    configuration: Configuration,
    checks: Sequence[ConfiguredCheck],
    options: SuiteSpec,
    given: Mapping[str, Any],
    say: Say = lambda text: None,
    say_cache: Say = lambda text: None,
) -> Runs:
    """Runs checks, and applies the policy of the project to what they find.

    The working directory has to be that of the configuration.

    Args:
        configuration: the configuration.
        checks: what to run; see :func:`chosen`.
        options: how to run them.
        given: options of checks from the command line, which replace those of the configuration.
        say: is told what is done, before it is done.
        say_cache: is told how the cache was used.

    Raises:
        UsageError: the baseline cannot be read or written.
    """
    changed = [name for name in _CHANGE_THE_CHECK if name in given]
    if changed and options.write_baseline:
        raise UsageError(
            "--write-baseline is for the checks as they are configured: leave out "
            + ", ".join(options_of(AgainstSpec)[name].flag for name in changed)
        )
    path = configuration.baseline or DEFAULT_FILE
    reads = (configuration.baseline or os.path.exists(path)) and not options.write_baseline
    baseline = read_baseline(path) if reads else {}
    jobs = options.jobs or configuration.jobs or max(1, (os.cpu_count() or 1) // 2)
    ran = _run_all([_prepared(configuration, c, given) for c in checks], jobs, say, say_cache)
    written = ""
    if options.write_baseline:
        count = _write_baseline(configuration, path, ran)
        written = f"wrote {path}, which accepts {count} finding{'' if count == 1 else 's'}"
        baseline = read_baseline(path)
    if options.no_ignores:
        return _as_runs(ran, ())
    items, unused = _judge(configuration, ran, baseline, path)
    own = () if changed else _own_findings(configuration, unused)
    return dataclasses.replace(_as_runs(items, own), written=written)


def may_skip(
    configuration: Configuration,
    checks: Sequence[ConfiguredCheck],
    given: Mapping[str, Any],
    paths: Sequence[str],
) -> bool:
    """Whether a commit of some files changes no check, as the cache knows.

    A check that is skipped depends on no file. All other checks need current traces in the cache
    that do not depend on these files.

    Args:
        configuration: the configuration.
        checks: what the commit may change; see :func:`chosen`.
        given: options of checks from the command line, which replace those of the configuration.
        paths: the absolute paths of the files.
    """
    items = [_prepared(configuration, check, given) for check in checks]
    return all(bool(item.run.skipped) or _is_apart(item, paths) for item in items)


def _is_apart(item: "_Item", paths: Sequence[str]) -> bool:
    if item.spec is None:
        return False
    with contextlib.suppress(UsageError):  # the check says what is wrong
        kept = find_kept(item.spec, cache_of(item.spec, lambda text: None))
        return kept is not None and not any(map(kept.depends_on, paths))
    return False


def _judge(
    configuration: Configuration, ran: Sequence["_Item"], baseline: Baseline, path: str
) -> Tuple[List["_Item"], Unused]:
    """Applies the policy of the project to checks, and finds what accepts nothing."""
    items: List[_Item] = []
    used: Set[Ignore] = set()
    seen: Dict[str, FrozenSet[str]] = {}
    for item in ran:
        if item.run.report is not None:
            policy = policy_of(configuration, item.run.name, baseline)
            report, mine, keys = judged(item.run.report, policy, item.fail_on)
            item = item._replace(run=dataclasses.replace(item.run, report=report))
            used |= mine
            if _is_complete(report):
                seen[item.run.name] = keys
        items.append(item)
    lost = {name: len(set(baseline.get(name, ())) - keys) for name, keys in seen.items()}
    others = (item for item in configuration.ignores if item not in used)
    unused = Unused(
        tuple(item for item in others if _was_tried(item, configuration, seen)),
        {name: count for name, count in lost.items() if count},
        path,
    )
    return items, unused


_CHANGE_THE_CHECK = (
    *("modes", "against", "set", "features", "input_fn"),
    *("behavior", "params_type", "flags", "env"),
)
"""Options of the command line with which a check has other findings than as it is configured."""


def _write_baseline(configuration: Configuration, path: str, ran: Sequence["_Item"]) -> int:
    """Writes the current findings into the baseline, and returns how many it accepts.

    Notes are left out, unless they fail the check. A check that did not run, or had no checkpoint,
    keeps its entries.
    """
    found: Dict[str, Tuple[Finding, ...]] = {}
    for item in ran:
        if item.run.report is not None and item.run.report.checked:
            policy = policy_of(configuration, item.run.name, {})
            report = judged(item.run.report, policy, item.fail_on).report
            least = min("warning", item.fail_on, key=SEVERITIES.index)
            found[item.run.name] = tuple(failing(report.findings, least))
    before = read_baseline(path) if os.path.exists(path) else {}
    kept = {
        name: before[name]
        for name in before
        if not set(names_of(name)).isdisjoint(configuration.tables)
    }
    return write_baseline(path, found, kept)


def _is_complete(report: Report) -> bool:
    """Whether a check judged all of its modes. If not, findings may be missing."""
    return report.checked and all(item.verdict != UNTRACEABLE for item in report.verdicts)


def _was_tried(ignore: Ignore, configuration: Configuration, seen: Container[str]) -> bool:
    """Whether all checks of an ignore were run, and judged all of their modes.

    Other machines may have more checks of a glob.
    """
    checks = [check for check in configuration.checks if ignore.is_about(check.name)]
    tables = {name for name in configuration.tables if ignore.may_be_about(name)}
    found = {check.table for check in checks}
    return tables <= found and all(check.name in seen for check in checks)


def _own_findings(configuration: Configuration, unused: Unused) -> List[Finding]:
    findings = run_rules(Facts(located=Unnamed("", "", ()), unused=unused), (CONFIGURATION,))
    changed = (configuration.severities.get(item.rule, item.severity) for item in findings)
    severities = zip(findings, changed)
    return [dataclasses.replace(item, severity=s) for item, s in severities if s != OFF]


def _as_runs(ran: Sequence["_Item"], own: Sequence[Finding]) -> Runs:
    fail_on = min((item.fail_on for item in ran), key=SEVERITIES.index, default=SEVERITIES[-1])
    runs = tuple(item.run for item in ran)
    ok = all(run.ok for run in runs) and not failing(own, fail_on)
    return Runs(runs, group(own), ok)


class _Item(NamedTuple):
    """A check before it runs, and afterwards.

    Attributes:
        run: its result; before it runs, only its name.
        spec: what to check; None if there is nothing to run.
        may_lack: whether the check is skipped if there is nothing to compare the code with.
        python_at: the file and the line that name its Python; "" if none does.
    """

    run: Run
    spec: Optional[AgainstSpec] = None
    may_lack: bool = False
    python_at: str = ""

    @property
    def fail_on(self) -> str:
        """The severity that fails it."""
        return self.spec.fail_on if self.spec else SEVERITIES[-1]


def _prepared(
    configuration: Configuration, check: ConfiguredCheck, given: Mapping[str, Any]
) -> _Item:
    options = layered(configuration.defaults, check.options, given)
    folder = str(options.get("model_dir", ""))
    is_local = folder and not is_remote(folder)
    if check.if_missing == SKIP and is_local and not is_there(folder):
        return _Item(Run(check.name, skipped=f"skipped: {folder} does not exist"))
    if check.problem:
        return _Item(Run(check.name, problem=check.problem + _if_missing(folder)))
    python_at = "" if "python" in given else check.python_at or configuration.python_at
    try:
        spec = from_command_line(AgainstSpec, options)
        return _Item(Run(check.name), spec, check.if_missing == SKIP, python_at)
    except UsageError as error:
        return _Item(Run(check.name, problem=str(error)))


def _run_all(items: Sequence[_Item], jobs: int, say: Say, say_cache: Say) -> List[_Item]:
    """Runs checks in threads. A thread takes a tracer that no other thread uses, or starts one."""
    with _Tracers() as tracers, concurrent.futures.ThreadPoolExecutor(jobs) as threads:
        started = [threads.submit(_run, item, tracers, say, say_cache) for item in items]
        try:
            return [future.result() for future in started]
        except BaseException:  # an interrupt: end the tracers, so that the threads end
            for future in started:
                future.cancel()
            tracers.close()
            raise


def _run(item: _Item, tracers: "_Tracers", say: Say, say_cache: Say) -> _Item:
    """Runs one check. If it cannot run, its result says why."""
    name, spec = item.run.name, item.spec
    if spec is None:
        return item
    cache = cache_of(spec, lambda text: say_cache(f"{name}: cache: {text}"))
    told = lambda text: say(f"{name}: {text}")  # noqa: E731
    try:
        with tracers.lease(spec) as start:
            report = run_check(spec, start, say=told, cache=cache)
    except MissingTargetError:
        problem = 'it has no target: add one to its table, such as target = "models.net:model_fn"'
        return item._replace(run=Run(name, problem=problem))
    except MissingThenError as error:
        if item.may_lack:
            return item._replace(run=Run(name, skipped=f"skipped: {error}"))
        return item._replace(run=Run(name, problem=f"{error}. {_LET_IT_PASS}"))
    except UsageError as error:
        placed = error.at(item.python_at) if isinstance(error, PythonError) else error
        problem = f"{placed}{_if_missing(spec.model_dir)}"
        return item._replace(run=Run(name, problem=without_secrets(problem)))
    except Exception as error:  # a bug costs one check
        if "CKPTCHECK_DEBUG" in os.environ:
            raise
        shown = without_secrets(str(error))
        problem = f"internal error: {type(error).__name__}: {shown}. {_BUG}"
        return item._replace(run=Run(name, problem=problem))
    return item._replace(run=Run(name, report))


def _if_missing(folder: str) -> str:
    """Returns what to add to an error if there is no model_dir."""
    if not folder or is_remote(folder) or is_there(folder):
        return ""
    return _NO_MODEL_DIR


_NO_MODEL_DIR = (
    '. There is no model_dir. If this machine does not need it, add if-missing = "skip" to the '
    "check"
)
_LET_IT_PASS = (
    'To let such commits pass, add if-missing = "skip" to the check. To let this commit pass, skip '
    "the hook (SKIP=ckptcheck git commit)"
)
_BUG = (
    "This is a bug in ckptcheck. Please report it. Run this check again with the environment "
    "variable CKPTCHECK_DEBUG=1, and attach the output"
)


class _Tracers:
    """The free tracers, by the options that they were started with."""

    def __init__(self) -> None:
        self._free: Dict[Any, List[Tracer]] = {}
        self._all: List[Tracer] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def lease(self, spec: CheckSpec) -> Iterator[Callable[[], "Tracer"]]:
        """Gives one check a function that returns a tracer. The check may never call it.

        A tracer that was lost is not given to another check.
        """
        key = (spec.python, spec.env, spec.quiet)
        taken: List[Tracer] = []

        def start() -> "Tracer":
            if not taken:
                taken.append(self._take(key, spec))
            return taken[0]

        try:
            yield start
        except TracerLostError:
            for tracer in taken:
                tracer.close()
            raise
        except UsageError:
            self._give_back(key, taken)
            raise
        self._give_back(key, taken)

    def _take(self, key: Any, spec: CheckSpec) -> "Tracer":
        from .client.process import Tracer

        with self._lock:
            free = self._free.setdefault(key, [])
            if free:
                return free.pop()
        tracer = Tracer(spec.python, spec.timeout, spec.quiet, spec.env)
        with self._lock:
            self._all.append(tracer)
        return tracer

    def _give_back(self, key: Any, taken: List["Tracer"]) -> None:
        for tracer in taken:
            tracer.forget()
            with self._lock:
                self._free[key].append(tracer)

    def close(self) -> None:
        """Ends all tracers."""
        with self._lock:
            started, self._all = self._all, []
        for tracer in started:
            tracer.close()

    def __enter__(self) -> "_Tracers":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
