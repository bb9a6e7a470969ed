"""The Python API: a function for each command, and a tracer that many checks share."""

import dataclasses
import functools
import textwrap
from inspect import Parameter, Signature, cleandoc
from typing import TYPE_CHECKING, Any, Callable, Optional, Sequence, TypeVar

from . import __version__, inspection, recording, snapshots, verification
from .cache.kept import cache_of
from .checks import run_check
from .errors import TracerLostError
from .linting import run as linting
from .options import (
    DEFAULT_TIMEOUT,
    AgainstSpec,
    CheckSpec,
    InspectSpec,
    LintSpec,
    OptionError,
    Path,
    RecordSpec,
    SnapshotSpec,
    VerifySpec,
    options_of,
)
from .results import Report

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    from .client import process

    P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


def _taking(cls: "Callable[P, S]") -> "Callable[[Callable[[S], R]], Callable[P, R]]":
    """Gives a function the arguments of a list of options instead of the list.

    Args:
        cls: the list; type checkers take the arguments from it.
    """
    made: Any = cls
    given, lines = [], []
    for option in options_of(made).values():
        kind = Parameter.KEYWORD_ONLY if option.kw_only else Parameter.POSITIONAL_OR_KEYWORD
        given.append(Parameter(option.name, kind, default=option.default, annotation=option.takes))
        text = f"    {option.name}: {option.help}"
        lines.append(textwrap.fill(text, 92, subsequent_indent=" " * 8))
    signature = Signature(given)

    def decorate(function: Callable[[S], R]) -> "Callable[P, R]":
        @functools.wraps(function)
        def call(*given: "P.args", **named: "P.kwargs") -> R:
            return function(made(**signature.bind(*given, **named).arguments))

        call.__signature__ = signature  # type: ignore[attr-defined]
        head, _, rest = cleandoc(function.__doc__ or "").partition("\n\n")
        call.__doc__ = "\n".join([head, "", "Args:", *lines, "", rest, ""])
        return call

    return decorate


@_taking(AgainstSpec)
def check(spec: AgainstSpec) -> Report:
    """Predicts what restoring a checkpoint into a model_fn will do.

    ``params`` and ``features`` can also be dicts with what the files would hold.

    Returns:
        The report; ``report.ok`` says whether the check passed.

    Raises:
        UsageError: something that the check needs is missing or invalid.
    """
    return run_check(spec, cache=cache_of(spec, lambda text: None))


@_taking(InspectSpec)
def inspect(spec: InspectSpec) -> Report:
    """Lists what a model_dir holds and which checkpoint Estimator loads, without its data.

    Returns:
        The report; ``report.ok`` says whether no finding is severe enough to fail.

    Raises:
        UsageError: the model_dir does not exist, or an argument is invalid.
    """
    return inspection.inspect(spec.model_dir, spec.fail_on)


@_taking(VerifySpec)
def verify(spec: VerifySpec) -> Report:
    """Reads all data of checkpoints: checksums, NaN and infinite values, untrained values.

    Returns:
        The report; ``report.last_good`` is the latest checkpoint whose data is complete and
        correct.

    Raises:
        UsageError: the model_dir does not exist, numpy is not installed, or an argument is invalid.
    """
    return verification.verify(spec.model_dir, spec.all_checkpoints, spec.fail_on)


@_taking(SnapshotSpec)
def snapshot(spec: SnapshotSpec) -> Report:
    """Writes a small copy of a model_dir without its data. Checks take it as MODEL_DIR.

    Returns:
        The report: ``report.written`` is the snapshot, and the findings say what is wrong with the
        model_dir.

    Raises:
        UsageError: there is no checkpoint to copy, or ``out`` is not empty and, with
            ``force``, not a snapshot.
    """
    return snapshots.snapshot(spec.model_dir, spec.out, spec.force)


@_taking(LintSpec)
def lint(spec: LintSpec) -> Report:
    """Finds mistakes in Estimator code that break checkpoints, without importing the code.

    Returns:
        The report; ``report.ok`` says whether no finding is severe enough to fail.

    Raises:
        UsageError: a path does not exist, or an argument is invalid.
    """
    return linting.lint(spec)


@_taking(RecordSpec)
def record(spec: RecordSpec) -> Report:
    """Writes a record beside the checkpoint that Estimator loads, for later checks.

    Returns:
        The report of the check that it runs first; ``report.written`` is the record. If
        ``report.ok`` is False, the code does not fit the checkpoint, and nothing was written.

    Raises:
        UsageError: something that the check needs is missing or invalid, or the record cannot be
            written.
    """
    return recording.record(spec, __version__)


class Tracer:
    """Imports TensorFlow once, for many checks one after another.

    ::

        with ckptcheck.Tracer() as tracer:
            for path in paths:
                report = tracer.check("runs/base", "models.net:model_fn", path)

    Attributes:
        check: takes the arguments of :func:`ckptcheck.check` and returns its report. ``python``
            and ``env`` must be those of the tracer. If traced code ends the tracer, this check
            raises :class:`ckptcheck.UsageError`, and the next check starts the tracer again.
    """

    def __init__(
        self,
        python: Optional[Path] = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        quiet: bool = True,
        env: Sequence[str] = (),
    ) -> None:
        """Prepares the tracer; its process starts with the first check.

        Args:
            python: the path or the command of the Python that has TensorFlow; by default, the
                Python that runs ckptcheck if it has TensorFlow, or else that of the project.
            timeout: the seconds that importing TensorFlow may take.
            quiet: hides what the traced code prints.
            env: environment variables for the traced code, such as ``NAME=value``.

        Raises:
            UsageError: an argument is invalid.
        """
        options = options_of(CheckSpec)
        self._python = options["python"].kept(python)
        self._timeout = options["timeout"].kept(timeout)
        self._quiet = options["quiet"].kept(quiet)
        self._env = options["env"].kept(env)
        self._running: Optional[process.Tracer] = None
        self.check = _taking(AgainstSpec)(self._check)

    def _check(self, spec: AgainstSpec) -> Report:
        if spec.python not in (None, self._python):
            python = options_of(CheckSpec)["python"]
            raise OptionError(python, f" {spec.python}: this Tracer uses another Python")
        if spec.env not in ((), self._env):
            problem = ": this Tracer was started with other environment variables"
            raise OptionError(options_of(CheckSpec)["env"], problem)
        spec = dataclasses.replace(spec, python=spec.python or self._python, env=self._env)
        try:
            return run_check(spec, self._started, cache=cache_of(spec, lambda text: None))
        except TracerLostError:
            self.close()
            raise

    def _started(self) -> "process.Tracer":
        from .client import process

        if self._running is None:
            args = self._python, self._timeout, self._quiet, self._env
            self._running = process.Tracer(*args)
        return self._running

    def close(self) -> None:
        """Ends the process of the tracer."""
        if self._running is not None:
            self._running.close()
        self._running = None

    def __enter__(self) -> "Tracer":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
